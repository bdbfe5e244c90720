package ollama

import (
	"slices"
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
)

// replayNever is the value of Quirks.ReasoningReplay for targets that refuse
// thinking in their history.
const replayNever = "never"

func (w *bodyWriter) messages() error {
	turns := w.turns()
	if w.native() && w.in.Messages == nil && len(turns) == 0 {
		return nil // as it was: the model is to be loaded
	}
	w.Key("messages")
	w.BeginArray()
	for i := range turns {
		t := &turns[i]
		if w.empty(&t.Message) {
			continue
		}
		if i == len(turns)-1 && t.Role == weir.RoleAssistant && w.q.Prefill == "refused" {
			return unsupported(w.paths.Message(t.At), "the model does not continue an assistant message", "end the conversation with a user message")
		}
		if err := w.message(t); err != nil {
			return err
		}
	}
	w.EndArray()
	return nil
}

// turns are the messages in the order and the roles that the target takes.
func (w *bodyWriter) turns() []codec.Turn {
	turns := w.splitResults(codec.Turns(w.in.Messages))
	if w.instruction != "" {
		turns = instruct(turns, w.instruction)
	}
	if !w.native() || w.q.DeveloperRole != "" {
		turns = w.renameDeveloper(turns)
	}
	if w.q.SystemFirst {
		turns = codec.SystemTurnsFirst(turns, w.paths.Message, &w.losses)
	}
	if w.q.StrictAlternation {
		turns = codec.MergeTurns(turns)
	}
	return turns
}

// instruct adds an instruction behind the system text at the head.
func instruct(turns []codec.Turn, instruction string) []codec.Turn {
	n := 0
	for n < len(turns) && (turns[n].Role == weir.RoleSystem || turns[n].Role == weir.RoleDeveloper) {
		n++
	}
	return slices.Insert(slices.Clone(turns), n, codec.Turn{Message: weir.SystemText(instruction), Places: []codec.Place{{}}})
}

func (w *bodyWriter) renameDeveloper(turns []codec.Turn) []codec.Turn {
	out := slices.Clone(turns)
	for i := range out {
		if out[i].Role == weir.RoleDeveloper {
			out[i].Role = weir.RoleSystem
			w.losses.Rename(w.paths.Message(out[i].At)+".role", "the target knows the system role only")
		}
	}
	return out
}

// empty reports whether a message of another protocol says nothing.
func (w *bodyWriter) empty(m *weir.Message) bool {
	return !w.native() && !slices.ContainsFunc(m.Blocks, func(b weir.Block) bool {
		return b.Type != weir.BlockText || b.Text != ""
	})
}

// placed is a block and where in the request it stood.
type placed struct {
	*weir.Block
	at codec.Place
}

// pieces are a message's blocks by the members that hold them.
type pieces struct {
	text, thought []string
	images        []string
	calls         []placed
	result        *placed
}

// message writes one message, its members in a fixed order.
func (w *bodyWriter) message(t *codec.Turn) error {
	m := &t.Message
	p, err := w.sort(t)
	if err != nil {
		return err
	}
	w.BeginObject()
	if role := m.Extra.Value("role"); role != nil && w.native() {
		w.RawField("role", role)
	} else {
		w.StringField("role", string(m.Role))
	}
	if p.result != nil {
		if err := w.result(p); err != nil {
			return err
		}
	}
	w.content(m, p)
	if thought := strings.Join(p.thought, ""); thought != "" {
		w.StringField("thinking", thought)
	}
	if len(p.images) > 0 {
		w.Key("images")
		w.BeginArray()
		for _, data := range p.images {
			w.String(data)
		}
		w.EndArray()
	}
	if err := w.calls(p.calls); err != nil {
		return err
	}
	w.messageExtra(t, p)
	w.EndObject()
	return nil
}

