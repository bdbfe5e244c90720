package sim

import "time"

// Options say how the simulated model behaves. The zero value answers at once.
type Options struct {
	// Model is the name that answers carry. Empty: the name that was asked for.
	Model string `json:"model,omitempty"`
	// TokensPerSecond paces the answer; 0 is without pauses.
	TokensPerSecond float64 `json:"tokens_per_second,omitempty"`
	// FirstToken is the pause between the start of an answer and its content.
	FirstToken time.Duration `json:"first_token,omitempty"`
	// Jitter varies every pause by up to this share of it, 0 to 1.
	Jitter float64 `json:"jitter,omitempty"`
	// Seed goes into jitter and ids. Equal seeds behave equally.
	Seed uint64 `json:"seed,omitempty"`
	// Reply is the text of every answer. Empty: one that suits the question.
	Reply string `json:"reply,omitempty"`
	// Tokens lengthens answers to at least so many tokens; 0 does not.
	Tokens int `json:"tokens,omitempty"`
	// ToolCalls is "auto" (when the text asks for a tool; also the empty
	// value), "always" (whenever tools are offered and no result is being
	// answered) or "never". A tool_choice in the request goes first.
	ToolCalls string `json:"tool_calls,omitempty"`
}

// The values of Options.ToolCalls.
const (
	ToolCallsAuto   = "auto"
	ToolCallsAlways = "always"
	ToolCallsNever  = "never"
)
