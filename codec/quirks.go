package codec

// Quirks are the ways in which an upstream differs from the protocol that it
// speaks, as data. A provider declares them for all of its models, a model
// overrides them field by field (Merge). The zero value is an upstream that
// does what its protocol says.
//
// Every quirk is implemented once, in the codec of the protocol that it
// concerns.
type Quirks struct {
	// MaxTokensField is the name of the token cap in Chat: "max_tokens" or
	// "max_completion_tokens". Empty sends it as it was named by the client,
	// and max_tokens when translating.
	MaxTokensField string `json:"max_tokens_field,omitempty"`
	// MaxTokensRequired fills in MaxTokensDefault (or the model's limit, or
	// 8192) where the client said nothing.
	MaxTokensRequired bool  `json:"max_tokens_required,omitempty"`
	MaxTokensDefault  int64 `json:"max_tokens_default,omitempty"`
	// DropParams are top-level members that the upstream answers with 400:
	// they are left out, each with a loss note.
	DropParams []string `json:"drop_params,omitempty"`
	// RenameParams maps top-level members to the upstream's name.
	RenameParams map[string]string `json:"rename_params,omitempty"`
	// SetParams are raw members that are added where the client did not set them.
	SetParams map[string]any `json:"set_params,omitempty"`
	// TemperatureMin and TemperatureMax clamp; nil does not. TopPMax likewise.
	TemperatureMin *float64 `json:"temperature_min,omitempty"`
	TemperatureMax *float64 `json:"temperature_max,omitempty"`
	TopPMax        *float64 `json:"top_p_max,omitempty"`
	// TemperatureOrTopP tells that the upstream refuses the two together: top_p
	// is left out where temperature is sent, with a loss note (Claude 4.x).
	TemperatureOrTopP bool `json:"temperature_or_top_p,omitempty"`
	// MaxStop is how many stop sequences are accepted, 0 is any number.
	MaxStop int `json:"max_stop,omitempty"`

	// CompletionsPath is the path of the legacy completions where it is another
	// than "/completions": "/fim/completions" (Mistral).
	CompletionsPath string `json:"completions_path,omitempty"`

	// NoStreamOptions leaves out stream_options: the upstream refuses it, or
	// reports usage anyway.
	NoStreamOptions bool `json:"no_stream_options,omitempty"`

	// ReasoningField is the member of assistant messages that carries thinking
	// text back: "reasoning_content" or "reasoning". Empty: "reasoning_content"
	// when translating, untouched otherwise.
	ReasoningField string `json:"reasoning_field,omitempty"`
	// ReasoningReplay says which assistant turns must carry their thinking:
	// "tool_turns" (those with tool calls; "" is sent when it was lost),
	// "never" (it is refused and taken out), empty (as the client sent it).
	ReasoningReplay string `json:"reasoning_replay,omitempty"`
	// Thinking is the switch for reasoning in Chat:
	//   "effort"          reasoning_effort (OpenAI; the default)
	//   "type"            thinking:{type:"enabled"|"disabled"} (DeepSeek, GLM, Kimi, Doubao)
	//   "type_effort"     both of the above
	//   "enable_thinking" enable_thinking and thinking_budget (Qwen, SiliconFlow)
	//   "reasoning"       reasoning:{effort|max_tokens|enabled} (OpenRouter)
	//   "none"            there is no switch
	Thinking string `json:"thinking,omitempty"`
	// ThinkingNeedsStream turns thinking off for calls that are not streamed,
	// since the upstream refuses the combination (Qwen).
	ThinkingNeedsStream bool `json:"thinking_needs_stream,omitempty"`
	// FoldStreams asks for a stream also where the client wants a whole answer,
	// and makes one of it: for upstreams, or proxies in front of them, that cut
	// a call which says nothing until it is done.
	FoldStreams bool `json:"fold_streams,omitempty"`
	// Efforts are the accepted values of the effort, empty is any. Others are
	// moved to the nearest one.
	Efforts []string `json:"efforts,omitempty"`
	// ToolsEffort is the only effort that the upstream takes together with
	// function tools in Chat: a request that has tools is sent with it, with a
	// loss note where the client asked for another. Empty: any. (OpenAI gpt-5.4
	// to 5.6 and parts of the 6 series: "none"; the Responses API has no such limit.)
	ToolsEffort string `json:"tools_effort,omitempty"`
	// ToolsProtocol is the protocol in which a request that has tools is sent,
	// whatever its client spoke, if the model answers in it ("openai.responses"
	// for the models of ToolsEffort, and those that take no tools in Chat at
	// all). Empty: the client's.
	ToolsProtocol string `json:"tools_protocol,omitempty"`
	// ThinkingModes are the accepted values of Anthropic's thinking.type,
	// empty is any.
	ThinkingModes []string `json:"thinking_modes,omitempty"`

	// DeveloperRole "system" renames the developer role for upstreams that do
	// not know it; empty sends it as it is.
	DeveloperRole string `json:"developer_role,omitempty"`
	// SystemFirst allows system text only at the head of the conversation;
	// later system messages become user text.
	SystemFirst bool `json:"system_first,omitempty"`
	// StrictAlternation merges neighbours of the same role.
	StrictAlternation bool `json:"strict_alternation,omitempty"`
	// EmptyContent is how an assistant turn of tool calls only is written in
	// Chat: "null" (the default), "omit" or "empty" ("").
	EmptyContent string `json:"empty_content,omitempty"`
	// Prefill is how a conversation that ends with an assistant turn is
	// marked: "prefix" or "partial" sets that member of the last message,
	// "last" needs no mark, "refused" answers 400, empty leaves it alone.
	Prefill string `json:"prefill,omitempty"`
	// PrefillPath is put in front of the path for such calls: "/beta".
	PrefillPath string `json:"prefill_path,omitempty"`
	// TextContentOnly flattens lists of text parts into one string.
	TextContentOnly bool `json:"text_content_only,omitempty"`

	// ToolChoices are the accepted modes of tool_choice ("auto", "none",
	// "required", "named"), empty is any. Others become auto, with a note.
	ToolChoices []string `json:"tool_choices,omitempty"`
	// NoCustomTools declares custom tools, whose input is free text, as functions
	// of one text in Chat and in the Responses API: the upstream knows functions
	// only. Their calls are unwrapped again in the answer (S-13).
	NoCustomTools bool `json:"no_custom_tools,omitempty"`
	// ToolNameMax and ToolIDMax bound names and call ids; longer ones are
	// shortened deterministically and mapped back. 0 is 64.
	ToolNameMax int `json:"tool_name_max,omitempty"`
	ToolIDMax   int `json:"tool_id_max,omitempty"`
	// ToolIDAlnum9 wants call ids of exactly nine letters and digits (Mistral).
	ToolIDAlnum9 bool `json:"tool_id_alnum9,omitempty"`
	// Formats are the accepted types of response_format, empty is any. A
	// json_schema that is not accepted becomes json_object with the schema as
	// an instruction, with a note.
	Formats []string `json:"formats,omitempty"`
	// KeepsResponses tells that the upstream's Responses API keeps what it
	// answered, so that previous_response_id and conversation go up as they are.
	KeepsResponses bool `json:"keeps_responses,omitempty"`
	// CacheControl tells that Chat content parts may carry cache_control.
	CacheControl bool `json:"cache_control,omitempty"`
	// BetaHeaders are the anthropic-beta values that may go to an upstream
	// that is not Anthropic; nil lets none pass, ["*"] all.
	BetaHeaders []string `json:"beta_headers,omitempty"`
	// AnthropicVersion pins anthropic-version; empty forwards the client's.
	AnthropicVersion string `json:"anthropic_version,omitempty"`
	// SchemaDialect is what a Gemini upstream takes as schema of a tool or an
	// answer: "json" is JSON Schema, "openapi" the older subset of OpenAPI. Empty
	// goes by the model's generation.
	SchemaDialect string `json:"schema_dialect,omitempty"`
	// FlatCount tells that countTokens of a Gemini upstream takes system text and
	// tools beside the contents, and no generateContentRequest (Vertex AI).
	FlatCount bool `json:"flat_count,omitempty"`

	// FinishReasons maps the upstream's odd words to Weir's ("sensitive":
	// "content_filter"). "error" makes the answer a retriable failure.
	FinishReasons map[string]string `json:"finish_reasons,omitempty"`
	// FinishToolCalls tells that the upstream says "stop" although it calls
	// tools: the word is corrected in the bytes that it sent, everything else in
	// them stays as it is. Without it, an answer that is only sent on keeps its
	// upstream's word; one that is written anew tells of its calls in any case.
	// (Gemini's OpenAI face and Ollama, in recordings. OpenAI itself says "stop"
	// where tool_choice names the tool, so that there the word is no quirk.)
	FinishToolCalls bool `json:"finish_tool_calls,omitempty"`
	// ErrorIn200 names the shapes in which the upstream reports errors with
	// status 200: "base_resp" (MiniMax), "code" (Spark), "error_code" (Baidu).
	// {"error":…}, {"detail":…} and {"object":"error"} are always recognised.
	ErrorIn200 []string `json:"error_in_200,omitempty"`
	// ErrorCodes maps the upstream's own codes to kinds ("1113": "quota").
	ErrorCodes map[string]string `json:"error_codes,omitempty"`
	// ReasoningOnTop tells that completion_tokens does not include
	// reasoning_tokens (xAI).
	ReasoningOnTop bool `json:"reasoning_on_top,omitempty"`
	// ThinkTags tells that thinking arrives inside content as <think>…</think>.
	ThinkTags bool `json:"think_tags,omitempty"`
}

// Merge is q with every field that o sets taken from o. Neither is modified.
func (q *Quirks) Merge(o *Quirks) *Quirks {
	if q == nil {
		q = &Quirks{}
	}
	out := *q
	if o == nil {
		return &out
	}
	mergeFields(&out, o)
	return &out
}
