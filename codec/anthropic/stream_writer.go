package anthropic

import (
	"slices"
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// streamWriter writes Events as the one sequence that the protocol allows: one
// message_start, blocks one after another, each with one start and one stop, one
// message_delta, one message_stop. Events of several blocks may come interleaved
// (parallel calls of Chat): the first open block is written, the others wait.
type streamWriter struct {
	req    *weir.Request
	losses codec.Losses

	start   *weir.Start
	usage   weir.Usage
	fin     *weir.Finish
	blocks  map[int32]*outBlock
	cur     *outBlock
	queue   []*outBlock // begun, and waiting for cur to end
	next    int         // number of the next block that is written
	end     ending
	started bool // message_start was written

	finished bool // message_delta with the stop_reason was written
	stopped  bool // nothing may follow
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
	case weir.EventFinish:
		w.fin = ev.Finish
	case weir.EventBlockStart:
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

// event begins an event of the stream; its data's object is open.
func event(dst []byte, typ string) jsonx.Buffer {
	dst = append(dst, "event: "...)
	dst = append(dst, typ...)
	dst = append(dst, "\ndata: "...)
	b := jsonx.Buffer{B: dst}
	b.BeginObject()
	b.StringField("type", typ)
	return b
}

func endEvent(b *jsonx.Buffer) []byte {
	b.EndObject()
	return append(b.B, "\n\n"...)
}

// head writes message_start unless it is written. It waits for the first block,
// so that input tokens that are known by then stand in it (C-06); counts that
// are not known are 0 there, since the SDKs need both.
func (w *streamWriter) head(dst []byte) []byte {
	if w.started {
		return dst
	}
	w.started = true
	b := event(dst, "message_start")
	b.Key("message")
	appendHead(&b, w.req, w.start)
	b.Key("content")
	b.BeginArray()
	b.EndArray()
	b.Key("stop_reason")
	b.Null()
	b.Key("stop_sequence")
	b.Null()
	b.Key("usage")
	appendUsage(&b, &w.usage, weir.UsageInput|weir.UsageOutput)
	b.EndObject()
	return endEvent(&b)
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
	if b == nil || b.kind == outNone || b.kind == outOpaque || b.ended || ev.Text == "" && ev.Citation == nil {
		return dst
	}
	if b.closed {
		if b = w.resume(b, ev); b == nil {
			return dst
		}
	}
	if b == w.cur && b.open && len(b.text) == 0 && ev.Part == deltaNames[b.kind].part && !b.custom() {
		b.wrote = true
		if b.kind == outTool {
			b.json.feed(ev.Text)
		}
		return appendDelta(dst, b.out, b.kind, ev.Text)
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
		if strings.TrimSpace(ev.Text) != "" {
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
	case outOpaque:
		b.ended = true
		return w.writeOpaque(dst, b)
	case outTool:
		if !b.open {
			dst = w.open(dst, b)
		}
	default:
		if !b.open && !b.speaks() {
			return dst
		}
		if !b.open {
			dst = w.open(dst, b)
		}
	}
	if b.speaks() && !b.custom() {
		dst = appendDelta(dst, b.out, b.kind, string(b.text))
		b.wrote = true
		b.text = b.text[:0]
	}
	for _, c := range b.citations {
		dst = appendCitation(dst, b.out, c)
	}
	b.citations = nil
	return dst
}

// close ends a complete answer.
func (w *streamWriter) close(dst []byte) []byte {
	if w.stopped {
		return dst
	}
	dst = w.head(dst)
	for _, b := range w.queue {
		b.ended = true
	}
	if w.cur != nil {
		w.cur.ended = true
	}
	dst = w.advance(dst)
	if !w.finished {
		dst = w.messageDelta(dst)
	}
	w.finished, w.stopped = true, true
	b := event(dst, "message_stop")
	return endEvent(&b)
}

// messageDelta writes how the answer ended and its cumulative usage. The SDKs
// read usage.output_tokens without looking whether it is there, so it is 0 when
// it is not known.
func (w *streamWriter) messageDelta(dst []byte) []byte {
	fin := w.fin
	if fin == nil {
		fin = &weir.Finish{Reason: weir.FinishStop}
	}
	b := event(dst, "message_delta")
	b.Key("delta")
	b.BeginObject()
	appendStop(&b, fin, w.end)
	if fin.From == protocol {
		if c := fin.Extra.Value("container"); c != nil {
			b.RawField("container", c)
		}
	}
	b.EndObject()
	if fin.From == protocol {
		for _, f := range fin.Extra {
			if f.Name != "container" {
				b.RawField(f.Name, f.Value)
			}
		}
	}
	b.Key("usage")
	appendUsage(&b, &w.usage, weir.UsageOutput)
	return endEvent(&b)
}
