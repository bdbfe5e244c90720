package thread

import (
	"bytes"
	"encoding/json"

	"github.com/weir-gateway/weir"
)

// A frame is one event of a stream as it is sent: field lines and the blank line
// that closes them.
type frame struct {
	seq int64
	raw []byte
}

// told is what every event of the protocol may have (protocols.md §4.6).
type told struct {
	Sequence *int64          `json:"sequence_number"`
	Response json.RawMessage `json:"response"`
}

// events are a stream's numbered events in order, up to a number of bytes.
type events struct {
	frames  []frame
	size    int
	dropped int64 // number of the last event that had to make room, -1 for none
	rest    []byte
}

func newEvents() events { return events{dropped: -1} }

// add takes over what was written, and returns the last response object in it,
// nil when there is none. What has no number (a comment, a keep-alive, an end
// mark) says nothing to who comes later and is left out, and what goes back in
// number. The oldest make room beyond limit bytes.
func (e *events) add(p []byte, limit int) (response []byte) {
	e.rest = append(e.rest, p...)
	for {
		n := frameEnd(e.rest)
		if n == 0 {
			break
		}
		if f, told, ok := newFrame(bytes.Clone(e.rest[:n])); ok && f.seq > e.last() {
			e.frames = append(e.frames, f)
			e.size += len(f.raw)
			if len(told) > 0 && told[0] == '{' {
				response = told
			}
		}
		e.rest = e.rest[n:]
	}
	for e.size > limit && len(e.frames) > 1 {
		e.size -= len(e.frames[0].raw)
		e.dropped = e.frames[0].seq
		e.frames[0] = frame{}
		e.frames = e.frames[1:]
	}
	return response
}

// last is the number of the latest event, -1 before the first.
func (e *events) last() int64 {
	if len(e.frames) == 0 {
		return -1
	}
	return e.frames[len(e.frames)-1].seq
}

// newFrame reads one event, and the response object in it; false when it has no
// number.
func newFrame(raw []byte) (frame, []byte, bool) {
	var data []byte
	for line := range bytes.Lines(raw) {
		if value, ok := bytes.CutPrefix(line, []byte("data:")); ok {
			data = append(append(data, bytes.TrimRight(value, "\r\n")...), '\n')
		}
	}
	var t told
	if json.Unmarshal(data, &t) != nil || t.Sequence == nil || *t.Sequence < 0 {
		return frame{}, nil, false
	}
	return frame{*t.Sequence, raw}, t.Response, true
}

// frameEnd is where the first event of b ends, behind its blank line; 0 when it
// is not complete.
func frameEnd(b []byte) int {
	for from := 0; ; {
		n := bytes.IndexByte(b[from:], '\n')
		if n < 0 {
			return 0
		}
		from += n + 1
		switch {
		case from < len(b) && b[from] == '\n':
			return from + 1
		case from+1 < len(b) && b[from] == '\r' && b[from+1] == '\n':
			return from + 2
		}
	}
}

// after is the first event behind number n, nil when there is none yet.
func (e *events) after(n int64) ([]byte, int64, error) {
	if n < e.dropped {
		err := weir.Invalid("starting_after", "events up to %d are not kept any more", e.dropped)
		err.Hint = "fetch the response without stream=true"
		return nil, n, err
	}
	at := e.find(n)
	if at == len(e.frames) {
		return nil, n, nil
	}
	return e.frames[at].raw, e.frames[at].seq, nil
}

// find is the place of the first event behind number n.
func (e *events) find(n int64) int {
	lo, hi := 0, len(e.frames)
	for lo < hi {
		mid := (lo + hi) / 2
		if e.frames[mid].seq <= n {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

// join is all events in one piece.
func (e *events) join() []byte {
	out := make([]byte, 0, e.size)
	for i := range e.frames {
		out = append(out, e.frames[i].raw...)
	}
	return out
}
