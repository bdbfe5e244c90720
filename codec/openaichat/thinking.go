package openaichat

import (
	"slices"
	"strconv"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// thinkingKeys are the members that each of the switches of Quirks.Thinking
// consists of.
var thinkingKeys = map[string][]string{
	"effort":          {"reasoning_effort"},
	"type":            {"thinking"},
	"type_effort":     {"thinking", "reasoning_effort"},
	"enable_thinking": {"enable_thinking", "thinking_budget"},
	"reasoning":       {"reasoning", "reasoning_effort"},
	"none":            nil,
}

// thinking says what the client wants of reasoning in the target's own words
// (T-11). What it said in those words already stays as it is.
func (e *editor) thinking() {
	var words reasoningWords
	for _, key := range reasoningKeys {
		if raw := e.get(key); raw != nil {
			words.take(key, raw)
		}
	}
	if accepted, known := thinkingKeys[e.q.Thinking]; known && !words.empty() {
		e.reword(&words, accepted)
	}
	e.clampEffort()
	if e.q.ThinkingNeedsStream && !e.req.Stream {
		e.thinkNot()
	}
}

// reword replaces the words that the target does not know.
func (e *editor) reword(words *reasoningWords, accepted []string) {
	var foreign []string
	for _, key := range reasoningKeys {
		if *words.at(key) != nil && !slices.Contains(accepted, key) {
			foreign = append(foreign, key)
		}
	}
	config, err := words.config()
	if len(foreign) == 0 || err != nil {
		return
	}
	said := 0
	for _, member := range thinkingMembers(config, e.q, e.maxTokens()) {
		if *words.at(member.Name) == nil {
			e.set(member.Name, member.Value)
		}
		said++
	}
	for _, key := range foreign {
		e.remove(key)
		if said > 0 {
			e.losses.Rename(key, "said in the target's own words for reasoning")
		} else {
			e.losses.Drop(key, "the target has no such switch for reasoning")
		}
	}
}

func (e *editor) maxTokens() int64 {
	for _, key := range []string{maxCompletionTokens, maxTokens} {
		if n, ok := jsonx.Int64(e.get(key)); ok {
			return n
		}
	}
	return 0
}

func (e *editor) clampEffort() {
	effort, err := jsonx.String(e.get("reasoning_effort"))
	if err != nil {
		return
	}
	if clamped, changed := codec.ClampEffort(effort, e.q.Efforts); changed {
		e.set("reasoning_effort", jsonx.AppendString(nil, clamped))
		e.losses.Clamp("reasoning_effort", "the nearest effort that the target takes is "+clamped)
	}
}

// thinkNot turns thinking off for a call without a stream, which the upstream
// would refuse with it (T-10; Qwen error page, September 2026).
func (e *editor) thinkNot() {
	on, said := jsonx.Bool(e.get("enable_thinking"))
	if said && on || e.get("thinking_budget") != nil {
		e.losses.Approximate("enable_thinking", "the target thinks in streams only; thinking was turned off")
	}
	e.remove("thinking_budget")
	if !said || on {
		e.set("enable_thinking", []byte("false"))
	}
}

// thinkingMembers says a ReasoningConfig in the words of the target.
func thinkingMembers(c *weir.ReasoningConfig, q *codec.Quirks, maxTokens int64) weir.Fields {
	var f weir.Fields
	effort := effortOf(c)
	off := c.Mode == "disabled" || c.Effort == "none"
	switch q.Thinking {
	case "", "effort":
		addEffort(&f, effort, off, q)
	case "type", "type_effort":
		typ := "enabled"
		if off {
			typ = "disabled"
		}
		f.Add("thinking", []byte(`{"type":"`+typ+`"}`))
		if q.Thinking == "type_effort" && !off {
			addEffort(&f, effort, false, q)
		}
	case "enable_thinking":
		f.Add("enable_thinking", strconv.AppendBool(nil, !off))
		if budget := budgetOf(c, maxTokens); budget > 0 && !off {
			f.Add("thinking_budget", strconv.AppendInt(nil, budget, 10))
		}
	case "reasoning":
		f.Add("reasoning", reasoningObject(c, effort, off, q))
	}
	return f
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

func addEffort(f *weir.Fields, effort string, off bool, q *codec.Quirks) {
	if off {
		effort = "none"
	}
	if effort == "" {
		return
	}
	effort, _ = codec.ClampEffort(effort, q.Efforts)
	f.Add("reasoning_effort", jsonx.AppendString(nil, effort))
}

func reasoningObject(c *weir.ReasoningConfig, effort string, off bool, q *codec.Quirks) []byte {
	var b jsonx.Buffer
	b.BeginObject()
	switch {
	case off:
		b.BoolField("enabled", false)
	case c.Budget != nil && c.Effort == "":
		b.IntField("max_tokens", *c.Budget)
	case effort != "":
		effort, _ = codec.ClampEffort(effort, q.Efforts)
		b.StringField("effort", effort)
	default:
		b.BoolField("enabled", true)
	}
	if c.Display == "omitted" {
		b.BoolField("exclude", true)
	}
	b.EndObject()
	return b.B
}
