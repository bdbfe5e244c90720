package weir

import (
	"net/http"
	"slices"
)

// A Body is the canonical form of what is asked: a list of messages of typed
// blocks and the settings around it. Each protocol's shape embeds into it; what
// has no word here is kept in Extra. Nil pointers mean "not said".
type Body struct {
	// Messages in order, system and developer messages where they stood.
	Messages []Message
	Tools    []Tool
	// ToolChoice nil: the upstream's default.
	ToolChoice *ToolChoice
	// ParallelToolCalls false forbids more than one call in a turn.
	ParallelToolCalls *bool

	MaxTokens        *int64   // visible and reasoning tokens together
	Temperature      *float64 // 0 to 2; some upstreams end at 1
	TopP             *float64 // 0 to 1
	TopK             *int64
	FrequencyPenalty *float64 // -2 to 2
	PresencePenalty  *float64 // -2 to 2
	Seed             *int64
	N                *int64 // number of choices; nil is 1
	Stop             []string
	Logprobs         *bool
	TopLogprobs      *int64

	// Format nil: text.
	Format *Format
	// Reasoning nil: the upstream's default.
	Reasoning *ReasoningConfig
	// Verbosity is "low", "medium" or "high"; empty when not said.
	Verbosity string

	// Embed is how vectors are to be made. Of an Embed request each message is
	// one input, and the settings above mean nothing. Nil: as the upstream likes.
	Embed *EmbedConfig
	// Thread ties the request to earlier ones that are kept elsewhere; nil when
	// the messages are the whole conversation.
	Thread *Thread

	User        string // the end user's pseudonym
	Metadata    []Pair
	ServiceTier string
	// Cache asks for an automatic cache breakpoint after the last cacheable block.
	Cache *CacheControl
	// CacheKey steers requests of one conversation to one prompt cache.
	CacheKey string
	// StreamUsage tells that the client asked to see usage in its stream. It
	// concerns the client's answer only; upstream usage is always asked for.
	StreamUsage *bool

	// From is the protocol that Extra, here and in every part, belongs to.
	// Empty when the Body was made in Go.
	From  Protocol
	Extra Fields
	// Header are the headers of protocol From that came with the request, as in
	// Wire.Header. They outlive an edit, which forgets the Wire. Never modified.
	Header http.Header
}

// A Thread is state of a conversation that the client does not send along
// (OpenAI Responses API, 2026-08-21).
type Thread struct {
	Previous     string // id of the response that this one follows; empty when none
	Conversation string // id of the conversation that this belongs to; empty when none
	Store        *bool  // whether the response is to be kept; nil is the protocol's default
	Background   *bool  // whether the answer is to be fetched later
}

// IsBound reports whether part of the conversation is kept elsewhere, so that
// the messages alone do not say what the client meant. A nil Thread is not.
func (t *Thread) IsBound() bool { return t != nil && (t.Previous != "" || t.Conversation != "") }

// EmbedConfig is how vectors are made.
type EmbedConfig struct {
	Dimensions *int64 // of each vector; nil is the model's own
	Encoding   string // "float" or "base64", how the client wants them; empty is float
	Task       string // what they are for, in the words of protocol Body.From; empty when not said
	Truncate   *bool  // whether a text that is too long is cut; nil is the upstream's default
}

// A Pair is one entry of metadata.
type Pair struct{ Key, Value string }

// Format is the form that the answer must have.
type Format struct {
	Type        FormatType
	Name        string
	Description string
	Schema      []byte // raw JSON Schema for FormatJSONSchema
	Strict      *bool
	Extra       Fields
}

// FormatType is a kind of structured output.
type FormatType string

// Format types.
const (
	FormatText       FormatType = "text"
	FormatJSONObject FormatType = "json_object"
	FormatJSONSchema FormatType = "json_schema"
)

// ReasoningConfig says how much the model should think. Protocols have
// different knobs; each is kept as it was said, and translated where needed.
type ReasoningConfig struct {
	// Mode is "enabled", "disabled" or "adaptive"; empty when only Effort or
	// Budget was said.
	Mode string
	// Effort is "none", "minimal", "low", "medium", "high", "xhigh" or "max".
	Effort string
	// Budget is a number of tokens.
	Budget *int64
	// Display is "summarized" or "omitted"; empty when not said.
	Display string
	Extra   Fields
}

// A Tool is something that the model may call.
type Tool struct {
	Type        ToolType
	Name        string
	Description string
	Schema      []byte // raw JSON Schema of the arguments; nil when absent
	Strict      *bool
	Cache       *CacheControl
	// Raw is the whole definition for ToolHosted, a tool that the upstream runs.
	Raw   []byte
	Extra Fields
}

// ToolType tells who defines a tool.
type ToolType string

// Tool types.
const (
	ToolFunction ToolType = "function" // arguments are JSON
	ToolCustom   ToolType = "custom"   // input is free text
	ToolHosted   ToolType = "hosted"   // run by the upstream, known by its own name only
)

// ToolChoice says whether and what the model must call.
type ToolChoice struct {
	Mode  ToolMode
	Names []string // the tool for ToolModeNamed, the subset for an allowed list
	Type  ToolType // of a named tool; empty is ToolFunction
	Extra Fields
}

// ToolMode is how free the model is.
type ToolMode string

// Tool modes. With Names, ToolModeAuto and ToolModeRequired choose among those.
const (
	ToolModeAuto     ToolMode = "auto"
	ToolModeNone     ToolMode = "none"
	ToolModeRequired ToolMode = "required"
	ToolModeNamed    ToolMode = "named"
)

// Clone is a copy that can be edited: slices of messages, blocks and tools are
// copied, raw JSON and strings are shared since they are never modified.
func (b *Body) Clone() *Body {
	c := *b
	c.Messages = slices.Clone(b.Messages)
	for i := range c.Messages {
		c.Messages[i].Blocks = cloneBlocks(c.Messages[i].Blocks)
		c.Messages[i].Extra = slices.Clone(c.Messages[i].Extra)
	}
	c.Tools = slices.Clone(b.Tools)
	c.Stop = slices.Clone(b.Stop)
	c.Metadata = slices.Clone(b.Metadata)
	c.Extra = slices.Clone(b.Extra)
	c.ToolChoice = clonePtr(b.ToolChoice)
	c.Format = clonePtr(b.Format)
	c.Reasoning = clonePtr(b.Reasoning)
	c.Cache = clonePtr(b.Cache)
	c.Embed, c.Thread = clonePtr(b.Embed), clonePtr(b.Thread)
	return &c
}

func clonePtr[T any](p *T) *T {
	if p == nil {
		return nil
	}
	v := *p
	return &v
}

func cloneBlocks(in []Block) []Block {
	out := slices.Clone(in)
	for i := range out {
		out[i] = out[i].Clone()
	}
	return out
}
