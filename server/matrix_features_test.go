package server_test

import (
	"slices"
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/sim"
)

// A feature is one thing that a client may want, tried through every pair of
// protocols.
type feature struct {
	id, title string
	// ask is the conversation of the client.
	ask func() *weir.Body
	// answer is what the upstream says to it; nil is a short text.
	answer []weir.Event
	// fail ends the answer: before the first event without answer, else after it.
	fail *weir.Error
	// asked tells whether the upstream understood; nil does not look.
	asked func(*weir.Body) bool
	// got tells whether the client understood; nil wants the short text.
	got func(*weir.Completion, error) bool
	// echo makes a second turn, in which the upstream must find what replayed
	// looks for.
	echo     *echoing
	replayed func(*weir.Body) bool
}

const (
	pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
	page  = "JVBERi0xLjEKMSAwIG9iago8PD4+CmVuZG9iagp0cmFpbGVyCjw8Pj4KJSVFT0YK"
)

func say(text string) *weir.Body {
	return &weir.Body{Messages: []weir.Message{weir.UserText(text)}, MaxTokens: new(int64(512)), StreamUsage: new(true)}
}

func with(b *weir.Body, change func(*weir.Body)) *weir.Body {
	change(b)
	return b
}

func weatherTool() weir.Tool {
	return weir.Tool{Type: weir.ToolFunction, Name: "get_weather", Description: "the weather of a city",
		Schema: []byte(`{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}`)}
}

func tooled(text string) *weir.Body {
	return with(say(text), func(b *weir.Body) { b.Tools = []weir.Tool{weatherTool()} })
}

func mediaBody(kind weir.BlockType, m *weir.Media) func() *weir.Body {
	return func() *weir.Body {
		return with(say("look"), func(b *weir.Body) {
			b.Messages[0].Plain = false
			b.Messages[0].Blocks = append(b.Messages[0].Blocks, weir.Block{Type: kind, Media: m})
		})
	}
}

func sawMedia(kind weir.BlockType, data string) func(*weir.Body) bool {
	return func(b *weir.Body) bool {
		return anyBlock(b, func(x *weir.Block) bool { return x.Type == kind && x.Media.Data == data })
	}
}

func anyBlock(b *weir.Body, match func(*weir.Block) bool) bool {
	var in func([]weir.Block) bool
	in = func(blocks []weir.Block) bool {
		for i := range blocks {
			if match(&blocks[i]) || blocks[i].Result != nil && in(blocks[i].Result.Content) {
				return true
			}
		}
		return false
	}
	return slices.ContainsFunc(b.Messages, func(m weir.Message) bool { return in(m.Blocks) })
}

// features are the rows of the matrix.
var features = slices.Concat(basicFeatures, toolFeatures, stateFeatures, settingFeatures, failureFeatures)

var basicFeatures = []feature{
	{id: "text", title: "Text", ask: func() *weir.Body {
		return with(say("hello 堰"), func(b *weir.Body) {
			b.Messages = append([]weir.Message{weir.SystemText("be brief")}, b.Messages...)
		})
	}, asked: func(b *weir.Body) bool {
		return len(b.Messages) == 2 && b.Messages[0].Text() == "be brief" && b.Messages[1].Text() == "hello 堰"
	}},
	{id: "images", title: "Images in", ask: mediaBody(weir.BlockImage, &weir.Media{MIME: "image/png", Data: pixel}), asked: sawMedia(weir.BlockImage, pixel)},
	{id: "files", title: "PDF files in", ask: mediaBody(weir.BlockFile, &weir.Media{MIME: "application/pdf", Data: page}), asked: sawMedia(weir.BlockFile, page)},
	{id: "audio", title: "Audio in", ask: mediaBody(weir.BlockAudio, &weir.Media{MIME: "audio/wav", Data: "UklGRg=="}), asked: sawMedia(weir.BlockAudio, "UklGRg==")},
	{id: "usage", title: "Usage with cache and reasoning", ask: func() *weir.Body { return say("count") }, answer: answered(usage(100, 40, 30, 10)),
		got: func(c *weir.Completion, err error) bool {
			u := c.Usage
			return err == nil && u.Has(weir.UsageInput|weir.UsageOutput|weir.UsageCacheRead|weir.UsageReasoning) &&
				u.InputTokens == 100 && u.OutputTokens == 40 && u.CacheReadTokens == 30 && u.ReasoningTokens == 10
		}},
	{id: "citations", title: "Citations", ask: func() *weir.Body { return say("sources?") }, answer: cited(),
		got: func(c *weir.Completion, err error) bool {
			return err == nil && c.Text() == "answer" && slices.ContainsFunc(c.Choices[0].Message.Blocks, func(b weir.Block) bool {
				return len(b.Citations) == 1 && b.Citations[0].URL == "https://example.org/a"
			})
		}},
}

