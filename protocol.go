package weir

// Protocol names a wire format. The set is open: a codec brings its own.
type Protocol string

// The protocols that Weir speaks.
const (
	OpenAIChat        Protocol = "openai.chat"        // POST /v1/chat/completions
	OpenAIResponses   Protocol = "openai.responses"   // POST /v1/responses
	OpenAICompletions Protocol = "openai.completions" // POST /v1/completions, with FIM
	AnthropicMessages Protocol = "anthropic.messages" // POST /v1/messages
	GeminiGenerate    Protocol = "gemini.generate"    // POST /v1beta/models/{model}:generateContent
	OllamaChat        Protocol = "ollama.chat"        // POST /api/chat, /api/generate
	BedrockConverse   Protocol = "bedrock.converse"   // POST /model/{model}/converse
	// OpenAIREST is what else OpenAI's API and those after its model have:
	// embeddings, images, audio, moderations, rerank, files, batches.
	OpenAIREST Protocol = "openai.rest"
)

// Operation says what a Request wants done.
type Operation uint8

// Operations. The zero value is Generate, since that is what most calls are.
const (
	Generate    Operation = iota // a completion for a conversation
	CountTokens                  // the number of input tokens of a conversation
	Embed                        // vectors for texts, see Body.Embed
	Rerank                       // documents in the order of their relevance
	Moderate                     // a judgement of texts or images
	Image                        // an image made or changed
	Speech                       // a text read aloud
	Transcribe                   // a sound written down
	Files                        // files kept by the provider
	Batches                      // batches run by the provider
	Realtime                     // a conversation in both directions, see Request.Uplink
	Other                        // anything else: relayed as it is

	operationCount
)

var operationNames = [operationCount]string{"generate", "count_tokens", "embed", "rerank", "moderate",
	"image", "speech", "transcribe", "files", "batches", "realtime", "other"}

// String is the operation's name in logs and metrics.
func (o Operation) String() string {
	if o < operationCount {
		return operationNames[o]
	}
	return "unknown"
}

// IsRelayed reports whether Weir has no canonical form of the operation: its
// requests and answers are sent on as they are, to an upstream that speaks the
// protocol of the client.
func (o Operation) IsRelayed() bool { return o >= Rerank }
