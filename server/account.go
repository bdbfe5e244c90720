package server

import (
	"net/http"
	"strings"

	"github.com/weir-gateway/weir"
)

// What follows serves what belongs to an account and not to a model: files,
// batches, vector stores and the like. It is relayed through the same chain as
// everything else, to the provider that the request names.

// accountResources are the resources that are relayed, and as which operation.
// What manages an organisation or its keys is not among them.
var accountResources = map[string]weir.Operation{
	"files":           weir.Files,
	"uploads":         weir.Files,
	"batches":         weir.Batches,
	"vector_stores":   weir.Other,
	"fine_tuning":     weir.Other,
	"containers":      weir.Other,
	"evals":           weir.Other,
	"videos":          weir.Other,
	"skills":          weir.Other,
	"ocr":             weir.Other,
	"classifications": weir.Other,
	"agents":          weir.Other,
	"tokenize":        weir.Other,
	"detokenize":      weir.Other,
	"classify":        weir.Other,
	"score":           weir.Other,
	"pooling":         weir.Other,
	"assistants":      weir.Other,
	"threads":         weir.Other,
	"voices":          weir.Other,
	"chatkit":         weir.Other,
}

func (s *Server) accountRoutes(mux *http.ServeMux) {
	for resource, op := range accountResources {
		f := s.face(weir.OpenAIREST, op)
		if f == nil {
			return
		}
		for _, base := range []string{"/v1/", "/openai/v1/"} {
			serve := func(w http.ResponseWriter, r *http.Request) { s.account(w, r, f) }
			mux.HandleFunc(base+resource, serve)
			mux.HandleFunc(base+resource+"/{rest...}", serve)
		}
	}
}

// ProviderHeader names the provider that a request without a model is for.
const ProviderHeader = "X-Weir-Provider"

// account relays a call that belongs to the operator's account. Where several
// clients share the gateway, one could see what belongs to another: it has to
// be switched on then.
func (s *Server) account(w http.ResponseWriter, r *http.Request, f *face) {
	current := s.gateway.Current()
	if current.Keys.Len() > 0 && !current.Config.AccountResources {
		resource, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, "/openai"), "/v1/"), "/")
		err := weir.Errorf(weir.KindPermission, "%s belong to the provider's account, which all keys of this gateway share", bounded(resource))
		err.Hint = "account_resources: true in weir.yaml allows it"
		s.writeError(w, weir.OpenAIREST, err)
		return
	}
	s.generate(w, r, f)
}

// providerFor makes a request without a model one for a provider.
func (s *Server) providerFor(req *weir.Request, r *http.Request) error {
	if req.Model != "" || !req.Op.IsRelayed() {
		return nil
	}
	name, err := s.gateway.Current().AccountProvider(r.Header.Get(ProviderHeader))
	if err != nil {
		return err
	}
	req.Model = name
	return nil
}
