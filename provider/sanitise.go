package provider

import (
	"net/http"
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/h1"
)

// signatureRefused reports whether a provider refused the reasoning that a
// client sent back: it was made by another model, account or vendor, and its
// signature does not verify here (T-04).
func signatureRefused(err error) bool {
	e := weir.AsError(err)
	if e.Kind != weir.KindInvalid || e.Status != http.StatusBadRequest {
		return false
	}
	text := strings.ToLower(e.Message)
	if !strings.Contains(text, "signature") && !strings.Contains(text, "encrypted") {
		return false
	}
	return strings.Contains(text, "thinking") || strings.Contains(text, "reasoning") || strings.Contains(text, "thought")
}

// sanitise takes the reasoning out of the conversation and writes the request
// anew, once in a call. It reports whether another attempt makes sense.
func (c *call) sanitise() bool {
	if c.sanitised || c.began || c.req.Strict {
		return false
	}
	c.sanitised = true
	found := false
	edited, err := c.req.Edit(func(b *weir.Body) error {
		found = dropReasoning(b)
		return nil
	})
	if err != nil || !found {
		return false
	}
	out, err := c.endpoint.encode(edited)
	if err != nil || !c.mayRepeat() {
		return false
	}
	c.req, c.out = edited, out
	c.body.Release()
	c.body = h1.NewBody(out.Body)
	return c.yield(weir.NoteEvent(&weir.Loss{
		Field: "messages", Action: weir.LossDropped, Detail: "the provider refused the signature of earlier reasoning",
	}), nil)
}

// dropReasoning removes reasoning that is bound to a provider. In the middle of
// a tool loop manual thinking wants the reasoning of its turn back, so that it
// has to be off for this request.
func dropReasoning(b *weir.Body) (found bool) {
	kept := b.Messages[:0]
	for _, m := range b.Messages {
		blocks := m.Blocks[:0]
		for _, block := range m.Blocks {
			if block.Type == weir.BlockReasoning {
				found = true
				continue
			}
			blocks = append(blocks, block)
		}
		if m.Blocks = blocks; len(blocks) > 0 || m.Role != weir.RoleAssistant {
			kept = append(kept, m)
		}
	}
	b.Messages = kept
	if found && b.Reasoning != nil && b.Reasoning.Mode == "enabled" && inToolLoop(b) {
		b.Reasoning = &weir.ReasoningConfig{Mode: "disabled"}
	}
	return found
}

// inToolLoop reports whether the conversation ends with a tool's result.
func inToolLoop(b *weir.Body) bool {
	if len(b.Messages) == 0 {
		return false
	}
	for _, block := range b.Messages[len(b.Messages)-1].Blocks {
		if block.Type == weir.BlockToolResult {
			return true
		}
	}
	return false
}
