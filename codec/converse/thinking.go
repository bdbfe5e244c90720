package converse

import (
	"slices"
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
)

// The values of Claude's thinking.type (protocols.md §6.7; model pages, 2026-09).
const (
	thinkEnabled  = "enabled"
	thinkAdaptive = "adaptive"
	thinkDisabled = "disabled"
	thinkBetween  = "between_tools"
)

// thinking is how much to think, in the terms of the model's maker. Empty and zero
// are "not said".
type thinking struct {
	mode    string
	budget  int64 // of thinkEnabled
	effort  string
	display string
}

func (t thinking) thinks() bool { return t.mode == thinkEnabled || t.mode == thinkAdaptive }

// fit is t in terms that a target with quirks q accepts; maxTokens 0 is unknown.
func (t thinking) fit(q *codec.Quirks, maxTokens int64, losses *codec.Losses) thinking {
	if t.mode != "" && !accepts(q.ThinkingModes, t.mode) {
		losses.Approximate("reasoning", "the target does not accept "+t.mode+" thinking")
		t = t.otherMode(q.ThinkingModes, maxTokens)
	}
	if t.effort != "" {
		effort, changed := codec.ClampEffort(t.effort, q.Efforts)
		if changed {
			losses.Clamp("reasoning_effort", "the target does not accept "+t.effort)
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
				t.effort = claudeEffort(codec.EffortOfBudget(t.budget))
			}
			return thinking{mode: thinkAdaptive, effort: t.effort, display: t.display}
		}
	case thinkAdaptive:
		if slices.Contains(modes, thinkEnabled) {
			effort := t.effort
			if effort == "" {
				effort = "medium"
			}
			return thinking{mode: thinkEnabled, budget: codec.BudgetOfEffort(effort, maxTokens), display: t.display}
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

// claudeEffort is a canonical effort in Claude's words: low, medium, high, xhigh,
// max.
func claudeEffort(effort string) string {
	if effort == "minimal" || effort == "none" {
		return "low"
	}
	return effort
}

func isOff(r *weir.ReasoningConfig) bool {
	return r.Mode == thinkDisabled || r.Effort == "none" || r.Budget != nil && *r.Budget == 0
}

// foreignThinking is another protocol's wish in Claude's terms: thinking on a
// budget where one was named and is accepted, else adaptive with an effort.
func foreignThinking(r *weir.ReasoningConfig, q *codec.Quirks, maxTokens int64, losses *codec.Losses) thinking {
	if isOff(r) {
		return thinking{mode: thinkDisabled}
	}
	effort := claudeEffort(r.Effort)
	if effort != r.Effort {
		losses.Clamp("reasoning_effort", "the least effort here is low")
	}
	if r.Mode == thinkBetween {
		return thinking{mode: thinkBetween, effort: effort}
	}
	budgeted, adaptive := accepts(q.ThinkingModes, thinkEnabled), accepts(q.ThinkingModes, thinkAdaptive)
	if r.Budget != nil && *r.Budget > 0 {
		if budgeted {
			if effort != "" {
				losses.Approximate("reasoning_effort", "the budget says it more exactly")
			}
			return thinking{mode: thinkEnabled, budget: *r.Budget}
		}
		losses.Approximate("thinking_budget", "the target has efforts and no budgets")
		if effort == "" {
			effort = claudeEffort(codec.EffortOfBudget(*r.Budget))
		}
	}
	switch {
	case adaptive:
		return thinking{mode: thinkAdaptive, effort: effort}
	case budgeted && r.Effort != "":
		losses.Approximate("reasoning_effort", "the target has budgets and no efforts")
		return thinking{mode: thinkEnabled, budget: codec.BudgetOfEffort(r.Effort, maxTokens)}
	case budgeted:
		return thinking{mode: thinkEnabled, budget: codec.BudgetOfEffort("medium", maxTokens)}
	}
	return thinking{effort: effort}
}

// makerEfforts are the efforts that models of other makers take in
// additionalModelRequestFields: Nova 2's user guide, OpenAI's model card for gpt-oss
// and the recorded calls of Qwen 3, 2026-08. Others have no switch that is known.
func makerEfforts(vendor, model string) []string {
	switch {
	case vendor == vendorAmazon && strings.Contains(model, "nova-2"), vendor == vendorOpenAI:
		return []string{"low", "medium", "high"}
	case vendor == vendorQwen:
		return []string{"low", "high"}
	}
	return nil
}

// makerThinking is another protocol's wish in the terms of a maker other than
// Anthropic.
func (e *bodyEncoder) makerThinking(r *weir.ReasoningConfig) thinking {
	efforts := makerEfforts(e.vendor, e.model)
	if efforts == nil {
		e.losses.Drop("reasoning", "the model has no switch for thinking that is known")
		return thinking{}
	}
	if len(e.q.Efforts) > 0 {
		efforts = e.q.Efforts
	}
	if r.Display != "" {
		e.losses.Drop("reasoning.display", "the model has no such setting")
	}
	if isOff(r) {
		if e.vendor == vendorAmazon {
			return thinking{mode: thinkDisabled}
		}
		e.losses.Approximate("reasoning", "the model always thinks: as little as there is")
		return thinking{effort: efforts[0]}
	}
	effort := r.Effort
	if effort == "" && r.Budget != nil {
		e.losses.Approximate("thinking_budget", "the target has efforts and no budgets")
		effort = codec.EffortOfBudget(*r.Budget)
	}
	if effort == "" {
		effort = "medium"
	}
	effort, changed := codec.ClampEffort(effort, efforts)
	if changed {
		e.losses.Clamp("reasoning_effort", "the target does not accept "+r.Effort)
	}
	if b := e.body; e.vendor == vendorAmazon && effort == "high" && (b.MaxTokens != nil || b.Temperature != nil || b.TopP != nil) {
		// Nova refuses the token cap and sampling beside its highest effort.
		e.losses.Clamp("reasoning_effort", "high cannot be set together with a token cap or sampling")
		effort = "medium"
	}
	return thinking{mode: thinkEnabled, effort: effort}
}
