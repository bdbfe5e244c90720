package openaichat

import (
	"bytes"
	"errors"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// messagesNeedWork reports whether a target's quirks may concern the messages,
// tools or format of a request, so that it has to be written anew. It looks at
// bytes first and walks the messages only where those say that it might matter;
// a doubt is a yes. For a target without quirks of this sort it costs nothing.
func messagesNeedWork(w *weir.Wire, q *codec.Quirks) bool {
	has := func(s string) bool { return bytes.Contains(w.Body, []byte(s)) }
	switch {
	case q.DeveloperRole != "" && has(`"developer"`),
		q.ReasoningReplay == "never" && has(`"reasoning`),
		q.ReasoningField != "" && has(`"reasoning`),
		(q.ToolIDAlnum9 || q.ToolIDMax > 0) && has(`"tool_call`):
		return true
	}
	if top, err := codec.TopOf(w); err == nil {
		return q.ToolNameMax > 0 && namesTooLong(top.Get(w.Body, "tools"), q.ToolNameMax) ||
			len(q.Formats) > 0 && top.Has("response_format") ||
			walkNeeded(q, has) && walkMessages(top.Get(w.Body, "messages"), q)
	}
	return false
}

func walkNeeded(q *codec.Quirks, has func(string) bool) bool {
	return q.StrictAlternation || q.TextContentOnly || marksPrefill(q) ||
		q.SystemFirst && (has(`"system"`) || has(`"developer"`)) ||
		(q.ReasoningReplay == "tool_turns" || q.EmptyContent != "") && has(`"tool_calls"`)
}

// errFound ends a walk.
var errFound = errors.New("found")

// walkMessages looks at what the messages are made of, not at their text.
func walkMessages(messages []byte, q *codec.Quirks) bool {
	last, head := "", true
	err := jsonx.EachElement(messages, func(_ int, m []byte) error {
		role := jsonx.StringOr(jsonx.Get(m, "role"), "")
		system := role == "system" || role == "developer"
		content := jsonx.Get(m, "content")
		calls := jsonx.KindOf(jsonx.Get(m, "tool_calls")) == jsonx.KindArray
		switch {
		case q.SystemFirst && system && !head,
			q.StrictAlternation && role == last && role != "tool",
			q.TextContentOnly && jsonx.KindOf(content) == jsonx.KindArray,
			q.ReasoningReplay == "tool_turns" && calls && jsonx.Get(m, "reasoning_content") == nil,
			q.EmptyContent != "" && calls && !isWrittenAs(content, q.EmptyContent):
			return errFound
		}
		last, head = role, head && system
		return nil
	})
	return err != nil || marksPrefill(q) && last == "assistant"
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
