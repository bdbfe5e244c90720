package converse

import (
	"slices"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// A plan holds the settings that depend on each other: the token cap, thinking,
// what sampling and tool choice it leaves, and the answer's form.
type plan struct {
	maxTokens   int64 // 0: not said
	thinking    thinking
	freeChoice  bool   // a forced call had to be given up
	sampling    bool   // temperature, topP and top_k may be sent
	schema      bool   // Body.Format goes into outputConfig
	instruction string // added to the system text
}

func (e *bodyEncoder) makePlan(turns []turn) plan {
	p := plan{sampling: true, maxTokens: e.maxTokens()}
	if r := e.body.Reasoning; r != nil {
		e.planThinking(&p, r, turns)
	}
	e.planFormat(&p)
	return p
}

// maxTokens is the cap, which the protocol does not require.
func (e *bodyEncoder) maxTokens() int64 {
	limit, n := e.target.MaxOutput, e.body.MaxTokens
	switch {
	case n != nil && !e.same && limit > 0 && *n > limit:
		e.losses.Clamp("max_tokens", "the model writes no more in one answer")
		return limit
	case n != nil && !e.same && *n < 1:
		e.losses.Clamp("max_tokens", "the target's range begins at 1")
		return 1
	case n != nil:
		return *n
	case e.q.MaxTokensRequired && e.q.MaxTokensDefault > 0:
		return e.q.MaxTokensDefault
	case e.q.MaxTokensRequired:
		return limit
	}
	return 0
}

func (e *bodyEncoder) planThinking(p *plan, r *weir.ReasoningConfig, turns []turn) {
	if e.same {
		p.thinking = thinking{mode: r.Mode, effort: r.Effort, display: r.Display}
		if r.Budget != nil {
			p.thinking.budget = *r.Budget
		}
		return
	}
	e.losses.DropExtra("reasoning", r.Extra)
	if !isClaude(e.model) {
		p.thinking = e.makerThinking(r)
		return
	}
	modes := e.thinkingModes()
	if len(modes) == 1 && modes[0] == "" {
		e.losses.Drop("reasoning", "the model does not think")
		return
	}
	q := *e.q
	q.ThinkingModes = modes
	t := foreignThinking(r, &q, p.maxTokens, &e.losses).fit(&q, p.maxTokens, &e.losses)
	if t.mode == thinkEnabled {
		t = e.fitBudget(p, t)
	}
	if t.mode == thinkEnabled && inLoopWithoutThinking(turns) {
		e.losses.Approximate("reasoning", "off for this turn: the thinking of the open tool loop was lost")
		t = thinking{mode: thinkDisabled}.fit(&q, p.maxTokens, &e.losses)
	}
	if t.thinks() {
		t.display = r.Display
		t = e.freeForThinking(p, t, &q)
	}
	p.thinking = t
}

// thinkingModes are the values of thinking.type that a model of Claude takes:
// those of the quirks, else those that its version tells.
func (e *bodyEncoder) thinkingModes() []string {
	if len(e.q.ThinkingModes) > 0 {
		return e.q.ThinkingModes
	}
	return claudeThinking(e.model)
}

// fitBudget keeps 1024 ≤ budget < maxTokens (T-12). A cap that was named wins.
func (e *bodyEncoder) fitBudget(p *plan, t thinking) thinking {
	limit := p.maxTokens
	if limit == 0 {
		limit = e.target.MaxOutput
	}
	if limit > 0 && limit <= codec.MinBudget {
		e.losses.Approximate("reasoning", "off: the token cap leaves no room to think")
		return thinking{mode: thinkDisabled}.fit(e.q, limit, &e.losses)
	}
	if fit := codec.FitBudget(t.budget, limit); fit != t.budget {
		e.losses.Clamp("reasoning", "a thinking budget is at least 1024 and below the token cap")
		t.budget = fit
	}
	return t
}

// inLoopWithoutThinking reports whether the conversation waits for tool results to
// be read by a model whose thinking before the calls is not there: with a budget,
// that is refused.
func inLoopWithoutThinking(turns []turn) bool {
	is := func(t weir.BlockType) func(part) bool { return func(p part) bool { return p.block.Type == t } }
	n := len(turns)
	return n >= 2 && slices.ContainsFunc(turns[n-1].parts, is(weir.BlockToolResult)) &&
		!slices.ContainsFunc(turns[n-2].parts, is(weir.BlockReasoning))
}

// freeForThinking leaves out what Claude refuses beside thinking: sampling, and a
// forced call when there is a budget (§13.11).
func (e *bodyEncoder) freeForThinking(p *plan, t thinking, q *codec.Quirks) thinking {
	b := e.body
	if b.Temperature != nil && *b.Temperature != 1 {
		e.losses.Drop("temperature", "it cannot be set while the model thinks")
	}
	if b.TopP != nil && *b.TopP != 1 {
		e.losses.Drop("top_p", "it cannot be set while the model thinks")
	}
	if b.TopK != nil {
		e.losses.Drop("top_k", "it cannot be set while the model thinks")
	}
	p.sampling = false
	c := b.ToolChoice
	if c == nil || t.mode != thinkEnabled || c.Mode != weir.ToolModeRequired && c.Mode != weir.ToolModeNamed {
		return t
	}
	e.losses.Approximate("reasoning", "off: a call cannot be forced while the model thinks on a budget")
	t = thinking{mode: thinkDisabled}.fit(q, p.maxTokens, &e.losses)
	if t.thinks() {
		p.freeChoice = true
		e.losses.Approximate("tool_choice", "the model always thinks, and then no call can be forced")
	}
	return t
}

// planFormat chooses between a native schema and an instruction.
func (e *bodyEncoder) planFormat(p *plan) {
	f := e.body.Format
	if f == nil || e.same {
		p.schema = f != nil
		return
	}
	switch native := accepts(e.q.Formats, string(weir.FormatJSONSchema)); {
	case f.Type == weir.FormatJSONSchema && native:
		p.schema = true
		e.losses.DropExtra("response_format", f.Extra)
	case f.Type == weir.FormatJSONSchema:
		p.instruction = "Answer with one JSON object that conforms to this JSON Schema, and with nothing else:\n" +
			string(jsonx.Compact(nil, f.Schema))
		e.losses.Approximate("response_format", "the schema became an instruction")
	case f.Type == weir.FormatJSONObject:
		p.instruction = "Answer with one JSON object and nothing else."
		e.losses.Approximate("response_format", "it became an instruction")
	}
}

func accepts(list []string, v string) bool { return len(list) == 0 || slices.Contains(list, v) }
