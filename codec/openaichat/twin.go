package openaichat

import (
	"bytes"
	"unicode/utf8"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
	"github.com/weir-gateway/weir/internal/sse"
)

// A twin is what two chunks of text have in common: nearly all of a stream's
// chunks differ in their text alone. A chunk that begins and ends with the bytes
// of the one before it, with nothing but the inside of one string between, means
// the same but for that string, and need not be taken apart again.
type twin struct {
	head, tail []byte // around the inside of the string; no head is no twin
	event      weir.Event
	seen       sights
}

// textKeys are the members that hold text, with the quote that opens it.
var textKeys = [...][]byte{[]byte(`"content":"`), []byte(`"reasoning_content":"`), []byte(`"reasoning":"`)}

// remember keeps what the next chunk may have in common with data, which became
// the events of d.
func (d *decoder) remember(f *sse.Frame) {
	d.twin.head = d.twin.head[:0]
	if len(d.events) != 1 || d.failed != nil || d.renamed || d.q.ThinkTags || f.Event != nil || f.Truncated {
		return
	}
	ev := &d.events[0]
	if ev.Type != weir.EventDelta || ev.Part != weir.PartText || d.seen != 0 {
		return
	}
	for _, key := range textKeys {
		at := bytes.Index(f.Data, key)
		if at < 0 {
			continue
		}
		at += len(key)
		end := at + stringLen(f.Data[at:])
		if s, err := jsonx.String(f.Data[at-1 : min(end+1, len(f.Data))]); err != nil || s != ev.Text {
			return // another member has the text
		}
		d.twin.head = append(d.twin.head, f.Data[:at]...)
		d.twin.tail = append(d.twin.tail[:0], f.Data[end:]...)
		d.twin.event, d.twin.seen = *ev, d.seen
		return
	}
}

// stringLen is how long the inside of a string is: up to its closing quote, or to
// the end where there is none.
func stringLen(b []byte) int {
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return len(b)
}

// again makes the event of a frame that is a twin of the one before it, and
// reports whether it is one.
func (d *decoder) again(f *sse.Frame) bool {
	t := &d.twin
	n := len(f.Data) - len(t.tail)
	if len(t.head) == 0 || n <= len(t.head) || f.Event != nil || f.Truncated ||
		!bytes.HasPrefix(f.Data, t.head) || !bytes.HasSuffix(f.Data, t.tail) {
		return false
	}
	inside := f.Data[len(t.head):n]
	if stringLen(inside) != len(inside) {
		return false
	}
	text, ok := textOf(inside, f.Data[len(t.head)-1:n+1])
	if !ok {
		return false
	}
	d.seen = t.seen
	d.reset()
	ev := t.event
	ev.Text = text
	d.events = append(d.events, ev)
	return true
}

// textOf is the text of a string, of which inside is what stands between the
// quotes.
func textOf(inside, quoted []byte) (string, bool) {
	for _, c := range inside {
		if c < ' ' {
			return "", false // no JSON, and not for this to say
		}
		if c == '\\' || c >= utf8.RuneSelf {
			s, err := jsonx.String(quoted)
			return s, err == nil && s != ""
		}
	}
	return string(inside), true
}
