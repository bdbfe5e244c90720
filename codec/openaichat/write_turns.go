package openaichat

import (
	"fmt"
	"slices"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
)

// turns are the messages in the order and the roles that the target demands:
// results of tools in messages of their own, right behind the calls (S-10), and
// whatever the quirks ask for.
func (w *writer) turns() []weir.Message {
	msgs := w.splitResults(w.in.Messages)
	if w.instruction != "" {
		msgs = w.instruct(msgs)
	}
	if w.q.DeveloperRole != "" {
		msgs = w.renameDeveloper(msgs)
	}
	if w.q.SystemFirst {
		msgs = codec.SystemFirst(msgs, &w.losses)
	}
	if w.q.StrictAlternation {
		msgs = codec.MergeNeighbours(msgs)
	}
	return msgs
}

// instruct adds the instruction behind the system text at the head, where it
// leaves the prompt cache of what is before it alone.
func (w *writer) instruct(msgs []weir.Message) []weir.Message {
	n := 0
	for n < len(msgs) && (msgs[n].Role == weir.RoleSystem || msgs[n].Role == weir.RoleDeveloper) {
		n++
	}
	if n == 0 {
		return slices.Insert(slices.Clone(msgs), 0, weir.SystemText(w.instruction))
	}
	out := slices.Clone(msgs)
	head := out[n-1]
	if head.Plain && len(head.Blocks) == 1 {
		block := head.Blocks[0]
		block.Text += "\n\n" + w.instruction
		head.Blocks = []weir.Block{block}
	} else {
		head.Blocks = append(slices.Clone(head.Blocks), weir.Block{Type: weir.BlockText, Text: w.instruction})
	}
	out[n-1] = head
	return out
}

func (w *writer) renameDeveloper(msgs []weir.Message) []weir.Message {
	out := slices.Clone(msgs)
	for i := range out {
		if out[i].Role == weir.RoleDeveloper {
			out[i].Role = weir.Role(w.q.DeveloperRole)
			w.losses.Rename(fmt.Sprintf("messages[%d].role", i), "the target does not know the developer role")
		}
	}
	return out
}

// splitResults gives every tool result a message of its own. The results of a
// turn come first, then one user message of what else it held, headed by the
// media that tool messages cannot carry (P-09, protocols.md §13.3).
func (w *writer) splitResults(msgs []weir.Message) []weir.Message {
	if !slices.ContainsFunc(msgs, w.needsSplit) {
		return msgs
	}
	var out []weir.Message
	s := splitter{w: w}
	for i := range msgs {
		m := msgs[i]
		at := fmt.Sprintf("messages[%d]", i)
		if m.Role != weir.RoleTool && len(s.media) > 0 && !holdsResults(&m) {
			if m.Role == weir.RoleUser {
				m.Blocks, m.Plain = slices.Concat(s.media, m.Blocks), false
			} else {
				out = append(out, weir.Message{Role: weir.RoleUser, Blocks: s.media})
			}
			s = splitter{w: w}
		}
		if !holdsResults(&m) {
			out = append(out, m)
			continue
		}
		var rest []weir.Block
		for k := range m.Blocks {
			if b := &m.Blocks[k]; b.Type == weir.BlockToolResult {
				out = append(out, s.result(fmt.Sprintf("%s.content[%d]", at, k), b, &m))
			} else {
				rest = append(rest, *b)
			}
		}
		if m.Role == weir.RoleTool {
			continue
		}
		if rest = slices.Concat(s.media, rest); len(rest) > 0 {
			m.Blocks, m.Plain = rest, false
			out = append(out, m)
		}
		s = splitter{w: w}
	}
	if len(s.media) > 0 {
		out = append(out, weir.Message{Role: weir.RoleUser, Blocks: s.media})
	}
	return out
}

func holdsResults(m *weir.Message) bool {
	return slices.ContainsFunc(m.Blocks, func(b weir.Block) bool { return b.Type == weir.BlockToolResult })
}

// needsSplit reports whether a message is not a tool message of one result in
// text already. Media that a client of this protocol put into a tool message
// stay there: some vendors take them.
func (w *writer) needsSplit(m weir.Message) bool {
	if !holdsResults(&m) {
		return false
	}
	if m.Role != weir.RoleTool || len(m.Blocks) != 1 {
		return true
	}
	r := m.Blocks[0].Result
	return !w.native() && (r.IsError || slices.ContainsFunc(r.Content, func(b weir.Block) bool { return b.Type != weir.BlockText }))
}

// splitter makes the tool messages of one turn and gathers their media.
type splitter struct {
	w     *writer
	media []weir.Block
	count int
}

// result is the tool message of the result b, which stands in m.
func (s *splitter) result(at string, b *weir.Block, m *weir.Message) weir.Message {
	out := *m
	if m.Role != weir.RoleTool || len(m.Blocks) != 1 {
		out = weir.Message{Role: weir.RoleTool}
	}
	r := *b.Result
	if b.Cache != nil {
		s.w.losses.Drop(at+".cache_control", "tool messages have no place for it")
	}
	if !s.w.native() {
		r.Content = s.content(at, &r)
		r.Plain = true
		s.w.losses.DropExtra(at, r.Extra)
	}
	out.Blocks = []weir.Block{{Type: weir.BlockToolResult, Result: &r}}
	return out
}

// content is what of a result a tool message can say.
func (s *splitter) content(at string, r *weir.ToolResult) []weir.Block {
	var out []weir.Block
	if r.IsError {
		out = append(out, weir.Block{Type: weir.BlockText, Text: "Error: "})
		s.w.losses.Approximate(at+".is_error", "tool messages have no error flag; the text says it")
	}
	for i := range r.Content {
		b := &r.Content[i]
		where := fmt.Sprintf("%s.content[%d]", at, i)
		switch b.Type {
		case weir.BlockText:
			out = append(out, weir.Block{Type: weir.BlockText, Text: b.Text})
		case weir.BlockFile:
			if b.Media.Text != "" {
				out = append(out, weir.Block{Type: weir.BlockText, Text: documentText(b.Media)})
				continue
			}
			out = append(out, s.move(where, "file", r.CallID, b))
		case weir.BlockImage:
			out = append(out, s.move(where, "image", r.CallID, b))
		case weir.BlockAudio:
			out = append(out, s.move(where, "audio", r.CallID, b))
		default:
			if text, ok := opaqueText(b); ok {
				out = append(out, weir.Block{Type: weir.BlockText, Text: text})
				continue
			}
			s.w.losses.Drop(where, "tool messages carry text only")
		}
	}
	return out
}

// move puts a medium into the user message behind the results and leaves a stub
// in its place.
func (s *splitter) move(at, what, callID string, b *weir.Block) weir.Block {
	s.count++
	s.w.losses.Move(at, "tool messages carry text only; it is in the user message behind them")
	label := fmt.Sprintf("[%s %d, from the result of tool call %s]", what, s.count, s.w.callID(callID))
	moved := *b
	moved.Cache = nil
	s.media = append(s.media, weir.Block{Type: weir.BlockText, Text: label}, moved)
	return weir.Block{Type: weir.BlockText, Text: fmt.Sprintf("[%s %d attached below]", what, s.count)}
}

// callID is a call's id as the target takes it.
func (w *writer) callID(id string) string {
	switch {
	case w.q.ToolIDAlnum9:
		return codec.AlnumID9(id)
	case w.q.ToolIDMax > 0 || !w.native():
		return codec.ShortenID(id, w.q.ToolIDMax)
	}
	return id // Kimi's own ids hold characters that are illegal elsewhere
}
