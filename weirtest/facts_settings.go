package weirtest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
)

func (f *facts) tool(t *weir.Tool, i int) {
	path := fmt.Sprintf("tools[%d]", i)
	here := []string{path}
	if t.Type == weir.ToolHosted {
		f.add("hosted tool", canonicalJSON(string(t.Raw)), here)
		return
	}
	f.add("tool", t.Name, here)
	if t.Description != "" {
		f.add("tool description", t.Name+": "+t.Description, here)
	}
	if len(t.Schema) > 0 {
		f.add("tool schema", t.Name+": "+canonicalJSON(string(t.Schema)), here)
	}
	if t.Strict != nil && *t.Strict {
		f.add("tool strict", t.Name, []string{path, "strict"})
	}
	if t.Cache != nil {
		f.add("cache breakpoint", "", []string{path, "cache"})
	}
	f.extra("tool member", path, t.Extra)
}

// settings notes what stands around the conversation.
func (f *facts) settings(b *weir.Body) {
	f.numbers(b)
	f.words(b)
	f.choice(b)
	f.format(b.Format)
	f.thinking(b.Reasoning)
	f.thread(b.Thread)
	f.inClientWords(b.From)
	f.extra("member", "", b.Extra)
}

// inClientWords lets a loss name a setting in the words of its client too.
func (f *facts) inClientWords(from weir.Protocol) {
	for i := range f.list {
		for _, h := range f.list[i].hints {
			if word := codec.ClientWord(from, h[0]); len(h) == 1 && word != h[0] {
				f.list[i].hints = append(f.list[i].hints, []string{word})
			}
		}
	}
}

// defaults are numbers that say what is so without them, in every protocol.
// Where there is none, the entry is a number that cannot be meant.
var defaults = map[string]float64{"temperature": 1, "top_p": 1, "frequency_penalty": 0, "presence_penalty": 0,
	"n": 1, "top_logprobs": 0, "max_tokens": -1, "top_k": -1, "seed": -1}

func (f *facts) numbers(b *weir.Body) {
	for name, p := range map[string]*float64{"temperature": b.Temperature, "top_p": b.TopP,
		"frequency_penalty": b.FrequencyPenalty, "presence_penalty": b.PresencePenalty} {
		if p == nil || *p == defaults[name] {
			continue
		}
		f.add(name, strconv.FormatFloat(*p, 'g', -1, 64), []string{name})
	}
	for name, p := range map[string]*int64{"max_tokens": b.MaxTokens, "top_k": b.TopK, "seed": b.Seed, "n": b.N, "top_logprobs": b.TopLogprobs} {
		if p == nil || float64(*p) == defaults[name] {
			continue
		}
		hints := [][]string{{name}}
		if name == "max_tokens" {
			hints = append(hints, []string{"max_completion_tokens"})
		}
		if name == "top_logprobs" {
			hints = append(hints, []string{"logprobs"})
		}
		f.add(name, strconv.FormatInt(*p, 10), hints...)
	}
	if b.Logprobs != nil && *b.Logprobs {
		f.add("logprobs", "true", []string{"logprobs"})
	}
}

func (f *facts) words(b *weir.Body) {
	for _, s := range b.Stop {
		f.add("stop", s, []string{"stop"})
	}
	for name, s := range map[string]string{"verbosity": b.Verbosity, "user": b.User, "prompt_cache_key": b.CacheKey} {
		if s != "" {
			f.add(name, s, []string{name}, []string{"metadata"}, []string{"safety_identifier"})
		}
	}
	if b.ServiceTier != "" && b.ServiceTier != "auto" { // every protocol has its own names of tiers, but for what is so anyway
		f.add("service_tier", "", []string{"service_tier"})
	}
	for _, p := range b.Metadata {
		f.add("metadata", p.Key+"="+p.Value, []string{"metadata"})
	}
	if b.Cache != nil {
		f.add("automatic cache", "", []string{"cache_control"})
	}
}

func (f *facts) choice(b *weir.Body) {
	if c := b.ToolChoice; c != nil {
		names := c.Names
		if c.Mode != weir.ToolModeNamed && allows(names, b.Tools) {
			names = nil // the subset that is all of them
		}
		if c.Mode != weir.ToolModeAuto || len(names) > 0 {
			f.add("tool_choice", string(c.Mode)+" "+strings.Join(names, ","), []string{"tool_choice"})
		}
	}
	if p := b.ParallelToolCalls; p != nil && !*p && len(b.Tools) > 0 {
		f.add("parallel_tool_calls", "false", []string{"parallel"})
	}
}

// allows reports whether names are those of all tools.
func allows(names []string, tools []weir.Tool) bool {
	for i := range tools {
		if !slices.Contains(names, tools[i].Name) {
			return false
		}
	}
	return true
}

func (f *facts) format(x *weir.Format) {
	if x == nil || x.Type == weir.FormatText {
		return
	}
	hints := [][]string{{"format"}, {"output_config"}}
	f.add("format", string(x.Type)+" "+canonicalJSON(string(x.Schema)), hints...)
	f.extra("format member", "", x.Extra)
}

// thinking notes whether and how much is to be thought. "none" is an effort in
// one protocol and a mode in another.
func (f *facts) thinking(r *weir.ReasoningConfig) {
	if r == nil {
		return
	}
	hints := [][]string{{"reasoning"}, {"think"}, {"effort"}}
	f.extra("thinking member", "", r.Extra)
	if r.Mode == "disabled" || r.Effort == "none" {
		f.add("thinking", "off", hints...)
		return
	}
	f.add("thinking", "on", hints...)
	if r.Effort != "" {
		f.add("thinking effort", r.Effort, hints...)
	}
	if r.Budget != nil {
		f.add("thinking budget", strconv.FormatInt(*r.Budget, 10), hints...)
	}
	if r.Display != "" {
		f.add("thinking display", r.Display, hints...)
	}
}

// thread notes what the request refers to.
func (f *facts) thread(t *weir.Thread) {
	if t == nil {
		return
	}
	for name, value := range map[string]string{"previous_response_id": t.Previous, "conversation": t.Conversation} {
		if value != "" {
			f.add(name, value, []string{name})
		}
	}
	if t.Background != nil && *t.Background {
		f.add("background", "true", []string{"background"})
	}
}
