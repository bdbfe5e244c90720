package structured

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/weir-gateway/weir"
)

// Mode is how an upstream is brought to a format.
type Mode string

// Modes.
const (
	ModeTool       Mode = "tool"
	ModeJSONObject Mode = "json_object"
	ModePrompt     Mode = "prompt"
)

// mode chooses the step of the ladder for a body; empty leaves the request
// alone. The tool is for requests without tools of their own: beside them a
// forced call would forbid theirs, and a free one would not be certain. Tools
// and json_object take objects only.
func (o *Options) mode(b *weir.Body) Mode {
	f := b.Format
	switch {
	case f == nil, f.Type != weir.FormatJSONSchema && f.Type != weir.FormatJSONObject:
		return ""
	case f.Type == weir.FormatJSONSchema && o.Support&Schema != 0,
		f.Type == weir.FormatJSONObject && o.Support&JSONObject != 0:
		return ""
	case f.Type == weir.FormatJSONObject, !isObject(f.Schema):
		return ModePrompt
	case o.Support&Tool != 0 && len(b.Tools) == 0:
		return ModeTool
	case o.Support&JSONObject != 0:
		return ModeJSONObject
	}
	return ModePrompt
}

// isObject reports whether a schema is certain to be of an object.
func isObject(schema []byte) bool {
	if schema == nil {
		return true // any object will do
	}
	var root struct {
		Type       json.RawMessage `json:"type"`
		Properties json.RawMessage `json:"properties"`
	}
	if json.Unmarshal(schema, &root) != nil {
		return false
	}
	return string(root.Type) == `"object"` || root.Type == nil && root.Properties != nil
}

// rewrite is what an upstream is sent in place of the request.
func (o *Options) rewrite(req *weir.Request, mode Mode) (*weir.Request, error) {
	edited, err := req.Edit(func(b *weir.Body) error {
		f := b.Format
		switch mode {
		case ModeTool:
			o.addTool(b, f)
		case ModeJSONObject:
			b.Format = &weir.Format{Type: weir.FormatJSONObject}
			instruct(b, instruction(f))
		default:
			b.Format = nil
			instruct(b, instruction(f))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	edited.Relay = false
	return edited, nil
}

// addTool makes the schema the parameters of the one tool, to be called.
func (o *Options) addTool(b *weir.Body, f *weir.Format) {
	name := toolName(f.Name)
	t := weir.Tool{Type: weir.ToolFunction, Name: name, Schema: f.Schema, Strict: f.Strict, Description: "Gives the answer to the user."}
	if f.Description != "" {
		t.Description += " " + f.Description
	}
	if t.Schema == nil {
		t.Schema = []byte(`{"type":"object"}`)
	}
	b.Tools, b.Format, b.ParallelToolCalls = []weir.Tool{t}, nil, new(bool)
	switch choice := o.Choice; {
	case choice == weir.ToolModeAuto || thinks(b.Reasoning):
		b.ToolChoice = &weir.ToolChoice{Mode: weir.ToolModeAuto}
		instruct(b, "Give your answer by calling the tool "+name+" once, and write nothing else.")
	case choice == weir.ToolModeRequired:
		b.ToolChoice = &weir.ToolChoice{Mode: weir.ToolModeRequired}
	default:
		b.ToolChoice = &weir.ToolChoice{Mode: weir.ToolModeNamed, Names: []string{name}}
	}
}

// thinks reports whether the client asks the model to think.
func thinks(r *weir.ReasoningConfig) bool {
	if r == nil || r.Mode == "disabled" || r.Effort == "none" {
		return false
	}
	return r.Mode != "" || r.Effort != "" || r.Budget != nil
}

// toolName is a name of a format as a name of a tool, which every provider
// takes: letters, digits, _ and -.
func toolName(name string) string {
	name = strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '_' || r == '-' {
			return r
		}
		return '_'
	}, name)
	if name = strings.Trim(name[:min(len(name), 64)], "_-"); name == "" {
		return "answer"
	}
	return name
}

// instruction says a format in words.
func instruction(f *weir.Format) string {
	const form = "Answer with one JSON %s and nothing else: no other words, no code fences."
	if f.Type == weir.FormatJSONObject || f.Schema == nil {
		return strings.Replace(form, "%s", "object", 1)
	}
	var s strings.Builder
	s.WriteString(strings.Replace(form, "%s", "value", 1))
	if f.Description != "" {
		s.WriteString(" It is: " + f.Description)
	}
	s.WriteString("\nIt must match this JSON Schema:\n")
	var schema bytes.Buffer
	if json.Compact(&schema, f.Schema) != nil {
		schema.Reset()
		schema.Write(f.Schema)
	}
	s.Write(schema.Bytes())
	return s.String()
}

// instruct adds an instruction to the system text at the head of the
// conversation, where it is the same in every turn of it (requirement C-03).
func instruct(b *weir.Body, text string) {
	last := -1
	for i := range b.Messages {
		if r := b.Messages[i].Role; r != weir.RoleSystem && r != weir.RoleDeveloper {
			break
		}
		last = i
	}
	if last >= 0 {
		m := &b.Messages[last]
		m.Blocks, m.Plain = append(m.Blocks, weir.Block{Type: weir.BlockText, Text: text}), false
		return
	}
	keepPlaces(b)
	b.Messages = slices.Insert(b.Messages, 0, weir.SystemText(text))
}

// keepPlaces remembers where messages stood that are about to get another
// number, so that a loss names them as the client knows them. Protocols with
// their system text beside the messages, or with other words for them, need no
// help.
func keepPlaces(b *weir.Body) {
	if b.From != weir.OpenAIChat && b.From != weir.OllamaChat {
		return
	}
	for i := range b.Messages {
		if b.Messages[i].At == "" {
			b.Messages[i].At = "messages[" + strconv.Itoa(i) + "]"
		}
	}
}

// words names the format in each client's protocol.
var words = map[weir.Protocol]string{
	weir.OpenAIResponses:   "text.format",
	weir.AnthropicMessages: "output_config.format",
	weir.GeminiGenerate:    "generationConfig.responseJsonSchema",
	weir.OllamaChat:        "format",
	weir.BedrockConverse:   "outputConfig.textFormat",
}

// wordFor is the client's name of the format.
func wordFor(p weir.Protocol) string {
	if w := words[p]; w != "" {
		return w
	}
	return "response_format"
}
