package server

import (
	"cmp"
	"maps"
	"net/http"
	"strconv"
	"time"

	"github.com/weir-gateway/weir"
)

// writeLimit is how long one write to a client may take: a client that has
// stopped reading must not hold an upstream call for ever.
const writeLimit = 2 * time.Minute

// head writes status and headers of a stream.
func (a *answer) head() {
	if a.wroteHead {
		return
	}
	a.wroteHead = true
	h := a.w.Header()
	if _, relayed := h["Content-Type"]; !relayed {
		h["Content-Type"] = []string{a.enc.ContentType()}
	}
	// W-07: nothing on the way may collect the pieces.
	h["Cache-Control"] = noCache
	h["X-Accel-Buffering"] = noBuffering
	a.facts.headers(h, a)
	a.w.WriteHeader(cmp.Or(a.status, http.StatusOK))
}

// relayHead takes over what a relayed answer says of itself.
func (a *answer) relayHead(head *weir.Head) {
	a.status = head.Status
	maps.Copy(a.w.Header(), head.Header)
}

var (
	noCache     = []string{"no-cache"}
	noBuffering = []string{"no"}
)

// whole writes an answer in one piece.
func (a *answer) whole(status int, contentType string, body []byte) {
	a.wroteHead = true
	h := a.w.Header()
	h["Content-Type"] = []string{contentType}
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	a.facts.headers(h, a)
	a.w.WriteHeader(status)
	for len(body) > 0 && !a.broken {
		n := min(len(body), writePiece)
		if n == writePiece {
			a.extendDeadline()
		}
		_, err := a.w.Write(body[:n])
		a.broken, body = err != nil, body[n:]
	}
}

// deadline is that of a write which begins now.
func deadline() time.Time { return time.Now().Add(writeLimit) }

// writePiece is how much a slow client must take in within writeLimit.
const writePiece = 1 << 20

// write sends a piece of a stream on, the head before the first one.
func (a *answer) write(p []byte) {
	if len(p) == 0 || a.broken {
		return
	}
	a.head()
	a.extendDeadline()
	if _, err := a.w.Write(p); err != nil {
		a.broken = true
	}
	a.pending = true
}

// flush sends what was written on its way, unless more is about to follow.
func (a *answer) flush(more bool) {
	if more || !a.pending || a.broken {
		return
	}
	a.pending = false
	if err := http.NewResponseController(a.w).Flush(); err != nil {
		a.broken = true
	}
}

// extendDeadline moves the write deadline along, at most every few seconds:
// setting it costs more than writing a chunk.
func (a *answer) extendDeadline() {
	now := time.Now()
	a.lastWrite = now
	if now.Before(a.deadline.Add(-writeLimit / 2)) {
		return
	}
	a.deadline = deadline()
	// A connection without deadlines (a test's recorder) is fine as it is.
	_ = http.NewResponseController(a.w).SetWriteDeadline(a.deadline)
}

// silence runs when the client may have heard nothing for a while. It fixes the
// status at 200: a client that is about to be cut off by a proxy is worse off
// than one that gets its error inside the stream. A later attempt may still
// replace this one, since no piece of an answer has been sent.
func (a *answer) silence() {
	defer a.recoverSilence()
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.ended || a.broken {
		return
	}
	wait := a.keepAlive - time.Since(a.lastWrite)
	if wait <= 0 {
		a.write(a.enc.KeepAlive(nil))
		a.flush(false)
		wait = a.keepAlive
	}
	a.timer.Reset(wait)
}

// recoverSilence keeps a panic on the timer's goroutine, where nobody else
// would catch it, from taking the process down.
func (a *answer) recoverSilence() {
	if p := recover(); p != nil {
		a.server.logger.Error("panic while keeping a client alive", "request_id", a.id, "panic", p)
	}
}
