package openaichat

import (
	"bytes"
	"slices"
)

// hide notes that the latest finish reason of the frame says that the answer
// stops although it calls tools. Bytes are the upstream's own and stay as they
// are, unless the quirk FinishToolCalls asks for the word to be corrected (S-05).
func (d *decoder) hide() {
	if d.q.FinishToolCalls {
		d.hiding = append(d.hiding, d.finishes-1)
	}
}

// corrected is raw with the reasons that hide calls made to tell of them;
// everything else keeps its bytes.
func (d *decoder) corrected(raw []byte) []byte {
	if len(d.hiding) == 0 {
		return raw
	}
	out := make([]byte, 0, len(raw)+len(d.hiding)*len(wordToolCalls))
	for n := 0; ; n++ {
		from, to := nextFinish(raw)
		if from < 0 {
			return append(out, raw...)
		}
		if out = append(out, raw[:from]...); slices.Contains(d.hiding, n) {
			out = append(out, wordToolCalls...)
		} else {
			out = append(out, raw[from:to]...)
		}
		raw = raw[to:]
	}
}

const wordToolCalls = `"tool_calls"`

// keyFinish is the name before a finish reason. A quote inside a string is
// escaped, so that it is not found in text.
var keyFinish = []byte(`"finish_reason"`)

// nextFinish is where the value of the next finish reason in raw stands, with its
// quotes where it has some; from is -1 where there is none.
func nextFinish(raw []byte) (from, to int) {
	at := bytes.Index(raw, keyFinish)
	if at < 0 {
		return -1, 0
	}
	from = at + len(keyFinish)
	from += len(raw[from:]) - len(bytes.TrimLeft(raw[from:], ": \t\r\n"))
	if from == len(raw) || raw[from] != '"' {
		return from, from
	}
	end := bytes.IndexByte(raw[from+1:], '"')
	if end < 0 {
		return from, from
	}
	return from, from + 1 + end + 1
}
