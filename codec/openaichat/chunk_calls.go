package openaichat

import (
	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// callStart writes the first fragment of a call, with its id and name.
func (w *chunkWriter) callStart(dst []byte, ev *weir.Event, blk *outBlock) []byte {
	c := ev.Block.Call
	b := w.open(dst, ev.Choice)
	if blk.legacy {
		b.Key("function_call")
		b.BeginObject()
		b.StringField("name", c.Name)
		b.StringField("arguments", c.Arguments)
		b.EndObject()
		return append(b.B, chunkEnd...)
	}
	b.Key("tool_calls")
	b.BeginArray()
	b.BeginObject()
	b.IntField("index", blk.call)
	writeCall(&b, c, c.Arguments)
	b.EndObject()
	b.EndArray()
	blk.arguments = c.Arguments != ""
	return append(b.B, chunkEnd...)
}

// writeCall writes the members of a tool call but for its index.
func writeCall(b *jsonx.Buffer, c *weir.ToolCall, arguments string) {
	b.StringField("id", c.ID)
	if c.Type == weir.ToolCustom {
		b.StringField("type", "custom")
		b.Key("custom")
		b.BeginObject()
		b.StringField("name", c.Name)
		b.StringField("input", arguments)
		b.EndObject()
	} else {
		b.StringField("type", "function")
		b.Key("function")
		b.BeginObject()
		b.StringField("name", c.Name)
		b.StringField("arguments", arguments)
		b.EndObject()
	}
	if c.Signature != "" {
		writeSignature(b, c.Signature)
	}
}

// writeSignature writes the state that Gemini attaches to a call, in the words of
// its Chat face.
func writeSignature(b *jsonx.Buffer, signature string) {
	b.Key("extra_content")
	b.B = append(b.B, `{"google":{"thought_signature":`...)
	b.B = jsonx.AppendString(b.B, signature)
	b.B = append(b.B, "}}"...)
}

// callSignature writes a signature that came after its call had begun.
func (w *chunkWriter) callSignature(dst []byte, ev *weir.Event, blk *outBlock) []byte {
	if blk.legacy || ev.Part != weir.PartSignature {
		return dst
	}
	b := w.open(dst, ev.Choice)
	b.Key("tool_calls")
	b.BeginArray()
	b.BeginObject()
	b.IntField("index", blk.call)
	writeSignature(&b, ev.Text)
	b.EndObject()
	b.EndArray()
	return append(b.B, chunkEnd...)
}

// arguments writes a further fragment of a call.
func (w *chunkWriter) arguments(dst []byte, n int32, blk *outBlock, text string) []byte {
	blk.arguments = true
	b := w.open(dst, n)
	member, name := "function", "arguments"
	if blk.custom {
		member, name = "custom", "input"
	}
	if blk.legacy {
		b.Key("function_call")
		b.BeginObject()
		b.StringField("arguments", text)
		b.EndObject()
		return append(b.B, chunkEnd...)
	}
	b.Key("tool_calls")
	b.BeginArray()
	b.BeginObject()
	b.IntField("index", blk.call)
	b.Key(member)
	b.BeginObject()
	b.StringField(name, text)
	b.EndObject()
	b.EndObject()
	b.EndArray()
	return append(b.B, chunkEnd...)
}
