package ollama

import (
	"slices"
	"strconv"
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// messageReader gathers the parts of a message until all are known.
type messageReader struct {
	*reader
	m             weir.Message
	text, thought string
	images, calls []weir.Block
	result        weir.ToolResult
}

// roles are those that mean the same elsewhere.
var roles = []weir.Role{weir.RoleSystem, weir.RoleDeveloper, weir.RoleUser, weir.RoleAssistant, weir.RoleTool}

func (r *reader) message(at string, raw []byte) weir.Message {
	g := messageReader{reader: r}
	g.object(at, raw, func(key string, value []byte) {
		if jsonx.IsNull(value) {
			spell(&g.m.Extra, key, value)
			return
		}
		g.member(at+"."+key, key, value)
	})
	if g.m.Role == "" && g.Err == nil {
		g.fail(weir.Invalid(at+".role", "%s.role is required", at))
	}
	return g.finish()
}

func (g *messageReader) member(at, key string, raw []byte) {
	switch key {
	case "role":
		g.m.Role = weir.Role(g.Str(at, raw))
		if g.m.Role != "" && !slices.Contains(roles, g.m.Role) {
			// "control" of Granite: words for the template, as a system's are.
			g.m.Extra.Add(key, raw)
			g.m.Role = weir.RoleSystem
		}
	case "content":
		g.text, g.m.Plain = g.Str(at, raw), true
	case "thinking":
		if g.thought = g.Str(at, raw); g.thought == "" {
			spell(&g.m.Extra, key, raw)
		}
	case "images":
		if g.images = g.media(at, raw); len(g.images) == 0 {
			spell(&g.m.Extra, key, raw)
		}
	case "tool_calls":
		g.array(at, raw, func(at string, value []byte) {
			g.calls = append(g.calls, weir.Block{Type: weir.BlockToolCall, Call: g.call(at, value)})
		})
		if len(g.calls) == 0 {
			spell(&g.m.Extra, key, raw)
		}
	case "tool_name":
		g.result.Name = g.Str(at, raw)
	case "tool_call_id":
		g.result.CallID = g.Str(at, raw)
	default:
		keep(&g.m.Extra, key, raw)
	}
}

// finish puts the message together.
func (g *messageReader) finish() weir.Message {
	var content []weir.Block
	if g.text != "" {
		content = append(content, weir.Block{Type: weir.BlockText, Text: g.text})
	}
	content = append(content, g.images...)
	if g.m.Role == weir.RoleTool {
		g.result.Content, g.result.Plain = content, g.m.Plain
		g.m.Blocks = []weir.Block{{Type: weir.BlockToolResult, Result: &g.result}}
		content = nil
	}
	if g.thought != "" {
		g.m.Blocks = append(g.m.Blocks, weir.Block{Type: weir.BlockReasoning, Text: g.thought})
	}
	g.m.Blocks = append(g.m.Blocks, content...)
	g.m.Blocks = append(g.m.Blocks, g.calls...)
	if g.m.Role != weir.RoleTool && g.result.Name != "" {
		g.m.Extra.Add("tool_name", jsonx.AppendString(nil, g.result.Name))
	}
	if g.m.Role != weir.RoleTool && g.result.CallID != "" {
		g.m.Extra.Add("tool_call_id", jsonx.AppendString(nil, g.result.CallID))
	}
	return g.m
}

// call reads a tool call. Its arguments are an object; some clients send the
// text of one, as Chat has it.
func (r *reader) call(at string, raw []byte) *weir.ToolCall {
	c := &weir.ToolCall{Type: weir.ToolFunction, Arguments: "{}"}
	r.object(at, raw, func(key string, value []byte) {
		switch key {
		case "id":
			if c.ID = jsonx.StringOr(value, ""); c.ID == "" {
				spell(&c.Extra, key, value)
			}
		case "type":
			spell(&c.Extra, key, value)
		case "function":
			r.function(c, at+".function", value)
		default:
			keep(&c.Extra, key, value)
		}
	})
	if c.Name == "" && r.Err == nil {
		r.fail(weir.Invalid(at+".function.name", "%s.function.name is required", at))
	}
	return c
}

func (r *reader) function(c *weir.ToolCall, at string, raw []byte) {
	r.object(at, raw, func(key string, value []byte) {
		switch {
		case key == "name":
			c.Name = r.Str(at+".name", value)
		case key == "arguments" && jsonx.KindOf(value) == jsonx.KindString:
			spell(&c.Extra, "function.arguments", value)
			c.Arguments = r.Str(at+".arguments", value)
		case key == "arguments" && jsonx.KindOf(value) == jsonx.KindObject:
			if jsonx.Valid(value) != nil {
				r.wrong(at+".arguments", "an object of valid JSON", value)
			}
			c.Arguments = string(jsonx.Compact(nil, value))
		case key == "arguments" && !jsonx.IsNull(value):
			r.wrong(at+".arguments", "an object", value)
		case key == "index": // the order of the list says it too
			spell(&c.Extra, "function.index", value)
		default:
			keep(&c.Extra, "function."+key, value)
		}
	})
}

// media reads a list of images, which are base64 without a type.
func (r *reader) media(at string, raw []byte) []weir.Block {
	var out []weir.Block
	r.array(at, raw, func(at string, value []byte) {
		m := &weir.Media{Data: r.Str(at, value)}
		if mime, data, ok := codec.ParseDataURL(m.Data); ok {
			m.MIME, m.Data = mime, data
		} else {
			m.MIME = sniff(m.Data)
		}
		out = append(out, weir.Block{Type: weir.BlockImage, Media: m})
	})
	return out
}

// magics are how images begin, in base64.
var magics = []struct{ head, mime string }{
	{"iVBORw0KGgo", "image/png"}, {"/9j/", "image/jpeg"}, {"R0lGOD", "image/gif"}, {"UklGR", "image/webp"},
	{"Qk0", "image/bmp"}, {"SUkqA", "image/tiff"}, {"TU0AK", "image/tiff"},
}

// sniff is the type of an image by its beginning, which other protocols need;
// empty when it is none of the known ones.
func sniff(data string) string {
	for _, m := range magics {
		if strings.HasPrefix(data, m.head) {
			return m.mime
		}
	}
	return ""
}

// pair gives ids to calls that have none, and to results those of the calls that
// they answer: the first of the tool's name that nothing has answered yet, or the
// first of all (S-03). The ids follow from the places alone, so that they are the
// same in every turn.
func pair(msgs []weir.Message) {
	var waiting []*weir.ToolCall
	for i := range msgs {
		calls := msgs[i].ToolCalls()
		if len(calls) > 0 {
			waiting = waiting[:0]
		}
		for n, c := range calls {
			if c.ID == "" {
				c.ID = "call_" + strconv.Itoa(i) + "_" + strconv.Itoa(n)
				c.Extra = append(c.Extra, made)
			}
			waiting = append(waiting, c)
		}
		if msgs[i].Role == weir.RoleTool {
			waiting = answer(msgs[i].Blocks[0].Result, waiting)
		}
	}
}

// answer finds the call of a result; what is left waits on.
func answer(r *weir.ToolResult, waiting []*weir.ToolCall) []*weir.ToolCall {
	n := slices.IndexFunc(waiting, func(c *weir.ToolCall) bool {
		return r.CallID == c.ID || r.CallID == "" && (r.Name == "" || r.Name == c.Name)
	})
	if n < 0 {
		return waiting
	}
	if r.CallID == "" {
		r.CallID = waiting[n].ID
		r.Extra = append(r.Extra, made)
	}
	return slices.Delete(waiting, n, n+1)
}
