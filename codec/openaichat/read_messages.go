package openaichat

import (
	"slices"
	"strconv"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// roleFunction is the role of tool results before there were tools.
const roleFunction = "function"

func (d *bodyReader) messages(raw []byte) {
	d.body.Messages = []weir.Message{}
	d.array("messages", raw, func(at string, value []byte) {
		m := messageReader{reader: &d.reader, at: at, number: len(d.body.Messages)}
		d.body.Messages = append(d.body.Messages, m.read(value, d.body.Messages))
	})
}

// messageReader reads one message.
type messageReader struct {
	*reader
	at     string
	number int
	m      weir.Message

	role, content, refusal, audio    []byte
	calls, call, callID              []byte
	reasoningText, reasoning, detail []byte
}

// read reads a message; before are the messages in front of it.
func (r *messageReader) read(raw []byte, before []weir.Message) weir.Message {
	r.object(r.at, raw, r.member)
	if r.err != nil {
		return r.m
	}
	if r.role == nil {
		r.fail(weir.Invalid(r.at+".role", "%s.role is required", r.at))
		return r.m
	}
	role := r.str(r.at+".role", r.role)
	r.m.Role = weir.Role(role)
	if role == roleFunction {
		r.m.Role = weir.RoleTool
		spell(&r.m.Extra, "role", r.role)
	}
	if r.m.Role == weir.RoleTool {
		r.toolResult(before)
		return r.m
	}
	r.readReasoning()
	if r.content != nil {
		r.readContent()
	}
	r.readRefusal()
	r.readCalls()
	return r.m
}

func (r *messageReader) member(key string, value []byte) {
	if p := r.slot(key); p != nil {
		if jsonx.IsNull(value) {
			spell(&r.m.Extra, key, value)
			return
		}
		*p = value
		return
	}
	if key == "name" && jsonx.KindOf(value) == jsonx.KindString {
		r.m.Name = r.str(r.at+".name", value)
		return
	}
	keep(&r.m.Extra, key, value)
}

func (r *messageReader) slot(key string) *[]byte {
	switch key {
	case "role":
		return &r.role
	case "content":
		return &r.content
	case "refusal":
		return &r.refusal
	case "audio":
		return &r.audio
	case "tool_calls":
		return &r.calls
	case "function_call":
		return &r.call
	case "tool_call_id":
		return &r.callID
	case "reasoning_content":
		return &r.reasoningText
	case "reasoning":
		return &r.reasoning
	case "reasoning_details":
		return &r.detail
	}
	return nil
}

// readContent reads a content that is a string or a list of parts.
func (r *messageReader) readContent() {
	switch jsonx.KindOf(r.content) {
	case jsonx.KindString:
		r.m.Plain = true
		if text := r.str(r.at+".content", r.content); text != "" {
			r.m.Blocks = append(r.m.Blocks, weir.Block{Type: weir.BlockText, Text: text})
		}
	case jsonx.KindArray:
		parts := r.parts(r.at+".content", r.content)
		if len(parts) == 0 {
			spell(&r.m.Extra, "content", r.content)
		}
		r.m.Blocks = append(r.m.Blocks, parts...)
	default:
		r.wrong(r.at+".content", "a string or an array of parts", r.content)
	}
}

func (r *messageReader) readRefusal() {
	if r.refusal != nil {
		text := r.str(r.at+".refusal", r.refusal)
		if text == "" {
			spell(&r.m.Extra, "refusal", r.refusal)
		} else {
			r.m.Blocks = append(r.m.Blocks, weir.Block{Type: weir.BlockRefusal, Text: text})
		}
	}
	if r.audio != nil {
		media := &weir.Media{}
		r.object(r.at+".audio", r.audio, func(key string, value []byte) {
			if key == "id" {
				media.ID = r.str(r.at+".audio.id", value)
				return
			}
			keep(&media.Extra, key, value)
		})
		if media.ID == "" { // as Snowflake answers, sent back
			spell(&r.m.Extra, "audio", r.audio)
		} else {
			r.m.Blocks = append(r.m.Blocks, weir.Block{Type: weir.BlockAudio, Media: media})
		}
	}
}

// readCalls reads tool_calls and the older function_call.
func (r *messageReader) readCalls() {
	if r.calls != nil {
		n := 0
		r.array(r.at+".tool_calls", r.calls, func(at string, value []byte) {
			n++
			r.m.Blocks = append(r.m.Blocks, r.toolCall(at, value))
		})
		if n == 0 {
			spell(&r.m.Extra, "tool_calls", r.calls)
		}
	}
	if r.call != nil {
		c := &weir.ToolCall{ID: legacyID(r.number)}
		r.function(c, nil, r.at+".function_call", r.call)
		if c.Name == "" && c.Arguments == "{}" { // as Snowflake answers, sent back
			spell(&r.m.Extra, "function_call", r.call)
			return
		}
		spell(&c.Extra, "function_call", r.call)
		r.m.Blocks = append(r.m.Blocks, weir.Block{Type: weir.BlockToolCall, Call: c})
	}
}

// legacyID names a call that was made before calls had ids, by the number of its
// message, so that equal requests stay equal.
func legacyID(message int) string { return "call_function_" + strconv.Itoa(message) }

func (r *messageReader) toolCall(at string, raw []byte) weir.Block {
	b := weir.Block{Type: weir.BlockToolCall}
	c := &weir.ToolCall{}
	var function, custom []byte
	r.object(at, raw, func(key string, value []byte) {
		switch {
		case jsonx.IsNull(value):
			spell(&c.Extra, key, value)
		case key == "id":
			c.ID = r.str(at+".id", value)
		case key == "type":
			c.Type = weir.ToolType(r.str(at+".type", value))
		case key == "function":
			function = value
		case key == "custom":
			custom = value
		case key == "cache_control":
			b.Cache = r.cache(at+".cache_control", value)
		case key == "index":
			spell(&c.Extra, key, value)
		case key == "extra_content":
			r.extraContent(c, value)
		default:
			keep(&c.Extra, key, value)
		}
	})
	switch {
	case custom != nil && c.Type == weir.ToolCustom:
		r.custom(c, at+".custom", custom)
	case function != nil:
		r.function(c, &c.Extra, at+".function", function)
		if custom != nil { // Snowflake has an empty one beside every function
			var f fragment
			empty := f.function(custom) == nil && !f.says()
			c.Extra = append(c.Extra, weir.Field{Name: "custom", Value: cloneBytes(custom), Spelling: empty})
		}
	case r.err == nil:
		r.fail(weir.Invalid(at+".function", "%s.function is required", at))
	}
	b.Call = c
	return b
}

// extraContent reads Google's place for a thought signature on its Chat face.
func (r *reader) extraContent(c *weir.ToolCall, raw []byte) {
	c.Signature = jsonx.StringOr(jsonx.GetPath(raw, "google", "thought_signature"), "")
	if c.Signature != "" {
		spell(&c.Extra, "extra_content", raw)
		return
	}
	keep(&c.Extra, "extra_content", raw)
}

// function reads a call's name and arguments. Arguments that are no string have
// been seen from clients that speak to Ollama; they are taken as their text.
func (r *messageReader) function(c *weir.ToolCall, extra *weir.Fields, at string, raw []byte) {
	var others weir.Fields
	r.object(at, raw, func(key string, value []byte) {
		switch {
		case key == "name" && !jsonx.IsNull(value):
			c.Name = r.str(at+".name", value)
		case key == "arguments" && jsonx.KindOf(value) == jsonx.KindString:
			c.Arguments = r.str(at+".arguments", value)
		case key == "arguments":
			spell(&others, key, value)
			if jsonx.KindOf(value) == jsonx.KindObject {
				c.Arguments = string(jsonx.Compact(nil, value))
			}
		default:
			keep(&others, key, value)
		}
	})
	if c.Arguments == "" {
		c.Arguments = "{}"
		spell(&others, "arguments", []byte(`""`))
	}
	if extra != nil {
		keepInside(extra, "function", raw, others)
	}
}

func (r *messageReader) custom(c *weir.ToolCall, at string, raw []byte) {
	var others weir.Fields
	r.object(at, raw, func(key string, value []byte) {
		switch key {
		case "name":
			c.Name = r.str(at+".name", value)
		case "input":
			c.Arguments = r.str(at+".input", value)
		default:
			keep(&others, key, value)
		}
	})
	keepInside(&c.Extra, "custom", raw, others)
}

// toolResult makes the one block of a tool message.
func (r *messageReader) toolResult(before []weir.Message) {
	result := &weir.ToolResult{Name: r.m.Name}
	if r.callID != nil {
		result.CallID = r.str(r.at+".tool_call_id", r.callID)
	} else {
		result.CallID = callOf(before, r.m.Name)
	}
	switch jsonx.KindOf(r.content) {
	case jsonx.KindInvalid: // absent
	case jsonx.KindString:
		result.Plain = true
		if text := r.str(r.at+".content", r.content); text != "" {
			result.Content = []weir.Block{{Type: weir.BlockText, Text: text}}
		}
	case jsonx.KindArray:
		if result.Content = r.parts(r.at+".content", r.content); len(result.Content) == 0 {
			spell(&r.m.Extra, "content", r.content)
		}
	default:
		r.wrong(r.at+".content", "a string or an array of parts", r.content)
	}
	if r.callID == nil && spelled(r.m.Extra, protocol, "tool_call_id") == nil {
		spell(&r.m.Extra, "tool_call_id", noMember)
	}
	r.m.Blocks = []weir.Block{{Type: weir.BlockToolResult, Result: result}}
}

// noMember is the spelling of a member that was not there at all.
var noMember = []byte("{}")

// callOf is the id of the call that a result without an id answers: the latest
// one of the tool that it names, or the first one of the turn before that has no
// result yet (clients of GLM say neither).
func callOf(before []weir.Message, name string) string {
	answered := map[string]bool{}
	for _, m := range slices.Backward(before) {
		if name == "" && m.Role != weir.RoleTool {
			return firstOpen(m, answered)
		}
		for _, b := range slices.Backward(m.Blocks) {
			if b.Call != nil && b.Call.Name == name {
				return b.Call.ID
			}
			if b.Result != nil {
				answered[b.Result.CallID] = true
			}
		}
	}
	return ""
}

// firstOpen is the id of the first call of m that has no result.
func firstOpen(m weir.Message, answered map[string]bool) string {
	for _, c := range m.ToolCalls() {
		if !answered[c.ID] {
			return c.ID
		}
	}
	return ""
}
