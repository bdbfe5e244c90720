package server

import (
	"encoding/json"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/gateway"
)

// What follows is for the operator (O-16): how the deployments are, and what
// would become of a request.

func (s *Server) adminRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /admin/deployments", s.adminDeployments)
	mux.HandleFunc("POST /admin/explain", s.adminExplain)
}

// mayAdminister lets the operator in: with a key that is an admin's, or, where
// there are no keys, from this machine. Pages of other origins are kept out,
// with a key too. Where it is nobody, it has answered already and is false.
func (s *Server) mayAdminister(w http.ResponseWriter, r *http.Request) (*weir.Principal, bool) {
	keys := s.gateway.Current().Keys
	p, err := keys.Authenticate(r.Header, query(r))
	switch {
	case err != nil:
	case foreign(r):
		err = weir.Errorf(weir.KindPermission, "pages of other origins may not look at this")
	case keys != nil && !p.Admin:
		e := weir.Errorf(weir.KindPermission, "the key %.64q is not an admin's", p.Name)
		e.Hint = "admin: true in the key's entry in weir.yaml makes it one"
		err = e
	case keys == nil && (!fromLoopback(r) || !toLoopback(r.Host) || forwarded(r)):
		e := weir.Errorf(weir.KindPermission, "without keys this is for the machine itself")
		e.Hint = "ask at 127.0.0.1, or make a key with weir keys new NAME --admin"
		err = e
	}
	if err != nil {
		s.writeError(w, weir.OpenAIChat, weir.AsError(err))
		return nil, false
	}
	return p, true
}

// foreign reports whether a page of another origin has sent the request.
func foreign(r *http.Request) bool {
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" && site != "none" {
		return true
	}
	origin := r.Header.Get("Origin")
	if origin == "" {
		return false
	}
	u, err := url.Parse(origin)
	return err != nil || !strings.EqualFold(u.Host, r.Host)
}

// forwarded reports whether a proxy on this machine has passed the request on for
// somebody who may be anywhere.
func forwarded(r *http.Request) bool {
	return slices.ContainsFunc([]string{"Forwarded", "Via", "X-Forwarded-For", "X-Real-Ip"}, func(name string) bool {
		return r.Header.Get(name) != ""
	})
}

// toLoopback reports whether the address that the client used is one of this
// machine: a name that somebody else has pointed at it is not.
func toLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		host = strings.Trim(address, "[]")
	}
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

// deploymentList is the answer of /admin/deployments.
type deploymentList struct {
	Config      string                     `json:"config"` // the version in force
	Deployments []gateway.DeploymentStatus `json:"deployments"`
}

func (s *Server) adminDeployments(w http.ResponseWriter, r *http.Request) {
	if _, ok := s.mayAdminister(w, r); !ok {
		return
	}
	current := s.gateway.Current()
	list, err := current.Deployments() //nolint:contextcheck // nothing is waited for
	if err != nil {
		s.writeError(w, weir.OpenAIChat, weir.AsError(err))
		return
	}
	answer := &deploymentList{Config: current.Version, Deployments: list}
	if prefersHTML(r.Header.Get("Accept")) {
		writePage(w, deploymentsPage(answer))
		return
	}
	s.writeAdmin(w, answer)
}

func (s *Server) adminExplain(w http.ResponseWriter, r *http.Request) {
	p, ok := s.mayAdminister(w, r)
	if !ok {
		return
	}
	body, err := s.readBody(w, r, s.gateway.Current())
	if err != nil {
		s.writeError(w, weir.OpenAIChat, weir.AsError(err))
		return
	}
	defer body.release()
	q := query(r)
	account, err := s.Explain(r.Context(), &Inquiry{
		Path: q.Get("path"), Model: q.Get("model"), Header: r.Header, Principal: p, Body: body.bytes,
	})
	if err != nil {
		s.writeError(w, weir.OpenAIChat, weir.AsError(err))
		return
	}
	s.writeAdmin(w, account)
}

// writeAdmin writes what is true for this moment only.
func (s *Server) writeAdmin(w http.ResponseWriter, v any) {
	body, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		s.writeError(w, weir.OpenAIChat, weir.AsError(err))
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	writeJSON(w, http.StatusOK, append(body, '\n'))
}

// prefersHTML reports whether a page is named in front of JSON, as browsers do.
func prefersHTML(accept string) bool {
	page, data := strings.Index(accept, "text/html"), strings.Index(accept, "application/json")
	return page >= 0 && (data < 0 || page < data)
}
