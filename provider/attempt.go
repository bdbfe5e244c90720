package provider

import (
	"context"
	"io"
	"net/http"
	"time"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
)

// attempt is one HTTP exchange with one key. Its error is nil when the answer
// was complete, and errStopped when the consumer left.
func (c *call) attempt(ctx context.Context, k *key) error {
	r, err := c.newRequest(ctx, k)
	if err != nil {
		return c.own(err)
	}
	res, err := c.transport.RoundTrip(r)
	if err != nil {
		return c.transportError(ctx, err)
	}
	// A body that was not read to its end takes its connection along; one that
	// was gives it back. Neither reads on.
	defer func() { _ = res.Body.Close() }()

	requestID := codec.RequestID(res.Header)
	if !c.yield(c.upstreamNote(res, requestID), nil) {
		return errStopped
	}
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return c.statusError(ctx, res, requestID)
	}
	body := &answerBody{src: res.Body, call: c, ctx: ctx}
	src, err := decoded(body, res.Header, int64(c.maxBody))
	if err != nil {
		return c.failed(ctx, err, requestID)
	}
	if e := c.endpoint.envelope; e != nil {
		src = e.open(src, res.Header, c.req.Op, c.maxFrame)
	}
	if err := c.decode(ctx, res, src, requestID); err != nil {
		return err
	}
	body.drain(func() { _ = res.Body.Close() })
	return nil
}

// decode passes the answer's events on.
func (c *call) decode(ctx context.Context, res *http.Response, src io.Reader, requestID string) error {
	answer := &codec.Answer{
		Status: res.StatusCode, Method: c.out.Method, Header: res.Header, Body: src, Stream: c.out.Stream, Op: c.req.Op, Relay: c.relays(),
		Target: &c.endpoint.target, Names: c.out.Names, Custom: c.out.Custom,
		MaxFrame: c.maxFrame, MaxBody: c.maxBody,
	}
	for ev, err := range c.endpoint.codec.Decode(answer) {
		if err != nil {
			return c.failed(ctx, err, requestID)
		}
		if ctx.Err() != nil {
			return ctx.Err() // the codec may go on with what it has read before
		}
		if c.folds {
			if ev, err = c.folded(ev); err != nil {
				return err
			}
		}
		c.began = true
		if !c.yield(ev, nil) {
			return errStopped
		}
	}
	return nil
}

// relays reports whether content may flow by undecoded: whoever called can take
// it so, and speaks the protocol of this endpoint.
func (c *call) relays() bool {
	return c.req.Relay && c.req.Wire != nil && c.req.Wire.Protocol == c.endpoint.codec.Protocol()
}

// upstreamNote is the fact that a status line came.
func (c *call) upstreamNote(res *http.Response, requestID string) weir.Event {
	return weir.NoteEvent(&weir.Upstream{
		Deployment: c.name, Provider: c.provider, Model: c.model,
		Protocol: c.endpoint.codec.Protocol(), Status: res.StatusCode,
		RequestID: requestID, Header: notable(res.Header, res.StatusCode),
	})
}

// answerBody is the body as a codec reads it: errors of the connection come in
// Weir's words, and the end is remembered.
type answerBody struct {
	src  io.Reader
	call *call
	ctx  context.Context // of the attempt that this body belongs to
	done bool
}

// Read implements io.Reader.
func (b *answerBody) Read(p []byte) (int, error) {
	n, err := b.src.Read(p)
	if err == nil {
		return n, nil
	}
	b.done = true
	if err != io.EOF { //nolint:errorlint // a reader's end is io.EOF itself; one that is wrapped is an error
		err = b.call.brokenAnswer(b.ctx, err)
	}
	return n, err
}

// How much of an answer that is complete in meaning is read to reach its end,
// so that the connection can be used again, and for how long.
const (
	drainBytes = 4 << 10
	drainWait  = 50 * time.Millisecond
)

// drain reads what a protocol leaves unread behind its last word, mostly the
// empty chunk at the end. give is called if that takes long.
func (b *answerBody) drain(give func()) {
	if b.done {
		return
	}
	timer := time.AfterFunc(drainWait, give)
	defer timer.Stop()
	var buf [512]byte
	for total := 0; total < drainBytes; {
		n, err := b.src.Read(buf[:])
		if err != nil {
			return
		}
		total += n
	}
}
