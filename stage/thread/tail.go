package thread

import "github.com/weir-gateway/weir"

// maxTail bounds the events of an answer's end. Nothing but usage follows a
// finish; an upstream that goes on for ever is not waited for.
const maxTail = 1024

// A tail holds back the end of an answer, from the frame of its first Finish on,
// until it is released. Events of one frame stay together, so that it can be
// sent on as it was received. The zero value is ready to use.
type tail struct {
	// frame holds the events of a frame of which more are to come; its bytes
	// stay as long.
	frame  []weir.Event
	held   []weir.Event
	ended  bool // a Finish was seen
	loose  bool // too much followed: nothing is held any more
	cloner weir.FrameCloner
}

// pass hands ev on, or holds it back. It reports whether the consumer wants to
// go on.
func (t *tail) pass(ev weir.Event, yield func(weir.Event, error) bool) bool {
	if len(t.frame) > 0 && ev.Frame != t.frame[0].Frame && !t.flush(yield, true) {
		return false
	}
	if ev.Frame == nil || ev.Frame.Events <= 1 {
		return t.emit(ev, yield)
	}
	t.frame = append(t.frame, ev)
	if ev.FrameSeq+1 < ev.Frame.Events {
		return true
	}
	return t.flush(yield, false)
}

// flush is the end of a frame, or of what came of it when the rest did not: its
// bytes are gone by then.
func (t *tail) flush(yield func(weir.Event, error) bool, cut bool) bool {
	group := t.frame
	t.frame = t.frame[:0]
	for i := range group {
		if cut {
			group[i] = group[i].Detach()
		}
		t.ended = t.ended || group[i].Type == weir.EventFinish
	}
	for i := range group {
		if !t.emit(group[i], yield) {
			return false
		}
	}
	return true
}

func (t *tail) emit(ev weir.Event, yield func(weir.Event, error) bool) bool {
	t.ended = t.ended || ev.Type == weir.EventFinish
	if !t.ended || t.loose {
		return yield(ev, nil)
	}
	t.held = append(t.held, t.cloner.Clone(ev))
	if len(t.held) <= maxTail {
		return true
	}
	t.loose = true
	return t.release(yield)
}

// release hands on what was held back.
func (t *tail) release(yield func(weir.Event, error) bool) bool {
	if len(t.frame) > 0 && !t.flush(yield, true) {
		return false
	}
	held := t.held
	t.held = nil
	for i := range held {
		if !yield(held[i], nil) {
			return false
		}
	}
	return true
}
