package openaichat

import (
	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// reasoningWords are the members by which the dialects of Chat say how much to
// think, as they were written; nil where absent (protocols.md §10).
type reasoningWords struct {
	effort  []byte // reasoning_effort: OpenAI and many others
	typ     []byte // thinking: DeepSeek, GLM, Kimi, Doubao, Hunyuan
	enable  []byte // enable_thinking: Qwen, SiliconFlow
	budget  []byte // thinking_budget: the same
	options []byte // reasoning: OpenRouter
}

// reasoningKeys are the members in the order in which they are written.
var reasoningKeys = [...]string{"reasoning_effort", "thinking", "enable_thinking", "thinking_budget", "reasoning"}

func (w *reasoningWords) at(key string) *[]byte {
	switch key {
	case "reasoning_effort":
		return &w.effort
	case "thinking":
		return &w.typ
	case "enable_thinking":
		return &w.enable
	case "thinking_budget":
		return &w.budget
	case "reasoning":
		return &w.options
	}
	return nil
}

// take takes over a member that belongs here.
func (w *reasoningWords) take(key string, raw []byte) bool {
	p := w.at(key)
	if p == nil || ((p == &w.typ || p == &w.options) && jsonx.KindOf(raw) != jsonx.KindObject) {
		return false
	}
	*p = raw
	return true
}

func (w *reasoningWords) empty() bool {
	return w.effort == nil && w.typ == nil && w.enable == nil && w.budget == nil && w.options == nil
}

// config is what the words say, nil when nothing does.
func (w *reasoningWords) config() (*weir.ReasoningConfig, error) {
	if w.empty() {
		return nil, nil
	}
	var r reader
	c := new(weir.ReasoningConfig)
	if w.options != nil {
		r.options(c, w.options)
	}
	if w.enable != nil {
		c.Mode = onOff(r.boolean("enable_thinking", w.enable))
	}
	if w.budget != nil {
		c.Budget = r.integer("thinking_budget", w.budget)
	}
	if w.typ != nil {
		r.thinking(c, w.typ)
	}
	if w.effort != nil {
		c.Effort = r.str("reasoning_effort", w.effort)
	}
	return c, r.err
}

func onOff(b *bool) string {
	switch {
	case b == nil:
		return ""
	case *b:
		return "enabled"
	}
	return "disabled"
}

func (r *reader) thinking(c *weir.ReasoningConfig, raw []byte) {
	r.object("thinking", raw, func(key string, value []byte) {
		if jsonx.IsNull(value) {
			return
		}
		switch key {
		case "type":
			if c.Mode = r.str("thinking.type", value); c.Mode == "auto" { // Doubao's word
				c.Mode = "adaptive"
			}
		case "budget_tokens":
			c.Budget = r.integer("thinking.budget_tokens", value)
		}
	})
}

func (r *reader) options(c *weir.ReasoningConfig, raw []byte) {
	r.object("reasoning", raw, func(key string, value []byte) {
		if jsonx.IsNull(value) {
			return
		}
		switch key {
		case "effort":
			c.Effort = r.str("reasoning.effort", value)
		case "max_tokens":
			c.Budget = r.integer("reasoning.max_tokens", value)
		case "enabled":
			c.Mode = onOff(r.boolean("reasoning.enabled", value))
		case "exclude":
			if on := r.boolean("reasoning.exclude", value); on != nil && *on {
				c.Display = "omitted"
			}
		}
	})
}
