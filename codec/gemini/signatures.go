package gemini

import (
	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// bypassSignature is what Google documents for calls that did not come from the
// model, or whose signature was lost: it turns the check of the step off
// (protocols.md §7.6, 2026-10-15).
const bypassSignature = "skip_thought_signature_validator"

// What is checked is the current turn: everything behind the last message of the
// user that brings no results of tools. There the first call of every step has to
// have a signature.

// lacksSignature reports whether contents as they came have a call that Gemini 3
// refuses for want of a signature.
func lacksSignature(contents []byte) bool {
	missing := false
	_ = jsonx.EachElement(contents, func(_ int, content []byte) error {
		parts, _ := get(content, "parts")
		if jsonx.StringOr(jsonx.Get(content, "role"), "") == "model" {
			missing = missing || firstCallUnsigned(parts)
		} else if !holdsResult(parts) {
			missing = false
		}
		return nil
	})
	return missing
}

func firstCallUnsigned(parts []byte) bool {
	found, unsigned := false, false
	_ = jsonx.EachElement(parts, func(_ int, part []byte) error {
		if call, _ := get(part, "functionCall"); call == nil || found {
			return nil
		}
		signature, _ := get(part, "thoughtSignature")
		found, unsigned = true, jsonx.StringOr(signature, "") == ""
		return nil
	})
	return unsigned
}

func holdsResult(parts []byte) bool {
	found := false
	_ = jsonx.EachElement(parts, func(_ int, part []byte) error {
		result, _ := get(part, "functionResponse")
		found = found || result != nil
		return nil
	})
	return found
}

// bypass puts the documented value where a signature is missing that the target
// asks for (T-05).
func (w *bodyWriter) bypass(turns []turn) {
	if w.gen < gen30 {
		return
	}
	for i := len(turns) - 1; i >= 0; i-- {
		t := &turns[i]
		if t.role != roleModel {
			if !t.holds(weir.BlockToolResult) {
				return
			}
			continue
		}
		for k := range t.parts {
			p := &t.parts[k]
			if p.Type != weir.BlockToolCall {
				continue
			}
			if p.Call.Signature == "" {
				p.signature = bypassSignature
				w.losses.Approximate(w.paths.Block(p.at),
					"the signature of the model's thinking was lost; the documented value that turns its check off stands in for it")
			}
			break
		}
	}
}

// owns reports whether the target takes state of this Format for its own: it made
// it, or a client of this protocol sent it, and then nobody but the target can
// tell (T-04).
func (w *bodyWriter) owns(format string) bool {
	return format == reasoningFormat || format == formatOf(w.target.Provider)
}
