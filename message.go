package weir

import "strings"

// A Message is one turn of a conversation.
type Message struct {
	Role   Role
	Blocks []Block
	Name   string // the participant's name, where the protocol has one
	// Plain tells that the content came as one string and not as a list of
	// parts; a codec of the same protocol writes it back so.
	Plain bool
	// At is where the message stood in the client's request, in the client's
	// words ("input[2]", "systemInstruction"), where it does not follow from
	// its number.
	At    string
	Extra Fields
}

// Role is who speaks.
type Role string

// Roles. Tool results stand in a RoleTool message or, as Anthropic writes them,
// at the head of a RoleUser one; codecs read both.
const (
	RoleSystem    Role = "system"
	RoleDeveloper Role = "developer"
	RoleUser      Role = "user"
	RoleAssistant Role = "assistant"
	RoleTool      Role = "tool"
)

// Text is the message's text blocks joined.
func (m *Message) Text() string {
	var s strings.Builder
	for i := range m.Blocks {
		if m.Blocks[i].Type == BlockText {
			s.WriteString(m.Blocks[i].Text)
		}
	}
	return s.String()
}

// ToolCalls are the message's tool calls in order.
func (m *Message) ToolCalls() []*ToolCall {
	var calls []*ToolCall
	for i := range m.Blocks {
		if c := m.Blocks[i].Call; c != nil {
			calls = append(calls, c)
		}
	}
	return calls
}

// UserText is a user message of one text.
func UserText(text string) Message { return textMessage(RoleUser, text) }

// SystemText is a system message of one text.
func SystemText(text string) Message { return textMessage(RoleSystem, text) }

// AssistantText is an assistant message of one text.
func AssistantText(text string) Message { return textMessage(RoleAssistant, text) }

func textMessage(role Role, text string) Message {
	return Message{Role: role, Plain: true, Blocks: []Block{{Type: BlockText, Text: text}}}
}

// ToolResultText is the answer to a tool call, as one text.
func ToolResultText(callID, text string) Message {
	return Message{Role: RoleTool, Blocks: []Block{{
		Type:   BlockToolResult,
		Result: &ToolResult{CallID: callID, Plain: true, Content: []Block{{Type: BlockText, Text: text}}},
	}}}
}
