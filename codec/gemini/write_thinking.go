package gemini

import (
	"slices"
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
)

// levels are the efforts that thinkingLevel has a word for, least first.
var levels = []string{"minimal", "low", "medium", "high"}

// Bounds of thinkingBudget, in tokens (providers.md §5; thinking guide, 2026-08).
const (
	budgetCapFlash = 24576
	budgetCapPro   = 32768
	budgetLeastPro = 128 // models of the pro line cannot switch thinking off
)

// A thinkingPlan is what thinkingConfig will say.
type thinkingPlan struct {
	level  string
	budget *int64
}

// thinking writes thinkingConfig. What the client wants is put in terms of the
// model: levels from Gemini 3 on, a budget before, and where the model does not
// say which, in the terms in which the client put it (T-11, T-12).
func (w *bodyWriter) thinking() {
	r := w.body.Reasoning
	if r == nil {
		return
	}
	if w.same {
		w.ownThinking(r)
		return
	}
	field := codec.ClientWord(w.body.From, "reasoning")
	w.losses.DropExtra(field, r.Extra)
	if w.q.Thinking == "none" {
		w.losses.Drop(field, "the model has no such control")
		return
	}
	off := r.Mode == modeDisabled || r.Effort == "none" || r.Budget != nil && *r.Budget == 0
	p := w.plan(r, off)
	w.writeThinking(p, !off && r.Display != displayOmitted, off && r.Display == "")
}

// ownThinking writes what a client of this protocol said.
func (w *bodyWriter) ownThinking(r *weir.ReasoningConfig) {
	p := thinkingPlan{level: r.Effort, budget: r.Budget}
	switch r.Mode {
	case modeDisabled:
		p.budget = new(int64(0))
	case modeAdaptive:
		p.budget = new(int64(-1))
	}
	w.buf.Key("thinkingConfig")
	start := w.begin()
	w.planMembers(p)
	if r.Display != "" {
		w.buf.BoolField("includeThoughts", r.Display == displaySummarized)
	}
	w.extra(start, r.Extra, "")
	w.buf.EndObject()
}

// writeThinking writes a plan; thoughts are shown unless the client wants none.
func (w *bodyWriter) writeThinking(p thinkingPlan, show, silent bool) {
	if p == (thinkingPlan{}) && silent {
		return
	}
	w.buf.Key("thinkingConfig")
	w.buf.BeginObject()
	w.planMembers(p)
	if !silent {
		w.buf.BoolField("includeThoughts", show)
	}
	w.buf.EndObject()
}

func (w *bodyWriter) planMembers(p thinkingPlan) {
	if p.level != "" {
		w.buf.StringField("thinkingLevel", strings.ToUpper(p.level))
	}
	if p.budget != nil {
		w.buf.IntField("thinkingBudget", *p.budget)
	}
}

// plan puts another protocol's wish in the model's terms.
func (w *bodyWriter) plan(r *weir.ReasoningConfig, off bool) thinkingPlan {
	useLevels := w.gen >= gen30 || w.gen == 0 && r.Effort != "" && !off || w.gen == 0 && len(w.q.Efforts) > 0
	switch {
	case useLevels && off:
		return w.leastLevel(r)
	case useLevels:
		return thinkingPlan{level: w.level(r)}
	case off:
		return w.noBudget(r)
	}
	return w.budget(r)
}

// accepted are the levels that the model has.
func (w *bodyWriter) accepted() []string {
	if len(w.q.Efforts) == 0 {
		return levels
	}
	return slices.DeleteFunc(slices.Clone(w.q.Efforts), func(e string) bool { return !slices.Contains(levels, e) })
}

// leastLevel stands in for thinking that is off, which there is no level for.
func (w *bodyWriter) leastLevel(r *weir.ReasoningConfig) thinkingPlan {
	accepted := w.accepted()
	for _, level := range levels {
		if slices.Contains(accepted, level) {
			w.losses.Approximate(w.thinkingField(r), "the model cannot be told not to think; it got its least level")
			return thinkingPlan{level: level}
		}
	}
	w.losses.Drop(w.thinkingField(r), "the model has no such control")
	return thinkingPlan{}
}

// level is the thinking level that a wish comes nearest to, empty for what the
// model does by itself.
func (w *bodyWriter) level(r *weir.ReasoningConfig) string {
	want := r.Effort
	if want == "" && r.Budget != nil && *r.Budget > 0 {
		want = codec.EffortOfBudget(*r.Budget)
		w.losses.Approximate(codec.ClientWord(w.body.From, "thinking_budget"), "the model takes levels and no budget")
	}
	if want == "" {
		return ""
	}
	to, changed := codec.ClampEffort(want, w.accepted())
	if changed {
		w.losses.Clamp(w.thinkingField(r), "the model has other levels")
	}
	return to
}

// thinkingField is the client's word for how much it wants thought.
func (w *bodyWriter) thinkingField(r *weir.ReasoningConfig) string {
	if r.Effort != "" {
		return codec.ClientWord(w.body.From, "reasoning_effort")
	}
	return codec.ClientWord(w.body.From, "reasoning")
}

// noBudget turns thinking off, as far as the model lets itself be.
func (w *bodyWriter) noBudget(r *weir.ReasoningConfig) thinkingPlan {
	if w.gen > 0 && isPro(w.model) {
		w.losses.Approximate(w.thinkingField(r), "the model cannot be told not to think; it got its least budget")
		return thinkingPlan{budget: new(int64(budgetLeastPro))}
	}
	return thinkingPlan{budget: new(int64(0))}
}

// budget puts a wish in tokens, kept below the cap on the answer and within what
// the model takes (T-12).
func (w *bodyWriter) budget(r *weir.ReasoningConfig) thinkingPlan {
	var cap64 int64
	if m := w.body.MaxTokens; m != nil {
		cap64 = *m
	}
	var n int64
	switch {
	case r.Budget != nil && *r.Budget > 0:
		n = *r.Budget
	case r.Effort != "":
		n = codec.BudgetOfEffort(r.Effort, cap64)
	}
	if n == 0 {
		if r.Mode == "" {
			return thinkingPlan{}
		}
		return thinkingPlan{budget: new(int64(-1))}
	}
	if cap64 > 0 && cap64 <= codec.MinBudget {
		w.losses.Approximate(w.thinkingField(r), "off: the token cap leaves no room to think")
		return thinkingPlan{budget: new(w.least())}
	}
	to := n
	if w.gen > 0 {
		to = min(to, w.most())
	}
	if cap64 > 0 {
		to = codec.FitBudget(to, cap64)
	}
	if r.Budget != nil && to != *r.Budget {
		w.losses.Clamp(codec.ClientWord(w.body.From, "thinking_budget"), "brought into the model's range and below the token cap")
	}
	return thinkingPlan{budget: &to}
}

func (w *bodyWriter) most() int64 {
	if isPro(w.model) {
		return budgetCapPro
	}
	return budgetCapFlash
}

func (w *bodyWriter) least() int64 {
	if w.gen > 0 && isPro(w.model) {
		return budgetLeastPro
	}
	return 0
}
