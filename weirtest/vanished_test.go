package weirtest

import (
	"testing"

	"github.com/weir-gateway/weir"
)

// richBody says one thing of every sort.
func richBody() *weir.Body {
	return &weir.Body{
		Messages: []weir.Message{
			weir.SystemText("be kind"),
			{Role: weir.RoleUser, Name: "ada", Extra: weir.Fields{{Name: "mood", Value: []byte(`"good"`)}}, Blocks: []weir.Block{
				{Type: weir.BlockText, Text: "what is this?", Cache: &weir.CacheControl{}},
				{Type: weir.BlockImage, Media: &weir.Media{MIME: "image/png", Data: "AAAA", Detail: "low"}},
			}},
			{Role: weir.RoleAssistant, Blocks: []weir.Block{
				{Type: weir.BlockReasoning, Text: "hm", Reasoning: &weir.Reasoning{Signature: "s"}},
				{Type: weir.BlockToolCall, Call: &weir.ToolCall{ID: "1", Name: "look", Arguments: `{"at": "it"}`}},
				{Type: weir.BlockOpaque, Opaque: &weir.Opaque{Type: "x", Raw: []byte(`{"type":"x"}`)}},
			}},
			{Role: weir.RoleTool, Blocks: []weir.Block{{Type: weir.BlockToolResult, Result: &weir.ToolResult{
				CallID: "1", IsError: true, Content: []weir.Block{{Type: weir.BlockText, Text: "a river"}}}}}},
		},
		Tools: []weir.Tool{{Type: weir.ToolFunction, Name: "look", Description: "looks", Schema: []byte(`{"type":"object"}`), Strict: new(true)},
			{Type: weir.ToolHosted, Name: "web", Raw: []byte(`{"type":"web"}`)}},
		ToolChoice:        &weir.ToolChoice{Mode: weir.ToolModeRequired},
		ParallelToolCalls: new(false),
		MaxTokens:         new(int64(9)), Temperature: new(0.5), TopP: new(0.9), TopK: new(int64(4)),
		FrequencyPenalty: new(0.1), PresencePenalty: new(0.2), Seed: new(int64(7)), N: new(int64(2)),
		Stop: []string{"END"}, Logprobs: new(true), TopLogprobs: new(int64(3)),
		Format:    &weir.Format{Type: weir.FormatJSONSchema, Schema: []byte(`{"type":"object"}`)},
		Reasoning: &weir.ReasoningConfig{Effort: "low"}, Verbosity: "low", User: "u",
		Metadata: []weir.Pair{{Key: "k", Value: "v"}}, ServiceTier: "flex", CacheKey: "c", Cache: &weir.CacheControl{},
		Extra: weir.Fields{{Name: "strange", Value: []byte(`1`)}, {Name: "spelt", Value: []byte(`[]`), Spelling: true}},
	}
}

