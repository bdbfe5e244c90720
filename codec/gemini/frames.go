package gemini

import (
	"bytes"
	"io"

	"github.com/weir-gateway/weir/internal/sse"
)

// A wireFrame is a piece of a stream: an event of it, an element of the array, or
// what stands between and behind them. Its slices are valid until the next one.
type wireFrame struct {
	raw  []byte
	data []byte // the JSON in it; nil for a frame that holds none
	kind frameKind
	// truncated tells that the source ended before the frame did.
	truncated bool
}

type frameKind uint8

const (
	frameData  frameKind = iota
	frameQuiet           // a comment, white space
	frameTail            // the end mark: "]", or "[DONE]" of servers that copy Chat
)

// A frameSource cuts a body into frames, in either framing.
type frameSource interface {
	// next is the next frame. Its error is io.EOF for a plain end.
	next() (wireFrame, error)
	// more reports whether the next frame is there already.
	more() bool
	release()
}

// eventSource is the framing of ?alt=sse (protocols.md §7.5).
type eventSource struct{ r *sse.Reader }

func newEventSource(src io.Reader, limit int) eventSource {
	return eventSource{sse.NewReader(&evenReader{src: src}, limit)}
}

// evenReader keeps a \r back until it is known what follows, since Google ends
// lines with \r\n: otherwise the \n would be another frame's whenever the network
// came in between.
type evenReader struct {
	src  io.Reader
	held bool
}

// Read implements io.Reader.
func (r *evenReader) Read(p []byte) (int, error) {
	if len(p) < 2 {
		return r.src.Read(p)
	}
	at := 0
	if r.held {
		p[0], at = '\r', 1
	}
	n, err := r.src.Read(p[at:])
	n += at
	r.held = err == nil && n > 0 && p[n-1] == '\r'
	if r.held {
		n--
	}
	return n, err
}

func (s eventSource) next() (wireFrame, error) {
	f, err := s.r.Next()
	if err != nil {
		return wireFrame{}, err
	}
	out := wireFrame{raw: f.Raw, data: f.Data, truncated: f.Truncated}
	switch data := bytes.TrimSpace(f.Data); {
	case len(data) == 0:
		out.kind = frameQuiet
	case string(data) == "[DONE]":
		out.kind = frameTail
	}
	return out, nil
}

func (s eventSource) more() bool { return s.r.More() }
func (s eventSource) release()   { s.r.Release() }
