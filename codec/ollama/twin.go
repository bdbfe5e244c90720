package ollama

import (
	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
)

// twin is what the next line may have in common with the one before, and the
// event that became of that. Lines differ in their time too, which nobody is told.
type twin struct {
	codec.Twin
	event weir.Event
}

var (
	timeKey  = []byte(`"created_at":"`)
	textKeys = [][]byte{[]byte(`"content":"`), []byte(`"thinking":"`), []byte(`"response":"`)}
)

// remember keeps a line of which nothing but a text was told.
func (d *decoder) remember(data []byte) {
	d.twin.Forget()
	if len(d.events) != 1 || d.failed != nil || d.mapped || d.done {
		return
	}
	if ev := &d.events[0]; ev.Type == weir.EventDelta && ev.Part == weir.PartText {
		d.twin.Remember(data, ev.Text, timeKey, textKeys...)
		d.twin.event = *ev
	}
}

// again makes the event of a line that is a twin of the one before it, and
// reports whether it is one.
func (d *decoder) again(data []byte) bool {
	text, ok := d.twin.Text(data)
	if !ok || text == "" {
		return false
	}
	ev := d.twin.event
	ev.Text = text
	d.events = append(d.events[:0], ev)
	d.mapped = false
	return true
}
