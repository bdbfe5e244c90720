package server

import (
	"context"
	"errors"
	"net/http"
	"strconv"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/gateway"
	"github.com/weir-gateway/weir/internal/jsonx"
	"github.com/weir-gateway/weir/stage/thread"
)

// What follows is the rest of the Responses API: what can be done with a
// response once it was made (OpenAI OpenAPI 2.3.0, 2026-08-21). What is kept here
// is answered here; of a provider that keeps its own, the rest is relayed there.

func (s *Server) responsesRoutes(mux *http.ServeMux) {
	if s.codecs[weir.OpenAIResponses] == nil {
		return
	}
	s.socket = s.responsesSocket()
	for _, path := range openAI("/responses") {
		mux.Handle("GET "+path, s.socket)
		mux.HandleFunc("GET "+path+"/{id}", s.kept(s.retrieve))
		mux.HandleFunc("DELETE "+path+"/{id}", s.kept(s.forget))
		mux.HandleFunc("POST "+path+"/{id}/cancel", s.kept(s.cancel))
		mux.HandleFunc("GET "+path+"/{id}/input_items", s.kept(s.inputItems))
	}
	s.conversationRoutes(mux)
}

// A keptCall is a request about something that is kept.
type keptCall struct {
	w      http.ResponseWriter
	r      *http.Request
	ctx    context.Context
	tenant string
	state  *gateway.Snapshot
}

// kept authenticates, and answers the error of fn. What is not known here may be
// known to the provider that the request names.
func (s *Server) kept(fn func(*keptCall) error) http.HandlerFunc {
	relay := s.face(weir.OpenAIREST, weir.Other)
	return func(w http.ResponseWriter, r *http.Request) {
		current := s.gateway.Current()
		principal, err := current.Keys.Authenticate(r.Header, query(r))
		if err != nil {
			s.writeError(w, weir.OpenAIResponses, weir.AsError(err))
			return
		}
		c := &keptCall{w: w, r: r, ctx: r.Context(), state: current}
		if principal != nil {
			c.tenant = principal.Name
		}
		err = weir.Errorf(weir.KindNotFound, "nothing is kept here: state.responses.keep is false in weir.yaml")
		if current.Threads != nil {
			err = fn(c)
		}
		if errors.Is(err, weir.KindNotFound) && relay != nil && r.Header.Get(ProviderHeader) != "" {
			s.account(w, r, relay)
			return
		}
		if err != nil {
			s.writeError(w, weir.OpenAIResponses, weir.AsError(err))
		}
	}
}

// retrieve answers a response as it was, or as far as it is by now.
func (s *Server) retrieve(c *keptCall) error {
	id := c.r.PathValue("id")
	if c.r.URL.Query().Get("stream") == "true" || c.saysStream() {
		return c.resume(id)
	}
	if _, err := c.state.Threads.Response(c.ctx, c.tenant, id); err != nil {
		return err
	}
	body, err := c.state.Background.Body(c.ctx, c.tenant, id)
	if err != nil {
		return err
	}
	if body == nil {
		return weir.Errorf(weir.KindNotFound, "the response %s was made, but its body is not kept any more", bounded(id))
	}
	writeJSON(c.w, http.StatusOK, body)
	return nil
}

// saysStream reports whether the body of a GET wants a stream: OpenAI's client in
// Go puts it there.
func (c *keptCall) saysStream() bool {
	if c.r.ContentLength <= 0 || c.r.ContentLength > 1<<10 {
		return false
	}
	top, raw, err := c.body()
	if err != nil {
		return false
	}
	stream, _ := jsonx.Bool(top.Get(raw, "stream"))
	return stream
}

// resume sends the events of a background response from a number on.
func (c *keptCall) resume(id string) error {
	after := int64(-1)
	if v := c.r.URL.Query().Get("starting_after"); v != "" {
		n, err := strconv.ParseInt(v, 10, 64)
		if err != nil {
			return weir.Invalid("starting_after", "starting_after is no number")
		}
		after = n
	}
	out, begun := http.NewResponseController(c.w), false
	for event, err := range c.state.Background.Events(c.ctx, c.tenant, id, after) {
		if err != nil && !begun {
			return err
		}
		if err != nil {
			panic(http.ErrAbortHandler) // the client must see that the stream was cut
		}
		if !begun {
			begun = true
			h := c.w.Header()
			h["Content-Type"], h["Cache-Control"], h["X-Accel-Buffering"] = []string{"text/event-stream"}, noCache, noBuffering
		}
		_ = out.SetWriteDeadline(deadline())
		if _, err := c.w.Write(event); err != nil || out.Flush() != nil {
			return nil // the client is gone
		}
	}
	return nil
}

// forget deletes a response here and, first, at the provider that keeps it too. Who
// is told that it is deleted can rely on it.
func (s *Server) forget(c *keptCall) error {
	id := c.r.PathValue("id")
	if err := c.state.Background.Delete(c.ctx, c.tenant, id, c.state.ForgetResponse); err != nil {
		return err
	}
	writeDeleted(c.w, id, "response")
	return nil
}

func writeDeleted(w http.ResponseWriter, id, object string) {
	var b jsonx.Buffer
	b.BeginObject()
	b.StringField("id", id)
	b.StringField("object", object)
	b.BoolField("deleted", true)
	b.EndObject()
	writeJSON(w, http.StatusOK, b.B)
}

func (s *Server) cancel(c *keptCall) error {
	id := c.r.PathValue("id")
	if _, err := c.state.Background.Cancel(c.ctx, c.tenant, id); err != nil {
		return err
	}
	return s.retrieve(c)
}

// inputItems lists what a response was asked with.
func (s *Server) inputItems(c *keptCall) error {
	page, err := c.page()
	if err != nil {
		return err
	}
	items, more, err := c.state.Threads.InputItems(c.ctx, c.tenant, c.r.PathValue("id"), page)
	if err != nil {
		return err
	}
	return s.writeItems(c.w, items, more)
}

// page reads limit, order and after. Lists begin with the latest, as OpenAI's do.
func (c *keptCall) page() (thread.Page, error) {
	q := c.r.URL.Query()
	p := thread.Page{Limit: 20, After: q.Get("after"), Descending: q.Get("order") != "asc"}
	if v := q.Get("limit"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 || n > 100 {
			return p, weir.Invalid("limit", "limit must be a number from 1 to 100")
		}
		p.Limit = n
	}
	return p, nil
}
