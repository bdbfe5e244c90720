package codec

import (
	"fmt"
	"slices"

	"github.com/weir-gateway/weir"
)

// What follows brings conversations into the order that a target demands. It is
// shared by all protocols, since the same templates stand behind each of them.

// SystemFirst is msgs with system text only at the head: a later system or
// developer message becomes user text in <system> marks, in the next user turn
// where there is one (protocols.md §13.4). msgs is not modified.
func SystemFirst(msgs []weir.Message, losses *Losses) []weir.Message {
	head := 0
	for head < len(msgs) && isSystem(msgs[head].Role) {
		head++
	}
	if !slices.ContainsFunc(msgs[head:], func(m weir.Message) bool { return isSystem(m.Role) }) {
		return msgs
	}
	out := slices.Clone(msgs[:head])
	var waiting []weir.Block
	for i := head; i < len(msgs); i++ {
		m := msgs[i]
		switch {
		case isSystem(m.Role):
			losses.Move(fmt.Sprintf("messages[%d]", i), "the target takes system text at the head only; it became user text")
			waiting = append(waiting, weir.Block{Type: weir.BlockText, Text: "<system>\n" + m.Text() + "\n</system>"})
			continue
		case len(waiting) == 0 || m.Role == weir.RoleTool:
		case m.Role == weir.RoleUser:
			m.Blocks, m.Plain = insertAfterResults(m.Blocks, waiting), false
			waiting = nil
		default:
			out = append(out, weir.Message{Role: weir.RoleUser, Blocks: waiting})
			waiting = nil
		}
		out = append(out, m)
	}
	if waiting != nil {
		out = append(out, weir.Message{Role: weir.RoleUser, Blocks: waiting})
	}
	return out
}

func isSystem(r weir.Role) bool { return r == weir.RoleSystem || r == weir.RoleDeveloper }

// insertAfterResults puts more behind the tool results that a user turn begins
// with, since those have to come first.
func insertAfterResults(blocks, more []weir.Block) []weir.Block {
	n := 0
	for n < len(blocks) && blocks[n].Type == weir.BlockToolResult {
		n++
	}
	return slices.Concat(blocks[:n:n], more, blocks[n:])
}

// MergeNeighbours is msgs with neighbours of the same role made one, for targets
// whose templates want user and assistant to alternate (protocols.md §13.5).
// Tool messages stay apart, as each answers its own call. Two plain texts are
// joined by a blank line, anything else keeps its blocks in order. Names and
// unknown members of the later message are kept where the earlier one has none.
// msgs is not modified.
func MergeNeighbours(msgs []weir.Message) []weir.Message {
	out := make([]weir.Message, 0, len(msgs))
	for _, m := range msgs {
		if n := len(out); n > 0 && out[n-1].Role == m.Role && m.Role != weir.RoleTool {
			out[n-1] = mergeMessages(out[n-1], m)
			continue
		}
		out = append(out, m)
	}
	return out
}

func mergeMessages(a, b weir.Message) weir.Message {
	if a.Plain && b.Plain && len(a.Blocks) == 1 && len(b.Blocks) == 1 &&
		a.Blocks[0].Type == weir.BlockText && b.Blocks[0].Type == weir.BlockText {
		joined := a.Blocks[0]
		joined.Text += "\n\n" + b.Blocks[0].Text
		a.Blocks = []weir.Block{joined}
	} else {
		a.Blocks = slices.Concat(a.Blocks, b.Blocks)
		a.Plain = false
	}
	if a.Name == "" {
		a.Name = b.Name
	}
	for _, f := range b.Extra {
		a.Extra = a.Extra.With(f.Name, f.Value)
	}
	return a
}
