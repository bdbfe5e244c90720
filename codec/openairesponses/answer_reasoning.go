package openairesponses

import (
	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// thoughtStart begins a block of reasoning. Two blocks of one item of this
// protocol, a summary and the thinking itself, become one item again.
func (w *answerWriter) thoughtStart(dst []byte, ev *weir.Event) []byte {
	r := ev.Block.Reasoning
	if r == nil {
		r = &weir.Reasoning{}
	}
	b := w.put(ev.Index, &outBlock{typ: weir.BlockReasoning, part: &outPart{typ: reasoningText}})
	if r.Summary {
		b.part.typ = summaryText
	}
	b.item = w.thoughtFor(r)
	if b.item.foreign && !r.Summary && w.wantsSummary() {
		b.part.typ, b.item.state.full = summaryText, true
	}
	dst = w.settle(dst, b.item)
	b.item.open++
	b.item.encrypted = append(b.item.encrypted, r.Encrypted...)
	b.item.state.signature += r.Signature
	return w.say(dst, b.item, b.part, ev.Block.Text)
}

// wantsSummary reports whether the client asked to be shown summaries, in a word
// of any kind. Clients that do so show nothing else, and so the thinking of a model
// of another protocol stands where they look for it.
func (w *answerWriter) wantsSummary() bool {
	if w.start.From == protocol {
		return false
	}
	raw := w.asked().get("reasoning")
	for _, name := range [...]string{"summary", "generate_summary"} {
		if kind := jsonx.StringOr(jsonx.Get(raw, name), ""); kind != "" && kind != "none" {
			return true
		}
	}
	return false
}

func (w *answerWriter) thoughtFor(r *weir.Reasoning) *outItem {
	if n := len(w.items); n > 0 && r.ID != "" {
		if it := w.items[n-1]; it.kind == outReasoning && !it.closed && it.reasoningID == r.ID {
			return it
		}
	}
	it := &outItem{kind: outReasoning, reasoningID: r.ID}
	if it.foreign = !w.isOwn(r.Format); it.foreign {
		it.state = envelope{format: r.Format, id: r.ID}
	} else {
		it.id = r.ID
	}
	return it
}

// isOwn reports whether reasoning is of this protocol, so that a client can be
// given it as it is.
func (w *answerWriter) isOwn(format string) bool {
	return ofProtocol(format) || format == "" && w.start.From == protocol
}

// seal takes over state of the reasoning.
func (w *answerWriter) seal(b *outBlock, ev *weir.Event) {
	if b.typ != weir.BlockReasoning {
		return
	}
	if ev.Part == weir.PartEncrypted {
		b.item.encrypted = append(b.item.encrypted, ev.Text...)
	} else {
		b.item.state.signature += ev.Text
	}
}

// thoughtEnd ends a block of reasoning. State without a text is an item too.
func (w *answerWriter) thoughtEnd(dst []byte, b *outBlock) []byte {
	it := b.item
	if !it.added && (len(it.encrypted) > 0 || it.state.signature != "") {
		dst = w.add(dst, it)
	}
	if b.part.open && !b.part.closed {
		return w.closePart(dst, it, b.part)
	}
	return dst
}

// signCall gives the signature of a call a place (T-05): in the reasoning item in
// front of it, or in one that holds nothing else.
func (w *answerWriter) signCall(dst []byte, c *weir.ToolCall) []byte {
	if c.Signature == "" {
		return dst
	}
	sign := callSignature{c.ID, c.Signature}
	if n := len(w.items); n > 0 {
		if it := w.items[n-1]; it.kind == outReasoning && !it.closed && it.foreign {
			it.state.calls = append(it.state.calls, sign)
			return dst
		}
	}
	it := &outItem{kind: outReasoning, foreign: true, state: envelope{calls: []callSignature{sign}}}
	dst = w.settle(dst, nil)
	return w.add(dst, it)
}
