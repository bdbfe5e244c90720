package openaichat

import (
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

func (w *writer) messages() error {
	turns := w.turns()
	if err := w.checkPairs(turns); err != nil {
		return err
	}
	w.Key("messages")
	w.BeginArray()
	for i := range turns {
		t := &turns[i]
		last := i == len(turns)-1
		if w.empty(&t.Message) {
			continue
		}
		if last && t.Role == weir.RoleAssistant {
			if w.q.Prefill == "refused" {
				at := w.paths.Message(t.At)
				e := weir.Invalid(at, "%s: the model does not continue an assistant message", at)
				e.Hint = "end the conversation with a user message, or choose a model that takes a prefix"
				return e
			}
			w.prefilled = true
		}
		if err := w.message(t, last); err != nil {
			return err
		}
	}
	w.EndArray()
	return nil
}

// empty reports whether a message of another protocol says nothing, which most
// targets refuse (protocols.md §13.7).
func (w *writer) empty(m *weir.Message) bool {
	if w.native() || m.Role == weir.RoleTool {
		return false
	}
	for i := range m.Blocks {
		b := &m.Blocks[i]
		if b.Type != weir.BlockText || b.Text != "" {
			return false
		}
	}
	return true
}

// message writes one message, its members in a fixed order.
func (w *writer) message(t *codec.Turn, last bool) error {
	m := &t.Message
	p := w.sort(t)
	w.BeginObject()
	role := string(m.Role)
	if raw := spelled(m.Extra, w.from, "role"); raw != nil && m.Role == weir.RoleTool {
		role = roleFunction
	}
	w.StringField("role", role)
	if p.result != nil {
		w.resultMessage(m, p.result, role)
	} else {
		w.thoughts(m, p)
		if err := w.content(m, p); err != nil {
			return err
		}
		if err := w.rest(m, p); err != nil {
			return err
		}
	}
	w.text("name", m.Name)
	if last && w.prefilled && (w.q.Prefill == "prefix" || w.q.Prefill == "partial") && m.Extra.Value(w.q.Prefill) == nil {
		w.BoolField(w.q.Prefill, true)
	}
	w.messageExtra(t)
	w.EndObject()
	return nil
}

// pieces are a message's blocks by where Chat puts them.
type pieces struct {
	content   []placed
	reasoning []placed
	refusal   []string
	audio     *weir.Media
	calls     []placed
	result    *weir.ToolResult
}

// placed is a block and where in the request it stood.
type placed struct {
	*weir.Block
	at codec.Place
}

func (w *writer) sort(t *codec.Turn) *pieces {
	p := new(pieces)
	for i := range t.Blocks {
		b := placed{&t.Blocks[i], t.Place(i)}
		switch b.Type {
		case weir.BlockReasoning:
			if spelled(b.Extra, w.from, "thinking") != nil {
				p.content = append(p.content, b)
				continue
			}
			p.reasoning = append(p.reasoning, b)
		case weir.BlockRefusal:
			if spelled(b.Extra, w.from, "refusal") == nil {
				p.refusal = append(p.refusal, b.Text)
				continue
			}
			p.content = append(p.content, b)
		case weir.BlockToolCall:
			p.calls = append(p.calls, b)
		case weir.BlockToolResult:
			p.result = b.Result
		case weir.BlockAudio:
			if t.Role == weir.RoleAssistant {
				p.audio = b.Media
				continue
			}
			p.content = append(p.content, b)
		default:
			p.content = append(p.content, b)
		}
		if !w.native() && b.Type != weir.BlockOpaque {
			w.dropExtra(b.at, b.Extra)
		}
	}
	return p
}

// dropExtra notes the members of a block that only its own protocol knows.
func (w *writer) dropExtra(at codec.Place, extra weir.Fields) {
	if len(extra) > 0 {
		w.losses.DropExtra(w.paths.Block(at), extra)
	}
}

// messageFields are the members that a message's own writers write.
var messageFields = map[string]bool{
	"role": true, "content": true, "refusal": true, "audio": true, "tool_calls": true, "function_call": true,
	"tool_call_id": true, "reasoning_content": true, "reasoning": true, "reasoning_details": true,
}

func (w *writer) messageExtra(t *codec.Turn) {
	if !w.native() {
		w.losses.DropExtra(w.paths.Message(t.At), t.Extra)
		return
	}
	for _, f := range t.Extra {
		if messageFields[f.Name] && f.Spelling {
			continue
		}
		w.RawField(f.Name, f.Value)
	}
}

// nulls writes a member that was there and said nothing.
func (w *writer) nulls(m *weir.Message, name string) {
	if raw := spelled(m.Extra, w.from, name); raw != nil {
		w.RawField(name, raw)
	}
}

func (w *writer) rest(m *weir.Message, p *pieces) error {
	if len(p.refusal) > 0 {
		w.StringField("refusal", strings.Join(p.refusal, ""))
	} else {
		w.nulls(m, "refusal")
	}
	if p.audio != nil {
		w.Key("audio")
		w.BeginObject()
		w.StringField("id", p.audio.ID)
		for _, f := range p.audio.Extra {
			w.RawField(f.Name, f.Value)
		}
		w.EndObject()
	} else {
		w.nulls(m, "audio")
	}
	return w.calls(m, p.calls)
}

func (w *writer) calls(m *weir.Message, calls []placed) error {
	legacy, modern := (*weir.ToolCall)(nil), calls[:0:0]
	for _, b := range calls {
		if spelled(b.Call.Extra, w.from, "function_call") != nil {
			legacy = b.Call
			continue
		}
		modern = append(modern, b)
	}
	if len(modern) > 0 {
		w.Key("tool_calls")
		w.BeginArray()
		for _, b := range modern {
			if err := w.call(b); err != nil {
				return err
			}
		}
		w.EndArray()
	} else {
		w.nulls(m, "tool_calls")
	}
	if legacy == nil {
		w.nulls(m, "function_call")
		return nil
	}
	w.Key("function_call")
	w.function(legacy, spelled(legacy.Extra, w.from, "function_call"))
	return nil
}

func (w *writer) call(b placed) error {
	c, err := w.readable(b)
	if err != nil {
		return err
	}
	if w.wraps(c.Type) {
		c = w.wrapped(c)
	}
	w.BeginObject()
	if id := w.callID(c.ID); id != "" {
		w.StringField("id", id)
	}
	name := "function"
	if c.Type == weir.ToolCustom {
		name = "custom"
	}
	if c.Type != "" || !w.native() {
		w.StringField("type", name)
	}
	w.Key(name)
	if raw := spelledOrKept(c.Extra, w.from, name); name == "custom" {
		w.BeginObject()
		w.StringField("name", w.names.Sent(c.Name))
		w.StringField("input", c.Arguments)
		others(&w.Buffer, raw, "name", "input")
		w.EndObject()
	} else {
		w.function(c, raw)
	}
	switch {
	case b.Cache != nil && w.native():
		w.cache("", b.Cache)
	case b.Cache != nil:
		w.losses.Drop(w.paths.Block(b.at)+".cache_control", "tool calls have no place for it")
	}
	w.callExtra(c, name)
	if !w.native() {
		w.dropExtra(b.at, c.Extra)
	}
	w.EndObject()
	return nil
}

// readable is the call with arguments that every model can read again. What a
// client of this protocol sends goes on as it is; a body of another protocol has
// an object there, and where it has none the message is refused by name (S-07).
func (w *writer) readable(b placed) (*weir.ToolCall, error) {
	if w.native() || b.Call.Type == weir.ToolCustom {
		return b.Call, nil
	}
	object, ok := codec.RepairArguments(b.Call.Arguments)
	if !ok {
		at := w.paths.Block(b.at)
		err := weir.Invalid(at, "%s: the arguments of the tool call %q are not a JSON object", at, b.Call.ID)
		err.Hint = "send the arguments as the model wrote them, or leave out the call and its result"
		return nil, err
	}
	c := *b.Call
	c.Arguments = object
	return &c, nil
}

// function writes a call's name and arguments. raw is the object as it was
// read, or nil.
func (w *writer) function(c *weir.ToolCall, raw []byte) {
	w.BeginObject()
	if c.Name != "" || raw == nil || jsonx.Get(raw, "name") != nil {
		w.StringField("name", w.names.Sent(c.Name))
	}
	arguments := jsonx.Get(raw, "arguments")
	switch {
	case raw != nil && arguments == nil && c.Arguments == "{}": // was absent
	case string(arguments) == `""` && c.Arguments == "{}":
		w.RawField("arguments", arguments)
	case jsonx.KindOf(arguments) == jsonx.KindObject && string(jsonx.Compact(nil, arguments)) == c.Arguments:
		w.RawField("arguments", arguments)
	default:
		w.StringField("arguments", c.Arguments)
	}
	others(&w.Buffer, raw, "name", "arguments")
	w.EndObject()
}

func (w *writer) callExtra(c *weir.ToolCall, name string) {
	if w.native() {
		for _, f := range c.Extra {
			if f.Name != name {
				w.RawField(f.Name, f.Value)
			}
		}
		if c.Extra.Value("extra_content") != nil {
			return
		}
	}
	if c.Signature == "" {
		return
	}
	w.Key("extra_content")
	w.BeginObject()
	w.Key("google")
	w.BeginObject()
	w.StringField("thought_signature", c.Signature)
	w.EndObject()
	w.EndObject()
}

// resultMessage writes the inside of a tool message.
func (w *writer) resultMessage(m *weir.Message, r *weir.ToolResult, role string) {
	if raw := spelled(m.Extra, w.from, "tool_call_id"); jsonx.IsNull(raw) {
		w.RawField("tool_call_id", raw)
	} else if id := w.callID(r.CallID); id != "" && role != roleFunction && raw == nil {
		w.StringField("tool_call_id", id)
	}
	switch {
	case len(r.Content) == 0 && !r.Plain && w.native():
		w.nulls(m, "content")
	case r.Plain || !w.native() || w.q.TextContentOnly:
		var text strings.Builder
		for i := range r.Content {
			text.WriteString(r.Content[i].Text)
		}
		w.StringField("content", text.String())
	default:
		w.Key("content")
		w.BeginArray()
		for i := range r.Content {
			_ = w.part(placed{Block: &r.Content[i]})
		}
		w.EndArray()
	}
}
