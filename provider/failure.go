package provider

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/weir-gateway/weir"
)

// maxErrorBody is how much of an error's body is read: enough for every
// message that a person would read, and for the page of a proxy in between.
const maxErrorBody = 64 << 10

// statusError is what an answer of another status than 2xx means.
func (c *call) statusError(ctx context.Context, res *http.Response, requestID string) error {
	if res.StatusCode < 400 {
		return c.mark(redirected(res.StatusCode), requestID)
	}
	body, err := errorBody(res)
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	e := clone(c.endpoint.decodeError(res, body))
	e.Status = res.StatusCode
	if c.req.Op == weir.CountTokens && cannotCount(e) {
		e.Kind = weir.KindUnsupported // another stage may estimate
	}
	return c.mark(e, requestID)
}

// decodeError reads an error in the endpoint's protocol, or in that of the cloud
// around it.
func (e *endpoint) decodeError(res *http.Response, body []byte) *weir.Error {
	readable, spoke := body, weir.Protocol("")
	if e.envelope != nil {
		readable, spoke = e.envelope.fault(res.Header, body)
	}
	err := e.codec.DecodeError(res.StatusCode, res.Header, readable, &e.target)
	if err.Wire == nil || spoke != "" {
		err = clone(err)
		err.Wire = &weir.ErrorWire{
			Protocol: cmp.Or(spoke, e.codec.Protocol()), Status: res.StatusCode,
			ContentType: res.Header.Get("Content-Type"), Body: body,
		}
	}
	return err
}

// cannotCount reports whether an endpoint has no path for counting tokens, or
// does not count those of this model, as Bedrock says with a 400.
func cannotCount(e *weir.Error) bool {
	switch {
	case e.Kind == weir.KindNotFound, e.Status == http.StatusMethodNotAllowed, e.Status == http.StatusNotImplemented:
		return true
	}
	return e.Status == http.StatusBadRequest && strings.Contains(e.Message, "support counting tokens")
}

// redirected is the refusal to follow: the key would go to wherever the answer
// points.
func redirected(status int) *weir.Error {
	e := weir.Errorf(weir.KindUpstream, "the endpoint answered with a redirect, which is not followed")
	e.Status = status
	e.Hint = "check the base URL of the endpoint: its scheme, host and path"
	return e
}

// errorBody reads the beginning of an error's body, and all of it if it is
// short, so that the connection can be used again. What could be read counts.
func errorBody(res *http.Response) ([]byte, error) {
	src, err := decoded(res.Body, res.Header, maxErrorBody+1)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(io.LimitReader(src, maxErrorBody))
	if len(body) < maxErrorBody {
		return body, err
	}
	return body, nil
}

// failed is an error that the codec found in an answer of status 2xx.
func (c *call) failed(ctx context.Context, err error, requestID string) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if c.broken != nil {
		err = c.broken // a codec only adds its own words to it
	}
	e, ok := errors.AsType[*weir.Error](err)
	if !ok {
		e = weir.Errorf(weir.KindUpstream, "the answer could not be read: %w", err)
	}
	return c.mark(clone(e), requestID)
}

// mark says who spoke, in which call, and takes out what a client must not
// see. It modifies e.
func (c *call) mark(e *weir.Error, requestID string) error {
	if aboutKey(e) {
		e = keyRefused(e)
	}
	e.Provider, e.Deployment = c.provider, c.name
	if e.RequestID == "" {
		e.RequestID = requestID
	}
	scrub(e, c.secret)
	return e
}

// keyRefused is what a client is told of a refused key: that the fault is the
// gateway's. The provider's status and words would make it doubt its own key,
// and its words often repeat a part of ours.
func keyRefused(e *weir.Error) *weir.Error {
	text := "the provider refused the gateway's credential"
	if e.Status != 0 {
		text = fmt.Sprintf("%s (status %d)", text, e.Status)
	}
	return &weir.Error{
		Kind: weir.KindUpstreamAuth, Message: text, RequestID: e.RequestID,
		Hint: "the operator has to check the key of this provider",
	}
}

// aboutKey reports whether e says that the gateway's key is no good, and not
// that something in particular is forbidden to it.
func aboutKey(e *weir.Error) bool {
	switch e.Kind {
	case weir.KindUpstreamAuth, weir.KindUnauthenticated:
		return true
	case weir.KindPermission:
		return e.Status == http.StatusUnauthorized || !namesForbidden(e.Message+" "+e.Code)
	case weir.KindInvalid:
		return e.Status == http.StatusUnauthorized
	}
	return false
}

// namesForbidden reports whether a refusal is about the content, the place or
// the model. Those stay what they are: another key would fare no better, and
// the client can do something about them.
func namesForbidden(text string) bool {
	text = strings.ToLower(text)
	for _, word := range [...]string{
		"content", "moderation", "safety", "policy", "sensitive",
		"region", "country", "territory", "location",
		"model",
	} {
		if strings.Contains(text, word) {
			return true
		}
	}
	return false
}

// clone keeps an error that a codec may share from being modified.
func clone(e *weir.Error) *weir.Error {
	c := *e
	return &c
}
