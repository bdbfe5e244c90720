package openaichat

import (
	"cmp"
	"slices"

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
	e.thinkingMode()
	e.clampEffort()
	e.toolsEffort()
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
	members, fate := thinkingMembers(config, e.q, e.maxTokens())
	for _, member := range members {
		if *words.at(member.Name) == nil {
			e.set(member.Name, member.Value)
		}
	}
	for _, key := range foreign {
		e.remove(key)
		note(&e.losses, key, cmp.Or(fate.of(key), weir.LossRenamed))
	}
}

// thinkingMode replaces a switch's word that the target refuses (MiniMax-M3 takes
// adaptive and disabled, not enabled).
func (e *editor) thinkingMode() {
	raw := e.get("thinking")
	if len(e.q.ThinkingModes) == 0 || raw == nil || !slices.Contains(thinkingKeys[e.q.Thinking], "thinking") {
		return
	}
	typ, err := jsonx.String(jsonx.Get(raw, "type"))
	if err != nil || slices.Contains(e.q.ThinkingModes, typ) {
		return
	}
	mode := acceptedMode(typ, e.q)
	if mode == "" {
		e.remove("thinking")
		e.losses.Drop("thinking.type", "the target has no such mode of thinking")
		return
	}
	var top jsonx.Top
	if top.Scan(raw) == nil {
		edit := []jsonx.Edit{{Key: "type", Value: jsonx.AppendString(nil, mode)}}
		e.set("thinking", join(top.Splice(nil, raw, edit)))
		e.losses.Approximate("thinking.type", "the nearest mode that the target takes is "+mode)
	}
}

// toolsEffort sends the one effort that the target takes together with function
// tools.
func (e *editor) toolsEffort() {
	if e.q.ToolsEffort == "" || !e.hasFunctions() {
		return
	}
	effort, err := jsonx.String(e.get("reasoning_effort"))
	if (err == nil || e.asked()) && effort != e.q.ToolsEffort {
		e.losses.Approximate("reasoning_effort", "the only effort that the target takes beside function tools is "+e.q.ToolsEffort)
	}
	e.set("reasoning_effort", jsonx.AppendString(nil, e.q.ToolsEffort))
}

func (e *editor) hasFunctions() bool {
	if hasElements(e.get("functions")) {
		return true
	}
	found := false
	_ = jsonx.EachElement(e.get("tools"), func(_ int, tool []byte) error {
		found = found || jsonx.Get(tool, "function") != nil
		return nil
	})
	return found
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
