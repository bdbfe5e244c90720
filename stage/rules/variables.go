package rules

import "cel.dev/cel-go/cel"

// A Variable is a feature of a request that a condition may ask for.
type Variable struct {
	Name string
	Type string // "int", "bool", "string" or "map", of strings to strings
	Doc  string // one sentence
	// Decodes tells that asking for it decodes the request's body, where it is
	// not known by other means that there is nothing of it.
	Decodes bool
}

// variables is the table. Features tells what each is worth.
var variables = []Variable{
	{Name: "model", Type: "string", Doc: "the model that was asked for"},
	{Name: "principal", Type: "string", Doc: "the name of the gateway key; empty when nobody was identified"},
	{Name: "labels", Type: "map", Doc: "the caller's labels; one that is missing is empty, and has(labels.x) tells"},
	{Name: "protocol", Type: "string", Doc: `the wire format of the client: "openai.chat", "anthropic.messages" …; empty for calls made in Go`},
	{Name: "op", Type: "string", Doc: `what is wanted: "generate", "count_tokens", "embed" …`},
	{Name: "stream", Type: "bool", Doc: "the client wants the answer piece by piece"},
	{Name: "tokens", Type: "int", Doc: "about how many input tokens the request has, rather too many than too few"},
	{Name: "images", Type: "int", Doc: "pictures, in tool results too", Decodes: true},
	{Name: "files", Type: "int", Doc: "documents, in tool results too", Decodes: true},
	{Name: "audio", Type: "int", Doc: "sounds", Decodes: true},
	{Name: "tools", Type: "int", Doc: "tools that the model may call", Decodes: true},
	{Name: "thinking", Type: "bool", Doc: "the client asks for reasoning", Decodes: true},
	{Name: "json", Type: "bool", Doc: "the answer must be JSON", Decodes: true},
	{Name: "max_tokens", Type: "int", Doc: "the longest answer in tokens; 0 when not said", Decodes: true},
	{Name: "metadata", Type: "map", Doc: "the metadata in the request's body; like labels", Decodes: true},
	{Name: "turns", Type: "int", Doc: "messages of the user, without those that only hold results of tools", Decodes: true},
	{Name: "prompt", Type: "string", Doc: "the text of the user's last message, at most its first 32 KiB", Decodes: true},
	{Name: "prompt_chars", Type: "int", Doc: "the length of that text in characters, all of it", Decodes: true},
	{Name: "language", Type: "string", Doc: `what that text is mostly written in: "zh", "ja", "ko", "en" (any language in Latin letters), "ru", "ar", "hi", "th", "el", "he"; empty when it has no letters`, Decodes: true},
	{Name: "hour", Type: "int", Doc: "0 to 23, in the configured time zone"},
	{Name: "weekday", Type: "int", Doc: "1 is Monday, 7 is Sunday, in the configured time zone"},
	{Name: "utc_hour", Type: "int", Doc: "0 to 23, in UTC"},
	{Name: "utc_weekday", Type: "int", Doc: "1 is Monday, 7 is Sunday, in UTC"},
}

// Variables are what a condition may ask for. The slice is the caller's.
func Variables() []Variable { return append([]Variable(nil), variables...) }

// celType is a variable's type in CEL.
func (v *Variable) celType() *cel.Type {
	switch v.Type {
	case "int":
		return cel.IntType
	case "bool":
		return cel.BoolType
	case "map":
		return cel.MapType(cel.StringType, cel.StringType)
	}
	return cel.StringType
}
