package codec

import (
	"bytes"
	"unicode/utf8"

	"github.com/weir-gateway/weir/internal/jsonx"
)

// A Twin is what two chunks of text have in common: nearly all of a stream's
// chunks differ in their text alone. A chunk that has the bytes of the one before
// it around the inside of one string means the same but for that string, and need
// not be taken apart again. The zero value has nothing in common with anything.
// Not safe for concurrent use.
type Twin struct {
	head, mid, tail []byte // around what differs; mid only behind what is skipped
	known, skips    bool
}

// Forget makes the next chunk be taken apart.
func (t *Twin) Forget() { t.known = false }

// Remember keeps data, a chunk of which all that was told is text. keys are the
// members that may have it, each with the quote that opens its value
// (`"content":"`), and skip is a member in front of it whose value, a string, may
// differ and does not matter; nil is none.
func (t *Twin) Remember(data []byte, text string, skip []byte, keys ...[]byte) {
	t.known = false
	for _, key := range keys {
		at := bytes.Index(data, key)
		if at < 0 {
			continue
		}
		at += len(key)
		end := at + insideLen(data[at:])
		if s, err := jsonx.String(data[at-1 : min(end+1, len(data))]); err != nil || s != text {
			return // another member has the text
		}
		head := data[:at]
		t.mid, t.skips = t.mid[:0], false
		if from := bytes.Index(head, skip); len(skip) > 0 && from >= 0 {
			from += len(skip)
			to := from + insideLen(head[from:])
			head, t.mid, t.skips = data[:from], append(t.mid, data[to:at]...), true
		}
		t.head, t.tail, t.known = append(t.head[:0], head...), append(t.tail[:0], data[end:]...), true
		return
	}
}

// Text is the text of a chunk that differs from the one remembered in its text
// alone; false for any other.
func (t *Twin) Text(data []byte) (string, bool) {
	n := len(data) - len(t.tail)
	if !t.known || n <= len(t.head) || !bytes.HasPrefix(data, t.head) || !bytes.HasSuffix(data, t.tail) {
		return "", false
	}
	at := len(t.head)
	if t.skips {
		at += insideLen(data[at:n])
		if at+len(t.mid) >= n || !bytes.HasPrefix(data[at:], t.mid) {
			return "", false
		}
		at += len(t.mid)
	}
	inside := data[at:n]
	if insideLen(inside) != len(inside) {
		return "", false
	}
	return insideText(inside, data[at-1:n+1])
}

// insideLen is how long the inside of a string is: up to its closing quote, or to
// the end where there is none.
func insideLen(b []byte) int {
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

// insideText is the text of a string, of which inside is what stands between the
// quotes.
func insideText(inside, quoted []byte) (string, bool) {
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
