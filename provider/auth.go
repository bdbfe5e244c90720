package provider

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/weir-gateway/weir"
)

// An Auth puts a key on a request. Implementations are safe for concurrent use
// and never name the key in an error.
type Auth interface {
	// Apply signs req, which is not shared yet and whose body may be had from
	// GetBody. key is empty where there are no credentials.
	Apply(req *http.Request, key string) error
}

// Bearer sends "Authorization: Bearer <key>".
func Bearer() Auth { return bearerAuth{} }

// HeaderAuth sends the key as the value of the header of that name:
// "x-api-key", "api-key".
func HeaderAuth(name string) Auth { return headerAuth(http.CanonicalHeaderKey(name)) }

// QueryAuth sends the key as a parameter of the URL. Proxies and servers write
// URLs into logs: it is for upstreams that know no other way.
func QueryAuth(name string) Auth { return queryAuth(name) }

// NoAuth sends nothing.
func NoAuth() Auth { return noAuth{} }

// ParseAuth reads the name of a scheme as configurations and the catalogue
// write it: "bearer", "header:x-api-key", "query:key", "zhipu_jwt", "none".
// The usual header names are schemes themselves: "x-api-key", "api-key",
// "x-goog-api-key". Empty is Bearer.
func ParseAuth(scheme string) (Auth, error) {
	name, arg, _ := strings.Cut(strings.TrimSpace(scheme), ":")
	arg = strings.TrimSpace(arg)
	switch strings.ToLower(name) {
	case "", "bearer":
		return Bearer(), nil
	case "none":
		return NoAuth(), nil
	case "zhipu_jwt":
		return ZhipuJWT(), nil
	case "x-api-key", "api-key", "x-goog-api-key":
		return HeaderAuth(name), nil
	case "header":
		if arg != "" {
			return HeaderAuth(arg), nil
		}
	case "query":
		if arg != "" {
			return QueryAuth(arg), nil
		}
	}
	err := weir.Invalid("auth", "unknown authentication scheme %q", name)
	err.Hint = "use bearer, header:<name>, query:<name>, zhipu_jwt or none"
	return nil, err
}

type bearerAuth struct{}

// Apply implements Auth.
func (bearerAuth) Apply(req *http.Request, key string) error {
	req.Header["Authorization"] = []string{"Bearer " + key}
	return nil
}

type headerAuth string

// Apply implements Auth.
func (name headerAuth) Apply(req *http.Request, key string) error {
	req.Header[string(name)] = []string{key}
	return nil
}

type queryAuth string

// Apply implements Auth.
func (name queryAuth) Apply(req *http.Request, key string) error {
	u := *req.URL
	pair := url.QueryEscape(string(name)) + "=" + url.QueryEscape(key)
	if u.RawQuery != "" {
		pair = u.RawQuery + "&" + pair
	}
	u.RawQuery = pair
	req.URL = &u
	return nil
}

type noAuth struct{}

// Apply implements Auth.
func (noAuth) Apply(*http.Request, string) error { return nil }
