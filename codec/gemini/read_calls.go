package gemini

import (
	"fmt"
	"slices"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// openCall is a call that waits for its result.
type openCall struct{ id, name string }

// readCall reads a functionCall. One without an id gets one that follows from its
// place, so that it is the same in every turn of the conversation (S-03).
func (r *bodyReader) readCall(p *part, at place, where *path) (*weir.ToolCall, error) {
	c := &weir.ToolCall{Arguments: "{}", Signature: p.signature}
	args := false
	err := eachSaid(where, p.data, &c.Extra, func(key string, at *path, v []byte) (err error) {
		switch key {
		case "id":
			c.ID, err = at.Str(v)
		case "name":
			c.Name, err = at.Need(v)
		case "args":
			if jsonx.KindOf(v) != jsonx.KindObject {
				return at.Wrong("an object", v)
			}
			c.Arguments, args = string(v), true
		default:
			c.Extra.Add(at.Name(), v)
		}
		return err
	})
	if err == nil && c.Name == "" {
		name := where.Key("name")
		err = name.Wrong("a string", nil)
	}
	if !args {
		mark(&c.Extra, "args", "null")
	}
	if c.ID == "" {
		mark(&c.Extra, "id", "null")
		c.ID = r.madeUpID(at)
	}
	r.calls = append(r.calls, openCall{c.ID, c.Name})
	return c, err
}

// madeUpID follows from the place in the message, into however many contents that
// was split.
func (r *bodyReader) madeUpID(at place) string {
	return fmt.Sprintf("call_%d_%d", at.turn, r.parts+at.part)
}

// readResult reads a functionResponse. Which call it answers is said by its id,
// else by its name and its order among those of the same name (S-03).
func (r *bodyReader) readResult(p *part, at place, where *path) (*weir.ToolResult, error) {
	out := &weir.ToolResult{}
	err := eachSaid(where, p.data, &out.Extra, func(key string, at *path, v []byte) (err error) {
		switch key {
		case "id":
			out.CallID, err = at.Str(v)
		case "name":
			out.Name, err = at.Need(v)
		case "response":
			if jsonx.KindOf(v) != jsonx.KindObject {
				return at.Wrong("an object", v)
			}
			readResponse(out, v)
		case "parts":
			return readResultParts(out, at, v)
		default:
			out.Extra.Add(at.Name(), v)
		}
		return err
	})
	if err == nil && out.Name == "" {
		name := where.Key("name")
		err = name.Wrong("a string", nil)
	}
	if out.CallID == "" {
		mark(&out.Extra, "id", "null")
	}
	out.CallID = r.answers(out, at)
	return out, err
}

// answers finds the call that a result answers and takes it off the list.
func (r *bodyReader) answers(res *weir.ToolResult, at place) string {
	i := slices.IndexFunc(r.calls, func(c openCall) bool {
		if res.CallID != "" {
			return c.id == res.CallID
		}
		return c.name == res.Name
	})
	switch {
	case i < 0 && res.CallID != "":
		return res.CallID
	case i < 0 && len(r.calls) == 0:
		return r.madeUpID(at)
	}
	i = max(i, 0)
	id := r.calls[i].id
	r.calls = slices.Delete(r.calls, i, i+1)
	return id
}

// readResultParts reads the media of a result.
func readResultParts(out *weir.ToolResult, at *path, raw []byte) error {
	_, err := list(at, raw, func(_ int, at *path, v []byte) error {
		p, err := takePart(at, v)
		if err != nil {
			return err
		}
		if p.kind != "inlineData" && p.kind != "fileData" || p.opaque || p.signature != "" || p.thought {
			out.Content = append(out.Content, opaqueBlock(p.kind, v))
			return nil
		}
		b := weir.Block{Extra: p.extra}
		inside := at.Key(p.key)
		b.Type, b.Media, err = readMedia(p.kind, &inside, p.data)
		out.Content = append(out.Content, b)
		return err
	})
	return err
}

// wrappers are the members in which clients put a result that is one text: the
// protocol's own, that of Google's SDKs, and the one that tells an error.
var wrappers = []string{"output", "result", memberError}

const memberError = "error"

// readResponse reads the object response: the text in it where it is nothing but
// that, else the object as JSON.
func readResponse(out *weir.ToolResult, raw []byte) {
	text, member, isError := responseText(raw)
	out.IsError, out.Plain = isError, true
	if member != "" && member != wrappers[0] && member != memberError {
		mark(&out.Extra, "response", member)
	}
	out.Content = append([]weir.Block{{Type: weir.BlockText, Text: text}}, out.Content...)
}

// responseText is the text that an object response stands for, and the one member
// that it was found in, empty for the object as a whole.
func responseText(raw []byte) (text, member string, isError bool) {
	n := 0
	var only []byte
	_ = jsonx.EachMember(raw, func(key, v []byte) error {
		n++
		member, only = string(key), v
		return nil
	})
	if n == 1 && slices.Contains(wrappers, member) {
		if isError = member == memberError; jsonx.KindOf(only) == jsonx.KindString {
			return jsonx.StringOr(only, ""), member, isError
		}
	}
	return string(raw), "", isError
}

// asResponse is the object response for a text: the text itself where it is an
// object that is read back as itself, else wrapped. It is what responseText reads
// as the same.
func asResponse(text string, isError bool, wrapper string) []byte {
	raw := []byte(text)
	if jsonx.KindOf(raw) == jsonx.KindObject && jsonx.Valid(raw) == nil {
		if _, member, bad := responseText(raw); member == "" && bad == isError {
			return raw
		}
	}
	if isError {
		wrapper = memberError
	} else if wrapper == "" {
		wrapper = wrappers[0]
	}
	var b jsonx.Buffer
	b.BeginObject()
	b.StringField(wrapper, text)
	b.EndObject()
	return b.B
}
