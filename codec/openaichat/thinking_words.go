package openaichat

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// A fate is what became of each knob of a ReasoningConfig in the target's words;
// empty for what is said as it was, or was not said.
type fate struct{ mode, effort, budget weir.LossAction }

const (
	dropped      = weir.LossDropped
	approximated = weir.LossApproximated
	clamped      = weir.LossClamped
)

// note adds a knob's loss under the client's name of it.
func note(l *codec.Losses, field string, action weir.LossAction) {
	switch action {
	case dropped:
		l.Drop(field, "the target has no such switch for reasoning")
	case approximated:
		l.Approximate(field, "said as nearly as the target's own words for reasoning allow")
	case clamped:
		l.Clamp(field, "brought to the nearest effort that the target takes")
	case weir.LossRenamed:
		l.Rename(field, "said in the target's own words for reasoning")
	}
}

// of is the fate of what a member of a client of this protocol says.
func (f *fate) of(key string) weir.LossAction {
	switch key {
	case "reasoning_effort":
		return f.effort
	case "enable_thinking":
		return f.mode
	case "thinking_budget":
		return f.budget
	case "thinking":
		return cmp.Or(f.budget, f.mode)
	}
	return cmp.Or(f.budget, f.effort, f.mode)
}

// thinkingMembers says a ReasoningConfig in the words of the target.
func thinkingMembers(c *weir.ReasoningConfig, q *codec.Quirks, maxTokens int64) (f weir.Fields, lost fate) {
	off := c.Mode == "disabled" || c.Effort == "none"
	switch q.Thinking {
	case "", "effort":
		lost = effortMembers(&f, c, off, q)
	case "type":
		lost.mode = modeMember(&f, c, off, q)
		if !off {
			lost.effort, lost.budget = unless(c.Effort == "", dropped), unless(c.Budget == nil, dropped)
		}
	case "type_effort":
		mode := modeMember(&f, c, off, q)
		if !off {
			lost = effortMembers(&f, c, false, q)
		}
		lost.mode = mode
	case "enable_thinking":
		lost = budgetMembers(&f, c, off, maxTokens)
	case "reasoning":
		lost = optionsMember(&f, c, off, q)
	default:
		lost.mode = unless(c.Mode == "", dropped)
		lost.effort, lost.budget = unless(c.Effort == "", dropped), unless(c.Budget == nil, dropped)
	}
	return f, lost
}

// unless is the action when something is not so.
func unless(so bool, action weir.LossAction) weir.LossAction {
	if so {
		return ""
	}
	return action
}

// effortMembers says everything as an effort, which a budget only comes near to.
func effortMembers(f *weir.Fields, c *weir.ReasoningConfig, off bool, q *codec.Quirks) (lost fate) {
	effort := effortOf(c)
	if off {
		effort = "none"
	}
	if effort == "" && c.Mode == "enabled" && q.Thinking != "type_effort" {
		effort = codec.EffortWhenOn
	}
	if effort == "" { // the target decides
		lost.mode = unless(c.Mode == "", approximated)
		return lost
	}
	taken, changed := codec.ClampEffort(effort, q.Efforts)
	f.Add("reasoning_effort", jsonx.AppendString(nil, taken))
	switch {
	case off && changed:
		lost.mode, lost.effort = unless(c.Mode == "", approximated), unless(c.Effort == "", approximated)
	case changed && taken == "none": // it takes nothing else
		lost.mode, lost.effort = unless(c.Mode == "", approximated), unless(c.Effort == "", clamped)
	case changed:
		lost.effort = unless(c.Effort == "", clamped)
	}
	lost.budget = unless(off || c.Budget == nil, approximated)
	return lost
}

// modeMember writes thinking:{type}.
func modeMember(f *weir.Fields, c *weir.ReasoningConfig, off bool, q *codec.Quirks) weir.LossAction {
	want := "enabled"
	if off {
		want = "disabled"
	}
	if len(q.ThinkingModes) > 0 && c.Mode == "adaptive" && !off {
		want = c.Mode
	}
	typ := acceptedMode(want, q)
	if typ == "" {
		return dropped
	}
	f.Add("thinking", []byte(`{"type":"`+typ+`"}`))
	return unless(c.Mode == "" || c.Mode == typ || off && typ == want, approximated)
}

// acceptedMode is the mode that the target takes for want: itself, or the other
// way to think; empty when there is none.
func acceptedMode(want string, q *codec.Quirks) string {
	if len(q.ThinkingModes) == 0 || slices.Contains(q.ThinkingModes, want) {
		return want
	}
	for _, other := range []string{"adaptive", "enabled"} {
		if want != "disabled" && slices.Contains(q.ThinkingModes, other) {
			return other
		}
	}
	return ""
}

// budgetMembers says everything as a budget, in the manner of Qwen.
func budgetMembers(f *weir.Fields, c *weir.ReasoningConfig, off bool, maxTokens int64) (lost fate) {
	f.Add("enable_thinking", strconv.AppendBool(nil, !off))
	if off {
		return lost
	}
	if budget := budgetOf(c, maxTokens); budget > 0 {
		f.Add("thinking_budget", strconv.AppendInt(nil, budget, 10))
	}
	lost.mode = unless(c.Mode != "adaptive", approximated)
	lost.effort = unless(c.Effort == "", approximated)
	return lost
}

// optionsMember writes OpenRouter's reasoning, which has an effort or a budget.
func optionsMember(f *weir.Fields, c *weir.ReasoningConfig, off bool, q *codec.Quirks) (lost fate) {
	var b jsonx.Buffer
	b.BeginObject()
	switch effort := effortOf(c); {
	case off:
		b.BoolField("enabled", false)
	case c.Budget != nil && c.Effort == "":
		b.IntField("max_tokens", *c.Budget)
	case effort != "":
		taken, changed := codec.ClampEffort(effort, q.Efforts)
		b.StringField("effort", taken)
		lost.effort = unless(!changed, clamped)
		lost.budget = unless(c.Budget == nil, approximated)
	default:
		b.BoolField("enabled", true)
		lost.mode = unless(c.Mode != "adaptive", approximated)
	}
	if c.Display == "omitted" {
		b.BoolField("exclude", true)
	}
	b.EndObject()
	f.Add("reasoning", b.B)
	return lost
}

func effortOf(c *weir.ReasoningConfig) string {
	if c.Effort == "" && c.Budget != nil {
		return codec.EffortOfBudget(*c.Budget)
	}
	return c.Effort
}

func budgetOf(c *weir.ReasoningConfig, maxTokens int64) int64 {
	if c.Budget != nil {
		return *c.Budget
	}
	if c.Effort == "" {
		return 0
	}
	return codec.BudgetOfEffort(c.Effort, maxTokens)
}
