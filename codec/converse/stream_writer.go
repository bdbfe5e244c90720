package converse

import (
	"slices"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/eventstream"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// streamWriter writes Events as the one sequence that the protocol allows: one
// messageStart, blocks one after another, one messageStop, one metadata. Events of
// several blocks may come interleaved (parallel calls of Chat): the first open block
// is written, the others wait (S-02).
type streamWriter struct {
	req    *weir.Request
	losses codec.Losses

	start  *weir.Start
	usage  weir.Usage
	fin    *weir.Finish
	blocks map[int32]*outBlock
	cur    *outBlock
	queue  []*outBlock // begun, and waiting for cur to end
	next   int         // number of the next block that is written
	seen   int32       // blocks that have begun
	calls  bool        // there are tool calls

	started  bool // messageStart was written
	finished bool // messageStop was written
	counted  bool // the usage that is known was written
	failed   bool // nothing may follow

	payload jsonx.Buffer // of the event that is written
}

// lose reports a loss once.
func (w *streamWriter) lose(field, detail string) { dropOnce(&w.losses, field, detail) }

// dropOnce reports that field is left out unless that was reported already: an
// answer may lose the same in every one of its pieces.
func dropOnce(losses *codec.Losses, field, detail string) {
	if !slices.ContainsFunc(*losses, func(l weir.Loss) bool { return l.Field == field }) {
		losses.Drop(field, detail)
	}
}

func (w *streamWriter) put(b *outBlock) {
	if w.blocks == nil {
		w.blocks = map[int32]*outBlock{}
	}
	w.blocks[b.index] = b
}

// write appends what ev adds.
func (w *streamWriter) write(dst []byte, ev weir.Event) []byte {
	if ev.Choice != 0 {
		w.lose("choices", "the client's protocol has one choice; the first one was sent")
		return dst
	}
	switch ev.Type {
	case weir.EventStart:
		if w.start == nil {
			w.start = ev.Start
		}
	case weir.EventUsage:
		w.usage.Merge(ev.Usage)
		w.counted = false
	case weir.EventFinish:
		w.fin = ev.Finish
	case weir.EventBlockStart:
		w.seen++
		return w.blockStart(w.head(dst), &ev)
	case weir.EventDelta:
		return w.delta(dst, &ev)
	case weir.EventBlockEnd:
		if b := w.blocks[ev.Index]; b != nil {
			b.ended = true
			return w.advance(dst)
		}
	}
	return dst
}

// event begins the payload of an event; its object is open.
func (w *streamWriter) event() *jsonx.Buffer {
	w.payload.B = w.payload.B[:0]
	w.payload.BeginObject()
	return &w.payload
}

// send closes the payload and appends the event.
func (w *streamWriter) send(dst []byte, name string) []byte {
	w.payload.EndObject()
	return eventstream.AppendEvent(dst, name, w.payload.B)
}

// head writes messageStart unless it is written.
func (w *streamWriter) head(dst []byte) []byte {
	if w.started {
		return dst
	}
	w.started = true
	w.event().StringField("role", "assistant")
	return w.send(dst, messageStart)
}

func (w *streamWriter) blockStart(dst []byte, ev *weir.Event) []byte {
	b := newOutBlock(ev)
	w.put(b)
	switch b.kind {
	case outNone:
		w.lose("content."+string(ev.Block.Type), "the client's protocol has no such block in answers")
		return dst
	case outText:
		if ev.Block.Type == weir.BlockAudio {
			w.lose("content.audio", "the sound was left out, its words were sent as text")
		}
		for _, c := range ev.Block.Citations {
			b.cite(w, &c)
		}
	case outTool:
		if ev.Block.Call.Signature != "" {
			w.lose("content.toolUse.signature", "the state of another provider's call cannot be carried")
		}
	}
	w.queue = append(w.queue, b)
	return w.advance(dst)
}

// advance closes the current block where it may be closed, and writes what waits
// behind it.
func (w *streamWriter) advance(dst []byte) []byte {
	for {
		if w.cur != nil {
			if !w.cur.ended && (len(w.queue) == 0 || !w.cur.mayClose()) {
				return dst
			}
			dst = w.closeBlock(dst, w.cur)
			w.cur = nil
		}
		if len(w.queue) == 0 {
			return dst
		}
		w.cur, w.queue = w.queue[0], w.queue[1:]
		dst = w.drain(dst, w.cur)
	}
}

func (w *streamWriter) delta(dst []byte, ev *weir.Event) []byte {
	b := w.blocks[ev.Index]
	if ev.Part == weir.PartLogprobs {
		w.lose("logprobs", "the client's protocol has none")
		return dst
	}
	if b == nil || b.kind == outNone || b.kind == outWhole || b.ended || ev.Text == "" && ev.Citation == nil {
		return dst
	}
	if b.closed {
		if b = w.resume(b, ev); b == nil {
			return dst
		}
	}
	if b == w.cur && b.open && len(b.text) == 0 && ev.Part == deltaParts[b.kind] && !b.custom() {
		b.wrote = true
		if b.kind == outTool {
			b.json.feed(ev.Text)
		}
		return w.appendDelta(dst, b, ev.Text)
	}
	b.take(w, ev)
	if b == w.cur {
		return w.drain(dst, b)
	}
	return w.advance(dst)
}

// resume begins a new block for text that goes on after another block began
// (S-08). A call that was closed was complete: nothing can follow.
func (w *streamWriter) resume(b *outBlock, ev *weir.Event) *outBlock {
	if b.kind != outText && b.kind != outThinking || ev.Part != weir.PartText && ev.Part != weir.PartTranscript {
		if hasInk(ev.Text) {
			w.lose("content", "what came for a block after its end was left out")
		}
		return nil
	}
	if ev.Text == "" {
		return nil
	}
	again := &outBlock{index: b.index, kind: b.kind}
	w.put(again)
	w.queue = append(w.queue, again)
	return again
}

// drain writes what the current block has gathered.
func (w *streamWriter) drain(dst []byte, b *outBlock) []byte {
	switch b.kind {
	case outWhole:
		b.ended = true
		return w.writeWhole(dst, b)
	case outTool:
		if !b.open {
			dst = w.open(dst, b)
		}
	default:
		if !b.open && !b.speaks() && len(b.citations) == 0 {
			return dst
		}
		if !b.open {
			w.number(b)
		}
	}
	for _, c := range b.citations {
		dst = w.appendCitation(dst, b, c)
	}
	b.citations = nil
	if b.speaks() && !b.custom() {
		dst = w.appendDelta(dst, b, string(b.text))
		b.wrote = true
		b.text = b.text[:0]
	}
	return dst
}

// close ends a complete answer.
func (w *streamWriter) close(dst []byte) []byte {
	if w.failed {
		return dst
	}
	w.failed = true
	if !w.finished {
		dst = w.head(dst)
		for _, b := range w.queue {
			b.ended = true
		}
		if w.cur != nil {
			w.cur.ended = true
		}
		dst = w.advance(dst)
		fin := w.fin
		if fin == nil {
			fin = &weir.Finish{Reason: weir.FinishStop}
		}
		appendFinish(w.event(), fin, w.calls)
		dst = w.send(dst, messageStop)
	}
	if w.counted || !hasCounts(&w.usage) {
		return dst
	}
	loseUsage(&w.losses, &w.usage)
	b := w.event()
	b.Key("usage")
	appendUsage(b, &w.usage)
	appendBeside(b, &w.usage)
	return w.send(dst, metadataEvent)
}
