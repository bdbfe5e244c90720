package gateway

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec/all"
	"github.com/weir-gateway/weir/internal/jsonx"
	"github.com/weir-gateway/weir/stage/thread"
)

// maxDeleted is how much of the answer to a deletion is read, in bytes.
const maxDeleted = 64 << 10

// ForgetResponse deletes a response at the provider that made it, where that keeps
// it too, with the credentials with which it was made. One that is not there any
// more is no error. The error is KindUpstream and has status 502, whatever the
// provider said.
func (s *Snapshot) ForgetResponse(ctx context.Context, rec *thread.Record) error {
	if rec.Upstream == "" {
		return nil
	}
	d, err := s.storing(rec)
	if err == nil {
		err = deleteResponse(ctx, d.Handler, rec.Upstream)
	}
	if err == nil {
		return nil
	}
	cause := weir.AsError(err)
	if cause.Kind == weir.KindCanceled {
		return cause
	}
	e := weir.Errorf(weir.KindUpstream, "%s keeps the response too and has not deleted it: %s", rec.Provider, cause.Message)
	e.Status, e.Provider, e.Param, e.Code = http.StatusBadGateway, rec.Provider, "id", "response_not_deleted"
	e.RetryAfter = cause.RetryAfter
	e.Hint = "nothing was deleted here either: send the request again, or delete the response at " + rec.Provider
	return e
}

// storing is where the response of a record is kept: the deployment that made it,
// for what else than answers its Responses API has.
func (b *builder) storing(rec *thread.Record) (weir.Deployment, error) {
	a := b.byName[rec.Provider]
	if a == nil {
		return weir.Deployment{}, b.notOn(rec.Provider)
	}
	p := *a.provider
	p.Endpoints = nil
	for _, e := range a.provider.Endpoints {
		if e.Protocol == weir.OpenAIResponses {
			e.Protocol = weir.OpenAIREST
			p.Endpoints = append(p.Endpoints, e)
		}
	}
	at := *a
	at.provider = &p
	_, call, err := b.upstream(&at, rec.Deployment, modelOf(rec))
	if err != nil {
		return weir.Deployment{}, err
	}
	return b.deployment(rec.Deployment, a.name, modelOf(rec), a.timeouts, a.maxConns, demands{}, call), nil
}

func modelOf(rec *thread.Record) string { return strings.TrimPrefix(rec.Deployment, rec.Provider+"/") }

// deleteResponse asks for the deletion and reads what came of it.
func deleteResponse(ctx context.Context, upstream weir.Handler, id string) error {
	req, err := all.For(weir.OpenAIREST).OpenRequest(weir.Other, &weir.Wire{
		Protocol: weir.OpenAIREST, Method: http.MethodDelete, Path: "/v1/responses/" + url.PathEscape(id),
	})
	if err != nil {
		return err
	}
	var body []byte
	for ev, err := range upstream.Handle(ctx, req) {
		if err != nil {
			if isGone(weir.AsError(err), id) {
				return nil
			}
			return err
		}
		if ev.Frame != nil && len(body) < maxDeleted {
			body = append(body, ev.Frame.Raw...)
		}
	}
	return refusedDeletion(body)
}

// isGone reports whether an error says that there is no such response: it has
// status 404 and names the id. A server that knows no such path does not.
func isGone(e *weir.Error, id string) bool {
	return e.Status == http.StatusNotFound && (strings.Contains(e.Message, id) || e.Wire != nil && bytes.Contains(e.Wire.Body, []byte(id)))
}

// refusedDeletion is why an answer with a good status is none: some servers say so
// in the body only.
func refusedDeletion(body []byte) error {
	deleted, said := jsonx.Bool(jsonx.Get(body, "deleted"))
	if raw := jsonx.Get(body, "error"); said && !deleted || raw != nil && !jsonx.IsNull(raw) {
		return weir.Errorf(weir.KindUpstream, "the deletion was answered with an error")
	}
	return nil
}
