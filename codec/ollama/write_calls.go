package ollama

import (
	"strconv"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// endCall writes a call whose arguments are complete (protocols.md §12.6).
func (w *writer) endCall(dst []byte, b *outBlock) []byte {
	c := b.call
	if c == nil {
		return dst
	}
	b.call = nil
	if w.form == formGenerate {
		w.lose("tool_calls", "answers of /api/generate have no tool calls")
		return dst
	}
	object, ok := callArguments(c, string(b.arguments))
	if !ok {
		w.broken = strconv.Quote(c.Name)
		return dst
	}
	out := jsonx.Buffer{B: append(append(dst, w.heading()...), `"message":{"role":"assistant","content":"","tool_calls":[`...)}
	appendCall(&out, c, w.calls, object)
	w.calls++
	return append(append(out.B, "]}"...), lineEnd...)
}

// callArguments are a call's arguments as an object in one line; ok is false where
// they are none and cannot be mended (§13.2).
func callArguments(c *weir.ToolCall, arguments string) (object []byte, ok bool) {
	if c.Type == weir.ToolCustom {
		arguments = codec.WrapCustom(arguments) // the client knows functions only
	}
	repaired, ok := codec.RepairArguments(arguments)
	return jsonx.Compact(nil, []byte(repaired)), ok
}

func appendCall(b *jsonx.Buffer, c *weir.ToolCall, index int64, object []byte) {
	b.BeginObject()
	if c.ID != "" {
		b.StringField("id", c.ID)
	}
	b.Key("function")
	b.BeginObject()
	b.IntField("index", index)
	b.StringField("name", c.Name)
	b.RawField("arguments", object)
	b.EndObject()
	b.EndObject()
}

// unfinished tells what becomes of a call that could not be written: after the
// token cap it is left out, since it must not look finished (S-06); else the answer
// fails. Nil when there is none or it was left out.
func (w *writer) unfinished() *weir.Error {
	if w.broken == "" {
		return nil
	}
	if f := w.finish; f != nil && (f.Reason == weir.FinishLength || f.Reason == weir.FinishContextWindow) {
		w.lose("message.tool_calls", "the call was cut by the token cap")
		return nil
	}
	return weir.Errorf(weir.KindUpstream, "the model called the tool %s with arguments that are not a JSON object", w.broken)
}
