package converse

import (
	"slices"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// bodyDecoder gathers a canonical body from a request's top level (botocore
// bedrock-runtime, ConverseRequest, 2026-08-07).
type bodyDecoder struct {
	body   *weir.Body
	format string // of reasoning in the conversation
	system *weir.Message
}

// atSystem is the At of the message that the member system makes.
const atSystem = "system"

func decodeBody(op weir.Operation, model string, w *weir.Wire) (*weir.Body, error) {
	if err := jsonx.Valid(w.Body); err != nil {
		return nil, codec.InvalidJSON(w.Body, err)
	}
	raw := w.Body
	if op == weir.CountTokens {
		var err error
		if raw, err = countedBody(w.Body); err != nil {
			return nil, err
		}
	}
	b := &weir.Body{From: protocol, Header: w.Header}
	d := &bodyDecoder{body: b, format: formatOf(model)}
	root := path{}
	if err := root.EachSaid(raw, &b.Extra, d.member); err != nil {
		return nil, err
	}
	if d.system != nil {
		b.Messages = slices.Insert(b.Messages, 0, *d.system)
	}
	return b, nil
}

func (d *bodyDecoder) member(key string, at *path, v []byte) (err error) {
	b := d.body
	switch key {
	case "messages":
		b.Messages, err = d.messages(at, v)
	case atSystem:
		err = d.systemText(at, v)
	case "inferenceConfig":
		spell(&b.Extra, key, v)
		err = readInference(b, at, v)
	case "additionalModelRequestFields":
		spell(&b.Extra, key, v)
		readAdditional(b, at, v)
	case "outputConfig":
		spell(&b.Extra, key, v)
		err = readOutput(b, at, v)
	case "toolConfig":
		err = readToolConfig(b, at, v)
	case "serviceTier":
		spell(&b.Extra, key, v)
		err = readTier(b, at, v)
	case "requestMetadata":
		err = readMetadata(b, at, v)
	default:
		b.Extra.Add(key, v)
	}
	return err
}

// systemText reads the list system, which may be empty: then it is remembered as
// a spelling only.
func (d *bodyDecoder) systemText(at *path, v []byte) error {
	m := weir.Message{Role: weir.RoleSystem, At: atSystem}
	if err := d.content(&m, at, v); err != nil {
		return err
	}
	if len(m.Blocks) == 0 {
		spell(&d.body.Extra, atSystem, v)
		return nil
	}
	d.system = &m
	return nil
}

var roles = map[string]weir.Role{"user": weir.RoleUser, "assistant": weir.RoleAssistant, "system": weir.RoleSystem}

func (d *bodyDecoder) messages(at *path, v []byte) ([]weir.Message, error) {
	var out []weir.Message
	err := at.List(v, func(i int, at *path, v []byte) error {
		m, err := d.message(at, v)
		if m.Role == weir.RoleSystem || len(out) > 0 && out[0].Role == weir.RoleSystem {
			// A system message at the head would be taken for the member system.
			m.At = at.String()
		}
		out = append(out, m)
		return err
	})
	return out, err
}

func (d *bodyDecoder) message(at *path, v []byte) (weir.Message, error) {
	var m weir.Message
	if jsonx.KindOf(v) != jsonx.KindObject {
		return m, at.Wrong("an object", v)
	}
	role := at.Key("role")
	name, err := role.Need(jsonx.Get(v, "role"))
	if err != nil {
		return m, err
	}
	if m.Role = roles[name]; m.Role == "" {
		s := role.String()
		return m, weir.Invalid(s, "%s: expected user, assistant or system", s)
	}
	said := false
	err = at.EachSaid(v, &m.Extra, func(key string, at *path, v []byte) error {
		switch key {
		case "role":
		case "content":
			said = true
			return d.content(&m, at, v)
		default:
			m.Extra.Add(key, v)
		}
		return nil
	})
	if err == nil && !said {
		content := at.Key("content")
		err = content.Wrong("an array of content blocks", nil)
	}
	return m, err
}

// content reads a list of blocks. A cache point is a block of its own here and a
// mark on the block before it in the canonical form; from there on the numbers
// differ, and blocks remember where they stood.
func (d *bodyDecoder) content(m *weir.Message, at *path, v []byte) error {
	if jsonx.KindOf(v) != jsonx.KindArray {
		return at.Wrong("an array of content blocks", v)
	}
	m.Blocks = nil
	return at.List(v, func(i int, at *path, v []byte) error {
		b, err := d.block(m.Role, at, v)
		if err != nil {
			return err
		}
		if n := len(m.Blocks); n > 0 && m.Blocks[n-1].Cache == nil && b.Type == weir.BlockOpaque && b.Opaque.Type == "cachePoint" {
			if cache := readCache(b.Opaque.Raw); cache != nil {
				m.Blocks[n-1].Cache = cache
				return nil
			}
		}
		if i != len(m.Blocks) {
			b.At = at.String()
		}
		m.Blocks = append(m.Blocks, b)
		return nil
	})
}

// readCache is the mark of a block {"cachePoint":{"type":"default","ttl":"1h"}},
// nil when it says more than the canonical form has words for.
func readCache(block []byte) *weir.CacheControl {
	c := &weir.CacheControl{}
	ok := true
	_ = jsonx.EachMember(block, func(k, v []byte) error {
		if string(k) != "cachePoint" {
			ok = false
		}
		return nil
	})
	typed := false
	_ = jsonx.EachMember(jsonx.Get(block, "cachePoint"), func(k, v []byte) error {
		switch {
		case string(k) == "type" && string(v) == `"default"`:
			typed = true
		case string(k) == "ttl" && jsonx.KindOf(v) == jsonx.KindString:
			c.TTL = jsonx.StringOr(v, "")
			ok = ok && c.TTL != ""
		default:
			ok = false
		}
		return nil
	})
	if !ok || !typed {
		return nil
	}
	return c
}

// maxMetadata bounds requestMetadata, of which the API takes 16 entries.
const maxMetadata = 1000

func readMetadata(b *weir.Body, at *path, v []byte) error {
	n := 0
	err := at.Each(v, func(key string, at *path, v []byte) error {
		if n++; n > maxMetadata {
			return weir.Invalid("requestMetadata", "requestMetadata: more than %d entries", maxMetadata)
		}
		s, err := at.Str(v)
		b.Metadata = append(b.Metadata, weir.Pair{Key: key, Value: s})
		return err
	})
	if n == 0 && err == nil {
		spell(&b.Extra, "requestMetadata", v)
	}
	return err
}
