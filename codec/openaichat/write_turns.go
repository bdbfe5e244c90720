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
func (w *writer) turns() []codec.Turn {
	turns := w.splitResults(codec.Turns(w.in.Messages))
	if w.instruction != "" {
		turns = w.instruct(turns)
	}
	if w.q.DeveloperRole != "" {
		turns = w.renameDeveloper(turns)
	}
	if w.q.SystemFirst {
		turns = codec.SystemTurnsFirst(turns, w.paths.Message, &w.losses)
	}
	if w.q.StrictAlternation {
		turns = codec.MergeTurns(turns)
	}
	return turns
}

// instruct adds the instruction behind the system text at the head, where it
// leaves the prompt cache of what is before it alone.
func (w *writer) instruct(turns []codec.Turn) []codec.Turn {
	n := 0
	for n < len(turns) && (turns[n].Role == weir.RoleSystem || turns[n].Role == weir.RoleDeveloper) {
		n++
	}
	if n == 0 {
		return slices.Insert(slices.Clone(turns), 0, codec.Turn{Message: weir.SystemText(w.instruction)})
	}
	out := slices.Clone(turns)
	head := out[n-1]
	if head.Plain && len(head.Blocks) == 1 {
		block := head.Blocks[0]
		block.Text += "\n\n" + w.instruction
		head.Blocks = []weir.Block{block}
	} else {
		head.Places = append(head.AllPlaces(), codec.Place{Message: head.At})
		head.Blocks = append(slices.Clone(head.Blocks), weir.Block{Type: weir.BlockText, Text: w.instruction})
	}
	out[n-1] = head
	return out
}

func (w *writer) renameDeveloper(turns []codec.Turn) []codec.Turn {
	out := slices.Clone(turns)
	for i := range out {
		if out[i].Role == weir.RoleDeveloper {
			out[i].Role = weir.Role(w.q.DeveloperRole)
			w.losses.Rename(w.paths.Message(out[i].At)+".role", "the target does not know the developer role")
		}
	}
	return out
}

// splitResults gives every tool result a message of its own. The results of a
// turn come first, then one user message of what else it held, headed by the
// media that tool messages cannot carry (P-09, protocols.md §13.3).
func (w *writer) splitResults(turns []codec.Turn) []codec.Turn {
	if !slices.ContainsFunc(turns, func(t codec.Turn) bool { return w.needsSplit(t.Message) }) {
		return turns
	}
	s := splitter{w: w}
	for i := range turns {
		if t := &turns[i]; holdsResults(&t.Message) {
			s.split(t)
		} else {
			s.pass(*t)
		}
	}
	s.flush()
	return s.out
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

// splitter makes the tool messages of one turn after another and gathers their
// media.
type splitter struct {
	w     *writer
	out   []codec.Turn
	media codec.Turn // waits for the user message behind the results
	count int
}

// pass takes a turn without results over, behind the media that wait for it.
func (s *splitter) pass(t codec.Turn) {
	if len(s.media.Blocks) > 0 {
		if t.Role == weir.RoleUser {
			t.Places = slices.Concat(s.media.Places, t.AllPlaces())
			t.Blocks, t.Plain = slices.Concat(s.media.Blocks, t.Blocks), false
			s.media, s.count = codec.Turn{}, 0
		} else {
			s.flush()
		}
	}
	s.out = append(s.out, t)
}

// flush makes a user message of the media that wait.
func (s *splitter) flush() {
	if len(s.media.Blocks) > 0 {
		s.out = append(s.out, s.media)
	}
	s.media, s.count = codec.Turn{}, 0
}

// split takes a turn with results apart.
func (s *splitter) split(t *codec.Turn) {
	rest := codec.Turn{Message: t.Message, At: t.At, Places: []codec.Place{}}
	rest.Blocks = nil
	for i := range t.Blocks {
		if b := &t.Blocks[i]; b.Type == weir.BlockToolResult {
			s.out = append(s.out, s.result(t, i))
		} else {
			rest.Blocks, rest.Places = append(rest.Blocks, *b), append(rest.Places, t.Place(i))
		}
	}
	if t.Role == weir.RoleTool {
		return
	}
	if len(s.media.Blocks)+len(rest.Blocks) > 0 {
		rest.Plain = false
		s.pass(rest)
	}
	s.media, s.count = codec.Turn{}, 0
}

// result is the tool message of block i of t.
func (s *splitter) result(t *codec.Turn, i int) codec.Turn {
	b := &t.Blocks[i]
	place := t.Place(i)
	out := codec.Turn{Message: weir.Message{Role: weir.RoleTool}, At: t.At, Places: []codec.Place{place}}
	if t.Role == weir.RoleTool && len(t.Blocks) == 1 {
		out.Message = t.Message
	}
	r := *b.Result
	if b.Cache != nil {
		s.w.losses.Drop(s.w.paths.Block(place)+".cache_control", "tool messages have no place for it")
	}
	if !s.w.native() {
		r.Content = s.content(place, &r)
		r.Plain = true
		s.w.dropExtra(place, r.Extra)
	}
	out.Blocks = []weir.Block{{Type: weir.BlockToolResult, Result: &r}}
	return out
}

// content is what of a result a tool message can say.
func (s *splitter) content(place codec.Place, r *weir.ToolResult) []weir.Block {
	var out []weir.Block
	at := s.w.paths.Block(place)
	if r.IsError {
		out = append(out, weir.Block{Type: weir.BlockText, Text: "Error: "})
		s.w.losses.Approximate(at+".is_error", "tool messages have no error flag; the text says it")
	}
	for i := range r.Content {
		b := &r.Content[i]
		where := fmt.Sprintf("%s.content[%d]", at, i)
		if b.Cache != nil && b.Media == nil {
			s.w.losses.Drop(where+".cache_control", "tool messages have no place for it")
		}
		switch b.Type {
		case weir.BlockText:
			out = append(out, weir.Block{Type: weir.BlockText, Text: b.Text})
		case weir.BlockFile:
			if b.Media.Text != "" {
				out = append(out, weir.Block{Type: weir.BlockText, Text: codec.DocumentText(b.Media)})
				continue
			}
			out = append(out, s.move(where, place, "file", r.CallID, b))
		case weir.BlockImage:
			out = append(out, s.move(where, place, "image", r.CallID, b))
		case weir.BlockAudio:
			out = append(out, s.move(where, place, "audio", r.CallID, b))
		default:
			if text, ok := codec.SearchResultText(b); ok {
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
func (s *splitter) move(at string, place codec.Place, what, callID string, b *weir.Block) weir.Block {
	s.count++
	s.w.losses.Move(at, "tool messages carry text only; it is in the user message behind them")
	label := fmt.Sprintf("[%s %d, from the result of tool call %s]", what, s.count, s.w.callID(callID))
	moved := *b
	if moved.Cache != nil {
		s.w.losses.Drop(at+".cache_control", "tool messages have no place for it")
		moved.Cache = nil
	}
	s.media.Role, s.media.At = weir.RoleUser, place.Message
	s.media.Blocks = append(s.media.Blocks, weir.Block{Type: weir.BlockText, Text: label}, moved)
	s.media.Places = append(s.media.Places, place, place)
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
