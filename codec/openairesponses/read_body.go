package openairesponses

import (
	"bytes"
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
	body *weir.Body

	instructions, input, tools, choice []byte

	// spaces are the namespaces of tools that the request declares.
	spaces map[string]bool
	// known are the names of tools, once some were declared in the input.
	known map[string]bool
	// signatures are those of tool calls, from envelopes, by call id.
	signatures map[string]string
	// hosted are the ids of calls that are kept by value.
	hosted map[string]bool
	// open tells that the last message is an assistant's and may go on.
	open bool
}

// member reads one top-level member (protocols.md §4.2).
func (d *bodyReader) member(key string, raw []byte) {
	b := d.body
	if jsonx.IsNull(raw) {
		spell(&b.Extra, key, raw)
		return
	}
	switch key {
	case "model", "stream": // Request.Model and Request.Stream
	case "instructions":
		d.instructions = raw
	case "input":
		d.input = raw
	case "tools":
		d.tools = raw
	case "tool_choice":
		d.choice = raw
	case "max_output_tokens":
		b.MaxTokens = d.integer(key, raw)
	case "temperature":
		b.Temperature = d.number(key, raw)
	case "top_p":
		b.TopP = d.number(key, raw)
	case "top_logprobs":
		b.TopLogprobs = d.integer(key, raw)
	case "parallel_tool_calls":
		b.ParallelToolCalls = d.boolean(key, raw)
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

// structured reads the members that are more than one plain value, and keeps
// what has no word.
func (d *bodyReader) structured(key string, raw []byte) {
	b := d.body
	switch key {
	case "text":
		d.text(raw)
	case "reasoning":
		d.reasoning(raw)
	case "include":
		d.include(raw)
	case "metadata":
		d.metadata(raw)
	case "previous_response_id":
		if d.thread().Previous = d.str(key, raw); d.thread().Previous == "" {
			spell(&b.Extra, key, raw)
		}
	case "conversation":
		d.conversation(raw)
	case "store":
		d.thread().Store = d.boolean(key, raw)
	case "background":
		d.thread().Background = d.boolean(key, raw)
	case "stream_options": // about this connection only
		spell(&b.Extra, key, raw)
	case "truncation":
		if jsonx.StringOr(raw, "") == "disabled" { // what is so anyway
			spell(&b.Extra, key, raw)
			return
		}
		keep(&b.Extra, key, raw)
	default:
		keep(&b.Extra, key, raw)
	}
}

func (d *bodyReader) thread() *weir.Thread {
	if d.body.Thread == nil {
		d.body.Thread = new(weir.Thread)
	}
	return d.body.Thread
}

// conversation is an id, or an object that has one.
func (d *bodyReader) conversation(raw []byte) {
	at, id := "conversation", raw
	if jsonx.KindOf(raw) == jsonx.KindObject {
		at, id = "conversation.id", jsonx.Get(raw, "id")
		spell(&d.body.Extra, "conversation", raw)
	}
	d.thread().Conversation = d.str(at, id)
}

// finish reads the members that depend on each other: a call's name depends on
// the tools.
func (d *bodyReader) finish() {
	if d.tools != nil {
		d.readTools(d.tools)
	}
	if d.err == nil {
		d.readAdditional(d.input)
	}
	if d.choice != nil && d.err == nil {
		d.body.ToolChoice = d.toolChoice(d.choice)
	}
	if d.err != nil {
		return
	}
	d.body.Messages = []weir.Message{}
	if d.instructions != nil {
		m := weir.SystemText(d.str("instructions", d.instructions))
		m.At, m.Blocks[0].At = "instructions", "instructions"
		d.body.Messages = append(d.body.Messages, m)
	}
	if d.input != nil {
		d.readInput(d.input)
	}
}

// text reads the form of the answer; unlike in Chat its schema is flat.
func (d *bodyReader) text(raw []byte) {
	var rest weir.Fields
	n := 0
	d.object("text", raw, func(key string, value []byte) {
		n++
		switch {
		case jsonx.IsNull(value):
			spell(&rest, key, value)
		case key == "format":
			d.body.Format = d.format(value)
		case key == "verbosity":
			if d.body.Verbosity = d.str("text.verbosity", value); d.body.Verbosity == "" {
				spell(&rest, key, value)
			}
		default:
			keep(&rest, key, value)
		}
	})
	if n == 0 {
		spell(&d.body.Extra, "text", raw)
	}
	keepInside(&d.body.Extra, "text", raw, rest)
}

func (d *bodyReader) format(raw []byte) *weir.Format {
	const at = "text.format"
	f := &weir.Format{}
	d.object(at, raw, func(key string, value []byte) {
		switch {
		case jsonx.IsNull(value):
			spell(&f.Extra, key, value)
		case key == "type":
			f.Type = weir.FormatType(d.str(at+".type", value))
		case key == "name":
			f.Name = d.str(at+".name", value)
		case key == "description":
			if f.Description = d.str(at+".description", value); f.Description == "" {
				spell(&f.Extra, key, value)
			}
		case key == "schema":
			f.Schema = bytes.Clone(value)
		case key == "strict":
			f.Strict = d.boolean(at+".strict", value)
		default:
			keep(&f.Extra, key, value)
		}
	})
	if f.Type == "" && d.err == nil {
		d.fail(weir.Invalid(at+".type", "%s.type is required", at))
	}
	if f.Type == weir.FormatJSONSchema && f.Strict == nil { // what is so anyway, and not everywhere else
		f.Strict = new(false)
		if f.Extra.Value("strict") == nil {
			spell(&f.Extra, "strict", noMember)
		}
	}
	return f
}

// noMember is the spelling of a member that was not there at all.
var noMember = []byte("{}")

// isMissing reports whether a spelling is that of a member that was not there.
func isMissing(raw []byte) bool { return string(raw) == string(noMember) }

// reasoning reads how much to think. The kinds of summary are all the same
// elsewhere; what only this protocol knows (mode, context) is kept.
func (d *bodyReader) reasoning(raw []byte) {
	c := &weir.ReasoningConfig{}
	d.object("reasoning", raw, func(key string, value []byte) {
		switch {
		case jsonx.IsNull(value):
			spell(&c.Extra, key, value)
		case key == "effort":
			c.Effort = d.str("reasoning.effort", value)
		case key == "summary" || key == "generate_summary":
			d.str("reasoning."+key, value)
			c.Display = displayed
			spell(&c.Extra, key, value)
		default:
			keep(&c.Extra, key, value)
		}
	})
	if c.Effort == "" && c.Display == "" { // nothing is said of how much
		keepInside(&d.body.Extra, "reasoning", raw, c.Extra)
		if len(c.Extra) == 0 {
			spell(&d.body.Extra, "reasoning", raw)
		}
		return
	}
	d.body.Reasoning = c
}

// displayed is the Display of a request for summaries.
const displayed = "summarized"

const (
	includeEncrypted = "reasoning.encrypted_content"
	includeLogprobs  = "message.output_text.logprobs"
)

// include reads what else an answer is to hold. Encrypted reasoning is always
// sent, in one form or the other.
func (d *bodyReader) include(raw []byte) {
	all := true
	d.array("include", raw, func(at string, value []byte) {
		switch d.str(at, value) {
		case includeEncrypted:
		case includeLogprobs:
			d.body.Logprobs = new(true)
		default:
			all = false
		}
	})
	if all {
		spell(&d.body.Extra, "include", raw)
		return
	}
	keep(&d.body.Extra, "include", raw)
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
