package openairest

import (
	"bytes"
	"strconv"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// decodeEmbed makes the canonical body of a request for embeddings: each text a user
// message (OpenAPI 2.3.0, CreateEmbeddingRequest). Tokens and inputs that are more
// than texts have no canonical form; a request with such is sent on as received or
// not at all, so that reading it is a KindUnsupported error.
func decodeEmbed(w *weir.Wire) (*weir.Body, error) {
	if err := jsonx.Valid(w.Body); err != nil {
		return nil, codec.InvalidJSON(w.Body, err)
	}
	d := embedReader{body: &weir.Body{From: protocol, Header: w.Header}}
	err := jsonx.EachMember(w.Body, func(key, value []byte) error {
		d.member(string(key), value)
		return d.Err
	})
	switch {
	case d.Err != nil:
		return nil, d.Err
	case err != nil:
		return nil, codec.InvalidJSON(w.Body, err)
	case d.body.Messages == nil:
		return nil, weir.Invalid("input", "input is required")
	}
	return d.body, nil
}

type embedReader struct {
	codec.Values
	body *weir.Body
}

func (d *embedReader) config() *weir.EmbedConfig {
	if d.body.Embed == nil {
		d.body.Embed = &weir.EmbedConfig{}
	}
	return d.body.Embed
}

// member reads one member. What vendors add (input_type, task, truncate …) has its
// own words at each, and is kept.
func (d *embedReader) member(key string, raw []byte) {
	if jsonx.IsNull(raw) && key != "input" {
		d.body.Extra = append(d.body.Extra, weir.Field{Name: key, Value: bytes.Clone(raw), Spelling: true})
		return
	}
	switch key {
	case "model":
	case "input":
		d.input(raw)
	case "dimensions":
		d.config().Dimensions = d.Int(key, raw)
	case "encoding_format":
		d.config().Encoding = d.Str(key, raw)
	case "user":
		d.body.User = d.Str(key, raw)
	default:
		d.body.Extra = append(d.body.Extra, weir.Field{Name: key, Value: bytes.Clone(raw)})
	}
}

func (d *embedReader) input(raw []byte) {
	switch jsonx.KindOf(raw) {
	case jsonx.KindString:
		d.text("input", raw)
	case jsonx.KindArray:
		d.body.Messages = []weir.Message{}
		_ = jsonx.EachElement(raw, func(i int, value []byte) error {
			at := "input[" + strconv.Itoa(i) + "]"
			if jsonx.KindOf(value) != jsonx.KindString {
				d.Err = notText(at)
				return d.Err
			}
			d.text(at, value)
			return d.Err
		})
	case jsonx.KindObject:
		d.Err = notText("input")
	default:
		d.Err = codec.WrongKind("input", "a string or an array", raw)
	}
}

func notText(at string) error {
	e := weir.Errorf(weir.KindUnsupported, "%s is no text, and can be sent on only as received, to an upstream of the client's own protocol", at)
	e.Param = at
	e.Hint = "send texts, or ask for a model whose provider speaks this protocol"
	return e
}

func (d *embedReader) text(at string, raw []byte) {
	m := weir.UserText(d.Str(at, raw))
	m.At = at
	d.body.Messages = append(d.body.Messages, m)
}

// encodeEmbed writes a request for embeddings from its canonical body: one that has
// been edited, or comes from another protocol.
func encodeEmbed(req *weir.Request, target *codec.Target) (*codec.Call, error) {
	body, err := req.Body()
	if err != nil {
		return nil, err
	}
	out := embedWriter{body: body, paths: codec.NewPaths(body)}
	if err := out.request(); err != nil {
		return nil, err
	}
	call := &codec.Call{Path: defaults[weir.Embed]}
	if body.From == protocol {
		call.Header = passedOn(body.Header)
	}
	e, err := codec.NewEditor(&weir.Wire{Protocol: protocol, Body: out.B})
	if err != nil {
		return nil, err
	}
	e.Losses = out.losses
	if err := finishJSON(call, e, req, target); err != nil {
		return nil, err
	}
	return call, nil
}

type embedWriter struct {
	jsonx.Buffer
	body   *weir.Body
	paths  codec.Paths
	losses codec.Losses
}

func (w *embedWriter) request() error {
	w.BeginObject()
	w.StringField("model", "")
	w.Key("input")
	if err := w.input(); err != nil {
		return err
	}
	if c := w.body.Embed; c != nil {
		w.config(c)
	}
	if w.body.User != "" {
		w.StringField("user", w.body.User)
	}
	if w.body.From == protocol {
		for _, f := range w.body.Extra {
			w.extra(&f)
		}
	} else {
		w.losses.DropExtra("", w.body.Extra)
	}
	w.EndObject()
	return nil
}

// extra puts a member back; a null only where its field is still not set.
func (w *embedWriter) extra(f *weir.Field) {
	c := w.body.Embed
	switch {
	case !f.Spelling:
	case f.Name == "dimensions" && c != nil && c.Dimensions != nil,
		f.Name == "encoding_format" && c != nil && c.Encoding != "",
		f.Name == "user" && w.body.User != "", f.Name == "model":
		return
	}
	w.RawField(f.Name, f.Value)
}

// config writes how the vectors are to be made.
func (w *embedWriter) config(c *weir.EmbedConfig) {
	if c.Encoding != "" {
		w.StringField("encoding_format", c.Encoding)
	}
	if c.Dimensions != nil {
		w.IntField("dimensions", *c.Dimensions)
	}
	if c.Task != "" {
		word := "task"
		if w.body.From == weir.GeminiGenerate {
			word = "taskType"
		}
		w.losses.Drop(word, "the target's protocol has no such field")
	}
	if c.Truncate != nil && *c.Truncate {
		w.losses.Drop("truncate", "the target refuses a text that is too long")
	}
}

// input writes the texts: one alone as it stood, else a list.
func (w *embedWriter) input() error {
	texts := w.body.Messages
	if len(texts) == 0 {
		return weir.Invalid("input", "there is no text to embed")
	}
	alone := len(texts) == 1 && (texts[0].At == "input" || w.body.From != protocol)
	if !alone {
		w.BeginArray()
	}
	for i := range texts {
		m := &texts[i]
		for j := range m.Blocks {
			if m.Blocks[j].Type != weir.BlockText {
				return notText(w.paths.Block(codec.Place{Message: i, Block: j}))
			}
			w.foreign(m.Blocks[j].Extra, codec.Place{Message: i, Block: j})
		}
		w.String(m.Text())
		if w.body.From != protocol {
			w.losses.DropExtra(w.paths.Message(i), m.Extra)
		}
	}
	if !alone {
		w.EndArray()
	}
	return nil
}

func (w *embedWriter) foreign(extra weir.Fields, at codec.Place) {
	if w.body.From != protocol && len(extra) > 0 {
		w.losses.DropExtra(w.paths.Block(at), extra)
	}
}
