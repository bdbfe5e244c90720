package openaichat

import (
	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/sse"
)

// twin is what the next chunk may have in common with the one before, and the
// event that became of that.
type twin struct {
	codec.Twin
	event weir.Event
}

// textKeys are the members that hold text, with the quote that opens it.
var textKeys = [][]byte{[]byte(`"content":"`), []byte(`"reasoning_content":"`), []byte(`"reasoning":"`)}

// remember keeps a frame of which nothing but a text was told.
func (d *decoder) remember(f *sse.Frame) {
	d.twin.Forget()
	if len(d.events) != 1 || d.failed != nil || d.renamed || d.seen != 0 || d.q.ThinkTags || f.Event != nil || f.Truncated {
		return
	}
	if ev := &d.events[0]; ev.Type == weir.EventDelta && ev.Part == weir.PartText {
		d.twin.Remember(f.Data, ev.Text, nil, textKeys...)
		d.twin.event = *ev
	}
}

// again makes the event of a frame that is a twin of the one before it, and
// reports whether it is one.
func (d *decoder) again(f *sse.Frame) bool {
	if f.Event != nil || f.Truncated {
		return false
	}
	text, ok := d.twin.Text(f.Data)
	if !ok {
		return false
	}
	d.seen = 0
	d.reset()
	ev := d.twin.event
	ev.Text = text
	d.events = append(d.events, ev)
	return true
}
