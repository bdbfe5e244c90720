package ollama

import (
	"fmt"
	"slices"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
)

func unsupported(at, why, hint string) *weir.Error {
	e := weir.Errorf(weir.KindUnsupported, "%s cannot be carried over: %s", at, why)
	e.Param, e.Hint = at, hint
	return e
}

// part puts a block of content where the protocol has it, or refuses what would
// change the question if it were left out (P-10).
func (w *bodyWriter) part(p *pieces, role weir.Role, b placed) error {
	at := w.paths.Block(b.at)
	m := b.Media
	switch {
	case b.Type == weir.BlockText || b.Type == weir.BlockRefusal:
		if b.Text != "" {
			p.text = append(p.text, b.Text)
		}
		return nil
	case b.Type == weir.BlockOpaque:
		if text, ok := codec.SearchResultText(b.Block); ok {
			p.text = append(p.text, text)
		} else {
			w.losses.Drop(at, "only its own protocol understands it")
		}
		return nil
	case m == nil:
		return unsupported(at, "the target has no such block", "leave it out")
	case m.Citations != nil && *m.Citations:
		w.losses.Drop(at+".citations", "the target does not cite documents")
	}
	if !w.native() {
		w.losses.DropExtra(at, m.Extra)
	}
	switch {
	case m.Text != "":
		p.text = append(p.text, codec.DocumentText(m))
		return nil
	case b.Type == weir.BlockImage:
		return w.image(p, at, m)
	case b.Type == weir.BlockAudio && role == weir.RoleAssistant && m.Transcript != "":
		w.losses.Approximate(at, "spoken words became their transcript")
		p.text = append(p.text, m.Transcript)
		return nil
	}
	return unsupported(at, "the target takes text and images only", "send its text")
}

// image writes base64 without a type, the only form that there is.
func (w *bodyWriter) image(p *pieces, at string, m *weir.Media) error {
	data := m.Data
	if _, inner, ok := codec.ParseDataURL(m.URL); ok {
		data = inner
	}
	if data == "" {
		return unsupported(at, "the target takes images by value only", "send the image itself, in base64")
	}
	if m.Detail != "" && m.Detail != "auto" {
		w.losses.Drop(at+".detail", "the target has no such setting")
	}
	if m.Name != "" && !w.native() {
		w.losses.Drop(at+".name", "images have no names at the target")
	}
	p.images = append(p.images, data)
	return nil
}

func holdsResults(m *weir.Message) bool {
	for i := range m.Blocks {
		if m.Blocks[i].Type == weir.BlockToolResult {
			return true
		}
	}
	return false
}

// splitResults gives every tool result a message of its own. The results of a turn
// come first, then one user message of what else it held, headed by the images
// that tool messages do not carry (P-09, protocols.md §13.3).
func (w *bodyWriter) splitResults(turns []codec.Turn) []codec.Turn {
	s := splitter{w: w}
	for i := range turns {
		switch t := &turns[i]; {
		case !holdsResults(&t.Message):
			s.pass(*t)
		case w.native() && t.Role == weir.RoleTool && t.Blocks[0].Type == weir.BlockToolResult:
			s.out = append(s.out, *t)
		default:
			s.split(t)
		}
	}
	s.flush()
	return s.out
}

// splitter makes the tool messages of one turn after another and gathers their
// images.
type splitter struct {
	w     *bodyWriter
	out   []codec.Turn
	media codec.Turn // waits for the user message behind the results
	count int
}

// pass takes a turn without results over, behind the images that wait for it.
func (s *splitter) pass(t codec.Turn) {
	if len(s.media.Blocks) > 0 && t.Role == weir.RoleUser {
		t.Places = slices.Concat(s.media.Places, t.AllPlaces())
		t.Blocks, t.Plain = slices.Concat(s.media.Blocks, t.Blocks), false
		s.media = codec.Turn{}
	}
	s.flush()
	s.out = append(s.out, t)
}

// flush makes a user message of the images that wait.
func (s *splitter) flush() {
	if len(s.media.Blocks) > 0 {
		s.out = append(s.out, s.media)
	}
	s.media, s.count = codec.Turn{}, 0
}

// split takes a turn with results apart.
func (s *splitter) split(t *codec.Turn) {
	rest := codec.Turn{Message: t.Message, At: t.At, Places: []codec.Place{}}
	rest.Blocks, rest.Plain = nil, false
	if rest.Role == weir.RoleTool {
		rest.Role = weir.RoleUser
	}
	first := len(s.out)
	for i := range t.Blocks {
		if t.Blocks[i].Type == weir.BlockToolResult {
			s.out = append(s.out, s.result(t, i))
		} else {
			rest.Blocks, rest.Places = append(rest.Blocks, t.Blocks[i]), append(rest.Places, t.Place(i))
		}
	}
	if len(rest.Blocks) > 0 {
		s.pass(rest)
	} else {
		s.out[first].Extra = t.Extra
	}
}

// result is the tool message of block i of t.
func (s *splitter) result(t *codec.Turn, i int) codec.Turn {
	place := t.Place(i)
	at := s.w.paths.Block(place)
	b := t.Blocks[i]
	r := *b.Result
	out := codec.Turn{Message: weir.Message{Role: weir.RoleTool}, At: t.At, Places: []codec.Place{place}}
	r.Content, r.Plain = nil, true
	if r.IsError {
		r.Content = append(r.Content, weir.Block{Type: weir.BlockText, Text: "Error: "})
		s.w.losses.Approximate(at+".is_error", "tool messages have no error flag; the text says it")
	}
	for k := range b.Result.Content {
		c := b.Result.Content[k]
		if c.Cache != nil {
			s.w.losses.Drop(fmt.Sprintf("%s.content[%d].cache_control", at, k), noCache)
			c.Cache = nil
		}
		if c.Type == weir.BlockImage {
			c = s.move(at, k, place, r.CallID, c)
			if len(r.Content) > 0 {
				c.Text = "\n" + c.Text // the texts of a result are one text
			}
		}
		r.Content = append(r.Content, c)
	}
	b.Result = &r
	out.Blocks = []weir.Block{b}
	return out
}

// move puts an image into the user message behind the results and leaves a stub in
// its place.
func (s *splitter) move(at string, k int, place codec.Place, callID string, image weir.Block) weir.Block {
	s.count++
	s.w.losses.Move(fmt.Sprintf("%s.content[%d]", at, k), "tool messages carry text only; it is in the user message behind them")
	label := fmt.Sprintf("[image %d, from the result of tool call %s]", s.count, callID)
	s.media.Role, s.media.At = weir.RoleUser, place.Message
	s.media.Blocks = append(s.media.Blocks, weir.Block{Type: weir.BlockText, Text: label}, image)
	s.media.Places = append(s.media.Places, place, place)
	return weir.Block{Type: weir.BlockText, Text: fmt.Sprintf("[image %d attached below]", s.count)}
}
