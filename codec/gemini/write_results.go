package gemini

import (
	"fmt"
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
)

// result writes the functionResponse of a result. It needs the name of the tool,
// which other protocols say in the call only.
func (w *bodyWriter) result(b *weir.Block, at string) error {
	r := b.Result
	if r == nil {
		r = &weir.ToolResult{}
	}
	w.key("functionResponse", b.Extra)
	start := w.begin()
	if id := w.callID(r.CallID, r.Extra); id != "" {
		w.buf.StringField("id", id)
	}
	w.buf.StringField("name", w.resultName(r))
	words, rest := resultText(r)
	if !w.same || len(rest) < len(r.Content) {
		w.key("response", r.Extra)
		w.buf.Raw(asResponse(words, r.IsError, marked(r.Extra, "response")))
	}
	if err := w.resultParts(r, rest, at); err != nil {
		return err
	}
	w.extra(start, r.Extra, at)
	w.buf.EndObject()
	return nil
}

func (w *bodyWriter) resultName(r *weir.ToolResult) string {
	if w.same && r.Name != "" {
		return r.Name
	}
	if name, ok := w.called[r.CallID]; ok {
		return w.names.sent(name)
	}
	return w.names.sent(r.Name)
}

// resultText is the text of a result, and what of it is none.
func resultText(r *weir.ToolResult) (words string, rest []*weir.Block) {
	var s strings.Builder
	for i := range r.Content {
		b := &r.Content[i]
		if b.Type == weir.BlockText || b.Type == weir.BlockRefusal {
			s.WriteString(b.Text)
			continue
		}
		if found, ok := codec.SearchResultText(b); ok {
			s.WriteString(found)
			continue
		}
		rest = append(rest, b)
	}
	return s.String(), rest
}

func (w *bodyWriter) resultParts(r *weir.ToolResult, rest []*weir.Block, at string) error {
	if !w.same {
		for i := range r.Content {
			w.notSaid(&r.Content[i], at)
		}
	}
	if len(rest) == 0 {
		return nil
	}
	w.key("parts", r.Extra)
	w.buf.BeginArray()
	for _, b := range rest {
		if b.Opaque != nil && b.Opaque.Protocol == protocol {
			w.buf.Raw(b.Opaque.Raw)
			continue
		}
		start := w.begin()
		if err := w.media(b, at); err != nil {
			return err
		}
		w.extra(start, b.Extra, at)
		w.buf.EndObject()
	}
	w.buf.EndArray()
	return nil
}

// splitMedia prepares the result of p for the target: media that a result cannot
// carry leave a stub in it and go behind all results of the turn (P-09,
// protocols.md §13.3). Results take data from Gemini 3 on; addresses never.
func (w *bodyWriter) splitMedia(p *placed, moved *[]placed) {
	r := p.Result
	if r == nil {
		return
	}
	var content []weir.Block
	for i := range r.Content {
		b := r.Content[i]
		where := fmt.Sprintf("%s.content[%d]", w.paths.Block(p.at), i)
		_, isSearchResult := codec.SearchResultText(&b)
		switch {
		case b.Type == weir.BlockOpaque && !isSearchResult:
			w.losses.Drop(where, "only its own protocol understands it")
			continue
		case b.Media == nil, b.Media.Text != "", w.inResult(&b):
		default:
			n := len(*moved)/2 + 1
			what := fmt.Sprintf("%s %d", b.Type, n)
			w.losses.Move(where, "the model takes no such media in results; it is behind them in the same message")
			label := fmt.Sprintf("[%s, from the result of the call of %s]", what, w.resultName(r))
			medium := b
			*moved = append(*moved, placed{Block: &weir.Block{Type: weir.BlockText, Text: label}, at: p.at}, placed{Block: &medium, at: p.at})
			b = weir.Block{Type: weir.BlockText, Text: "[" + what + " attached below]"}
		}
		content = append(content, b)
	}
	out := p.Clone()
	out.Result.Content = content
	p.Block = &out
}

// inResult reports whether a medium may stand in a result.
func (w *bodyWriter) inResult(b *weir.Block) bool {
	url := b.Media.URL
	return (w.gen == 0 || w.gen >= gen30) && b.Media.FileID == "" && (url == "" || strings.HasPrefix(url, "data:"))
}
