package openairesponses

import (
	"cmp"
	"slices"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
)

func sortParts(parts []*part) {
	slices.SortFunc(parts, func(a, b *part) int { return cmp.Compare(a.block, b.block) })
}

// thoughtDelta is a piece of a summary, or of the thinking itself. Each is one
// block of the reasoning item; its parts are paragraphs.
func (d *decoder) thoughtDelta(short bool) error {
	s, err := text(d.in.delta)
	if err != nil {
		return err
	}
	d.begin(nil)
	it := d.at(kindReasoning)
	if it.kind != kindReasoning || it.done || s == "" { // T-09
		return nil
	}
	if short {
		d.think(it, true, index(d.in.summary), s)
	} else {
		d.think(it, false, index(d.in.content), s)
	}
	return nil
}

func (it *item) thinking(short bool) *thinking {
	if short {
		return &it.summary
	}
	return &it.full
}

// think adds a piece of part n.
func (d *decoder) think(it *item, short bool, n int64, s string) {
	t := it.thinking(short)
	if !t.open {
		t.open, t.part = true, n
		t.block = d.start(d.reasoning(it, short))
	}
	if n != t.part && len(t.seen) > 0 {
		s = partBreak + s
	}
	t.part = n
	t.seen = append(t.seen, s...)
	d.delta(t.block, weir.PartText, s)
}

// completeReasoning ends a reasoning item. Its state comes with the end and
// belongs to the last of its blocks; state alone is a block too.
func (d *decoder) completeReasoning(it *item, raw []byte) {
	if it.id == "" && raw != nil {
		d.describe(it, raw)
	}
	var whole [2]string
	if raw != nil {
		whole[0], whole[1] = joinParts(jsonx.Get(raw, "summary")), joinParts(jsonx.Get(raw, "content"))
	}
	for i, short := range [...]bool{true, false} {
		t := it.thinking(short)
		if rest := remainder(t.seen, whole[i]); rest != "" {
			d.think(it, short, t.part, rest)
		}
	}
	signature, encrypted := d.state(raw)
	last := &it.full
	if it.summary.open && (!it.full.open || it.summary.block > it.full.block) {
		last = &it.summary
	}
	if signature != "" || encrypted != "" {
		if !last.open {
			last.open = true
			last.block = d.start(d.reasoning(it, false))
		}
		if signature != "" {
			d.delta(last.block, weir.PartSignature, signature)
		}
		if encrypted != "" {
			d.delta(last.block, weir.PartEncrypted, encrypted)
		}
	}
	open := []*thinking{&it.summary, &it.full}
	slices.SortFunc(open, func(a, b *thinking) int { return cmp.Compare(a.block, b.block) })
	for _, t := range open {
		if t.open {
			t.open = false
			d.end(t.block)
		}
	}
}

// reasoning is the block of a reasoning item.
func (d *decoder) reasoning(it *item, short bool) *weir.Block {
	r := &weir.Reasoning{ID: it.id, Format: d.format, Summary: short && !it.shown}
	if it.format != "" {
		r.Format = it.format
	}
	return &weir.Block{Type: weir.BlockReasoning, Reasoning: r}
}

// envelope reads whose state a reasoning item holds, where the upstream is a Weir
// itself and says so.
func (d *decoder) envelope(it *item, raw []byte) {
	if s := jsonx.StringOr(jsonx.Get(raw, "encrypted_content"), ""); isEnvelope(s) {
		if e, ok := parseEnvelope(s); ok {
			it.id, it.format, it.shown = e.id, e.format, e.full
		}
	}
}

// state is the state that a reasoning item holds, out of its envelope where it has
// one.
func (d *decoder) state(raw []byte) (signature, encrypted string) {
	encrypted = jsonx.StringOr(jsonx.Get(raw, "encrypted_content"), "")
	if !isEnvelope(encrypted) {
		return "", encrypted
	}
	e, ok := parseEnvelope(encrypted)
	if !ok {
		return "", ""
	}
	for _, c := range e.calls {
		if d.signatures == nil {
			d.signatures = map[string]string{}
		}
		d.signatures[c.id] = c.signature
	}
	return e.signature, e.encrypted
}
