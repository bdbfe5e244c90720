package anthropic

import (
	"bytes"
	"slices"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// bodyDecoder gathers a canonical body from a request's top level (Messages API
// reference, 2026-08-07).
type bodyDecoder struct {
	body   *weir.Body
	strict bool // version 2026-10-21
	// system comes first, wherever the member stood.
	system *weir.Message
}

func decodeBody(op weir.Operation, w *weir.Wire) (*weir.Body, error) {
	if err := jsonx.Valid(w.Body); err != nil {
		return nil, codec.InvalidJSON(w.Body, err)
	}
	version, err := checkVersion(w)
	if err != nil {
		return nil, err
	}
	b := &weir.Body{From: protocol, Header: w.Header}
	d := &bodyDecoder{body: b, strict: version == version2026}
	root := path{}
	if err := root.EachSaid(w.Body, &b.Extra, d.member); err != nil {
		return nil, err
	}
	if d.system != nil {
		b.Messages = slices.Insert(b.Messages, 0, *d.system)
	}
	if b.MaxTokens == nil && op == weir.Generate {
		at := root.Key("max_tokens")
		return nil, at.Wrong("a whole number of tokens", nil)
	}
	if d.strict {
		if err := checkStrictVersion(b); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// member reads one member of the top level. Members of the connection (model,
// stream) are the Request's.
func (d *bodyDecoder) member(key string, at *path, v []byte) (err error) {
	b := d.body
	switch key {
	case "model":
	case "stream":
		if string(v) == "false" {
			spell(&b.Extra, key, v)
		}
	case "messages":
		b.Messages, err = d.messages(at, v)
	case "system":
		d.system, err = decodeSystem(at, v)
	case "max_tokens":
		b.MaxTokens, err = at.Integer(v)
	case "tools":
		b.Tools, err = decodeTools(at, v)
	case "tool_choice":
		err = decodeToolChoice(b, at, v)
	case "thinking":
		err = decodeThinking(b, at, v)
	case "output_config":
		err = decodeOutputConfig(b, at, v)
	case "output_format":
		// The deprecated beta spelling of output_config.format.
		spell(&b.Extra, key, v)
		b.Format, err = decodeFormat(at, v)
	case "cache_control":
		b.Cache, err = decodeCache(at, v)
	case "metadata":
		err = decodeMetadata(b, at, v)
	default:
		return d.setting(key, at, v)
	}
	return err
}

// setting reads the members that are one plain value.
func (d *bodyDecoder) setting(key string, at *path, v []byte) (err error) {
	b := d.body
	switch key {
	case "temperature":
		b.Temperature, err = at.Float(v)
	case "top_p":
		b.TopP, err = at.Float(v)
	case "top_k":
		b.TopK, err = at.Integer(v)
	case "service_tier":
		b.ServiceTier, err = at.Str(v)
	case "stop_sequences":
		b.Stop = []string{}
		err = at.List(v, func(_ int, at *path, v []byte) error {
			s, err := at.Str(v)
			b.Stop = append(b.Stop, s)
			return err
		})
	default:
		b.Extra.Add(key, v)
	}
	return err
}

func decodeSystem(at *path, v []byte) (*weir.Message, error) {
	if jsonx.IsNull(v) {
		return nil, nil
	}
	m := &weir.Message{Role: weir.RoleSystem}
	return m, decodeContent(m, at, v, nil)
}

func (d *bodyDecoder) messages(at *path, v []byte) ([]weir.Message, error) {
	var out []weir.Message
	err := at.List(v, func(_ int, at *path, v []byte) error {
		m, err := d.message(at, v)
		out = append(out, m)
		return err
	})
	return out, err
}

var roles = map[string]weir.Role{"user": weir.RoleUser, "assistant": weir.RoleAssistant, "system": weir.RoleSystem}

func (d *bodyDecoder) message(at *path, v []byte) (weir.Message, error) {
	var m weir.Message
	role := at.Key("role")
	name, err := objectMember(at, &role, v)
	if err != nil {
		return m, err
	}
	if m.Role = roles[name]; m.Role == "" {
		s := role.String()
		return m, weir.Invalid(s, "%s: expected user, assistant or system", s)
	}
	var check func(at *path, b *weir.Block, raw []byte) error
	if d.strict {
		check = func(at *path, b *weir.Block, raw []byte) error { return checkStrictBlock(m.Role, at, b, raw) }
	}
	said := false
	err = at.EachSaid(v, &m.Extra, func(key string, at *path, v []byte) error {
		switch key {
		case "role":
		case "content":
			said = true
			return decodeContent(&m, at, v, check)
		default:
			m.Extra.Add(key, v)
		}
		return nil
	})
	if err == nil && !said {
		content := at.Key("content")
		err = content.Wrong("a string or an array of blocks", nil)
	}
	return m, err
}

// objectMember is the string member of v that member names, v being an object
// at at.
func objectMember(at, member *path, v []byte) (string, error) {
	if jsonx.KindOf(v) != jsonx.KindObject {
		return "", at.Wrong("an object", v)
	}
	return member.Need(jsonx.Get(v, member.Name()))
}

// decodeContent reads the two forms of content: a string, or blocks.
func decodeContent(m *weir.Message, at *path, v []byte, check func(*path, *weir.Block, []byte) error) error {
	m.Blocks, m.Plain = nil, false
	if jsonx.KindOf(v) == jsonx.KindString {
		text, err := at.Str(v)
		m.Plain, m.Blocks = true, []weir.Block{{Type: weir.BlockText, Text: text}}
		return err
	}
	if jsonx.KindOf(v) != jsonx.KindArray {
		return at.Wrong("a string or an array of blocks", v)
	}
	return at.List(v, func(_ int, at *path, v []byte) error {
		b, err := decodeBlock(at, v)
		if err != nil {
			return err
		}
		if check != nil {
			if err := check(at, &b, v); err != nil {
				return err
			}
		}
		m.Blocks = append(m.Blocks, b)
		return nil
	})
}

func decodeMetadata(b *weir.Body, at *path, v []byte) error {
	return decodeRest(b, at, v, func(key string, at *path, v []byte) (known bool, err error) {
		if key != "user_id" {
			return false, nil
		}
		b.User, err = at.Str(v)
		return true, err
	})
}

// decodeRest reads an object of the top level of which only some members have
// words. The others are kept together as an unknown member of the same name.
func decodeRest(b *weir.Body, at *path, v []byte, known func(key string, at *path, v []byte) (bool, error)) error {
	var rest jsonx.Buffer
	rest.BeginObject()
	members, unknown := 0, false
	err := at.Each(v, func(key string, at *path, v []byte) error {
		members++
		if !jsonx.IsNull(v) {
			if ok, err := known(key, at, v); ok {
				return err
			}
			unknown = true
		}
		rest.RawField(key, v)
		return nil
	})
	rest.EndObject()
	switch {
	case err != nil:
	case unknown:
		b.Extra.Add(at.Name(), rest.B)
	case members == 0 || len(rest.B) > len("{}"):
		spell(&b.Extra, at.Name(), rest.B)
	}
	return err
}

// decodeThinking reads the switch for thinking. Its type is kept as it is, since
// new models bring new ones ("between_tools").
func decodeThinking(b *weir.Body, at *path, v []byte) error {
	if jsonx.IsNull(v) {
		return nil
	}
	r := reasoningOf(b)
	return at.EachSaid(v, &r.Extra, func(key string, at *path, v []byte) (err error) {
		switch key {
		case "type":
			r.Mode, err = at.Str(v)
		case "budget_tokens":
			r.Budget, err = at.Integer(v)
		case "display":
			r.Display, err = at.Str(v)
		default:
			r.Extra.Add(key, v)
		}
		return err
	})
}

func reasoningOf(b *weir.Body) *weir.ReasoningConfig {
	if b.Reasoning == nil {
		b.Reasoning = new(weir.ReasoningConfig)
	}
	return b.Reasoning
}

func decodeOutputConfig(b *weir.Body, at *path, v []byte) error {
	return decodeRest(b, at, v, func(key string, at *path, v []byte) (known bool, err error) {
		switch key {
		case "effort":
			reasoningOf(b).Effort, err = at.Str(v)
		case "format":
			b.Format, err = decodeFormat(at, v)
		default:
			return false, nil
		}
		return true, err
	})
}

func decodeFormat(at *path, v []byte) (*weir.Format, error) {
	if jsonx.IsNull(v) {
		return nil, nil
	}
	f := &weir.Format{}
	err := at.EachSaid(v, &f.Extra, func(key string, at *path, v []byte) error {
		switch key {
		case "type":
			s, err := at.Str(v)
			f.Type = weir.FormatType(s)
			return err
		case "schema":
			f.Schema = bytes.Clone(v)
		default:
			f.Extra.Add(key, v)
		}
		return nil
	})
	return f, err
}

func decodeCache(at *path, v []byte) (*weir.CacheControl, error) {
	if jsonx.IsNull(v) {
		return nil, nil
	}
	c := &weir.CacheControl{}
	err := at.EachSaid(v, &c.Extra, func(key string, at *path, v []byte) (err error) {
		switch {
		case key == "type" && string(v) == `"ephemeral"`:
		case key == "ttl":
			c.TTL, err = at.Str(v)
		default:
			c.Extra.Add(key, v)
		}
		return err
	})
	return c, err
}
