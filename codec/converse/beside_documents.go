package converse

import (
	"slices"
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
)

// attached is the text beside a document that came without one.
const attached = "The document is attached."

// textBesideDocuments puts a text into user turns that have a document and none,
// which the API refuses (Message reference, 2026-08-07; P-06).
func (e *bodyEncoder) textBesideDocuments(turns []turn) {
	for i := range turns {
		t := &turns[i]
		first := slices.IndexFunc(t.parts, func(p part) bool { return isDocument(p.block) })
		if first < 0 || t.role != weir.RoleUser || slices.ContainsFunc(t.parts, isText) {
			continue
		}
		e.losses.Approximate(e.path(t.parts[first]), "a document needs a text beside it: one was added")
		text := part{&weir.Block{Type: weir.BlockText, Text: attached}, codec.Place{Message: t.msg}}
		t.parts = slices.Insert(t.parts, first, text)
	}
}

func isText(p part) bool { return p.block.Type == weir.BlockText || p.block.Type == weir.BlockRefusal }

// isDocument reports whether kindOf makes a document of the block.
func isDocument(b *weir.Block) bool {
	if b.Type != weir.BlockFile || b.Media == nil {
		return false
	}
	mime := strings.ToLower(b.Media.MIME)
	return !strings.HasPrefix(mime, "audio/") && !strings.HasPrefix(mime, "video/")
}
