package openaichat

import (
	"errors"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// messagesNeedWork reports whether a target's quirks concern the messages, tools
// or format of a request, so that it has to be written anew. It walks over the
// messages and skips their text, which costs far less than a search in it: a
// prompt may have megabytes. A doubt is a yes. For a target without quirks of
// this sort it costs nothing.
func messagesNeedWork(w *weir.Wire, q *codec.Quirks) bool {
	top, err := codec.TopOf(w)
	if err != nil {
		return false
	}
	return q.ToolNameMax > 0 && namesTooLong(top.Get(w.Body, "tools"), q.ToolNameMax) ||
		q.NoCustomTools && top.MayHaveBelow("custom") && hasCustom(w, top) ||
		len(q.Formats) > 0 && top.Has("response_format") ||
		concernsMessages(q, top) && walkMessages(top.Get(w.Body, "messages"), q)
}

// concernsMessages reports whether a quirk is about single messages, and about
// something that these may have.
func concernsMessages(q *codec.Quirks, top *jsonx.Top) bool {
	thinks := top.MayHaveBelow("reasoning") || top.MayHaveBelow("reasoning_content") || top.MayHaveBelow("reasoning_details")
	calls := top.MayHaveBelow("tool_calls")
	return q.StrictAlternation || q.TextContentOnly || marksPrefill(q) || q.SystemFirst || q.DeveloperRole != "" ||
		thinks && (q.ReasoningReplay == "never" || q.ReasoningField != "") ||
		calls && (q.ReasoningReplay == "tool_turns" || q.EmptyContent != "") ||
		(calls || top.MayHaveBelow("tool_call_id")) && (q.ToolIDAlnum9 || q.ToolIDMax > 0)
}

// errFound ends a walk.
var errFound = errors.New("found")

// A turn is what a walk sees of a message.
type turn struct {
	role      string
	content   []byte
	calls     bool // it has a list of tool calls
	answers   bool // it answers a tool call
	thought   bool // it carries reasoning under any name
	reasoning bool // it carries reasoning_content
}

func readTurn(message []byte) turn {
	var t turn
	_ = jsonx.EachMember(message, func(key, value []byte) error {
		switch string(key) {
		case "role":
			t.role = roleOf(value)
		case "content":
			t.content = value
		case "tool_calls":
			t.calls = jsonx.KindOf(value) == jsonx.KindArray
		case "tool_call_id":
			t.answers = true
		case "reasoning_content":
			t.thought, t.reasoning = true, true
		case "reasoning", "reasoning_details":
			t.thought = true
		}
		return nil
	})
	return t
}

// roleOf spares an allocation for the roles that there are.
func roleOf(raw []byte) string {
	switch string(raw) {
	case `"user"`:
		return "user"
	case `"assistant"`:
		return "assistant"
	case `"tool"`:
		return "tool"
	case `"system"`:
		return "system"
	case `"developer"`:
		return "developer"
	}
	return jsonx.StringOr(raw, "")
}

// walkMessages looks at what the messages are made of, not at their text.
func walkMessages(messages []byte, q *codec.Quirks) bool {
	last, head := "", true
	err := jsonx.EachElement(messages, func(_ int, m []byte) error {
		t := readTurn(m)
		system := t.role == "system" || t.role == "developer"
		if t.needsWork(q) || q.SystemFirst && system && !head || q.StrictAlternation && t.role == last && t.role != "tool" {
			return errFound
		}
		last, head = t.role, head && system
		return nil
	})
	return err != nil || marksPrefill(q) && last == "assistant"
}

// needsWork reports whether a message by itself is not as the target wants it.
func (t *turn) needsWork(q *codec.Quirks) bool {
	switch {
	case q.DeveloperRole != "" && t.role == "developer",
		t.thought && (q.ReasoningReplay == "never" || q.ReasoningField != ""),
		q.ReasoningReplay == "tool_turns" && t.calls && !t.reasoning,
		(q.ToolIDAlnum9 || q.ToolIDMax > 0) && (t.calls || t.answers),
		q.TextContentOnly && jsonx.KindOf(t.content) == jsonx.KindArray,
		q.EmptyContent != "" && t.calls && !isWrittenAs(t.content, q.EmptyContent):
		return true
	}
	return false
}

// isWrittenAs reports whether the content beside tool calls needs no change.
func isWrittenAs(content []byte, form string) bool {
	switch {
	case content == nil:
		return form == "omit"
	case jsonx.IsNull(content):
		return form == "null"
	case string(content) == `""`:
		return form == "empty"
	}
	return true
}

func namesTooLong(tools []byte, limit int) bool {
	return jsonx.EachElement(tools, func(_ int, tool []byte) error {
		name := jsonx.StringOr(jsonx.GetPath(tool, "function", "name"), "")
		if name != "" && codec.ShortenName(name, limit) != name {
			return errFound
		}
		return nil
	}) != nil
}

func endsWithAssistant(w *weir.Wire) bool {
	top, err := codec.TopOf(w)
	if err != nil {
		return false
	}
	role := ""
	_ = jsonx.EachElement(top.Get(w.Body, "messages"), func(_ int, m []byte) error {
		role = jsonx.StringOr(jsonx.Get(m, "role"), "")
		return nil
	})
	return role == "assistant"
}

// marksPrefill reports whether a conversation that ends with an assistant turn
// has to be changed or refused.
func marksPrefill(q *codec.Quirks) bool { return q.Prefill != "" && q.Prefill != "last" }
