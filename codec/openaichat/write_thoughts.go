package openaichat

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// reasoningMembers are the members of a message that carry thinking.
var reasoningMembers = [...]string{"reasoning_content", "reasoning", "reasoning_details"}

// thoughts writes the thinking that goes back with an assistant turn, where and
// how the target wants it (T-01, T-03).
func (w *writer) thoughts(at string, m *weir.Message, p *pieces) {
	if m.Role != weir.RoleAssistant {
		return
	}
	if w.q.ReasoningReplay == "never" {
		if len(p.reasoning) > 0 {
			w.losses.Drop(at+".reasoning_content", "the target refuses earlier thinking")
		}
		return
	}
	if w.thoughtsAsWritten(m, p) {
		return
	}
	text := thoughtText(p.reasoning)
	owed := w.q.ReasoningReplay == "tool_turns" && len(p.calls) > 0
	if text != "" || owed {
		w.StringField(w.reasoningField(), text)
	}
	if w.q.Thinking == "reasoning" || w.native() {
		w.details(p.reasoning)
		return
	}
	for i := range p.reasoning {
		if r := p.reasoning[i].Reasoning; r != nil && r.Encrypted != "" {
			w.losses.Drop(fmt.Sprintf("%s.content[%d]", at, i), "only the provider that encrypted this thinking can read it")
		}
	}
}

func (w *writer) reasoningField() string {
	if w.q.ReasoningField != "" {
		return w.q.ReasoningField
	}
	return "reasoning_content"
}

func thoughtText(blocks []weir.Block) string {
	var s strings.Builder
	for i := range blocks {
		s.WriteString(blocks[i].Text)
	}
	return s.String()
}

// thoughtsAsWritten puts the members back as the client wrote them, if they
// still say what the message says; text under the name that the target reads.
func (w *writer) thoughtsAsWritten(m *weir.Message, p *pieces) bool {
	var raws [3][]byte
	found := false
	for i, name := range reasoningMembers {
		if raws[i] = spelled(m.Extra, w.from, name); raws[i] != nil {
			found = true
		}
	}
	owed := w.q.ReasoningReplay == "tool_turns" && len(p.calls) > 0
	if !found || !sameThoughts(thoughts(raws[0], raws[1], raws[2]), p.reasoning) {
		return false
	}
	want := w.q.ReasoningField
	done := false
	for i, name := range reasoningMembers {
		switch {
		case raws[i] == nil:
		case want != "" && i < 2 && (jsonx.IsNull(raws[i]) || done):
		case want != "" && i < 2:
			w.RawField(want, raws[i])
			done = true
		case owed && jsonx.IsNull(raws[i]):
		default:
			w.RawField(name, raws[i])
			done = done || name == w.reasoningField()
		}
	}
	if owed && !done {
		w.StringField(w.reasoningField(), thoughtText(p.reasoning))
	}
	return true
}

func sameThoughts(a, b []weir.Block) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].Text != b[i].Text || !reflect.DeepEqual(a[i].Reasoning, b[i].Reasoning) {
			return false
		}
	}
	return true
}

// details writes reasoning_details for blocks that have more than a text.
func (w *writer) details(blocks []weir.Block) {
	begun := false
	for i := range blocks {
		if blocks[i].Reasoning == nil {
			continue
		}
		if !begun {
			w.Key("reasoning_details")
			w.BeginArray()
			begun = true
		}
		writeDetail(&w.Buffer, &blocks[i], i, w.signatureFormat())
	}
	if begun {
		w.EndArray()
	}
}

// signatureFormat names the maker of signatures that came without a name.
func (w *writer) signatureFormat() string {
	if w.from == weir.AnthropicMessages {
		return "anthropic-claude-v1"
	}
	return ""
}

// writeDetail writes one entry in OpenRouter's form.
func writeDetail(b *jsonx.Buffer, block *weir.Block, index int, format string) {
	r := block.Reasoning
	b.BeginObject()
	switch {
	case r.Encrypted != "":
		b.StringField("type", "reasoning.encrypted")
		b.StringField("data", r.Encrypted)
	case r.Summary:
		b.StringField("type", "reasoning.summary")
		b.StringField("summary", block.Text)
	default:
		b.StringField("type", "reasoning.text")
		b.StringField("text", block.Text)
	}
	if r.Signature != "" {
		b.StringField("signature", r.Signature)
	}
	if r.Format != "" {
		format = r.Format
	}
	if format != "" {
		b.StringField("format", format)
	}
	if r.ID != "" {
		b.StringField("id", r.ID)
	}
	b.IntField("index", int64(index))
	b.EndObject()
}