// content writes the text, which the protocol requires: an empty one where there
// is none. Texts of an assistant are one text, others are told apart.
func (w *bodyWriter) content(m *weir.Message, p *pieces) {
	separator := "\n\n"
	if m.Role == weir.RoleAssistant || p.result != nil {
		separator = ""
	}
	text := strings.Join(p.text, separator)
	if m.Name != "" && m.Role != weir.RoleTool {
		text = m.Name + ": " + text
	}
	if text != "" || m.Plain || p.result != nil && p.result.Result.Plain || !w.native() {
		w.StringField("content", text)
	}
}

// messageExtra puts members back that have no word in the canonical form, and
// those that said nothing and still do.
func (w *bodyWriter) messageExtra(t *codec.Turn, p *pieces) {
	if t.Name != "" && t.Role != weir.RoleTool {
		w.losses.Approximate(w.paths.Message(t.At)+".name", "the name was put before the text")
	}
	if !w.native() {
		w.losses.DropExtra(w.paths.Message(t.At), t.Extra)
		return
	}
	said := map[string]bool{
		"role": true, "images": len(p.images) > 0, "thinking": len(p.thought) > 0, "tool_calls": len(p.calls) > 0,
		"content": len(p.text) > 0 || t.Plain,
	}
	for _, f := range t.Extra {
		if !said[f.Name] {
			w.RawField(f.Name, f.Value)
		}
	}
}

// sort puts the blocks of a message where the protocol has them.
func (w *bodyWriter) sort(t *codec.Turn) (*pieces, error) {
	p := new(pieces)
	for i := range t.Blocks {
		b := placed{&t.Blocks[i], t.Place(i)}
		switch b.Type {
		case weir.BlockReasoning:
			w.thought(p, b)
		case weir.BlockToolCall:
			p.calls = append(p.calls, b) // its own losses are told when it is written
			continue
		case weir.BlockToolResult:
			p.result = &b
		default:
			if err := w.part(p, t.Role, b); err != nil {
				return nil, err
			}
		}
		w.drop(b)
	}
	return p, nil
}

// thought writes thinking as text: the protocol has no signatures.
func (w *bodyWriter) thought(p *pieces, b placed) {
	if w.q.ReasoningReplay == replayNever {
		w.losses.Drop(w.paths.Block(b.at), "the target refuses thinking in its history")
		return
	}
	if r := b.Reasoning; r != nil && (r.Signature != "" || r.Encrypted != "") {
		w.losses.Drop(w.paths.Block(b.at), "the state of another provider's thinking cannot be carried; its text was")
	}
	if b.Text != "" {
		p.thought = append(p.thought, b.Text)
	}
	if r := b.Reasoning; r != nil && !w.native() {
		w.losses.DropExtra(w.paths.Block(b.at), r.Extra)
	}
}

// drop reports what stands around a block and has no place.
func (w *bodyWriter) drop(b placed) {
	if b.Cache == nil && len(b.Citations) == 0 && (w.native() || len(b.Extra) == 0) {
		return
	}
	at := w.paths.Block(b.at)
	if b.Cache != nil {
		w.losses.Drop(at+".cache_control", noCache)
	}
	if len(b.Citations) > 0 {
		w.losses.Drop(at+".citations", "the target has none")
	}
	if !w.native() && b.Type != weir.BlockOpaque {
		w.losses.DropExtra(at, b.Extra)
	}
}

// result writes the members of a tool's answer but for its content.
func (w *bodyWriter) result(p *pieces) error {
	r := p.result.Result
	for i := range r.Content {
		b := placed{&r.Content[i], p.result.at}
		if err := w.part(p, weir.RoleTool, b); err != nil {
			return err
		}
	}
	name := r.Name
	if name == "" && !w.native() {
		name = w.called[r.CallID]
	}
	if name != "" {
		w.StringField("tool_name", w.sent(name))
	}
	if r.CallID != "" && (!w.native() || !isMade(r.Extra)) {
		w.StringField("tool_call_id", r.CallID)
	}
	if !w.native() {
		w.losses.DropExtra(w.paths.Block(p.result.at), r.Extra)
	}
	return nil
}
