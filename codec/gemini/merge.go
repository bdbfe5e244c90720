package gemini

import (
	"fmt"
	"slices"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// Contents of one role that follow each other are one turn: Google's client for
// Python sends a streamed answer back chunk by chunk, the last of them an empty
// text (google-genai 3.4.0, automatic function calling, 2026-11). They become one
// message, in which calls and results are paired, without the empty texts, which
// say nothing and which others refuse (P-06, S-10). Marks tell where each of them
// stood, so that a client of this protocol has its contents written as they were.
const (
	// markNext is a content of the same role that began before the block that has
	// the mark. The value is the content without its parts.
	markNext = "next"
	// markEmpty is a part with an empty text before the block. The value is the part.
	markEmpty = "empty"
)

// Marks of what no block follows stand on the message.

// continues reports whether a content of that role belongs to the message before.
// To the model, results of tools come from the user, whatever their role is named.
func (r *bodyReader) continues(role weir.Role) bool {
	n := len(r.contents)
	return n > 0 && (r.contents[n-1].Role == weir.RoleAssistant) == (role == weir.RoleAssistant)
}

// add puts content i, read as m, behind those before it. One with members that
// Weir has no word for stays apart, since a block has no place for them.
func (r *bodyReader) add(i int, m weir.Message, at *path, raw []byte) {
	blocks := m.Blocks
	apart := !r.continues(m.Role) || hasUnknown(m.Extra)
	if apart {
		r.endMessage()
		if m.Blocks = nil; i != len(r.contents) {
			m.At = at.String()
		}
		r.contents = append(r.contents, m)
	} else {
		mark(&r.marks, markNext, string(emptied(raw)))
	}
	to := &r.contents[len(r.contents)-1]
	if to.Role != m.Role {
		to.Role = weir.RoleUser // words of the user beside results
	}
	for k := range blocks {
		b := &blocks[k]
		if b.Type == weir.BlockText && b.Text == "" && !hasUnknown(b.Extra) {
			mark(&r.marks, markEmpty, string(emptyText(b.Extra)))
			continue
		}
		if b.At == "" && (!apart || k != len(to.Blocks)) {
			b.At = fmt.Sprintf("%s.parts[%d]", at, k)
		}
		b.Extra = append(b.Extra, r.marks...)
		r.marks = r.marks[:0]
		to.Blocks = append(to.Blocks, *b)
	}
}

// endMessage completes the last message. One that is nothing but empty texts keeps
// one of them, since every message has a content.
func (r *bodyReader) endMessage() {
	if len(r.marks) == 0 {
		return
	}
	m := &r.contents[len(r.contents)-1]
	if len(m.Blocks) == 0 {
		isEmpty := func(f weir.Field) bool { return f.Name[1:] == markEmpty }
		if i := slices.IndexFunc(r.marks, isEmpty); i >= 0 {
			p, _ := takePart(new(root()), r.marks[i].Value) // it was read before
			m.Blocks = []weir.Block{{Type: weir.BlockText, Extra: append(p.extra, r.marks[:i]...)}}
			r.marks = slices.Delete(r.marks, 0, i+1)
		}
	}
	m.Extra = append(m.Extra, r.marks...)
	r.marks = r.marks[:0]
}

func hasUnknown(f weir.Fields) bool {
	return slices.ContainsFunc(f, func(f weir.Field) bool { return !f.Spelling })
}

// emptied is a content as it was written, but for its parts.
func emptied(raw []byte) []byte {
	var b jsonx.Buffer
	b.BeginObject()
	_ = jsonx.EachMember(raw, func(key, v []byte) error {
		if camel(string(key)) == "parts" {
			switch jsonx.KindOf(v) {
			case jsonx.KindObject:
				v = []byte("{}")
			case jsonx.KindArray:
				v = []byte("[]")
			}
		}
		b.RawField(string(key), v)
		return nil
	})
	b.EndObject()
	return b.B
}

// emptyText is a part with an empty text, as it was written.
func emptyText(extra weir.Fields) []byte {
	var b jsonx.Buffer
	b.BeginObject()
	b.StringField("text", "")
	for i := range extra {
		if !isMark(&extra[i]) {
			b.RawField(extra[i].Name, extra[i].Value)
		}
	}
	b.EndObject()
	return b.B
}

// apart are the contents that t was read from, with their empty texts.
func (t *turn) apart() []turn {
	out := []turn{{role: t.role, extra: t.extra, at: t.at}}
	for _, p := range t.parts {
		out = t.marked(out, p.Extra)
		last := &out[len(out)-1]
		last.parts = append(last.parts, p)
	}
	return t.marked(out, t.extra)
}

// marked adds what marks tell to the contents so far.
func (t *turn) marked(contents []turn, marks weir.Fields) []turn {
	for i := range marks {
		f := &marks[i]
		if !isMark(f) {
			continue
		}
		switch f.Name[1:] {
		case markNext:
			contents = append(contents, turn{role: t.role, extra: besideParts(f.Value), at: t.at})
		case markEmpty:
			last := &contents[len(contents)-1]
			b := opaqueBlock("text", f.Value)
			last.parts = append(last.parts, placed{Block: &b})
		}
	}
	return contents
}

// besideParts is what a content says beside its parts.
func besideParts(content []byte) weir.Fields {
	var r bodyReader
	m, _ := r.readContent(new(root()), content) // it was read before
	return m.Extra
}