var toolFeatures = []feature{
	{id: "tools", title: "Parallel tool calls", ask: func() *weir.Body { return tooled("weather?") },
		asked:  func(b *weir.Body) bool { return len(b.Tools) == 1 && b.Tools[0].Name == "get_weather" },
		answer: finished(weir.FinishToolCalls, call(0, "call_a", `{"city":"Oslo"}`, ""), call(1, "call_b", `{"city":"Rome"}`, "")),
		got: func(c *weir.Completion, err error) bool {
			calls := c.ToolCalls()
			return err == nil && len(calls) == 2 && sameJSON(calls[0].Arguments, `{"city":"Oslo"}`) && sameJSON(calls[1].Arguments, `{"city":"Rome"}`) &&
				calls[0].ID != calls[1].ID && c.Choices[0].Finish.Reason == weir.FinishToolCalls
		}},
	{id: "tool_results", title: "Tool results with images", ask: func() *weir.Body {
		return with(tooled("weather?"), func(b *weir.Body) {
			b.Messages = append(b.Messages, weir.Message{Role: weir.RoleAssistant, Blocks: []weir.Block{
				{Type: weir.BlockToolCall, Call: &weir.ToolCall{ID: "call_a", Name: "get_weather", Arguments: `{"city":"Oslo"}`}},
			}}, weir.Message{Role: weir.RoleTool, Blocks: []weir.Block{{Type: weir.BlockToolResult, Result: &weir.ToolResult{CallID: "call_a", Name: "get_weather", Content: []weir.Block{
				{Type: weir.BlockText, Text: "snow"}, {Type: weir.BlockImage, Media: &weir.Media{MIME: "image/png", Data: pixel}},
			}}}}})
		})
	}, asked: func(b *weir.Body) bool {
		return sawMedia(weir.BlockImage, pixel)(b) && anyBlock(b, func(x *weir.Block) bool { return strings.Contains(x.Text, "snow") })
	}},
	{id: "tool_choice", title: "A required tool", ask: func() *weir.Body {
		return with(tooled("weather?"), func(b *weir.Body) { b.ToolChoice = &weir.ToolChoice{Mode: weir.ToolModeRequired} })
	}, asked: func(b *weir.Body) bool { return b.ToolChoice != nil && b.ToolChoice.Mode == weir.ToolModeRequired }},
	{id: "custom_tools", title: "Free-text tools", ask: func() *weir.Body {
		return with(say("patch it"), func(b *weir.Body) {
			b.Tools = []weir.Tool{{Type: weir.ToolCustom, Name: "apply_patch", Description: "applies a patch"}}
		})
	}, asked: func(b *weir.Body) bool { return len(b.Tools) == 1 && b.Tools[0].Name == "apply_patch" },
		answer: patchCall(), got: func(c *weir.Completion, err error) bool {
			calls := c.ToolCalls()
			return err == nil && len(calls) == 1 && calls[0].Type == weir.ToolCustom && calls[0].Arguments == "*** Begin\n+a"
		}},
	{id: "structured", title: "Structured output", ask: func() *weir.Body {
		return with(say("as JSON"), func(b *weir.Body) {
			b.Format = &weir.Format{Type: weir.FormatJSONSchema, Name: "city", Schema: []byte(`{"type":"object","properties":{"name":{"type":"string"}},"required":["name"],"additionalProperties":false}`)}
		})
	}, asked: func(b *weir.Body) bool { return b.Format != nil && b.Format.Type == weir.FormatJSONSchema },
		answer: answered(`{"name":"Oslo"}`), got: func(c *weir.Completion, err error) bool {
			return err == nil && sameJSON(c.Text(), `{"name":"Oslo"}`)
		}},
}

var stateFeatures = []feature{
	{id: "reasoning", title: "Reasoning shown", ask: func() *weir.Body {
		return with(say("think"), func(b *weir.Body) { b.Reasoning = &weir.ReasoningConfig{Effort: "high"} })
	}, asked: func(b *weir.Body) bool {
		return b.Reasoning != nil && b.Reasoning.Mode != "disabled" && b.Reasoning.Effort != "none"
	}, answer: finished(weir.FinishStop, thought(0, "hm", ""), text(1, "answer")),
		got: func(c *weir.Completion, err error) bool {
			return err == nil && c.Text() == "answer" && reasoningOf(c) == "hm"
		}},
	replayFeature("replay", "Reasoning and its state sent back", true),
	replayFeature("kept", "Reasoning kept for a client that drops it", false), // T-02
}

