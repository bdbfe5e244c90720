package share

import (
	"bytes"

	"github.com/weir-gateway/weir"
)

// eventCost is what an event takes beside its text and frame.
const eventCost = 200

// size is about what a remembered event takes, in bytes.
func size(ev *weir.Event) int64 {
	n := eventCost + len(ev.Text)
	if ev.Frame != nil && ev.FrameSeq == 0 {
		n += len(ev.Frame.Raw)
	}
	if b := ev.Block; b != nil {
		n += len(b.Text)
		if b.Media != nil {
			n += len(b.Media.Data) + len(b.Media.Text)
		}
		if b.Call != nil {
			n += len(b.Call.Arguments)
		}
		if b.Opaque != nil {
			n += len(b.Opaque.Raw)
		}
		if b.Reasoning != nil {
			n += len(b.Reasoning.Encrypted)
		}
	}
	if v := ev.Vector; v != nil {
		n += len(v.JSON) + len(v.Base64)
	}
	return int64(n)
}

// keep is ev to be remembered.
func (f *flight) keep(ev weir.Event) weir.Event {
	ev = f.frames.Clone(ev)
	if ev.Vector != nil { // its numbers may be those of the frame
		v := *ev.Vector
		v.JSON = bytes.Clone(v.JSON)
		ev.Vector = &v
	}
	return ev
}
