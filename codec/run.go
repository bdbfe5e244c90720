package codec

import (
	"bytes"

	"github.com/weir-gateway/weir"
)

// A Run is the beginning of a frame whose Events have come back to an encoder so
// far. When all of them did, in order and unedited, the frame can be sent as it was
// received. The zero value is ready. Not safe for concurrent use.
type Run struct {
	frame *weir.Frame // to compare only
	held  []weir.Event
	first [4]weir.Event
}

// Continues reports whether ev is the next Event of the frame that was begun.
func (r *Run) Continues(ev weir.Event) bool {
	return ev.FrameSeq > 0 && r.frame == ev.Frame && int(ev.FrameSeq) == len(r.held)
}

// Add holds ev.
func (r *Run) Add(ev weir.Event) {
	if r.held == nil {
		r.held = r.first[:0]
	}
	r.frame = ev.Frame
	r.held = append(r.held, ev.Detach())
}

// Held are the Events so far, without their frame; valid until Clear.
func (r *Run) Held() []weir.Event { return r.held }

// Clear forgets them.
func (r *Run) Clear() {
	clear(r.held)
	r.frame, r.held = nil, r.held[:0]
}

// MissingEnd is what a frame of an event stream lacks to end with a blank line,
// because the stream was cut in it. A lone comment or blank line needs none: it
// belongs to no frame.
func MissingEnd(raw []byte) string {
	rest, ended := cutLineEnd(raw)
	if _, blank := cutLineEnd(rest); ended && (blank || len(rest) == 0) {
		return ""
	}
	if line := bytes.TrimLeft(raw, "\r\n"); ended && (len(line) == 0 || line[0] == ':') {
		return ""
	}
	if ended {
		return "\n"
	}
	return "\n\n"
}

// cutLineEnd is raw without one line end, and whether it had one.
func cutLineEnd(raw []byte) (rest []byte, ended bool) {
	rest, lf := bytes.CutSuffix(raw, []byte("\n"))
	rest, cr := bytes.CutSuffix(rest, []byte("\r"))
	return rest, lf || cr
}
