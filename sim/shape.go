package sim

import (
	"bytes"
	"iter"
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
	"github.com/weir-gateway/weir/internal/sse"
)

// usageTrack knows the usage so far, for frames that are to carry it.
type usageTrack struct {
	last   weir.Usage
	tokens int64
}

// shape plays the faults that change events: big-line, and usage where it is
// moved or left out.
func (p *player) shape(events iter.Seq2[weir.Event, error]) iter.Seq2[weir.Event, error] {
	return func(yield func(weir.Event, error) bool) {
		big := p.fault.BigLine
		var held []weir.Event // finishes that wait for the usage
		for ev, err := range events {
			p.usage.see(ev)
			ev = p.sign(ev)
			if big > 0 && ev.Type == weir.EventDelta && ev.Part == weir.PartText {
				ev.Text += strings.Repeat("x", max(big-len(ev.Text), 0))
				ev, big = ev.Detach(), 0
			}
			switch {
			case ev.Type == weir.EventUsage && p.fault.Usage == "never":
				continue
			case ev.Type == weir.EventFinish && p.fault.Usage == "finish":
				held = append(held, ev)
				continue
			}
			if !yield(ev, err) {
				return
			}
		}
		for _, ev := range held {
			if !yield(ev, nil) {
				return
			}
		}
	}
}

// signatures are the formats that the clients of a protocol know. On the wire
// the simulator speaks as a vendor of that protocol would, so that gateways
// carry its signatures back.
var signatures = map[weir.Protocol]string{
	weir.AnthropicMessages: "anthropic-claude-v1",
	weir.BedrockConverse:   "anthropic-claude-v1",
	weir.GeminiGenerate:    "google-gemini-v1",
	weir.OpenAIResponses:   "openai-responses-v1",
}

// sign gives the model's thoughts the protocol's own kind of signature. The
// Responses API has encrypted thoughts in its place.
func (p *player) sign(ev weir.Event) weir.Event {
	if ev.Type == weir.EventDelta && ev.Part == weir.PartSignature && p.codec.Protocol() == weir.OpenAIResponses {
		ev.Part = weir.PartEncrypted
		return ev.Detach()
	}
	format, ok := signatures[p.codec.Protocol()]
	if !ok || ev.Type != weir.EventBlockStart || ev.Block.Reasoning == nil || ev.Block.Reasoning.Format != ReasoningFormat {
		return ev
	}
	block := ev.Block.Clone()
	block.Reasoning.Format = format
	ev.Block = &block
	return ev.Detach()
}

func (u *usageTrack) see(ev weir.Event) {
	switch {
	case ev.Type == weir.EventUsage:
		u.last.Merge(ev.Usage)
		u.tokens = max(u.tokens, u.last.OutputTokens)
	case ev.Type == weir.EventDelta && ev.Part != weir.PartSignature && u.last.OutputTokens == 0:
		u.tokens++
	}
}

// appendChat appends the usage object of Chat.
func (u *usageTrack) appendChat(dst []byte) []byte {
	b := jsonx.Buffer{B: dst}
	b.BeginObject()
	b.IntField("prompt_tokens", u.last.InputTokens)
	b.IntField("completion_tokens", u.tokens)
	b.IntField("total_tokens", u.last.InputTokens+u.tokens)
	b.EndObject()
	return b.B
}

// rewrite plays the faults that change a frame; nothing is left of a frame that
// is not to be sent.
func (p *player) rewrite(frame []byte) []byte {
	if !p.fault.NoDone && p.fault.Usage == "" {
		return frame
	}
	data := frameData(frame)
	if p.fault.NoDone && isLast(data) {
		return nil
	}
	if p.fault.Usage == "" || p.codec.Protocol() != weir.OpenAIChat {
		return frame
	}
	return p.moveUsage(frame, data)
}

// moveUsage puts usage into every chunk of Chat or into the one that finishes,
// and takes the chunk out that has nothing else.
func (p *player) moveUsage(frame, data []byte) []byte {
	var top jsonx.Top
	if top.Scan(data) != nil || !top.Has("choices") {
		return frame
	}
	choices := top.Get(data, "choices")
	if empty := string(jsonx.Compact(nil, choices)) == "[]"; empty {
		return nil
	}
	finishes := false
	_ = jsonx.EachElement(choices, func(_ int, c []byte) error {
		finishes = finishes || jsonx.StringOr(jsonx.Get(c, "finish_reason"), "") != ""
		return nil
	})
	if p.fault.Usage == "never" || p.fault.Usage == "finish" && !finishes {
		return frame
	}
	pieces := top.Splice(nil, data, []jsonx.Edit{{Key: "usage", Value: p.usage.appendChat(nil)}})
	return sse.AppendEvent(nil, "", bytes.Join(pieces, nil))
}

// frameData is the data of a frame with one data line, as encoders write it.
func frameData(frame []byte) []byte {
	for line := range bytes.Lines(frame) {
		if d, ok := bytes.CutPrefix(line, []byte("data:")); ok {
			return bytes.TrimSpace(d)
		}
	}
	return nil
}

// isLast reports whether data ends a stream.
func isLast(data []byte) bool {
	return string(data) == "[DONE]" || jsonx.StringOr(jsonx.Get(data, "type"), "") == "message_stop"
}

// fillers sends the frames without content that choices-empty asks for: in
// Chat what Azure sends first, in Messages pings.
func (p *player) fillers() error {
	n := p.fault.ChoicesEmpty
	p.fault.ChoicesEmpty = 0
	for range n {
		frame := "data: {\"choices\":[],\"created\":0,\"id\":\"\",\"model\":\"\",\"object\":\"\",\"prompt_filter_results\":[]}\n\n"
		switch p.codec.Protocol() {
		case weir.OpenAIChat:
		case weir.AnthropicMessages:
			frame = "event: ping\ndata: {\"type\": \"ping\"}\n\n"
		default: // no such frame is known of the others
			frame = string(framingOf(p.enc.ContentType()).comment())
		}
		if err := p.write([]byte(frame)); err != nil {
			return err
		}
	}
	return nil
}
