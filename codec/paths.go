package codec

import (
	"strconv"

	"github.com/weir-gateway/weir"
)

// Paths tell where a part of a canonical body stood in the request of its client,
// in the words of the client's protocol: a body that comes from Messages has its
// system text in front of its messages, a client has it beside them.
type Paths struct{ body *weir.Body }

// NewPaths are the paths of b.
func NewPaths(b *weir.Body) Paths { return Paths{b} }

// Message is the path of message i of the canonical body: "messages[2]".
func (p Paths) Message(i int) string {
	if p.body.From == weir.AnthropicMessages && len(p.body.Messages) > 0 && p.body.Messages[0].Role == weir.RoleSystem {
		if i == 0 {
			return "system"
		}
		i--
	}
	return "messages[" + strconv.Itoa(i) + "]"
}

// Block is the path of a block: "messages[2].content[0]".
func (p Paths) Block(at Place) string {
	path := p.Message(at.Message)
	if path != "system" {
		path += ".content"
	}
	return path + "[" + strconv.Itoa(at.Block) + "]"
}
