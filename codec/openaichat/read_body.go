package openaichat

import (
	"errors"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// decodeBody makes the canonical body of a request. Here, and not at the door,
// the whole text is checked.
func decodeBody(w *weir.Wire) (*weir.Body, error) {
	if err := jsonx.Valid(w.Body); err != nil {
		return nil, codec.InvalidJSON(w.Body, err)
	}
	d := &bodyReader{body: &weir.Body{From: protocol, Header: w.Header}}
	d.object("body", w.Body, d.member)
	d.finish()
	if d.err == nil {
		return d.body, nil
	}
	if e, ok := errors.AsType[*weir.Error](d.err); ok {
		return nil, e
	}
	return nil, codec.InvalidJSON(w.Body, d.err)
}

type bodyReader struct {
	reader
	body      *weir.Body
	reasoning reasoningWords

	maxTokens, maxCompletionTokens []byte
	functions, functionCall        []byte
	toolChoice                     []byte
}

// member reads one top-level member (OpenAI OpenAPI 2.3.0, §2.2 of the house's
// protocol reference). Members of the vendors' dialects that the canonical form
// has words for are read too.
func (d *bodyReader) member(key string, raw []byte) {
	b := d.body
	if jsonx.IsNull(raw) && key != "messages" {
		spell(&b.Extra, key, raw)
		return
	}
	switch key {
	case "model", "stream": // Request.Model and Request.Stream
	case "messages":
		d.messages(raw)
	case "temperature":
		b.Temperature = d.number(key, raw)
	case "top_p":
		b.TopP = d.number(key, raw)
	case "top_k":
		b.TopK = d.integer(key, raw)
	case "frequency_penalty":
		b.FrequencyPenalty = d.number(key, raw)
	case "presence_penalty":
		b.PresencePenalty = d.number(key, raw)
	case "seed":
		b.Seed = d.integer(key, raw)
	case "n":
		b.N = d.integer(key, raw)
	case "logprobs":
		b.Logprobs = d.boolean(key, raw)
	case "top_logprobs":
		b.TopLogprobs = d.integer(key, raw)
	case "parallel_tool_calls":
		b.ParallelToolCalls = d.boolean(key, raw)
	case "verbosity":
		d.word(&b.Verbosity, key, raw)
	case "user":
		d.word(&b.User, key, raw)
	case "service_tier":
		d.word(&b.ServiceTier, key, raw)
	case "prompt_cache_key":
		d.word(&b.CacheKey, key, raw)
	default:
		d.structured(key, raw)
	}
}

// word reads a string; an empty one says nothing.
func (d *bodyReader) word(p *string, key string, raw []byte) {
	if *p = d.str(key, raw); *p == "" {
		spell(&d.body.Extra, key, raw)
	}
}

// structured reads the members that are more than one plain value.
func (d *bodyReader) structured(key string, raw []byte) {
	b := d.body
	switch key {
	case "max_tokens":
		d.maxTokens = raw
	case "max_completion_tokens":
		d.maxCompletionTokens = raw
	case "stop":
		d.stop(raw)
	case "metadata":
		d.metadata(raw)
	case "stream_options":
		d.streamOptions(raw)
	case "response_format":
		d.format(raw)
	case "tools":
		d.tools(raw)
	case "tool_choice":
		d.toolChoice = raw
	case "functions":
		d.functions = raw
	case "function_call":
		d.functionCall = raw
	default:
		if d.reasoning.take(key, raw) {
			spell(&b.Extra, key, raw)
			return
		}
		keep(&b.Extra, key, raw)
	}
}

// finish reads the members that depend on each other.
func (d *bodyReader) finish() {
	if d.err != nil {
		return
	}
	d.tokenCap()
	d.legacyFunctions()
	if d.toolChoice != nil {
		d.body.ToolChoice = d.choice("tool_choice", d.toolChoice)
	}
	config, err := d.reasoning.config()
	if err != nil {
		d.fail(err)
	}
	d.body.Reasoning = config
}

// tokenCap reads the two names of the cap; the newer one counts when both are
// there (protocols.md §13.9).
func (d *bodyReader) tokenCap() {
	if d.maxTokens != nil {
		d.body.MaxTokens = d.integer("max_tokens", d.maxTokens)
	}
	if d.maxCompletionTokens == nil {
		return
	}
	d.body.MaxTokens = d.integer("max_completion_tokens", d.maxCompletionTokens)
	spell(&d.body.Extra, "max_completion_tokens", d.maxCompletionTokens)
	if d.maxTokens != nil {
		spell(&d.body.Extra, "max_tokens", d.maxTokens)
	}
}

func (d *bodyReader) stop(raw []byte) {
	if jsonx.KindOf(raw) == jsonx.KindString {
		d.body.Stop = []string{d.str("stop", raw)}
		spell(&d.body.Extra, "stop", raw)
		return
	}
	if jsonx.KindOf(raw) != jsonx.KindArray {
		d.wrong("stop", "a string or an array of strings", raw)
		return
	}
	d.body.Stop = []string{}
	d.array("stop", raw, func(at string, value []byte) {
		d.body.Stop = append(d.body.Stop, d.str(at, value))
	})
}

// metadata reads pairs of strings; vendors that allow other values get the whole
// back as it was.
func (d *bodyReader) metadata(raw []byte) {
	plain := true
	var pairs []weir.Pair
	d.object("metadata", raw, func(key string, value []byte) {
		s, err := jsonx.String(value)
		plain = plain && err == nil
		pairs = append(pairs, weir.Pair{Key: key, Value: s})
	})
	if plain && len(pairs) > 0 {
		d.body.Metadata = pairs
		return
	}
	keep(&d.body.Extra, "metadata", raw)
}

func (d *bodyReader) streamOptions(raw []byte) {
	others := false
	d.object("stream_options", raw, func(key string, value []byte) {
		if key == "include_usage" && !jsonx.IsNull(value) {
			d.body.StreamUsage = d.boolean("stream_options.include_usage", value)
			return
		}
		others = true
	})
	if others || d.body.StreamUsage == nil {
		spell(&d.body.Extra, "stream_options", raw)
	}
}

// format reads response_format.
func (d *bodyReader) format(raw []byte) {
	f := &weir.Format{}
	d.object("response_format", raw, func(key string, value []byte) {
		switch key {
		case "type":
			f.Type = weir.FormatType(d.str("response_format.type", value))
		case "json_schema":
			d.schema(f, value)
		default:
			keep(&f.Extra, key, value)
		}
	})
	if f.Type == "" && d.err == nil {
		d.fail(weir.Invalid("response_format.type", "response_format.type is required"))
	}
	d.body.Format = f
}

func (d *bodyReader) schema(f *weir.Format, raw []byte) {
	at := "response_format.json_schema"
	if jsonx.IsNull(raw) {
		spell(&f.Extra, "json_schema", raw)
		return
	}
	var others weir.Fields
	d.object(at, raw, func(key string, value []byte) {
		switch {
		case jsonx.IsNull(value):
			spell(&others, key, value)
		case key == "name":
			f.Name = d.str(at+".name", value)
		case key == "description":
			if f.Description = d.str(at+".description", value); f.Description == "" {
				spell(&others, key, value)
			}
		case key == "schema":
			f.Schema = cloneBytes(value)
		case key == "strict":
			f.Strict = d.boolean(at+".strict", value)
		default:
			keep(&others, key, value)
		}
	})
	keepInside(&f.Extra, "json_schema", raw, others)
}

// keepInside remembers a nested object whole when it has members of its own
// that have no word.
func keepInside(f *weir.Fields, name string, raw []byte, others weir.Fields) {
	if len(others) == 0 {
		return
	}
	spelling := true
	for i := range others {
		spelling = spelling && others[i].Spelling
	}
	*f = append(*f, weir.Field{Name: name, Value: cloneBytes(raw), Spelling: spelling})
}

func cloneBytes(b []byte) []byte { return append([]byte(nil), b...) }