// replayFeature is a tool loop of a model that thinks: its thoughts have to be
// there again in the second turn, whether the client keeps them or not.
func replayFeature(id, title string, keeps bool) feature {
	return feature{
		id: id, title: title, ask: func() *weir.Body {
			return with(tooled("weather?"), func(b *weir.Body) { b.Reasoning = &weir.ReasoningConfig{Effort: "high"} })
		}, answer: finished(weir.FinishToolCalls, thought(0, "hm", "c2lnbmF0dXJl"), call(1, "call_a", `{"city":"Oslo"}`, "")),
		got:  func(c *weir.Completion, err error) bool { return err == nil && len(c.ToolCalls()) == 1 },
		echo: &echoing{keeps: keeps},
		replayed: func(b *weir.Body) bool {
			return anyBlock(b, func(x *weir.Block) bool {
				return x.Type == weir.BlockReasoning && (x.Text == "hm" || x.Reasoning != nil && x.Reasoning.Signature+x.Reasoning.Encrypted != "") ||
					x.Call != nil && x.Call.Signature != ""
			})
		},
	}
}

var settingFeatures = []feature{
	{id: "sampling", title: "Temperature and top_p", ask: func() *weir.Body {
		return with(say("hi"), func(b *weir.Body) { b.Temperature, b.TopP = new(0.5), new(0.9) })
	}, asked: func(b *weir.Body) bool {
		return b.Temperature != nil && *b.Temperature == 0.5 && b.TopP != nil && *b.TopP == 0.9
	}},
	{id: "seed", title: "Seed", ask: func() *weir.Body { return with(say("hi"), func(b *weir.Body) { b.Seed = new(int64(7)) }) },
		asked: func(b *weir.Body) bool { return b.Seed != nil && *b.Seed == 7 }},
	{id: "penalties", title: "Penalties", ask: func() *weir.Body {
		return with(say("hi"), func(b *weir.Body) { b.FrequencyPenalty, b.PresencePenalty = new(0.5), new(0.25) })
	}, asked: func(b *weir.Body) bool {
		return b.FrequencyPenalty != nil && *b.FrequencyPenalty == 0.5 && b.PresencePenalty != nil && *b.PresencePenalty == 0.25
	}},
	{id: "max_tokens", title: "Token cap and the word for it", ask: func() *weir.Body { return say("long") },
		asked:  func(b *weir.Body) bool { return b.MaxTokens != nil && *b.MaxTokens == 512 },
		answer: finished(weir.FinishLength, text(0, "answer")),
		got: func(c *weir.Completion, err error) bool {
			return err == nil && c.Choices[0].Finish.Reason == weir.FinishLength
		}},
	{id: "stop", title: "Stop sequences", ask: func() *weir.Body { return with(say("hi"), func(b *weir.Body) { b.Stop = []string{"END"} }) },
		asked: func(b *weir.Body) bool { return slices.Equal(b.Stop, []string{"END"}) }},
	{id: "prompt_cache", title: "Cache breakpoints", ask: func() *weir.Body {
		return with(say("hi"), func(b *weir.Body) {
			b.Messages[0].Plain = false
			b.Messages[0].Blocks[0].Cache = &weir.CacheControl{}
		})
	}, asked: func(b *weir.Body) bool { return anyBlock(b, func(x *weir.Block) bool { return x.Cache != nil }) }},
	{id: "choices", title: "Several choices (n)", ask: func() *weir.Body { return with(say("hi"), func(b *weir.Body) { b.N = new(int64(2)) }) },
		asked: func(b *weir.Body) bool { return b.N != nil && *b.N == 2 }},
	{id: "logprobs", title: "Log probabilities", ask: func() *weir.Body {
		return with(say("hi"), func(b *weir.Body) { b.Logprobs = new(true) })
	}, asked: func(b *weir.Body) bool { return b.Logprobs != nil && *b.Logprobs }},
}

var failureFeatures = []feature{
	{id: "refusal", title: "Refusals", ask: func() *weir.Body { return say("no") }, answer: finished(weir.FinishContentFilter),
		got: func(c *weir.Completion, err error) bool {
			return err == nil && len(c.Choices) == 1 && (c.Choices[0].Finish.Reason == weir.FinishContentFilter || c.Choices[0].Finish.Reason == weir.FinishRefusal)
		}},
	{id: "error_before", title: "Errors before the answer", ask: func() *weir.Body { return say("fail") },
		fail: &weir.Error{Kind: weir.KindRateLimit, Message: "slow down"},
		got: func(_ *weir.Completion, err error) bool {
			return weir.AsError(err) != nil && weir.AsError(err).Kind == weir.KindRateLimit
		}},
	{id: "error_after", title: "Errors inside the answer", ask: func() *weir.Body { return say("fail") },
		answer: []weir.Event{startEvent(), {Type: weir.EventBlockStart, Block: &weir.Block{Type: weir.BlockText}}, {Type: weir.EventDelta, Text: "ans"}},
		fail:   &weir.Error{Kind: weir.KindOverloaded, Message: "too busy"},
		got:    func(_ *weir.Completion, err error) bool { return err != nil }},
}

