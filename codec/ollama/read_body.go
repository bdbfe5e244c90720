package ollama

import (
	"bytes"
	"slices"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// bodyReader makes the canonical body of a request.
type bodyReader struct {
	reader
	body *weir.Body
	// of /api/generate
	system, prompt string
	images         []weir.Block
}

func decodeBody(op weir.Operation, w *weir.Wire) (*weir.Body, error) {
	top, err := codec.TopOf(w)
	if err != nil {
		return nil, err
	}
	d := bodyReader{body: &weir.Body{From: protocol, Header: w.Header}}
	f := formOfWire(op, w)
	d.body.Extra = append(d.body.Extra, weir.Field{Name: marker, Value: []byte(`"` + formNames[f] + `"`), Spelling: true})
	for i := range top.Members {
		m := &top.Members[i]
		value := w.Body[m.Start:m.End]
		if jsonx.IsNull(value) {
			spell(&d.body.Extra, m.Key, value)
			continue
		}
		switch f {
		case formChat:
			d.chatMember(m.Key, value)
		case formGenerate:
			d.generateMember(m.Key, value)
		default:
			d.embedMember(m.Key, value)
		}
		if d.Err != nil {
			return nil, d.Err
		}
	}
	d.finish(f)
	return d.body, d.Err
}

func (d *bodyReader) finish(f form) {
	switch f {
	case formGenerate:
		d.conversation()
	case formChat:
		pair(d.body.Messages)
	default:
		if d.body.Embed == nil {
			d.body.Embed = new(weir.EmbedConfig)
		}
	}
}

func (d *bodyReader) chatMember(key string, raw []byte) {
	switch key {
	case "messages":
		d.body.Messages = []weir.Message{}
		d.array(key, raw, func(at string, value []byte) {
			d.body.Messages = append(d.body.Messages, d.message(at, value))
		})
	case "tools":
		d.body.Tools = []weir.Tool{}
		d.array(key, raw, func(at string, value []byte) {
			d.body.Tools = append(d.body.Tools, d.tool(at, value))
		})
	default:
		d.common(key, raw)
	}
}

func (d *bodyReader) generateMember(key string, raw []byte) {
	switch key {
	case "prompt":
		if d.prompt = d.Str(key, raw); d.prompt == "" {
			spell(&d.body.Extra, key, raw)
		}
	case "system":
		if d.system = d.Str(key, raw); d.system == "" {
			spell(&d.body.Extra, key, raw)
		}
	case "images":
		if d.images = d.media(key, raw); len(d.images) == 0 {
			spell(&d.body.Extra, key, raw)
		}
	case "raw":
		if on := d.Bool(key, raw); on != nil && !*on {
			spell(&d.body.Extra, key, raw)
			return
		}
		d.body.Extra.Add(key, raw)
	default: // suffix, template and context have no counterpart elsewhere
		d.common(key, raw)
	}
}

// conversation makes messages of a prompt.
func (d *bodyReader) conversation() {
	if d.system != "" {
		d.body.Messages = append(d.body.Messages, weir.Message{Role: weir.RoleSystem, Plain: true, At: "system",
			Blocks: []weir.Block{{Type: weir.BlockText, Text: d.system}}})
	}
	var blocks []weir.Block
	if d.prompt != "" {
		blocks = append(blocks, weir.Block{Type: weir.BlockText, Text: d.prompt})
	}
	if blocks = append(blocks, d.images...); len(blocks) > 0 {
		d.body.Messages = append(d.body.Messages, weir.Message{Role: weir.RoleUser, Plain: true, At: "prompt", Blocks: blocks})
	}
}

// common reads what /api/chat and /api/generate share.
func (d *bodyReader) common(key string, raw []byte) {
	b := d.body
	switch key {
	case "model":
	case "stream":
		spell(&b.Extra, key, raw)
	case "format":
		d.format(raw)
	case "options":
		d.options(raw)
	case "think":
		d.think(raw)
	case "logprobs":
		b.Logprobs = d.Bool(key, raw)
	case "top_logprobs":
		b.TopLogprobs = d.Int(key, raw)
	default:
		keep(&b.Extra, key, raw)
	}
}

// format reads "json" or a schema. The Python library sent "" for none.
func (d *bodyReader) format(raw []byte) {
	switch {
	case jsonx.KindOf(raw) == jsonx.KindObject:
		d.body.Format = &weir.Format{Type: weir.FormatJSONSchema, Schema: bytes.Clone(raw)}
	case string(raw) == `""`:
		spell(&d.body.Extra, "format", raw)
	case d.Str("format", raw) == "json":
		d.body.Format = &weir.Format{Type: weir.FormatJSONObject}
	default:
		d.fail(weir.Invalid("format", `format: expected "json" or a JSON schema`))
	}
}

// levels are the words that think may be, least first.
var levels = []string{"low", "medium", "high", "max"}

// think reads a switch or a level.
func (d *bodyReader) think(raw []byte) {
	c := new(weir.ReasoningConfig)
	d.body.Reasoning = c
	if on, ok := jsonx.Bool(raw); ok {
		if c.Mode = "disabled"; on {
			c.Mode = "enabled"
		}
		return
	}
	if c.Effort = d.Str("think", raw); d.Err == nil && !slices.Contains(levels, c.Effort) {
		d.fail(weir.Invalid("think", "think: expected true, false, low, medium, high or max"))
	}
}

// options reads the model's settings. What has no word here is kept under its
// path, so that a loss names it.
func (d *bodyReader) options(raw []byte) {
	b := d.body
	if saysNothing(raw) {
		spell(&b.Extra, "options", raw)
	}
	d.object("options", raw, func(key string, value []byte) {
		at := "options." + key
		if jsonx.IsNull(value) {
			spell(&b.Extra, at, value)
			return
		}
		switch key {
		case "num_predict":
			d.cap(at, value)
		case "temperature":
			b.Temperature = d.Float(at, value)
		case "top_p":
			b.TopP = d.Float(at, value)
		case "top_k":
			b.TopK = d.Int(at, value)
		case "seed":
			b.Seed = d.Int(at, value)
		case "frequency_penalty":
			b.FrequencyPenalty = d.Float(at, value)
		case "presence_penalty":
			b.PresencePenalty = d.Float(at, value)
		case "stop":
			if b.Stop = d.Strings(at, value); jsonx.KindOf(value) == jsonx.KindString {
				spell(&b.Extra, at, value)
			}
		default:
			b.Extra.Add(at, value)
		}
	})
}

// cap reads num_predict, of which -1 and -2 say that there is no cap.
func (d *bodyReader) cap(at string, raw []byte) {
	n := d.Int(at, raw)
	if n != nil && *n < 0 {
		spell(&d.body.Extra, at, raw)
		return
	}
	d.body.MaxTokens = n
}