// The check of TestCross has to notice whatever is taken out. // P-01
func TestVanishedNoticesEveryRemoval(t *testing.T) {
	msg := func(i int, fn func(*weir.Message)) func(*weir.Body) {
		return func(b *weir.Body) { fn(&b.Messages[i]) }
	}
	for name, remove := range map[string]func(*weir.Body){
		"a message":            func(b *weir.Body) { b.Messages = b.Messages[1:] },
		"a name":               msg(1, func(m *weir.Message) { m.Name = "" }),
		"a message's member":   msg(1, func(m *weir.Message) { m.Extra = nil }),
		"a text":               msg(1, func(m *weir.Message) { m.Blocks[0].Text = "" }),
		"a cache breakpoint":   msg(1, func(m *weir.Message) { m.Blocks[0].Cache = nil }),
		"an image":             msg(1, func(m *weir.Message) { m.Blocks = m.Blocks[:1] }),
		"an image's detail":    msg(1, func(m *weir.Message) { m.Blocks[1].Media.Detail = "" }),
		"a thought":            msg(2, func(m *weir.Message) { m.Blocks[0].Text = "" }),
		"a signature":          msg(2, func(m *weir.Message) { m.Blocks[0].Reasoning.Signature = "" }),
		"arguments":            msg(2, func(m *weir.Message) { m.Blocks[1].Call.Arguments = "{}" }),
		"an opaque block":      msg(2, func(m *weir.Message) { m.Blocks = m.Blocks[:2] }),
		"a result's link":      msg(3, func(m *weir.Message) { m.Blocks[0].Result.CallID = "2" }),
		"a result's text":      msg(3, func(m *weir.Message) { m.Blocks[0].Result.Content = nil }),
		"that a result failed": msg(3, func(m *weir.Message) { m.Blocks[0].Result.IsError = false }),
		"a tool":               func(b *weir.Body) { b.Tools = b.Tools[1:] },
		"a description":        func(b *weir.Body) { b.Tools[0].Description = "" },
		"a schema":             func(b *weir.Body) { b.Tools[0].Schema = nil },
		"a tool's strictness":  func(b *weir.Body) { b.Tools[0].Strict = nil },
		"a hosted tool":        func(b *weir.Body) { b.Tools = b.Tools[:1] },
		"tool_choice":          func(b *weir.Body) { b.ToolChoice = nil },
		"parallel_tool_calls":  func(b *weir.Body) { b.ParallelToolCalls = nil },
		"max_tokens":           func(b *weir.Body) { b.MaxTokens = nil },
		"temperature":          func(b *weir.Body) { b.Temperature = nil },
		"top_p":                func(b *weir.Body) { b.TopP = nil },
		"top_k":                func(b *weir.Body) { b.TopK = nil },
		"frequency_penalty":    func(b *weir.Body) { b.FrequencyPenalty = nil },
		"presence_penalty":     func(b *weir.Body) { b.PresencePenalty = nil },
		"seed":                 func(b *weir.Body) { b.Seed = nil },
		"n":                    func(b *weir.Body) { b.N = nil },
		"stop":                 func(b *weir.Body) { b.Stop = nil },
		"logprobs":             func(b *weir.Body) { b.Logprobs = nil },
		"top_logprobs":         func(b *weir.Body) { b.TopLogprobs = nil },
		"format":               func(b *weir.Body) { b.Format = nil },
		"reasoning":            func(b *weir.Body) { b.Reasoning = nil },
		"verbosity":            func(b *weir.Body) { b.Verbosity = "" },
		"user":                 func(b *weir.Body) { b.User = "" },
		"metadata":             func(b *weir.Body) { b.Metadata = nil },
		"service_tier":         func(b *weir.Body) { b.ServiceTier = "" },
		"a cache key":          func(b *weir.Body) { b.CacheKey = "" },
		"automatic caching":    func(b *weir.Body) { b.Cache = nil },
		"an unknown member":    func(b *weir.Body) { b.Extra = b.Extra[1:] },
	} {
		t.Run(name, func(t *testing.T) {
			less := richBody()
			remove(less)
			gone := vanished(factsOf(richBody(), weir.OpenAIChat), factsOf(less, weir.OpenAIChat), nil)
			if len(gone) == 0 {
				t.Error("nobody noticed")
			}
		})
	}
	t.Run("but not a spelling", func(t *testing.T) {
		less := richBody()
		less.Extra = less.Extra[:1]
		if gone := vanished(factsOf(richBody(), weir.OpenAIChat), factsOf(less, weir.OpenAIChat), nil); len(gone) > 0 {
			t.Error(gone)
		}
	})
	t.Run("and not what a loss names", func(t *testing.T) {
		less := richBody()
		less.Seed, less.Messages[1].Blocks[0].Cache = nil, nil
		losses := []weir.Loss{{Field: "seed"}, {Field: "messages[1].content[0].cache_control"}}
		if gone := vanished(factsOf(richBody(), weir.OpenAIChat), factsOf(less, weir.OpenAIChat), losses); len(gone) > 0 {
			t.Error(gone)
		}
	})
}
