package codec

import "slices"

// efforts is the ladder of reasoning efforts, least first (protocols.md §10).
var efforts = []string{"none", "minimal", "low", "medium", "high", "xhigh", "max"}

// MinBudget is the least number of thinking tokens that upstreams with budgets
// accept (Anthropic Messages API reference, 2026-08-07).
const MinBudget = 1024

// budgets are the token budgets of the efforts from minimal to xhigh.
var budgets = map[string]int64{"minimal": 1024, "low": 2048, "medium": 8192, "high": 16384, "xhigh": 32768}

// EffortWhenOn is what thinking that is turned on, without a word of how much, asks
// of a target that takes efforts: without any such a target may not think at all.
const EffortWhenOn = "medium"

// BudgetOfEffort is the thinking budget in tokens that effort stands for, kept
// within 1024 ≤ budget < maxTokens (FitBudget). "none" and unknown words give
// 0. maxTokens 0 is an unknown cap: "max" is then twice "xhigh".
func BudgetOfEffort(effort string, maxTokens int64) int64 {
	budget, ok := budgets[effort]
	switch {
	case effort == "max" && maxTokens > 0:
		budget = maxTokens - 1
	case effort == "max":
		budget = 2 * budgets["xhigh"]
	case !ok:
		return 0
	}
	return FitBudget(budget, maxTokens)
}

// FitBudget is budget brought within 1024 ≤ budget < maxTokens. Where no budget
// fits, since maxTokens is 1024 or less, it is MinBudget and the caller has to
// raise maxTokens. maxTokens 0 is an unknown cap.
func FitBudget(budget, maxTokens int64) int64 {
	if maxTokens > 0 {
		budget = min(budget, maxTokens-1)
	}
	return max(budget, MinBudget)
}

// EffortOfBudget is the effort that a thinking budget in tokens comes nearest to.
func EffortOfBudget(budget int64) string {
	switch {
	case budget <= 0:
		return "none"
	case budget < 1024:
		return "minimal"
	case budget < 4096:
		return "low"
	case budget < 12288:
		return "medium"
	case budget < 24576:
		return "high"
	}
	return "xhigh"
}

// ClampEffort is the accepted effort nearest to effort, the higher one of two
// that are equally near, and whether that is another one. Thinking is not turned
// off by nearness: "none" is chosen for another effort only when nothing else is
// accepted. An empty list accepts everything; a word that is not on the ladder
// and not accepted becomes the middle of what is.
func ClampEffort(effort string, accepted []string) (clamped string, changed bool) {
	if len(accepted) == 0 || slices.Contains(accepted, effort) {
		return effort, false
	}
	want := slices.Index(efforts, effort)
	if want < 0 {
		want = slices.Index(efforts, "medium")
	}
	best, distance := "", len(efforts)+1
	for _, candidate := range accepted {
		at := slices.Index(efforts, candidate)
		if at < 0 || (candidate == "none" && len(accepted) > 1) {
			continue
		}
		d := max(want-at, at-want)
		if d < distance || (d == distance && at > want) {
			best, distance = candidate, d
		}
	}
	if best == "" {
		best = accepted[0]
	}
	return best, true
}
