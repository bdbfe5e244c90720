package openaicompletions

import (
	"bytes"
	"strconv"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// decodeBody makes the canonical body of a request. Here, and not at the door, the
// whole text is checked.
func decodeBody(w *weir.Wire) (*weir.Body, error) {
	if err := jsonx.Valid(w.Body); err != nil {
		return nil, codec.InvalidJSON(w.Body, err)
	}
	d := bodyReader{body: &weir.Body{From: protocol, Header: w.Header}}
	err := jsonx.EachMember(w.Body, func(key, value []byte) error {
		d.member(string(key), value)
		return d.Err
	})
	if err == nil {
		return d.body, nil
	}
	if d.Err != nil {
		return nil, d.Err
	}
	return nil, codec.InvalidJSON(w.Body, err)
}

type bodyReader struct {
	codec.Values
	body *weir.Body
}

// member reads one member (OpenAPI 2.3.0, CreateCompletionRequest). random_seed is
// Mistral's name of the seed.
func (d *bodyReader) member(key string, raw []byte) {
	b := d.body
	if jsonx.IsNull(raw) {
		d.spell(key, raw)
		return
	}
	switch key {
	case "model", "stream": // Request.Model and Request.Stream
	case codec.PromptPath:
		d.prompt(raw)
	case "max_tokens":
		b.MaxTokens = d.Int(key, raw)
	case "temperature":
		b.Temperature = d.Float(key, raw)
	case "top_p":
		b.TopP = d.Float(key, raw)
	case "top_k":
		b.TopK = d.Int(key, raw)
	case "frequency_penalty":
		b.FrequencyPenalty = d.Float(key, raw)
	case "presence_penalty":
		b.PresencePenalty = d.Float(key, raw)
	case "random_seed":
		d.spell(key, raw)
		b.Seed = d.Int(key, raw)
	case "seed":
		b.Seed = d.Int(key, raw)
	case "n":
		b.N = d.Int(key, raw)
	case "user":
		if b.User = d.Str(key, raw); b.User == "" {
			d.spell(key, raw)
		}
	default:
		d.structured(key, raw)
	}
}

// structured reads the members that are more than one plain value, and keeps those
// that have no word: suffix, echo, best_of, logit_bias and what vendors add.
func (d *bodyReader) structured(key string, raw []byte) {
	b := d.body
	switch key {
	case "stop":
		b.Stop = d.Strings(key, raw)
		d.spell(key, raw)
	case "logprobs": // how many alternatives, and not whether
		b.Logprobs, b.TopLogprobs = new(true), d.Int(key, raw)
	case "stream_options":
		d.spell(key, raw)
		if usage := jsonx.Get(raw, "include_usage"); usage != nil && !jsonx.IsNull(usage) {
			b.StreamUsage = d.Bool("stream_options.include_usage", usage)
		}
	default:
		b.Extra = append(b.Extra, weir.Field{Name: key, Value: bytes.Clone(raw), Spelling: saysNothing(key, raw)})
	}
}

// saysNothing reports whether a member without a word says no more than what is so
// without it.
func saysNothing(key string, raw []byte) bool {
	switch key {
	case "echo":
		return string(raw) == "false"
	case "best_of":
		return string(raw) == "1"
	case "suffix":
		return string(raw) == `""`
	}
	var compact [2]byte
	kind := jsonx.KindOf(raw)
	return (kind == jsonx.KindObject || kind == jsonx.KindArray) &&
		len(jsonx.Compact(compact[:0], raw[:min(len(raw), 64)])) == 2
}

// spell remembers a member as it was written, for what the canonical form says in
// other words or need not say.
func (d *bodyReader) spell(key string, raw []byte) {
	d.body.Extra = append(d.body.Extra, weir.Field{Name: key, Value: bytes.Clone(raw), Spelling: true})
}

// prompt makes a user message of every text. Tokens have no text; they are kept as
// they are.
func (d *bodyReader) prompt(raw []byte) {
	switch jsonx.KindOf(raw) {
	case jsonx.KindString:
		d.text(codec.PromptPath, raw)
	case jsonx.KindArray:
		if tokens(raw) {
			d.body.Extra = append(d.body.Extra, weir.Field{Name: codec.PromptPath, Value: bytes.Clone(raw)})
			return
		}
		_ = jsonx.EachElement(raw, func(i int, value []byte) error {
			d.text(codec.PromptPath+"["+strconv.Itoa(i)+"]", value)
			return d.Err
		})
	default:
		d.Err = codec.WrongKind(codec.PromptPath, "a string or an array", raw)
	}
}

// tokens reports whether an array begins with something else than a text.
func tokens(raw []byte) bool {
	kind := jsonx.KindInvalid
	_ = jsonx.EachElement(raw, func(i int, value []byte) error {
		if i == 0 {
			kind = jsonx.KindOf(value)
		}
		return nil
	})
	return kind == jsonx.KindNumber || kind == jsonx.KindArray
}

// text adds a message. The member in its Extra makes every other protocol report
// what becomes of the prompt there.
func (d *bodyReader) text(at string, raw []byte) {
	m := weir.UserText(d.Str(at, raw))
	m.At = at
	m.Extra = weir.Fields{{Name: codec.PromptPath, Value: []byte("true")}}
	d.body.Messages = append(d.body.Messages, m)
}
