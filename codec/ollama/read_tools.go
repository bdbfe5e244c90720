package ollama

import (
	"bytes"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// tool reads {type:"function",function:{…}}; a tool of any other type is one that
// only an upstream of this protocol can know.
func (r *reader) tool(at string, raw []byte) weir.Tool {
	t := weir.Tool{Type: weir.ToolFunction}
	typ, defined := "", false
	r.object(at, raw, func(key string, value []byte) {
		switch key {
		case "type":
			typ = jsonx.StringOr(value, "")
		case "function":
			defined = true
			r.definition(&t, at+".function", value)
		default:
			keep(&t.Extra, key, value)
		}
	})
	switch {
	case !defined && typ != "" && typ != "function":
		return weir.Tool{Type: weir.ToolHosted, Name: typ, Raw: bytes.Clone(raw)}
	case t.Name == "" && r.Err == nil:
		r.fail(weir.Invalid(at+".function.name", "%s.function.name is required", at))
	case typ != "function":
		t.Extra = append(t.Extra, weir.Field{Name: "type", Value: jsonx.AppendString(nil, typ), Spelling: true})
	}
	return t
}

func (r *reader) definition(t *weir.Tool, at string, raw []byte) {
	r.object(at, raw, func(key string, value []byte) {
		switch {
		case jsonx.IsNull(value):
			spell(&t.Extra, "function."+key, value)
		case key == "name":
			t.Name = r.Str(at+".name", value)
		case key == "description":
			if t.Description = r.Str(at+".description", value); t.Description == "" {
				spell(&t.Extra, "function."+key, value)
			}
		case key == "parameters":
			if jsonx.KindOf(value) != jsonx.KindObject {
				r.wrong(at+".parameters", "a JSON schema", value)
			}
			t.Schema = bytes.Clone(value)
		case key == "strict":
			t.Strict = r.Bool(at+".strict", value)
		default:
			keep(&t.Extra, "function."+key, value)
		}
	})
}
