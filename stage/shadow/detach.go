package shadow

import (
	"bytes"
	"slices"

	"github.com/weir-gateway/weir"
)

// detached is a copy of a body whose bytes are its own: raw JSON may point into
// the bytes of the client's request, which are used again when its call is over.
// Texts are always copies already.
func detached(b *weir.Body) *weir.Body {
	own := b.Clone()
	for i := range own.Messages {
		own.Messages[i].Extra = fields(own.Messages[i].Extra)
		blocks(own.Messages[i].Blocks)
	}
	for i := range own.Tools {
		t := &own.Tools[i]
		t.Schema, t.Raw, t.Extra, t.Cache = bytes.Clone(t.Schema), bytes.Clone(t.Raw), fields(t.Extra), cache(t.Cache)
	}
	if c := own.ToolChoice; c != nil {
		c.Names, c.Extra = slices.Clone(c.Names), fields(c.Extra)
	}
	if f := own.Format; f != nil {
		f.Schema, f.Extra = bytes.Clone(f.Schema), fields(f.Extra)
	}
	if r := own.Reasoning; r != nil {
		r.Extra = fields(r.Extra)
	}
	own.Cache, own.Extra = cache(own.Cache), fields(own.Extra)
	return own
}

// blocks gives blocks that have been cloned bytes of their own.
func blocks(list []weir.Block) {
	for i := range list {
		b := &list[i]
		b.Cache, b.Extra = cache(b.Cache), fields(b.Extra)
		for j := range b.Citations {
			b.Citations[j].Raw = bytes.Clone(b.Citations[j].Raw)
		}
		if m := b.Media; m != nil {
			m.Extra = fields(m.Extra)
		}
		if r := b.Reasoning; r != nil {
			r.Extra = fields(r.Extra)
		}
		if c := b.Call; c != nil {
			c.Extra = fields(c.Extra)
		}
		if o := b.Opaque; o != nil {
			o.Raw = bytes.Clone(o.Raw)
		}
		if r := b.Result; r != nil {
			r.Extra = fields(r.Extra)
			blocks(r.Content)
		}
	}
}

func fields(f weir.Fields) weir.Fields {
	own := slices.Clone(f)
	for i := range own {
		own[i].Value = bytes.Clone(own[i].Value)
	}
	return own
}

func cache(c *weir.CacheControl) *weir.CacheControl {
	if c == nil {
		return nil
	}
	own := *c
	own.Extra = fields(c.Extra)
	return &own
}
