package sim

import (
	"context"
	"errors"
	"iter"
	"net"
	"net/http"
	"strconv"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
)

// errOver tells that a fault has ended the answer, or the client has.
var errOver = errors.New("the answer is over")

// A player writes one answer with one fault in it.
type player struct {
	w     http.ResponseWriter
	out   *http.ResponseController
	ctx   context.Context
	codec codec.Codec
	req   *weir.Request
	enc   codec.Encoder
	fault *Fault
	sent  int // frames
	usage usageTrack
}

// newPlayer copies the fault, which is shared by all requests of its rule.
func newPlayer(w http.ResponseWriter, r *http.Request, c codec.Codec, req *weir.Request, shared *Fault) *player {
	f := new(*shared)
	return &player{w: w, out: http.NewResponseController(w), ctx: r.Context(), codec: c, req: req, fault: f, enc: c.NewEncoder(req)}
}

// run answers. A fault that takes the place of the answer goes first.
func (p *player) run(h weir.Handler) {
	if sleep(p.ctx, p.fault.Delay) != nil || p.instead() {
		return
	}
	events := p.shape(h.Handle(p.ctx, p.req))
	if p.req.Stream {
		p.stream(events)
		return
	}
	p.whole(events)
}

// instead plays the faults that leave nothing of the answer, and reports
// whether there was one.
func (p *player) instead() bool {
	f := p.fault
	switch {
	case f.Stall.Before:
		<-p.ctx.Done()
	case f.Reset.Before:
		p.kill(true)
	case f.Status != 0:
		p.status()
	case f.HTML:
		p.page(http.StatusOK)
	case f.Empty:
		p.w.Header().Set("Content-Type", p.enc.ContentType())
		p.w.WriteHeader(http.StatusOK)
	case f.ErrorIn200:
		p.errorBody(http.StatusOK, p.injected(weir.KindOverloaded))
	case f.Malformed == "json", f.Malformed == "frame" && !p.req.Stream:
		p.w.Header().Set("Content-Type", "application/json")
		_, _ = p.w.Write([]byte(`{"id":"sim-malformed","choices":[{"index":0,"message":{"role":"assis`))
	default:
		return false
	}
	return true
}

func (p *player) injected(k weir.Kind) *weir.Error {
	return weir.Errorf(k, "simulated fault: %s", p.fault)
}

// status answers with the fault's status and the body that it asks for.
func (p *player) status() {
	f := p.fault
	if f.RetryAfter != "" {
		p.w.Header().Set("Retry-After", f.RetryAfter)
	}
	switch {
	case f.Status < 400 && f.Body == "", f.Body == "empty":
		p.w.WriteHeader(f.Status)
	case f.Body == "html":
		p.page(f.Status)
	case f.Body == "json":
		p.w.Header().Set("Content-Type", "application/json")
		p.w.WriteHeader(f.Status)
		_, _ = p.w.Write([]byte(`{"detail":"simulated fault","code":` + strconv.Itoa(f.Status) + `}`))
	default:
		p.errorBody(f.Status, p.injected(statusKind(f.Status)))
	}
}

// statusKind is the kind whose words the upstream itself would use.
func statusKind(status int) weir.Kind {
	if status == http.StatusUnauthorized {
		return weir.KindUnauthenticated
	}
	if status == http.StatusInternalServerError {
		return weir.KindInternal
	}
	return weir.KindOfStatus(status)
}

func (p *player) errorBody(status int, e *weir.Error) {
	p.w.Header().Set("Content-Type", "application/json")
	p.w.WriteHeader(status)
	_, _ = p.w.Write(p.codec.AppendError(nil, e))
}

// page is what a proxy in front of an upstream says.
func (p *player) page(status int) {
	p.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	p.w.WriteHeader(status)
	_, _ = p.w.Write([]byte("<!DOCTYPE html>\n<html><head><title>simulated fault</title></head><body><h1>" +
		strconv.Itoa(status) + " " + http.StatusText(status) + "</h1></body></html>\n"))
}

