package codec

import (
	"fmt"
	"slices"

	"github.com/weir-gateway/weir"
)

// What follows brings conversations into the order that a target demands. It is
// shared by all protocols, since the same templates stand behind each of them.

// A Turn is a message on its way to a target, which may stand elsewhere, in parts
// or together with others by then. It remembers where in the request it and its
// blocks stood, so that losses are told in the client's words.
type Turn struct {
	weir.Message
	// At is the message's number in Body.Messages.
	At int
	// Places are those of the blocks; nil when the blocks are those of the
	// message At, in its order.
	Places []Place
}

// A Place is a block's: the number of its message in Body.Messages and its own
// number there.
type Place struct{ Message, Block int }

// Turns are msgs, each where it stands.
func Turns(msgs []weir.Message) []Turn {
	out := make([]Turn, len(msgs))
	for i := range msgs {
		out[i] = Turn{Message: msgs[i], At: i}
	}
	return out
}

// Place is where block i stood.
func (t *Turn) Place(i int) Place {
	if t.Places == nil {
		return Place{t.At, i}
	}
	return t.Places[i]
}

// AllPlaces are the places of all blocks, a copy.
func (t *Turn) AllPlaces() []Place {
	out := make([]Place, len(t.Blocks))
	for i := range out {
		out[i] = t.Place(i)
	}
	return out
}

// SystemFirst is msgs with system text only at the head; see SystemTurnsFirst.
// The losses count msgs from 0.
func SystemFirst(msgs []weir.Message, losses *Losses) []weir.Message {
	turns := SystemTurnsFirst(Turns(msgs), func(at int) string { return fmt.Sprintf("messages[%d]", at) }, losses)
	return messagesOf(turns)
}

// MergeNeighbours is msgs with neighbours of the same role made one; see
// MergeTurns.
func MergeNeighbours(msgs []weir.Message) []weir.Message {
	return messagesOf(MergeTurns(Turns(msgs)))
}

func messagesOf(turns []Turn) []weir.Message {
	out := make([]weir.Message, len(turns))
	for i := range turns {
		out[i] = turns[i].Message
	}
	return out
}

// SystemTurnsFirst is turns with system text only at the head: a later system or
// developer message becomes user text in <system> marks, in the next user turn
// where there is one (protocols.md §13.4). path names a message for the losses.
// turns is not modified.
func SystemTurnsFirst(turns []Turn, path func(at int) string, losses *Losses) []Turn {
	head := 0
	for head < len(turns) && isSystem(turns[head].Role) {
		head++
	}
	if !slices.ContainsFunc(turns[head:], func(t Turn) bool { return isSystem(t.Role) }) {
		return turns
	}
	out := slices.Clone(turns[:head])
	var waiting Turn // user text that was system text
	for _, t := range turns[head:] {
		switch {
		case isSystem(t.Role) && len(t.Blocks) == 0: // it says nothing
			continue
		case isSystem(t.Role):
			losses.Move(path(t.At), "the target takes system text at the head only; it became user text")
			if len(waiting.Blocks) == 0 {
				waiting = Turn{Message: weir.Message{Role: weir.RoleUser}, At: t.At}
			}
			waiting.Blocks = append(waiting.Blocks, weir.Block{Type: weir.BlockText, Text: "<system>\n" + t.Text() + "\n</system>"})
			waiting.Places = append(waiting.Places, Place{Message: t.At})
			continue
		case len(waiting.Blocks) == 0 || t.Role == weir.RoleTool:
		case t.Role == weir.RoleUser:
			t = insertAfterResults(t, waiting)
			waiting = Turn{}
		default:
			out = append(out, waiting)
			waiting = Turn{}
		}
		out = append(out, t)
	}
	if len(waiting.Blocks) > 0 {
		out = append(out, waiting)
	}
	return out
}

func isSystem(r weir.Role) bool { return r == weir.RoleSystem || r == weir.RoleDeveloper }

// insertAfterResults is t with the blocks of more behind the tool results that it
// begins with, since those have to come first.
func insertAfterResults(t, more Turn) Turn {
	n := 0
	for n < len(t.Blocks) && t.Blocks[n].Type == weir.BlockToolResult {
		n++
	}
	places := t.AllPlaces()
	t.Places = slices.Concat(places[:n:n], more.Places, places[n:])
	t.Blocks, t.Plain = slices.Concat(t.Blocks[:n:n], more.Blocks, t.Blocks[n:]), false
	return t
}

// MergeTurns is turns with neighbours of the same role made one, for targets
// whose templates want user and assistant to alternate (protocols.md §13.5).
// Tool messages stay apart, as each answers its own call. Two plain texts are
// joined by a blank line, anything else keeps its blocks in order. Names and
// unknown members of the later message are kept where the earlier one has none.
// turns is not modified.
func MergeTurns(turns []Turn) []Turn {
	out := make([]Turn, 0, len(turns))
	for _, t := range turns {
		if n := len(out); n > 0 && out[n-1].Role == t.Role && t.Role != weir.RoleTool {
			out[n-1] = mergeTurns(out[n-1], t)
			continue
		}
		out = append(out, t)
	}
	return out
}

func mergeTurns(a, b Turn) Turn {
	if a.Plain && b.Plain && len(a.Blocks) == 1 && len(b.Blocks) == 1 &&
		a.Blocks[0].Type == weir.BlockText && b.Blocks[0].Type == weir.BlockText {
		joined := a.Blocks[0]
		joined.Text += "\n\n" + b.Blocks[0].Text
		a.Blocks = []weir.Block{joined}
	} else {
		a.Places = slices.Concat(a.AllPlaces(), b.AllPlaces())
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
