package codec

import (
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// DocumentText is a plain-text document as text, with what is known about it, for
// protocols that have no documents.
func DocumentText(m *weir.Media) string {
	var s strings.Builder
	for _, line := range []struct{ label, text string }{{"Document: ", m.Name}, {"Context: ", m.Context}} {
		if line.text != "" {
			s.WriteString(line.label + line.text + "\n")
		}
	}
	if s.Len() > 0 {
		s.WriteByte('\n')
	}
	s.WriteString(m.Text)
	return s.String()
}

// SearchResultText is the text of an Anthropic search_result, the one block kept
// by value that is text in disguise (protocols.md §12.5); ok is false for any
// other block.
func SearchResultText(b *weir.Block) (text string, ok bool) {
	if b.Opaque == nil || b.Opaque.Type != "search_result" {
		return "", false
	}
	var s strings.Builder
	for _, name := range []string{"title", "source"} {
		if v := jsonx.StringOr(jsonx.Get(b.Opaque.Raw, name), ""); v != "" {
			s.WriteString(v + "\n")
		}
	}
	_ = jsonx.EachElement(jsonx.Get(b.Opaque.Raw, "content"), func(_ int, part []byte) error {
		s.WriteString("\n" + jsonx.StringOr(jsonx.Get(part, "text"), ""))
		return nil
	})
	return s.String(), true
}
