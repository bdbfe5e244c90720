package openairesponses

import (
	"bytes"
	"slices"
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// What follows is the search for tools that the client runs itself: {"type":
// "tool_search","execution":"client"}, its calls and what it found (OpenAPI 2.3.0,
// ToolSearchToolParam, ToolSearchCallItemParam, ToolSearchOutputItemParam). Other
// protocols know it as a function whose arguments are what is searched for; what
// was found becomes tools of the request. The search that the provider runs is a
// hosted tool like others.

// searchName is the name under which other protocols know the search.
const searchName = "tool_search"

// searchField is the spelling that remembers an item of a search whole.
const searchField = "tool_search"

// isClientRun reports whether the client runs the search that a tool or an item is
// about.
func isClientRun(raw []byte) bool { return string(jsonx.Get(raw, "execution")) == `"client"` }

// isSearch reports whether a tool is the search that the client runs.
func isSearch(t *weir.Tool) bool {
	return t.Type == weir.ToolFunction && string(jsonx.Get(t.Extra.Value(toolField), "type")) == `"tool_search"`
}

// searchTool reads the declaration.
func (d *bodyReader) searchTool(at string, raw []byte) weir.Tool {
	t := weir.Tool{Type: weir.ToolFunction, Name: searchName, Strict: new(false)}
	d.object(at, raw, func(key string, value []byte) {
		switch {
		case key == "type", key == "execution", jsonx.IsNull(value):
		case key == "description":
			t.Description = d.str(at+".description", value)
		case key == "parameters":
			t.Schema = bytes.Clone(value)
		default:
			keep(&t.Extra, key, value)
		}
	})
	spell(&t.Extra, toolField, raw)
	return t
}

// searchItem reads a tool_search_call or tool_search_output, and reports whether it
// is of a search that the client runs.
func (d *bodyReader) searchItem(at, typ string, raw []byte) bool {
	id := jsonx.StringOr(jsonx.Get(raw, "call_id"), "")
	if id == "" || !isClientRun(raw) {
		return false
	}
	if typ == "tool_search_call" {
		d.searchCall(at, id, raw)
	} else {
		d.searchOutput(at, id, raw)
	}
	return true
}

func (d *bodyReader) searchCall(at, id string, raw []byte) {
	c := &weir.ToolCall{Type: weir.ToolFunction, ID: id, Name: searchName, Arguments: "{}", Signature: d.signatures[id]}
	spell(&c.Extra, searchField, raw)
	if arguments := jsonx.Get(raw, "arguments"); jsonx.KindOf(arguments) == jsonx.KindObject {
		c.Arguments = string(jsonx.Compact(nil, arguments))
	}
	d.turn(at, weir.Block{Type: weir.BlockToolCall, Call: c, At: at})
}

// searchOutput reads what was found. The model is told the names under which it
// may call the tools from now on.
func (d *bodyReader) searchOutput(at, id string, raw []byte) {
	var found jsonx.Buffer
	found.BeginObject()
	found.Key("tools")
	found.BeginArray()
	if tools := jsonx.Get(raw, "tools"); says(tools) {
		for _, name := range d.laterTools(at+".tools", tools) {
			found.String(name)
		}
	}
	found.EndArray()
	found.EndObject()
	r := &weir.ToolResult{CallID: id, Plain: true, Content: []weir.Block{{Type: weir.BlockText, Text: string(found.B)}}}
	spell(&r.Extra, searchField, raw)
	d.alone(weir.Message{Role: weir.RoleTool, At: at, Blocks: []weir.Block{{Type: weir.BlockToolResult, Result: r, At: at}}})
}

// search writes the declaration of a body of this protocol that was edited.
func (w *writer) search(t *weir.Tool) {
	w.BeginObject()
	w.StringField("type", "tool_search")
	w.StringField("execution", "client")
	w.word("description", t.Description)
	if t.Schema != nil {
		w.RawField("parameters", t.Schema)
	}
	for _, f := range t.Extra {
		if f.Name != toolField && f.Name != laterField {
			w.RawField(f.Name, f.Value)
		}
	}
	w.EndObject()
}

// searched writes a call of the search as the item that it was.
func (w *writer) searched(c *weir.ToolCall, raw []byte) {
	w.BeginObject()
	w.StringField("type", "tool_search_call")
	w.StringField("call_id", w.callID(c.ID))
	others(&w.Buffer, raw, "type", "call_id", "arguments")
	w.Key("arguments")
	w.Raw(searchArguments(c.Arguments))
	w.EndObject()
}

// found writes what a search has found as the item that it was.
func (w *writer) found(r *weir.ToolResult, raw []byte) {
	w.BeginObject()
	w.StringField("type", "tool_search_output")
	w.StringField("call_id", w.callID(r.CallID))
	others(&w.Buffer, raw, "type", "call_id")
	w.EndObject()
}

// searchArguments are arguments as an object; an empty one where a model wrote
// something else that cannot be mended.
func searchArguments(arguments string) []byte {
	object, ok := codec.RepairArguments(arguments)
	if !ok {
		return []byte("{}")
	}
	return []byte(object)
}

// declared is the client's tool of a name, from its request or from an earlier one
// that this one continues; nil when there is none.
func (w *answerWriter) declared(name string) *weir.Tool {
	named := func(t weir.Tool) bool { return t.Name == name && t.Type != weir.ToolHosted }
	if body, err := w.req.Body(); err == nil {
		if i := slices.IndexFunc(body.Tools, named); i >= 0 {
			return &body.Tools[i]
		}
	}
	if i := slices.IndexFunc(w.start.Tools, named); i >= 0 {
		return &w.start.Tools[i]
	}
	return nil
}

// asDeclared makes a call what the client knows: of its search, or of a tool in a
// namespace.
func (w *answerWriter) asDeclared(it *outItem) {
	if it.space != "" || it.name != searchName && !strings.Contains(it.name, spaceMark) {
		return
	}
	t := w.declared(it.name)
	switch {
	case t == nil:
	case isSearch(t):
		it.kind = outSearch
	default:
		if space := spaceOf(t); space != "" {
			it.name, it.space = strings.TrimPrefix(it.name, space+spaceMark), space
		}
	}
}

// spaceOf is the namespace of a tool, empty when it is in none.
func spaceOf(t *weir.Tool) string {
	raw := t.Extra.Value(namespaceField)
	if jsonx.KindOf(raw) == jsonx.KindObject {
		raw = jsonx.Get(raw, "name")
	}
	return jsonx.StringOr(raw, "")
}
