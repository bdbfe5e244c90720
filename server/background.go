package server

import (
	"bytes"
	"context"
	"net/http"
	"time"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/gateway"
	"github.com/weir-gateway/weir/internal/jsonx"
	"github.com/weir-gateway/weir/stage/thread"
)

// inBackground reports whether the client wants to fetch the answer later.
func inBackground(req *weir.Request) bool {
	if req.Op != weir.Generate || req.Wire == nil || req.Wire.Protocol != weir.OpenAIResponses {
		return false
	}
	top, err := codec.TopOf(req.Wire)
	if err != nil {
		return false
	}
	background, _ := jsonx.Bool(top.Get(req.Wire.Body, "background"))
	return background
}

// background starts a response that runs on without its client, and answers with
// what it is so far; a client that streams is sent its events as they come.
func (s *Server) background(a *answer, req *weir.Request, g *gateway.Snapshot) {
	if g.Background == nil {
		a.refuse(weir.Invalid("background", "nothing is kept here, so that nothing could be fetched later: state.responses.keep is false in weir.yaml"))
		return
	}
	if top, err := codec.TopOf(req.Wire); err == nil && string(top.Get(req.Wire.Body, "store")) == "false" {
		a.refuse(weir.Invalid("background", "a response that is made in the background has to be kept: leave out store, or background"))
		return
	}
	own, err := detachedRequest(a.face.codec, req)
	if err != nil {
		a.refuse(err)
		return
	}
	own.Stream = true
	rec, err := g.Background.Start(a.r.Context(), thread.Job{
		Handler: g.Chain, Request: own, Encoder: a.face.codec.NewEncoder(own),
		Queued: func(id string, created time.Time) []byte { return queuedResponse(a.face.codec, own, id, created) },
		Final:  finalResponse,
	})
	if err != nil {
		a.refuse(err)
		return
	}
	c := &keptCall{w: a.w, r: a.r, ctx: a.r.Context(), tenant: thread.TenantOf(req), state: g}
	if !req.Stream {
		body, err := g.Background.Body(c.ctx, c.tenant, rec.ID)
		if err != nil {
			a.refuse(err)
			return
		}
		writeJSON(a.w, http.StatusOK, body)
		return
	}
	if err := c.resume(rec.ID); err != nil {
		a.refuse(err)
	}
}

// detachedRequest is req with bytes of its own, which outlive the call.
func detachedRequest(c codec.Codec, req *weir.Request) (*weir.Request, error) {
	w := *req.Wire
	w.Body, w.Index = bytes.Clone(w.Body), nil
	own, err := c.OpenRequest(req.Op, &w)
	if err != nil {
		return nil, err
	}
	own.ID, own.Principal, own.Strict, own.Labels, own.Hops = req.ID, req.Principal, req.Strict, req.Labels, req.Hops
	return own, nil
}

// queuedResponse is the response object of what has not begun: the codec writes
// one without output, and its status is changed.
func queuedResponse(c codec.Codec, req *weir.Request, id string, created time.Time) []byte {
	whole := req.Clone()
	whole.Stream = false
	enc := c.NewEncoder(whole)
	start := &weir.Start{ID: id, Model: req.Model, Created: created.Unix()}
	out := enc.Encode(nil, weir.Event{Type: weir.EventStart, Start: start})
	out = enc.Encode(out, weir.Event{Type: weir.EventFinish, Finish: &weir.Finish{Reason: weir.FinishStop}})
	return withMembers(enc.Close(out, nil), map[string]string{"id": string(jsonx.AppendString(nil, id)), "status": `"queued"`, "background": "true", "usage": "null", "completed_at": ""})
}

// finalResponse says in a response object what only the record knows.
func finalResponse(latest []byte, rec *thread.Record) []byte {
	members := map[string]string{"background": "true"}
	switch rec.Status {
	case thread.Cancelled:
		members["status"], members["error"] = `"cancelled"`, "null"
	case thread.Failed:
		members["status"] = `"failed"`
		if f := rec.Failure; f != nil {
			var b jsonx.Buffer
			b.BeginObject()
			b.StringField("code", f.Code)
			b.StringField("message", f.Message)
			b.EndObject()
			members["error"] = string(b.B)
		}
	case thread.Queued, thread.InProgress, thread.Completed, thread.Incomplete:
	}
	return withMembers(latest, members)
}

// withMembers is a JSON object with some members set, or taken out where the
// value is empty.
func withMembers(object []byte, members map[string]string) []byte {
	var top jsonx.Top
	if top.Scan(object) != nil {
		return object
	}
	var edits []jsonx.Edit
	for key, value := range members {
		e := jsonx.Edit{Key: key}
		if value != "" {
			e.Value = []byte(value)
		} else if !top.Has(key) {
			continue
		}
		edits = append(edits, e)
	}
	return bytes.Join(top.Splice(nil, object, edits), nil)
}

// keptNote is the note that an answer is kept, and can be with its final body.
type keptNote interface {
	KeepBody(ctx context.Context, body []byte) error
}

// keep keeps the final response object, so that it can be fetched again as it
// was: of a stream it is a member of the last event.
func (a *answer) keep(written []byte) {
	if a.kept == nil {
		return
	}
	body := written
	if a.req.Stream {
		if body = terminalResponse(written); body == nil {
			return
		}
	}
	if err := a.kept.KeepBody(a.r.Context(), bytes.Clone(body)); err != nil {
		a.server.logger.Warn("a response could not be kept", "request_id", a.id, "error", err)
	}
	a.kept = nil
}

// terminalResponse is the response object of the event that ends a stream; nil
// when there is none in frames.
func terminalResponse(frames []byte) []byte {
	for line := range bytes.Lines(frames) {
		data, ok := bytes.CutPrefix(line, []byte("data:"))
		if !ok {
			continue
		}
		var top jsonx.Top
		data = bytes.TrimSpace(data)
		if top.Scan(data) != nil {
			continue
		}
		switch jsonx.StringOr(top.Get(data, "type"), "") {
		case "response.completed", "response.incomplete", "response.failed":
			return top.Get(data, "response")
		}
	}
	return nil
}
