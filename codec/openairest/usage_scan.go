package openairest

import (
	"bytes"
	"slices"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// maxTold bounds what is kept of a member that tells usage, bytes. The largest seen
// have a few hundred.
const maxTold = 16 << 10

// told are the top-level members that tell what a call has used, each as raw JSON:
// usage almost everywhere, meta (Cohere) and tokens (SiliconFlow) of reranking,
// usage_info of Mistral's text recognition (protocols.md §9; recordings).
type told struct{ usage, meta, tokens, info []byte }

func (t *told) member(name string) *[]byte {
	switch name {
	case "usage":
		return &t.usage
	case "meta":
		return &t.meta
	case "tokens":
		return &t.tokens
	case "usage_info":
		return &t.info
	}
	return nil
}

// read makes usage of what was told, nil when nothing was.
func (t *told) read(onTop bool) *weir.Usage {
	var out *weir.Usage
	take := func(raw []byte) {
		if jsonx.KindOf(raw) != jsonx.KindObject || jsonx.Valid(raw) != nil {
			return
		}
		u := codec.ReadOpenAIUsage(raw, protocol, onTop)
		if out == nil {
			out = &weir.Usage{From: protocol}
		}
		extra := slices.Concat(out.Extra, u.Extra)
		out.Merge(u)
		out.Extra = extra
	}
	meta := t.meta
	if jsonx.Valid(meta) != nil {
		meta = nil
	}
	take(t.info)
	take(t.tokens)
	take(jsonx.Get(meta, "tokens"))
	take(jsonx.Get(meta, "billed_units")) // after what was counted: it is what costs
	take(t.usage)
	if out == nil || out.Known == 0 && len(out.Extra) == 0 {
		return nil
	}
	return out
}

// jsonScan looks through JSON that comes in pieces for the members of told, and
// keeps nothing else of it: an answer may hold a picture of many megabytes. It knows
// strings and brackets only and trusts the text to be JSON; where it is none, nothing
// is found. The zero value is ready.
type jsonScan struct {
	told told

	depth    int
	text     bool // inside a string
	escape   bool // the last byte was a backslash that escapes the next
	nameNext bool // a string that begins now is a name of the top level
	naming   bool // the string is one
	name     []byte
	keep     *[]byte // where the value at hand goes; nil for nowhere
}

// maxName is longer than the names of told, bytes.
const maxName = 16

// write takes the next piece.
func (s *jsonScan) write(p []byte) {
	for len(p) > 0 {
		if s.text {
			n := s.skipText(p)
			s.hold(p[:n])
			p = p[n:]
			continue
		}
		n := bytes.IndexAny(p, `"{}[],:`)
		if n < 0 {
			s.hold(p)
			return
		}
		s.hold(p[:n])
		s.mark(p[n])
		p = p[n+1:]
	}
}

// hold keeps what belongs to a value that is wanted.
func (s *jsonScan) hold(p []byte) {
	switch {
	case s.naming:
		s.name = append(s.name, p[:min(len(p), max(0, maxName-len(s.name)))]...)
	case s.keep == nil:
	case len(*s.keep)+len(p) > maxTold:
		*s.keep, s.keep = nil, nil
	default:
		*s.keep = append(*s.keep, p...)
	}
}

// skipText returns how much of p belongs to the string that is open, its closing
// quote included.
func (s *jsonScan) skipText(p []byte) int {
	i := 0
	if s.escape {
		s.escape, i = false, 1
	}
	for i < len(p) {
		n := bytes.IndexByte(p[i:], '"')
		end := len(p)
		if n >= 0 {
			end = i + n
		}
		if odd := trailing(p[i:end])&1 == 1; n < 0 {
			s.escape = odd
			return len(p)
		} else if !odd {
			s.text = false
			return end + 1
		}
		i = end + 1
	}
	return len(p)
}

// trailing counts the backslashes at the end of b.
func trailing(b []byte) int {
	n := 0
	for n < len(b) && b[len(b)-1-n] == '\\' {
		n++
	}
	return n
}

// mark takes a byte that means something outside of strings.
func (s *jsonScan) mark(c byte) {
	switch c {
	case '"':
		s.text = true
		if s.nameNext {
			s.nameNext, s.naming, s.name = false, true, s.name[:0]
			return // not part of the name
		}
	case ':':
		if s.naming {
			s.naming = false
			s.begin()
			return
		}
	case ',':
		if s.depth == 1 {
			s.keep, s.nameNext = nil, true
		}
	case '{', '[':
		s.depth++
		if s.depth == 1 {
			s.nameNext = c == '{'
			return
		}
	default:
		s.close(c)
		return
	}
	s.hold([]byte{c})
}

// close takes a closing bracket.
func (s *jsonScan) close(c byte) {
	if s.depth > 1 {
		s.hold([]byte{c})
		s.depth--
		return
	}
	s.depth, s.keep, s.nameNext, s.naming = 0, nil, false, false
}

// begin is at the value of the member whose name was read. Of two of the same name
// the last counts.
func (s *jsonScan) begin() {
	name, _ := bytes.CutSuffix(bytes.TrimRight(s.name, " \t\r\n"), []byte{'"'})
	if s.keep = s.told.member(string(name)); s.keep != nil {
		*s.keep = nil
	}
}

// eventScan looks through an event stream that comes in pieces: the data of each
// event is JSON of its own (WHATWG HTML §9.2). The zero value is ready.
type eventScan struct {
	json   jsonScan
	latest told // what the last event told that told something
	events int  // how many did

	field  []byte // of the line at hand, up to the colon
	inData bool   // the colon was met, and the field is data
	other  bool   // the colon was met, and it is another
	skipLF bool   // the last byte was CR
}

// write takes the next piece.
func (s *eventScan) write(p []byte) {
	for len(p) > 0 {
		if s.skipLF && p[0] == '\n' {
			p = p[1:]
		}
		s.skipLF = false
		n := bytes.IndexAny(p, "\r\n")
		if n < 0 {
			s.line(p)
			return
		}
		s.line(p[:n])
		s.end()
		s.skipLF = p[n] == '\r'
		p = p[n+1:]
	}
}

// line takes a part of a line.
func (s *eventScan) line(p []byte) {
	if !s.inData && !s.other && len(p) > 0 {
		n := bytes.IndexByte(p, ':')
		if n < 0 {
			s.field = append(s.field, p[:min(len(p), max(0, maxName-len(s.field)))]...)
			return
		}
		s.field = append(s.field, p[:min(n, max(0, maxName-len(s.field)))]...)
		s.inData = string(bytes.TrimPrefix(s.field, []byte("\ufeff"))) == "data"
		s.other = !s.inData
		p = p[n+1:]
	}
	if s.inData {
		s.json.write(p)
	}
}

// end takes the end of a line; a blank one ends the event.
func (s *eventScan) end() {
	blank := !s.inData && !s.other && len(s.field) == 0
	s.inData, s.other, s.field = false, false, s.field[:0]
	if !blank {
		return
	}
	if t := s.json.told; t.usage != nil || t.meta != nil || t.tokens != nil || t.info != nil {
		s.latest = t
		s.events++
	}
	s.json = jsonScan{name: s.json.name[:0]}
}