func startEvent() weir.Event {
	return weir.Event{Type: weir.EventStart, Start: &weir.Start{ID: "matrix-1", Model: "m", Created: 1767225600}}
}

func text(index int32, s string) []weir.Event {
	half := len(s) / 2
	return []weir.Event{
		{Type: weir.EventBlockStart, Index: index, Block: &weir.Block{Type: weir.BlockText}},
		{Type: weir.EventDelta, Index: index, Text: s[:half]},
		{Type: weir.EventDelta, Index: index, Text: s[half:]},
		{Type: weir.EventBlockEnd, Index: index},
	}
}

// thought is a reasoning block; its signature gets the format of the protocol
// that it is sent in by the simulated upstream.
func thought(index int32, s, signature string) []weir.Event {
	block := &weir.Block{Type: weir.BlockReasoning}
	out := []weir.Event{{Type: weir.EventBlockStart, Index: index, Block: block}, {Type: weir.EventDelta, Index: index, Text: s}}
	if signature != "" {
		block.Reasoning = &weir.Reasoning{Format: sim.ReasoningFormat}
		out = append(out, weir.Event{Type: weir.EventDelta, Index: index, Part: weir.PartSignature, Text: signature})
	}
	return append(out, weir.Event{Type: weir.EventBlockEnd, Index: index})
}

func call(index int32, id, arguments, signature string) []weir.Event {
	half := len(arguments) / 2
	return []weir.Event{
		{Type: weir.EventBlockStart, Index: index, Block: &weir.Block{Type: weir.BlockToolCall, Call: &weir.ToolCall{ID: id, Name: "get_weather", Signature: signature}}},
		{Type: weir.EventDelta, Index: index, Part: weir.PartArguments, Text: arguments[:half]},
		{Type: weir.EventDelta, Index: index, Part: weir.PartArguments, Text: arguments[half:]},
		{Type: weir.EventBlockEnd, Index: index},
	}
}

func usage(in, out, cached, thought int64) *weir.Usage {
	u := new(weir.Usage)
	u.Set(weir.UsageInput, in)
	u.Set(weir.UsageOutput, out)
	if cached > 0 {
		u.Set(weir.UsageCacheRead, cached)
		u.Set(weir.UsageReasoning, thought)
	}
	return u
}

func finished(reason weir.FinishReason, blocks ...[]weir.Event) []weir.Event {
	out := append([]weir.Event{startEvent()}, slices.Concat(blocks...)...)
	return append(out, weir.Event{Type: weir.EventFinish, Finish: &weir.Finish{Reason: reason}}, weir.Event{Type: weir.EventUsage, Usage: usage(10, 5, 0, 0)})
}

// answered is a text, or the short one with a usage of its own.
func answered(what any) []weir.Event {
	switch what := what.(type) {
	case string:
		return finished(weir.FinishStop, text(0, what))
	case *weir.Usage:
		out := finished(weir.FinishStop, text(0, "answer"))
		out[len(out)-1].Usage = what
		return out
	}
	return finished(weir.FinishStop, text(0, "answer"))
}

func cited() []weir.Event {
	blocks := text(0, "answer")
	citation := weir.Event{Type: weir.EventDelta, Part: weir.PartCitation, Citation: &weir.Citation{Type: "url", URL: "https://example.org/a", Title: "A", End: 6}}
	return finished(weir.FinishStop, slices.Insert(blocks, len(blocks)-1, citation))
}

// patchCall is the call of a free-text tool as an upstream that knows them makes
// it. Upstreams that do not are made to wrap it by matrixUpstream.
func patchCall() []weir.Event {
	return finished(weir.FinishToolCalls, []weir.Event{
		{Type: weir.EventBlockStart, Block: &weir.Block{Type: weir.BlockToolCall, Call: &weir.ToolCall{ID: "call_p", Name: "apply_patch", Type: weir.ToolCustom}}},
		{Type: weir.EventDelta, Part: weir.PartArguments, Text: "*** Begin\n"}, {Type: weir.EventDelta, Part: weir.PartArguments, Text: "+a"},
		{Type: weir.EventBlockEnd},
	})
}

func reasoningOf(c *weir.Completion) string {
	var s strings.Builder
	for _, b := range c.Choices[0].Message.Blocks {
		if b.Type == weir.BlockReasoning {
			s.WriteString(b.Text)
		}
	}
	return s.String()
}
