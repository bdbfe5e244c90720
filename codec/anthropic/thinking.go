package anthropic

import (
	"slices"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// The values of thinking.type (protocols.md §6.7; model pages, 2026-09).
const (
	thinkEnabled  = "enabled"
	thinkAdaptive = "adaptive"
	thinkDisabled = "disabled"
	thinkBetween  = "between_tools"
)

// thinking is how much to think, in this protocol's terms. Empty and zero are
// "not said".
type thinking struct {
	mode   string
	budget int64 // of thinkEnabled
	effort string
}

func accepts(list []string, v string) bool { return len(list) == 0 || slices.Contains(list, v) }

// fit is t in terms that a target with quirks q accepts; maxTokens 0 is unknown.
func (t thinking) fit(q *codec.Quirks, maxTokens int64, losses *codec.Losses) thinking {
	if t.mode != "" && !accepts(q.ThinkingModes, t.mode) {
		losses.Approximate("thinking.type", "the target does not accept "+t.mode)
		t = t.otherMode(q.ThinkingModes, maxTokens)
	}
	if t.effort != "" {
		effort, changed := codec.ClampEffort(t.effort, q.Efforts)
		if changed {
			losses.Clamp("output_config.effort", "the target does not accept "+t.effort)
		}
		t.effort = effort
	}
	return t
}

// otherMode is what comes nearest to a mode that is not accepted.
func (t thinking) otherMode(modes []string, maxTokens int64) thinking {
	switch t.mode {
	case thinkEnabled:
		if slices.Contains(modes, thinkAdaptive) {
			if t.effort == "" && t.budget > 0 {
				t.effort = anthropicEffort(codec.EffortOfBudget(t.budget))
			}
			return thinking{mode: thinkAdaptive, effort: t.effort}
		}
	case thinkAdaptive:
		if slices.Contains(modes, thinkEnabled) {
			effort := t.effort
			if effort == "" {
				effort = "medium"
			}
			return thinking{mode: thinkEnabled, budget: codec.BudgetOfEffort(effort, maxTokens)}
		}
	case thinkDisabled, thinkBetween:
		for _, mode := range []string{thinkBetween, thinkDisabled} {
			if slices.Contains(modes, mode) {
				return thinking{mode: mode, effort: t.effort}
			}
		}
		return thinking{effort: "low"} // always on: as little as there is
	}
	return thinking{effort: t.effort}
}

// anthropicEffort is a canonical effort in the protocol's words: low, medium,
// high, xhigh, max.
func anthropicEffort(effort string) string {
	if effort == "minimal" || effort == "none" {
		return "low"
	}
	return effort
}

// rewrite is the member thinking, made of the one that was there.
func (t thinking) rewrite(was []byte) []byte {
	if t.mode == "" {
		return nil
	}
	var out jsonx.Buffer
	out.BeginObject()
	out.StringField("type", t.mode)
	if t.mode == thinkEnabled {
		out.IntField("budget_tokens", t.budget)
	}
	_ = jsonx.EachMember(was, func(k, v []byte) error {
		key := string(k)
		if key == "display" && (t.mode == thinkDisabled || t.mode == thinkBetween) {
			return nil
		}
		if key != "type" && key != "budget_tokens" {
			out.RawField(key, v)
		}
		return nil
	})
	out.EndObject()
	return out.B
}

// foreignThinking is another protocol's wish in this one's terms: thinking on a
// budget where one was named and is accepted, else adaptive with an effort.
func foreignThinking(r *weir.ReasoningConfig, q *codec.Quirks, maxTokens int64, losses *codec.Losses) thinking {
	if r.Mode == thinkDisabled || r.Effort == "none" || r.Budget != nil && *r.Budget == 0 {
		return thinking{mode: thinkDisabled}
	}
	effort := anthropicEffort(r.Effort)
	if effort != r.Effort {
		losses.Clamp("reasoning_effort", "the least effort here is low")
	}
	budgeted := len(q.ThinkingModes) == 0 || slices.Contains(q.ThinkingModes, thinkEnabled)
	adaptive := len(q.ThinkingModes) == 0 || slices.Contains(q.ThinkingModes, thinkAdaptive)
	switch {
	case r.Budget != nil && *r.Budget > 0 && budgeted:
		return thinking{mode: thinkEnabled, budget: *r.Budget}
	case r.Budget != nil && *r.Budget > 0 && effort == "":
		effort = anthropicEffort(codec.EffortOfBudget(*r.Budget))
	}
	switch {
	case adaptive:
		return thinking{mode: thinkAdaptive, effort: effort}
	case budgeted && r.Effort != "":
		return thinking{mode: thinkEnabled, budget: codec.BudgetOfEffort(r.Effort, maxTokens)}
	case budgeted:
		return thinking{mode: thinkEnabled, budget: codec.BudgetOfEffort("medium", maxTokens)}
	}
	return thinking{effort: effort}
}
