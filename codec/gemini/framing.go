package gemini

import (
	"bytes"

	"github.com/weir-gateway/weir/internal/jsonx"
)

// framing writes chunks in the framing that the client asked for: an event stream,
// or a JSON array that grows.
type framing struct {
	array  bool
	opened bool // of the array: "[" is written
	any    bool // an element is written
	closed bool // "]" is written: nothing may follow
	// eol is how the lines of an event end: like those of the upstream where its
	// frames are sent on, since Google's Go SDK finds no frames in a stream that has
	// both; else as Google writes them.
	eol string
	// missing is what the last frame lacks of its end: its stream was cut.
	missing string
	json    int // where the JSON of the open chunk begins
	// other tells that the upstream uses the other framing.
	other bool
}

// crlf is how Google ends lines (recordings).
const crlf = "\r\n"

// contentType is that of the framing.
func (f *framing) contentType() string {
	if f.array {
		return contentJSON
	}
	return "text/event-stream"
}

// begin opens a chunk: JSON has to follow, then end.
func (f *framing) begin(dst []byte) jsonx.Buffer {
	dst = append(dst, f.missing...)
	f.missing = ""
	switch {
	case !f.array:
		if f.eol == "" {
			f.eol = crlf
		}
		dst = append(dst, "data: "...)
	case f.any:
		dst = append(dst, ",\r\n"...)
	case !f.opened:
		dst = append(dst, '[')
	}
	f.opened, f.any, f.json = true, true, len(dst)
	return jsonx.Buffer{B: dst}
}

// end closes a chunk. Inside an event there must be no line end: what was put in as
// it came may have some.
func (f *framing) end(b *jsonx.Buffer) []byte {
	if f.array {
		return b.B
	}
	if data := b.B[f.json:]; bytes.ContainsAny(data, "\r\n") {
		b.B = jsonx.Compact(b.B[:f.json], bytes.Clone(data))
	}
	return f.endLine(b)
}

// endLine closes a chunk that has no line ends in it.
func (f *framing) endLine(b *jsonx.Buffer) []byte {
	if f.array {
		return b.B
	}
	return append(append(b.B, f.eol...), f.eol...)
}

// close ends the stream where it has an end of its own.
func (f *framing) close(dst []byte) []byte {
	if !f.array || f.closed {
		return dst
	}
	if !f.opened {
		dst = append(dst, '[')
	}
	f.opened, f.closed = true, true
	return append(dst, ']')
}

// keepAlive is white space, which every reader skips: a blank line where events
// are told apart by them, any elsewhere. Comments are not: Google's Go SDK takes
// one for a broken chunk (genai v1.77.0, 2026-11).
func (f *framing) keepAlive(dst []byte) []byte {
	switch {
	case f.closed || f.missing != "":
		return dst
	case f.array:
		return append(dst, '\n')
	case f.eol == "\n":
		return append(dst, "\n\n"...)
	}
	return append(dst, crlf+crlf...)
}

// asItCame writes a frame as it was received, or its JSON where the upstream used
// the other framing.
func (f *framing) asItCame(dst, raw []byte) []byte {
	lead := bytes.TrimLeft(raw, " \t\r\n")
	if len(lead) > 0 {
		f.other = f.array != (lead[0] == '[' || lead[0] == ',' || lead[0] == ']')
	}
	switch {
	case f.other:
		return f.reframed(dst, raw)
	case f.array:
		return f.element(dst, raw, lead)
	}
	dst = append(dst, f.missing...)
	f.noteEnds(raw)
	f.opened, f.any = true, true
	return append(dst, raw...)
}

// element writes a frame of the array. What stands in front of it is put right
// where elements before it were left out or written by value.
func (f *framing) element(dst, raw, lead []byte) []byte {
	if f.closed || len(lead) == 0 {
		return append(dst, raw...)
	}
	space := raw[:len(raw)-len(lead)]
	switch lead[0] {
	case ']':
		if !f.opened {
			dst = append(dst, '[')
		}
		f.opened, f.closed = true, true
		return append(dst, raw...)
	case '[':
		if f.any {
			return append(append(append(dst, space...), ','), lead[1:]...)
		}
	case ',':
		if f.any {
			break
		}
		dst = append(dst, space...)
		if !f.opened {
			dst = append(dst, '[')
		}
		f.opened, f.any = true, true
		return append(dst, lead[1:]...)
	}
	f.opened, f.any = true, true
	return append(dst, raw...)
}

// reframed writes the JSON of a frame of the other framing; what has none is that
// framing's own and is left out.
func (f *framing) reframed(dst, raw []byte) []byte {
	data := dataLines(raw)
	if !f.array {
		data = raw[max(bytes.IndexByte(raw, '{'), 0) : bytes.LastIndexByte(raw, '}')+1]
	}
	if len(data) == 0 || data[0] != '{' || f.closed {
		return dst
	}
	b := f.begin(dst)
	b.B = jsonx.Compact(b.B, data)
	return f.end(&b)
}

// dataLines are the data lines of an event, joined.
func dataLines(raw []byte) []byte {
	var out []byte
	for line := range bytes.Lines(raw) {
		rest, ok := bytes.CutPrefix(bytes.TrimRight(line, "\r\n"), []byte("data:"))
		if !ok {
			continue
		}
		if out != nil {
			out = append(out, '\n')
		}
		out = append(out, bytes.TrimPrefix(rest, []byte(" "))...)
	}
	return bytes.TrimSpace(out)
}

// noteEnds remembers how the lines of a frame end, and what it lacks of its end. A
// comment or a blank line lacks nothing.
func (f *framing) noteEnds(raw []byte) {
	f.missing = ""
	rest, ends := raw, 0
	for ends < 2 {
		cut := bytes.TrimSuffix(bytes.TrimSuffix(rest, []byte("\n")), []byte("\r"))
		if len(cut) == len(rest) {
			break
		}
		rest, ends = cut, ends+1
	}
	if bytes.Contains(raw, []byte(crlf)) {
		f.eol = crlf
	} else if bytes.IndexByte(raw, '\n') >= 0 {
		f.eol = "\n"
	}
	if lead := bytes.TrimLeft(raw, "\r\n"); len(lead) == 0 || lead[0] == ':' && ends > 0 {
		return
	}
	eol := f.eol
	if eol == "" {
		eol = crlf
	}
	for ; ends < 2; ends++ {
		f.missing += eol
	}
}
