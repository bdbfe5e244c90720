package codec

import (
	"strconv"

	"github.com/weir-gateway/weir"
)

// Paths tell where a part of a canonical body stood in the request of its client,
// in the words of the client's protocol: a body that comes from Messages has its
// system text in front of its messages, a client has it beside them. Where a
// protocol's parts do not follow from their numbers, its server half has noted
// their place in Message.At and Block.At.
type Paths struct{ body *weir.Body }

// NewPaths are the paths of b.
func NewPaths(b *weir.Body) Paths { return Paths{b} }

// beside names the member that holds the system text of protocols that keep it
// beside the conversation.
var beside = map[weir.Protocol]string{
	weir.AnthropicMessages: "system",
	weir.BedrockConverse:   "system",
	weir.GeminiGenerate:    "systemInstruction",
}

// Message is the path of message i of the canonical body: "messages[2]".
func (p Paths) Message(i int) string {
	if i < len(p.body.Messages) && p.body.Messages[i].At != "" {
		return p.body.Messages[i].At
	}
	if p.hasSystem() {
		if i == 0 {
			return beside[p.body.From]
		}
		i--
	}
	if p.body.From == weir.GeminiGenerate {
		return "contents[" + strconv.Itoa(i) + "]"
	}
	return "messages[" + strconv.Itoa(i) + "]"
}

// hasSystem reports whether message 0 stood beside the conversation.
func (p Paths) hasSystem() bool {
	return beside[p.body.From] != "" && len(p.body.Messages) > 0 && p.body.Messages[0].Role == weir.RoleSystem
}

// Block is the path of a block: "messages[2].content[0]".
func (p Paths) Block(at Place) string {
	if m := p.body.Messages; at.Message < len(m) && at.Block < len(m[at.Message].Blocks) {
		if path := m[at.Message].Blocks[at.Block].At; path != "" {
			return path
		}
	}
	path := p.Message(at.Message)
	if p.body.From == weir.OllamaChat && at.Message < len(p.body.Messages) {
		return ollamaBlock(path, &p.body.Messages[at.Message], at.Block)
	}
	switch {
	case p.body.From == weir.GeminiGenerate:
		path += ".parts"
	case path != "system":
		path += ".content"
	}
	return path + "[" + strconv.Itoa(at.Block) + "]"
}

// ollamaBlock is the path of a block in Ollama's words, whose messages have a
// member for every sort: "messages[2].images[0]". Prompts have no messages around
// them.
func ollamaBlock(path string, m *weir.Message, block int) string {
	if block >= len(m.Blocks) {
		return path
	}
	typ, n := m.Blocks[block].Type, 0
	for i := range m.Blocks[:block] {
		if m.Blocks[i].Type == typ {
			n++
		}
	}
	member := "content"
	switch typ {
	case weir.BlockReasoning:
		member = "thinking"
	case weir.BlockImage:
		member = "images[" + strconv.Itoa(n) + "]"
	case weir.BlockToolCall:
		member = "tool_calls[" + strconv.Itoa(n) + "]"
	}
	switch {
	case m.At == "":
		return path + "." + member
	case typ == weir.BlockImage:
		return member
	}
	return path
}
