package gemini

import (
	"bytes"
	"errors"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// readBody makes the canonical body of a request. Errors are KindInvalid and name
// the field.
func readBody(op weir.Operation, w *weir.Wire) (*weir.Body, error) {
	top, err := codec.TopOf(w)
	if err != nil {
		return nil, err
	}
	b := &weir.Body{From: protocol, Header: w.Header}
	r := bodyReader{body: b}
	root := root()
	for i := range top.Members {
		m := &top.Members[i]
		at := root.Key(m.Key)
		raw := w.Body[m.Start:m.End:m.End]
		if op == weir.Embed {
			err = r.readEmbed(&at, raw)
		} else {
			err = r.member(&at, raw)
		}
		if err != nil {
			return nil, refusal(w.Body, err)
		}
	}
	r.finish()
	return b, nil
}

// refusal is err as a client reads it: JSON that is broken below the top level is
// named by its place in the whole body.
func refusal(body []byte, err error) error {
	if own, ok := errors.AsType[*weir.Error](err); ok {
		return own
	}
	if whole := jsonx.Valid(body); whole != nil {
		err = whole
	}
	return codec.InvalidJSON(body, err)
}

// bodyReader gathers what of a body cannot be read in the order of its members.
type bodyReader struct {
	body     *weir.Body
	system   *weir.Message
	contents []weir.Message
	marks    weir.Fields // of what the last message holds behind its last block so far
	parts    int         // of the last message, before the content at hand
	calls    []openCall  // of the last turn of the model, those without a result
}

// member reads one member of the top level, or of a generateContentRequest.
func (r *bodyReader) member(at *path, raw []byte) error {
	b := r.body
	key := camel(at.Name())
	if jsonx.IsNull(raw) {
		spell(&b.Extra, at.Name(), raw)
		return nil
	}
	switch key {
	case "tools", "toolConfig", "generationConfig", "model":
		// As it was written, for as long as nobody changes it.
		spell(&b.Extra, at.Name(), raw)
	default:
		if key != at.Name() {
			mark(&b.Extra, at.Name(), "true")
		}
	}
	switch key {
	case "model":
		return nil
	case "contents":
		return r.readContents(at, raw)
	case "systemInstruction":
		return r.readSystem(at, raw)
	case "tools":
		return readTools(b, at, raw)
	case "toolConfig":
		return readToolConfig(b, at, raw)
	case "generationConfig":
		return readSettings(b, at, raw)
	case "cachedContent":
		name, err := at.Need(raw)
		b.Thread = &weir.Thread{Previous: name}
		return err
	case "labels":
		return readLabels(b, at, raw)
	case "serviceTier":
		tier, err := at.Str(raw)
		b.ServiceTier = tier
		return err
	case "generateContentRequest":
		mark(&b.Extra, "generateContentRequest", "true")
		return at.Each(raw, func(_ string, at *path, v []byte) error { return r.member(at, v) })
	}
	b.Extra.Add(at.Name(), raw)
	return nil
}

// finish puts together what was read.
func (r *bodyReader) finish() {
	if r.system != nil {
		r.body.Messages = append(r.body.Messages, *r.system)
	}
	r.body.Messages = append(r.body.Messages, r.contents...)
	anyOfAll(r.body.ToolChoice, r.body.Tools)
}

// readLabels reads the labels of Vertex AI, which are metadata of the call.
func readLabels(b *weir.Body, at *path, raw []byte) error {
	b.Metadata = []weir.Pair{}
	return at.Each(raw, func(key string, at *path, v []byte) error {
		value, err := at.Str(v)
		b.Metadata = append(b.Metadata, weir.Pair{Key: key, Value: value})
		return err
	})
}

// readContents reads the conversation.
func (r *bodyReader) readContents(at *path, raw []byte) error {
	single, err := list(at, raw, func(i int, at *path, v []byte) error {
		m, err := r.readContent(at, v)
		if err == nil {
			r.add(i, m, at, v)
		}
		return err
	})
	r.endMessage()
	if single {
		mark(&r.body.Extra, "contents", "one")
	}
	return err
}

// roles are those of contents. "function" is an old name for what brings results
// of tools (protocols.md §7.2).
var roles = map[string]weir.Role{
	"user": weir.RoleUser, "model": weir.RoleAssistant, "function": weir.RoleTool, "tool": weir.RoleTool,
}

// readContent reads a content of the conversation, by itself.
func (r *bodyReader) readContent(at *path, raw []byte) (weir.Message, error) {
	m := weir.Message{Role: weir.RoleUser}
	name, err := roleOf(at, raw)
	if err != nil {
		return m, err
	}
	if name == "" {
		mark(&m.Extra, "role", "null")
	} else if m.Role = roles[name]; m.Role == "" {
		role := at.Key("role")
		return m, weir.Invalid(role.String(), "%s: expected user or model", &role)
	}
	if m.Role == weir.RoleTool {
		mark(&m.Extra, "role", name)
	}
	turn := len(r.contents)
	if r.continues(m.Role) {
		turn--
	} else if r.parts = 0; m.Role == weir.RoleAssistant {
		r.calls = r.calls[:0]
	}
	err = r.readTurn(turn, &m, at, raw)
	return m, err
}

// roleOf is the role of a content, empty for none.
func roleOf(at *path, raw []byte) (string, error) {
	if jsonx.KindOf(raw) != jsonx.KindObject {
		return "", at.Wrong("an object with parts", raw)
	}
	name := jsonx.Get(raw, "role")
	if name == nil {
		return "", nil
	}
	role := at.Key("role")
	return role.Str(name)
}

// readTurn reads everything of a content but its role.
func (r *bodyReader) readTurn(turn int, m *weir.Message, at *path, raw []byte) error {
	return eachSaid(at, raw, &m.Extra, func(key string, at *path, v []byte) error {
		switch key {
		case "role":
			return nil
		case "parts":
			n := 0
			single, err := list(at, v, func(i int, at *path, v []byte) error {
				n++
				return r.readPart(m, place{turn, i}, at, v)
			})
			r.parts += n
			if single {
				mark(&m.Extra, "parts", "one")
			}
			return err
		}
		m.Extra.Add(at.Name(), v)
		return nil
	})
}

// readSystem reads the system text, whose role says nothing.
func (r *bodyReader) readSystem(at *path, raw []byte) error {
	m := weir.Message{Role: weir.RoleSystem}
	if _, err := roleOf(at, raw); err != nil {
		return err
	}
	if role := jsonx.Get(raw, "role"); role != nil && !jsonx.IsNull(role) {
		mark(&m.Extra, "role", string(bytes.TrimSpace(role)))
	}
	r.system = &m
	return r.readTurn(-1, &m, at, raw)
}
