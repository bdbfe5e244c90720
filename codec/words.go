package codec

import (
	"strings"

	"github.com/weir-gateway/weir"
)

// clientWords are the names that protocols have for the settings that Chat has too, by
// Chat's names: a loss is told in the words of the client, whatever protocol it
// speaks. What is not listed has the same name. Sources: Messages API reference,
// 2026-08-07; Responses API, OpenAPI 2.3.0, 2026-08-21; Gemini API v1beta
// discovery document; Ollama's openapi.yaml; AWS bedrock-runtime service model.
var clientWords = map[weir.Protocol]map[string]string{
	weir.AnthropicMessages: {
		"stop":                  "stop_sequences",
		"user":                  "metadata.user_id",
		"response_format":       "output_config.format",
		"parallel_tool_calls":   "tool_choice.disable_parallel_tool_use",
		"max_completion_tokens": "max_tokens",
		"reasoning_effort":      "output_config.effort",
		"reasoning":             "thinking",
		"thinking_budget":       "thinking.budget_tokens",
		"enable_thinking":       "thinking.type",
	},
	weir.OpenAICompletions: {
		"max_completion_tokens": "max_tokens",
		"top_logprobs":          "logprobs",
	},
	weir.OpenAIResponses: {
		"max_tokens":            "max_output_tokens",
		"max_completion_tokens": "max_output_tokens",
		"response_format":       "text.format",
		"verbosity":             "text.verbosity",
		"reasoning_effort":      "reasoning.effort",
		"thinking":              "reasoning",
		"thinking_budget":       "reasoning",
		"enable_thinking":       "reasoning",
		"logprobs":              "include",
	},
	weir.GeminiGenerate: {
		"max_tokens":            "generationConfig.maxOutputTokens",
		"max_completion_tokens": "generationConfig.maxOutputTokens",
		"temperature":           "generationConfig.temperature",
		"top_p":                 "generationConfig.topP",
		"top_k":                 "generationConfig.topK",
		"seed":                  "generationConfig.seed",
		"n":                     "generationConfig.candidateCount",
		"stop":                  "generationConfig.stopSequences",
		"frequency_penalty":     "generationConfig.frequencyPenalty",
		"presence_penalty":      "generationConfig.presencePenalty",
		"logprobs":              "generationConfig.responseLogprobs",
		"top_logprobs":          "generationConfig.logprobs",
		"response_format":       "generationConfig.responseSchema",
		"reasoning":             "generationConfig.thinkingConfig",
		"thinking":              "generationConfig.thinkingConfig",
		"enable_thinking":       "generationConfig.thinkingConfig",
		"thinking_budget":       "generationConfig.thinkingConfig.thinkingBudget",
		"reasoning_effort":      "generationConfig.thinkingConfig.thinkingLevel",
		"tool_choice":           "toolConfig.functionCallingConfig",
		"service_tier":          "serviceTier",
		"previous_response_id":  "cachedContent",
	},
	weir.OllamaChat: { //nolint:gosec // names of settings, no credentials
		"max_tokens":            "options.num_predict",
		"max_completion_tokens": "options.num_predict",
		"temperature":           "options.temperature",
		"top_p":                 "options.top_p",
		"top_k":                 "options.top_k",
		"seed":                  "options.seed",
		"stop":                  "options.stop",
		"frequency_penalty":     "options.frequency_penalty",
		"presence_penalty":      "options.presence_penalty",
		"response_format":       "format",
		"reasoning":             "think",
		"thinking":              "think",
		"enable_thinking":       "think",
		"thinking_budget":       "think",
		"reasoning_effort":      "think",
	},
	weir.BedrockConverse: {
		"max_tokens":            "inferenceConfig.maxTokens",
		"max_completion_tokens": "inferenceConfig.maxTokens",
		"temperature":           "inferenceConfig.temperature",
		"top_p":                 "inferenceConfig.topP",
		"stop":                  "inferenceConfig.stopSequences",
		"response_format":       "outputConfig.textFormat",
		"tools":                 "toolConfig.tools",
		"tool_choice":           "toolConfig.toolChoice",
		"metadata":              "requestMetadata",
		"service_tier":          "serviceTier",
		"top_k":                 "additionalModelRequestFields.top_k",
		"reasoning":             "additionalModelRequestFields", // each maker has a switch of its own
		"thinking":              "additionalModelRequestFields.thinking",
		"enable_thinking":       "additionalModelRequestFields.thinking",
		"thinking_budget":       "additionalModelRequestFields.thinking.budget_tokens",
		"reasoning_effort":      "outputConfig.effort",
	},
}

// ClientWord is what a client of protocol from calls the top-level setting that
// Chat calls name; name itself where there is no other word. A path below the
// setting ("stop[3]", "tools[0].strict") keeps its rest.
func ClientWord(from weir.Protocol, name string) string {
	rest := ""
	if at := strings.IndexAny(name, ".["); at >= 0 {
		name, rest = name[:at], name[at:]
	}
	if word, ok := clientWords[from][name]; ok {
		name = word
	}
	return name + rest
}

// InClientWords renames the fields of losses, which are in Chat's words, to
// those of protocol from.
func InClientWords(losses Losses, from weir.Protocol) {
	if clientWords[from] == nil {
		return
	}
	for i := range losses {
		losses[i].Field = ClientWord(from, losses[i].Field)
	}
}
