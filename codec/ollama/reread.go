package ollama

import (
	"bytes"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
)

// newRereader makes a decoder for the content of lines that have flowed by
// undecoded, and now are to be written in the words of the other endpoint.
func newRereader() *decoder {
	d := newDecoder(&codec.Answer{Target: &codec.Target{Quirks: &codec.Quirks{}}})
	d.started = true
	return d
}

// reread is the content of a line, without its end, which has its own Events.
func (d *decoder) reread(raw []byte) []weir.Event {
	d.events = d.events[:0]
	if d.read(bytes.TrimSpace(raw)) != nil {
		return nil
	}
	return d.events
}
