package server

import (
	"errors"
	"net/http"
	"runtime/debug"
	"sync"
	"time"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/gateway"
)

// An answer is the writing side of one call. Nothing is written before the
// first event of the answer proper, so that until then an error still gets its
// own status; notes that arrive before become headers.
type answer struct {
	server  *Server
	w       http.ResponseWriter
	r       *http.Request
	face    *face
	id      string
	started time.Time

	req *weir.Request
	enc codec.Encoder
	// flows tells that pieces are written as they come, and not all at the end.
	flows bool
	// status is that of the answer; 0 is 200.
	status int
	kept   keptNote // nil when the answer is not to be kept
	facts  facts
	buf    []byte

	// mu serialises the writers: the call itself, and the keep-alive timer
	// that speaks up while the call waits for its upstream.
	mu        sync.Mutex
	wroteHead bool
	broken    bool // the client is gone
	lastWrite time.Time
	keepAlive time.Duration
	timer     *time.Timer
	ended     bool
	pending   bool // bytes were written since the last flush
	deadline  time.Time
}

// buffers hold what an encoder appends before it is written.
var buffers = sync.Pool{New: func() any { b := make([]byte, 0, 1<<10); return &b }}

// maxPooledBuffer keeps one large answer from pinning memory.
const maxPooledBuffer = 64 << 10

func newAnswer(s *Server, w http.ResponseWriter, r *http.Request, f *face) *answer {
	return &answer{server: s, w: w, r: r, face: f, started: time.Now(), id: requestID(r)}
}

// begin is called when the request has been understood.
func (a *answer) begin(req *weir.Request, g *gateway.Snapshot) {
	a.req = req
	a.enc = a.face.codec.NewEncoder(req)
	a.flows = req.Stream || req.Op.IsRelayed()
	if a.wantsParts(req) {
		a.enc = newMixed(a.enc, a.id)
	}
	a.buf = *(buffers.Get().(*[]byte))
	if req.Stream && !req.Op.IsRelayed() && g.KeepAlive > 0 {
		a.mu.Lock() // the timer may fire before it is known
		defer a.mu.Unlock()
		a.keepAlive, a.lastWrite = g.KeepAlive, a.started
		a.timer = time.AfterFunc(a.keepAlive, a.silence)
	}
}

// end gives everything back; it runs on every path.
func (a *answer) end() {
	a.mu.Lock()
	a.ended = true
	a.mu.Unlock()
	if a.timer != nil {
		a.timer.Stop()
	}
	if a.buf != nil && cap(a.buf) <= maxPooledBuffer {
		b := a.buf[:0]
		buffers.Put(&b)
	}
	a.buf = nil
}

// event takes one event over and reports whether the client is still there.
func (a *answer) event(ev weir.Event) bool {
	if ev.Type == weir.EventNote {
		a.facts.note(ev.Note)
		if n, ok := ev.Note.(keptNote); ok {
			a.kept = n
		}
		return true
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if ev.Type == weir.EventStart && ev.Start.Head != nil {
		a.relayHead(ev.Start.Head)
	}
	a.buf = a.enc.Encode(a.buf[:0], ev)
	if a.flows {
		a.keep(a.buf)
		a.write(a.buf)
		a.flush(ev.More)
	}
	return !a.broken
}

// done writes what is left after a complete answer.
func (a *answer) done() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.buf = a.enc.Close(a.buf[:0], nil)
	if !a.flows {
		a.facts.losses(a.enc.Losses())
		if f, ok := a.enc.(codec.Failer); ok && f.Failed() != nil {
			a.refuseLocked(f.Failed())
			return
		}
		a.keep(a.buf)
		a.whole(http.StatusOK, a.enc.ContentType(), a.buf)
		return
	}
	a.keep(a.buf)
	a.head() // an answer may have no body
	a.write(a.buf)
	a.trailers()
	a.flush(false)
}

// fail reports an error: with its status as long as nothing was written, in the
// form that the protocol has inside a stream otherwise.
func (a *answer) fail(err *weir.Error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err.Kind == weir.KindCanceled && a.r.Context().Err() != nil {
		a.broken = true
		return
	}
	if a.wroteHead && a.req.Op.IsRelayed() {
		a.broken = true
		panic(http.ErrAbortHandler) // a relayed answer has no form for an error: the client must see that it was cut
	}
	if a.wroteHead {
		a.buf = a.enc.Close(a.buf[:0], err)
		a.write(a.buf)
		a.flush(false)
		return
	}
	a.refuseLocked(err)
}

// refuse answers an error that came before the call.
func (a *answer) refuse(err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.refuseLocked(weir.AsError(err))
}

func (a *answer) refuseLocked(err *weir.Error) {
	a.facts.refused(err)
	errorHeaders(a.w.Header(), err)
	body := a.face.codec.AppendError(nil, err)
	a.whole(err.HTTPStatus(a.face.codec.Protocol()), "application/json", body)
}

// recover answers a panic below. The stack goes to the log and nowhere else.
func (a *answer) recover() {
	p := recover()
	if p == nil {
		return
	}
	if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(p)
	}
	a.server.logger.Error("panic while serving a request", "request_id", a.id, "panic", p, "stack", string(debug.Stack()))
	err := weir.Errorf(weir.KindInternal, "internal error, see the log for request %s", a.id)
	if a.req != nil && a.wroteHead {
		a.fail(err)
		return
	}
	a.refuse(err)
}
