package openairesponses

import (
	"fmt"
	"slices"
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// call writes a function_call or custom_tool_call item.
func (w *writer) call(b placed) error {
	c := b.Call
	if raw := c.Extra.Value(searchField); raw != nil && w.native() && !w.flat {
		w.searched(c, raw)
		return nil
	}
	if w.flat {
		flat := *b.Block
		flat.Call = w.flatCall(c)
		b.Block, c = &flat, flat.Call
	}
	arguments, err := w.arguments(b)
	if err != nil {
		return err
	}
	if c.Signature != "" {
		w.losses.Drop(w.paths.Block(b.at)+".signature", "only the provider that signed this call can check it")
	}
	w.BeginObject()
	input := "arguments"
	if c.Type == weir.ToolCustom {
		input = "input"
		w.StringField("type", "custom_tool_call")
	} else {
		w.StringField("type", "function_call")
	}
	w.StringField("call_id", w.callID(c.ID))
	if w.native() {
		w.StringField("name", withoutSpace(w.names.Sent(c.Name), c.Extra.Value("namespace")))
	} else {
		w.StringField("name", w.names.Sent(c.Name))
	}
	spelled := c.Extra.Value(input)
	switch {
	case !w.native():
		w.StringField(input, arguments)
	case spelled != nil && sameArguments(spelled, c.Arguments):
		w.RawField(input, spelled)
	default:
		w.StringField(input, c.Arguments)
	}
	if w.native() {
		for _, f := range c.Extra {
			if f.Name != input {
				w.RawField(f.Name, f.Value)
			}
		}
	} else {
		at := w.paths.Block(b.at)
		w.losses.DropExtra(at, c.Extra)
		w.losses.DropExtra(at, b.Extra)
		if b.Cache != nil {
			w.losses.Drop(at+".cache_control", noCache)
		}
	}
	w.EndObject()
	return nil
}

// sameArguments reports whether arguments are still what the client spelled
// otherwise: nothing at all, or an object.
func sameArguments(spelled []byte, arguments string) bool {
	if jsonx.KindOf(spelled) == jsonx.KindObject {
		return string(jsonx.Compact(nil, spelled)) == arguments
	}
	return arguments == "{}"
}

// arguments are those of a call so that every model can read them again. What a
// client of this protocol sends goes on as it is; a body of another protocol has
// an object there, and where it has none the message is refused by name (S-07).
func (w *writer) arguments(b placed) (string, error) {
	if w.native() || b.Call.Type == weir.ToolCustom {
		return b.Call.Arguments, nil
	}
	object, ok := codec.RepairArguments(b.Call.Arguments)
	if !ok {
		at := w.paths.Block(b.at)
		err := weir.Invalid(at, "%s: the arguments of the tool call %q are not a JSON object", at, b.Call.ID)
		err.Hint = "send the arguments as the model wrote them, or leave out the call and its result"
		return "", err
	}
	return object, nil
}

// callID is a call's id as the target takes it.
func (w *writer) callID(id string) string {
	if w.q.ToolIDMax > 0 || !w.native() {
		return codec.ShortenID(id, w.q.ToolIDMax)
	}
	return id
}

// result writes the output of a call.
func (w *writer) result(b placed) error {
	r := b.Result
	typ := "function_call_output"
	if raw := r.Extra.Value(searchField); raw != nil && w.native() && !w.flat {
		w.found(r, raw)
		return nil
	}
	if w.custom[r.CallID] || w.native() && !w.flat && r.Extra.Value("type") != nil {
		typ = "custom_tool_call_output"
	}
	w.BeginObject()
	w.StringField("type", typ)
	w.StringField("call_id", w.callID(r.CallID))
	var err error
	if w.native() {
		w.ownOutput(r)
		for _, f := range r.Extra {
			if f.Name != "type" && f.Name != "output" && f.Name != searchField {
				w.RawField(f.Name, f.Value)
			}
		}
	} else {
		err = w.foreignOutput(b)
	}
	w.EndObject()
	return err
}

// ownOutput writes the output in the form that the client used.
func (w *writer) ownOutput(r *weir.ToolResult) {
	switch raw := r.Extra.Value("output"); {
	case raw != nil && len(r.Content) == 0:
		w.RawField("output", raw)
	case r.Plain && allText(r.Content):
		w.StringField("output", joinTexts(r.Content))
	default:
		w.Key("output")
		w.BeginArray()
		for i := range r.Content {
			w.part(weir.RoleTool, &r.Content[i])
		}
		w.EndArray()
	}
}

func joinTexts(blocks []weir.Block) string {
	var s strings.Builder
	for i := range blocks {
		s.WriteString(blocks[i].Text)
	}
	return s.String()
}

// foreignOutput writes the output of another protocol: one text, or the parts
// where there are media (P-09).
func (w *writer) foreignOutput(b placed) error {
	r, at := b.Result, w.paths.Block(b.at)
	w.losses.DropExtra(at, r.Extra)
	w.losses.DropExtra(at, b.Extra)
	if b.Cache != nil {
		w.losses.Drop(at+".cache_control", noCache)
	}
	content := r.Content
	if r.IsError {
		w.losses.Approximate(at+".is_error", "outputs have no error flag; the text says it")
		content = slices.Insert(slices.Clone(content), 0, weir.Block{Type: weir.BlockText, Text: "Error: "})
	}
	if allText(content) {
		for i := range content {
			if content[i].Cache != nil {
				w.losses.Drop(fmt.Sprintf("%s.content[%d].cache_control", at, i), noCache)
			}
			w.losses.DropExtra(at, content[i].Extra)
		}
		w.StringField("output", joinTexts(content))
		return nil
	}
	w.Key("output")
	w.BeginArray()
	for i := range content {
		part := content[i]
		part.At = fmt.Sprintf("%s.content[%d]", at, i)
		if err := w.outputPart(&part); err != nil {
			return err
		}
	}
	w.EndArray()
	return nil
}

// outputPart is foreignPart for a block that stands inside a result.
func (w *writer) outputPart(b *weir.Block) error {
	inside := w.paths
	w.paths = codec.NewPaths(&weir.Body{Messages: []weir.Message{{Blocks: []weir.Block{*b}}}})
	err := w.foreignPart(weir.RoleTool, placed{Block: b})
	w.paths = inside
	return err
}

// sameThought reports whether b is more of the reasoning item that a begins.
func sameThought(a, b *weir.Block) bool {
	return b.Type == weir.BlockReasoning && a.Reasoning != nil && b.Reasoning != nil && a.Reasoning.ID != "" &&
		a.Reasoning.ID == b.Reasoning.ID && a.Reasoning.Format == b.Reasoning.Format
}

// owns reports whether the target takes state of this Format for its own: it
// made it, or a client of this protocol sent it, and then nobody but the target
// can tell (T-04).
func (w *writer) owns(format string) bool {
	return format == reasoningFormat || format == formatOf(w.target.Provider)
}

// thought writes the blocks [from, to) as one reasoning item. Reasoning goes
// back to those who made it; upstreams that want thinking back in their tool
// turns take it without a signature (T-01, T-03).
func (w *writer) thought(t *codec.Turn, from, to int) {
	blocks := t.Blocks[from:to]
	at := w.paths.Block(t.Place(from))
	first := blocks[0].Reasoning
	if first == nil {
		first = &weir.Reasoning{}
	}
	own := w.owns(first.Format) && (w.native() || encryptedOf(blocks) != "")
	switch {
	case w.q.ReasoningReplay == replayNever:
		w.losses.Drop(at, "the target refuses earlier thinking")
	case own:
		w.ownThought(blocks, first)
	case w.q.ReasoningReplay == replayToolTurns && encryptedOf(blocks) == "" && joinThoughts(blocks) != "":
		w.plainThought(blocks, at)
	case encryptedOf(blocks) != "" || first.Signature != "":
		w.losses.Drop(at, "only the provider that made this thinking can read it")
	case joinThoughts(blocks) != "":
		w.losses.Drop(at, "thinking without the provider's own state is not accepted")
	}
}

func encryptedOf(blocks []weir.Block) string {
	for i := range blocks {
		if r := blocks[i].Reasoning; r != nil && r.Encrypted != "" {
			return r.Encrypted
		}
	}
	return ""
}

func joinThoughts(blocks []weir.Block) string { return joinTexts(blocks) }

// ownThought writes reasoning that came in this protocol, its parts as they were
// while they say the same.
func (w *writer) ownThought(blocks []weir.Block, first *weir.Reasoning) {
	w.BeginObject()
	w.StringField("type", "reasoning")
	w.word("id", first.ID)
	if encrypted := encryptedOf(blocks); encrypted != "" {
		w.StringField("encrypted_content", encrypted)
	}
	summary, content := first.Extra.Value("summary"), first.Extra.Value("content")
	if text, short := thoughtText(summary, content); !w.native() || len(blocks) != 1 || text != blocks[0].Text || short != first.Summary {
		summary, content = thoughtParts(blocks, true), thoughtParts(blocks, false)
	}
	switch {
	case summary == nil: // required, and an item that was made here has none
		w.RawField("summary", []byte("[]"))
	case !isMissing(summary):
		w.RawField("summary", summary)
	}
	if content != nil {
		w.RawField("content", content)
	}
	if w.native() {
		for _, f := range first.Extra {
			if f.Name == "summary" || f.Name == "content" || f.Name == "encrypted_content" && encryptedOf(blocks) != "" {
				continue
			}
			w.RawField(f.Name, f.Value)
		}
	}
	w.EndObject()
}

// thoughtParts are the texts of blocks as a list of parts: their summaries, which
// an item always has, or the thinking itself, nil for none.
func thoughtParts(blocks []weir.Block, short bool) []byte {
	typ := "reasoning_text"
	if short {
		typ = "summary_text"
	}
	var b jsonx.Buffer
	b.BeginArray()
	for i := range blocks {
		r := blocks[i].Reasoning
		if blocks[i].Text == "" || (r != nil && r.Summary) != short {
			continue
		}
		b.BeginObject()
		b.StringField("type", typ)
		b.StringField("text", blocks[i].Text)
		b.EndObject()
	}
	b.EndArray()
	if !short && len(b.B) == len("[]") {
		return nil
	}
	return b.B
}

// plainThought writes thinking without any state.
func (w *writer) plainThought(blocks []weir.Block, at string) {
	for i := range blocks {
		if r := blocks[i].Reasoning; r != nil && r.Signature != "" {
			w.losses.Drop(at+".signature", "only the provider that signed this thinking can check it")
		}
	}
	var b jsonx.Buffer
	b.BeginArray()
	b.BeginObject()
	b.StringField("type", "reasoning_text")
	b.StringField("text", joinThoughts(blocks))
	b.EndObject()
	b.EndArray()
	w.BeginObject()
	w.StringField("type", "reasoning")
	w.RawField("summary", []byte("[]"))
	w.RawField("content", b.B)
	w.EndObject()
}