// stream writes an answer frame by frame.
func (p *player) stream(events iter.Seq2[weir.Event, error]) {
	var chunk []byte
	for ev, err := range events {
		if err != nil {
			p.failed(weir.AsError(err))
			return
		}
		if p.breaks() {
			return
		}
		chunk = p.enc.Encode(chunk[:0], ev)
		if p.frames(chunk, ev.More) != nil {
			return
		}
	}
	if !p.breaks() {
		_ = p.frames(p.enc.Close(chunk[:0], nil), false)
	}
}

// breaks plays the fault that ends a stream with an error event, and reports
// that it has. It comes between two events, so that the stream keeps the order
// that its protocol promises: one event may be several frames.
func (p *player) breaks() bool {
	if !p.fault.ErrorAfter.at(p.sent) {
		return false
	}
	e := p.injected(weir.KindOverloaded)
	p.fault = new(Fault)
	_ = p.frames(p.enc.Close(nil, e), false)
	return true
}

// failed ends a stream with the handler's error: as a status while nothing has
// been sent.
func (p *player) failed(e *weir.Error) {
	if p.sent == 0 {
		writeError(p.w, p.codec, e)
		return
	}
	_ = p.frames(p.enc.Close(nil, e), false)
}

// frames sends what the encoder wrote, one frame after another. Nothing is
// flushed for nothing: that would send the headers before they are set.
func (p *player) frames(chunk []byte, more bool) error {
	if len(chunk) == 0 {
		return nil
	}
	framing := framingOf(p.enc.ContentType())
	for len(chunk) > 0 {
		n := framing.next(chunk)
		if err := p.frame(chunk[:n]); err != nil {
			return err
		}
		chunk = chunk[n:]
	}
	if more {
		return nil
	}
	return p.flush()
}

// frame sends one frame, unless the fault has other plans.
func (p *player) frame(frame []byte) error {
	if p.sent == 0 {
		p.w.Header().Set("Content-Type", p.enc.ContentType())
		p.w.Header().Set("Cache-Control", "no-cache")
		if err := p.fillers(); err != nil {
			return err
		}
	}
	if err := p.ends(frame); err != nil {
		return err
	}
	if err := sleep(p.ctx, p.fault.Slow); err != nil {
		return errOver
	}
	for range p.fault.Comments {
		if err := p.write(framingOf(p.enc.ContentType()).comment()); err != nil {
			return err
		}
	}
	if frame = p.rewrite(frame); len(frame) == 0 {
		return nil
	}
	p.sent++
	return p.write(frame)
}

// ends plays the faults that end a stream at this point.
func (p *player) ends(next []byte) error {
	f := p.fault
	switch {
	case f.Stall.at(p.sent):
		_ = p.flush()
		<-p.ctx.Done()
	case f.Reset.at(p.sent), f.Drop.at(p.sent):
		p.kill(f.Reset.Set)
		return errOver // the connection is no longer the response's: no flush
	case f.Cut.at(p.sent):
	case f.Cut.Middle && p.sent >= 2:
		_ = p.write(next[:len(next)/2])
	case f.Malformed == "frame" && p.sent >= 2:
		_ = p.write(framingOf(p.enc.ContentType()).malformed())
	default:
		return nil
	}
	_ = p.flush()
	return errOver
}

// write sends bytes, at once or one by one.
func (p *player) write(b []byte) error {
	if !p.fault.Trickle {
		if _, err := p.w.Write(b); err != nil {
			return errOver
		}
		return p.ctx.Err()
	}
	for i := range b {
		if _, err := p.w.Write(b[i : i+1]); err != nil || p.flush() != nil {
			return errOver
		}
	}
	return nil
}

func (p *player) flush() error {
	if p.out.Flush() != nil || p.ctx.Err() != nil {
		return errOver
	}
	return nil
}

// kill closes the connection without ending the HTTP body; with reset by a TCP
// RST. Where the connection cannot be had (HTTP/2), the stream is reset.
func (p *player) kill(reset bool) {
	_ = p.flush()
	conn, _, err := p.out.Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := conn.(*net.TCPConn); ok && reset {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}
