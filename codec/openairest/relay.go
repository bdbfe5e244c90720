package openairest

import (
	"bytes"
	"cmp"
	"io"
	"net/http"
	"sync"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/sse"
)

// pieceSize bounds a piece of an answer that is relayed, and with its buffer the
// memory that an answer takes, bytes.
const pieceSize = 32 << 10

var pieces = sync.Pool{New: func() any { return new([pieceSize]byte) }}

// maxEmptyReads is how often in a row a reader may give nothing and no error.
const maxEmptyReads = 100

// relay passes an answer on in pieces as they come, whatever it is: JSON, a sound, a
// stream of events. Usage is looked for while they pass.
type relay struct {
	a     *codec.Answer
	yield func(weir.Event, error) bool
	json  *jsonScan  // nil: not looked for
	event *eventScan // nil: not looked for
	// events tells that the answer is a stream of events.
	events bool
	frame  weir.Frame
}

func (r *relay) run() {
	buf, _ := pieces.Get().(*[pieceSize]byte)
	defer pieces.Put(buf)
	typ := mediaType(r.a.Header.Get("Content-Type"))
	isJSON := saysJSON(typ)
	r.events = typ == "text/event-stream"
	if countsUsage(r.a) {
		switch {
		case isJSON:
			r.json = new(jsonScan)
		case r.events:
			r.event = new(eventScan)
		}
	}
	n, err := r.first(buf[:], isJSON)
	if e := r.refused(buf[:n], err); e != nil {
		r.yield(weir.Event{}, e)
		return
	}
	if !r.yield(weir.Event{Type: weir.EventStart, Start: r.start(), More: n > 0}, nil) {
		return
	}
	r.rest(buf[:], n, err)
}

// refused is why an answer of which p is the first piece is none, while nothing has
// been sent on and another attempt may still be made; nil when it is one.
func (r *relay) refused(p []byte, err error) error {
	switch {
	case err != nil && !isEnd(err):
		return failure(r.a, err)
	case !makes(r.a.Op):
		return nil
	case r.events:
		p = firstEvent(p)
	case err == nil:
		return nil // longer than any error
	}
	if e := disguised(r.a, p); e != nil {
		return e
	}
	return nil
}

// firstEvent is the data of the event that p begins with, nil when it is not all
// there.
func firstEvent(p []byte) []byte {
	r := sse.NewReader(bytes.NewReader(p), 0)
	defer r.Release()
	f, err := r.Next()
	if err != nil || f.Truncated {
		return nil
	}
	return bytes.Clone(f.Data)
}

// makes reports whether an operation makes something, so that an answer that is an
// error can mean only one thing. What describes a file or a batch may well have a
// member error.
func makes(op weir.Operation) bool {
	switch op {
	case weir.Files, weir.Batches, weir.Other:
		return false
	}
	return true
}

// countsUsage reports whether an answer may tell what its call has used. What is only
// looked up, and what describes a batch, tells of other calls.
func countsUsage(a *codec.Answer) bool {
	return cmp.Or(a.Method, http.MethodPost) == http.MethodPost && a.Op != weir.Files && a.Op != weir.Batches
}

// isEnd tells the end of a reader, which is io.EOF itself; one that is wrapped is an
// error.
func isEnd(err error) bool { return err == io.EOF } //nolint:errorlint // see above

// first reads the first piece: of JSON as much as fits, since nobody can begin to
// read it before and a short one may be an error.
func (r *relay) first(buf []byte, full bool) (n int, err error) {
	for {
		var more int
		more, err = read(r.a.Body, buf[n:])
		n += more
		if err != nil || !full || n == len(buf) {
			return n, err
		}
	}
}

// read reads once, and again where that gives nothing.
func read(src io.Reader, p []byte) (n int, err error) {
	for range maxEmptyReads {
		if n, err = src.Read(p); n > 0 || err != nil {
			return n, err
		}
	}
	return 0, io.ErrNoProgress
}

// start is the beginning of the answer: its status, and what describes its body.
func (r *relay) start() *weir.Start {
	head := &weir.Head{Status: cmp.Or(r.a.Status, http.StatusOK), Header: http.Header{}}
	for _, name := range describing {
		if values := r.a.Header[name]; len(values) > 0 {
			head.Header[name] = values
		}
	}
	return &weir.Start{From: protocol, Head: head}
}

// describing are the headers of an answer that go on to the client. The ids of the
// account that was billed are not among OpenAI's.
var describing = []string{
	"Content-Type", "Content-Disposition", "Content-Range", "Accept-Ranges",
	"Openai-Model", "Openai-Processing-Ms", "Openai-Version",
}

// rest passes on what was read, and then what comes.
func (r *relay) rest(buf []byte, n int, err error) {
	for {
		if n > 0 && !r.piece(buf[:n]) {
			return
		}
		if err != nil {
			r.end(err)
			return
		}
		n, err = read(r.a.Body, buf)
	}
}

func (r *relay) piece(p []byte) bool {
	r.frame = weir.Frame{Protocol: protocol, Raw: p, Events: 1}
	if !r.yield(weir.Event{Type: weir.EventRelay, Frame: &r.frame}, nil) {
		return false
	}
	switch {
	case r.json != nil:
		r.json.write(p)
	case r.event != nil:
		before := r.event.events
		r.event.write(p)
		if r.event.events != before {
			return r.tell(&r.event.latest)
		}
	}
	return true
}

// end is where the answer ends, or breaks.
func (r *relay) end(err error) {
	if !isEnd(err) {
		r.yield(weir.Event{}, failure(r.a, err))
		return
	}
	switch {
	case r.json != nil:
		r.tell(&r.json.told)
	case r.event != nil:
		before := r.event.events
		r.event.end() // an event that nothing closes
		r.event.end()
		if r.event.events != before {
			r.tell(&r.event.latest)
		}
	}
}

// tell yields the usage that was told, if any, and reports whether to go on.
func (r *relay) tell(t *told) bool {
	u := t.read(r.a.Target.Quirks.ReasoningOnTop)
	return u == nil || r.yield(weir.Event{Type: weir.EventUsage, Usage: u}, nil)
}
