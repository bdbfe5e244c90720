package openairesponses

import (
	"bytes"
	"errors"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// needsWork reports whether a request cannot go up as it is: it carries the
// reasoning of another provider in an envelope, or quirks of the target concern
// its items, tools or format. It walks over the items and skips their text. A
// doubt is a yes. For a target without quirks of this sort it costs one search
// in requests that carry encrypted reasoning, and nothing in others.
func needsWork(w *weir.Wire, q *codec.Quirks) bool {
	top, err := codec.TopOf(w)
	if err != nil {
		return false
	}
	return top.MayHaveBelow("encrypted_content") && bytes.Contains(w.Body, []byte(`"`+envelopePrefix)) ||
		len(q.Formats) > 0 && top.Has("text") ||
		q.ToolNameMax > 0 && namesTooLong(top.Get(w.Body, "tools"), q.ToolNameMax) ||
		q.NoCustomTools && hasMore(w, top) ||
		q.ToolIDMax > 0 && top.MayHaveBelow("call_id") ||
		concernsItems(q) && walkItems(top.Get(w.Body, "input"), q)
}

// concernsItems reports whether a quirk is about single items.
func concernsItems(q *codec.Quirks) bool {
	return q.DeveloperRole != "" || q.SystemFirst || q.StrictAlternation || q.ReasoningReplay == replayNever || q.Prefill == prefillRefused
}

// Values of codec.Quirks.
const (
	replayNever     = "never"
	replayToolTurns = "tool_turns"
	prefillRefused  = "refused"
)

// errFound ends a walk.
var errFound = errors.New("found")

// walkItems looks at what the items are, not at their text.
func walkItems(items []byte, q *codec.Quirks) bool {
	last, head := "", true
	err := jsonx.EachElement(items, func(_ int, item []byte) error {
		role := jsonx.StringOr(jsonx.Get(item, "role"), "")
		system := role == "system" || role == "developer"
		switch {
		case q.DeveloperRole != "" && role == "developer",
			q.SystemFirst && system && !head,
			q.StrictAlternation && role != "" && role == last,
			q.ReasoningReplay == replayNever && string(jsonx.Get(item, "type")) == `"reasoning"`:
			return errFound
		}
		last, head = role, head && system
		return nil
	})
	return err != nil || q.Prefill == prefillRefused && last == "assistant"
}

func namesTooLong(tools []byte, limit int) bool {
	return jsonx.EachElement(tools, func(_ int, tool []byte) error {
		name := jsonx.StringOr(jsonx.Get(tool, "name"), "")
		if name != "" && codec.ShortenName(name, limit) != name {
			return errFound
		}
		return nil
	}) != nil
}
