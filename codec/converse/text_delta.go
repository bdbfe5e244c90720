package converse

import "bytes"

// textDelta reads a payload as Bedrock writes nearly all of them,
//
//	{"contentBlockIndex":0,"delta":{"text":"…"},"p":"abc"}
//
// with members in this order, no spaces, no escapes in the text and perhaps no
// padding (recorded, 2026-08). value is the text with its quotes. Whatever is
// written otherwise is not ok, and is read member by member.
func textDelta(payload []byte) (wire int64, value []byte, ok bool) {
	rest, ok := bytes.CutPrefix(payload, []byte(`{"contentBlockIndex":`))
	if !ok {
		return 0, nil, false
	}
	n := 0
	for n < len(rest) && n < 9 && rest[n] >= '0' && rest[n] <= '9' {
		wire = wire*10 + int64(rest[n]-'0')
		n++
	}
	if n == 0 || rest[0] == '0' && n > 1 {
		return 0, nil, false
	}
	rest, ok = bytes.CutPrefix(rest[n:], []byte(`,"delta":{"text":`))
	if !ok || len(rest) == 0 || rest[0] != '"' {
		return 0, nil, false
	}
	end := bytes.IndexByte(rest[1:], '"') + 2
	if end < 2 || bytes.IndexByte(rest[:end], '\\') >= 0 {
		return 0, nil, false
	}
	return wire, rest[:end], isDeltaTail(rest[end:])
}

// isDeltaTail reports whether nothing but padding follows a delta.
func isDeltaTail(tail []byte) bool {
	if string(tail) == "}}" {
		return true
	}
	pad, ok := bytes.CutPrefix(tail, []byte(`},"p":"`))
	if !ok {
		return false
	}
	pad, ok = bytes.CutSuffix(pad, []byte(`"}`))
	for _, c := range pad {
		ok = ok && (c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9')
	}
	return ok
}
