package openaichat

import (
	"reflect"
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// reasoningMembers are the members of a message that carry thinking.
var reasoningMembers = [...]string{"reasoning_content", "reasoning", "reasoning_details"}

// thoughts writes the thinking that goes back with an assistant turn, where and
// how the target wants it (T-01, T-03).
func (w *writer) thoughts(m *weir.Message, p *pieces) {
	if m.Role != weir.RoleAssistant {
		return
	}
	if w.q.ReasoningReplay == "never" {
		w.refuseThoughts(p.reasoning)
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
	for _, b := range p.reasoning {
		switch r := b.Reasoning; {
		case r == nil:
		case r.Encrypted != "":
			w.losses.Drop(w.paths.Block(b.at), "only the provider that encrypted this thinking can read it")
		case r.Signature != "":
			w.losses.Drop(w.paths.Block(b.at)+".signature", "only the provider that signed this thinking can check it")
		}
	}
}

// refuseThoughts notes thinking that is left out.
func (w *writer) refuseThoughts(blocks []placed) {
	const why = "the target refuses earlier thinking"
	if w.native() && len(blocks) > 0 {
		w.losses.Drop(w.paths.Message(blocks[0].at.Message)+".reasoning_content", why)
		return
	}
	for _, b := range blocks {
		w.losses.Drop(w.paths.Block(b.at), why)
	}
}

func (w *writer) reasoningField() string {
	if w.q.ReasoningField != "" {
		return w.q.ReasoningField
	}
	return "reasoning_content"
}

func thoughtText(blocks []placed) string {
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

func sameThoughts(a []weir.Block, b []placed) bool {
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
func (w *writer) details(blocks []placed) {
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
		writeDetail(&w.Buffer, blocks[i].Block, i, signatureFormat(w.from))
	}
	if begun {
		w.EndArray()
	}
}

// signatureFormat names the maker of signatures that came without a name.
func signatureFormat(from weir.Protocol) string {
	if from == weir.AnthropicMessages {
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
		if block.Text != "" || r.Signature == "" { // a delta of a signature has no text
			b.StringField("text", block.Text)
		}
	}
	if r.Signature != "" {
		b.StringField("signature", r.Signature)
	}
	if r.Format != "" {
		format = r.Format
	}
	if format != "" && (r.Format != "" || r.Signature != "" || r.Encrypted != "") {
		b.StringField("format", format)
	}
	if r.ID != "" {
		b.StringField("id", r.ID)
	}
	b.IntField("index", int64(index))
	b.EndObject()
}
