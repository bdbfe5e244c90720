package openairesponses

import (
	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// partAt is the part of the current event.
func (d *decoder) partAt(it *item, kind partKind) *part {
	return it.partAt(index(d.in.content), kind)
}

func (it *item) partAt(n int64, kind partKind) *part {
	p := it.parts[n]
	if p == nil {
		p = &part{kind: kind}
		if it.parts == nil {
			it.parts = map[int64]*part{}
		}
		it.parts[n] = p
	}
	return p
}

// open opens the block of a part, if it is not open. The part before it ends then:
// one block of every item stays open until the item's end, which repeats it all.
func (d *decoder) open(it *item, p *part) bool {
	if p.ended {
		return false
	}
	if !p.open {
		d.endParts(it)
		p.open = true
		b := &weir.Block{Type: weir.BlockText, Extra: it.extra}
		if p.kind == partRefusal {
			b.Type = weir.BlockRefusal
		}
		it.extra = it.extra.With("phase", nil)
		p.block = d.start(b)
	}
	return true
}

func (d *decoder) grow(it *item, p *part, s string) {
	if s == "" || !d.open(it, p) {
		return
	}
	p.seen = append(p.seen, s...)
	d.delta(p.block, weir.PartText, s)
}

func (d *decoder) textDelta(kind partKind) error {
	s, err := text(d.in.delta)
	if err != nil {
		return err
	}
	d.begin(nil)
	it := d.at(kindMessage)
	if it.kind != kindMessage || it.done {
		return nil
	}
	p := d.partAt(it, kind)
	d.grow(it, p, s)
	d.logprobs(it, p, d.in.logprobs)
	return nil
}

// logprobs are passed on behind the text that they belong to.
func (d *decoder) logprobs(it *item, p *part, raw []byte) {
	if !hasElements(raw) || jsonx.Valid(raw) != nil || !d.open(it, p) {
		return
	}
	p.logprobs = true
	d.delta(p.block, weir.PartLogprobs, logprobsOf(raw))
}

func (d *decoder) annotationAdded() error {
	raw := d.in.annotation
	if !says(raw) {
		return nil
	}
	if err := jsonx.Valid(raw); err != nil {
		return err
	}
	d.begin(nil)
	it := d.at(kindMessage)
	if it.kind != kindMessage || it.done {
		return nil
	}
	d.cite(it, d.partAt(it, partText), raw)
	return nil
}

func (d *decoder) cite(it *item, p *part, raw []byte) {
	if p.kind != partText || !d.open(it, p) {
		return
	}
	p.cited++
	c := citation(raw)
	d.emit(weir.Event{Type: weir.EventDelta, Part: weir.PartCitation, Index: p.block, Citation: &c})
}

func (d *decoder) textDone(kind partKind) {
	it := d.at(kindMessage)
	if it.kind != kindMessage || it.done {
		return
	}
	p := d.partAt(it, kind)
	s, _ := text(d.in.text)
	d.grow(it, p, remainder(p.seen, s))
	if !p.logprobs {
		d.logprobs(it, p, d.in.logprobs)
	}
}

// partDone says a part again as a whole.
func (d *decoder) partDone() {
	it := d.items[index(d.in.output)]
	if it == nil || it.kind != kindMessage || it.done {
		return
	}
	d.completePart(it, index(d.in.content), d.in.part)
}

// completePart sends what of a part has not come yet.
func (d *decoder) completePart(it *item, n int64, raw []byte) {
	kind := partText
	switch string(jsonx.Get(raw, "type")) {
	case `"refusal"`:
		kind = partRefusal
	case `"output_text"`, `"text"`:
	default:
		if raw != nil && it.parts[n] == nil {
			return // of a type that is not known
		}
	}
	p := it.partAt(n, kind)
	if p.ended {
		return
	}
	member := "text"
	if p.kind == partRefusal {
		member = "refusal"
	}
	d.grow(it, p, remainder(p.seen, jsonx.StringOr(jsonx.Get(raw, member), "")))
	if logprobs := jsonx.Get(raw, "logprobs"); !p.logprobs && logprobs != nil {
		d.logprobs(it, p, logprobs)
	}
	_ = jsonx.EachElement(jsonx.Get(raw, "annotations"), func(i int, a []byte) error {
		if i >= p.cited {
			d.cite(it, p, a)
		}
		return nil
	})
}

// completeMessage ends a message item. Its parts are matched by their order where
// their numbers are others (Bedrock counts them from 1).
func (d *decoder) completeMessage(it *item, raw []byte) {
	if raw != nil && !it.spoken() {
		d.describe(it, raw)
	}
	content := jsonx.Get(raw, "content")
	first := it.shift(content)
	_ = jsonx.EachElement(content, func(i int, part []byte) error {
		d.completePart(it, first+int64(i), part)
		return nil
	})
	d.endParts(it)
}

// endParts ends the blocks that are open.
func (d *decoder) endParts(it *item) {
	for _, p := range it.openParts() {
		p.ended = true
		d.end(p.block)
	}
}

// spoken reports whether a block of the item has begun.
func (it *item) spoken() bool {
	for _, p := range it.parts {
		if p.open {
			return true
		}
	}
	return false
}

// shift is the number of the first part, where all parts of content have come and
// none of them is number 0.
func (it *item) shift(content []byte) int64 {
	n := 0
	_ = jsonx.EachElement(content, func(int, []byte) error { n++; return nil })
	first := int64(-1)
	for i := range it.parts {
		if first < 0 || i < first {
			first = i
		}
	}
	if len(it.parts) != n {
		return 0
	}
	return max(first, 0)
}

// openParts are the parts whose blocks have not ended, in the order of these.
func (it *item) openParts() (out []*part) {
	for _, p := range it.parts {
		if p.open && !p.ended {
			out = append(out, p)
		}
	}
	sortParts(out)
	return out
}
