package weir

// Protocol names a wire format. The set is open: a codec brings its own.
type Protocol string

// The protocols that the errors' table knows by name.
const (
	OpenAIChat        Protocol = "openai.chat"        // POST /v1/chat/completions
	AnthropicMessages Protocol = "anthropic.messages" // POST /v1/messages
)

// Operation says what a Request wants done.
type Operation uint8

// Operations. The zero value is Generate, since that is what most calls are.
const (
	Generate    Operation = iota // a completion for a conversation
	CountTokens                  // the number of input tokens of a conversation
)

// String is the operation's name in logs and metrics.
func (o Operation) String() string {
	switch o {
	case Generate:
		return "generate"
	case CountTokens:
		return "count_tokens"
	}
	return "unknown"
}
