package anthropic

import (
	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// maxBreakpoints is how many cache breakpoints a request may have, the automatic
// one included (prompt caching guide, 2026-08).
const maxBreakpoints = 4

// breakpoints counts the cache breakpoints of what will be written. The last
// ones are kept when there are too many: a later breakpoint covers all that
// stands before it.
func (e *bodyEncoder) breakpoints(system []weir.Message, turns []turn) int {
	n := 0
	count := func(c *weir.CacheControl, raw []byte) {
		if c != nil || raw != nil && jsonx.Get(raw, "cache_control") != nil {
			n++
		}
	}
	count(e.body.Cache, nil)
	for i := range e.body.Tools {
		count(e.body.Tools[i].Cache, e.body.Tools[i].Raw)
	}
	for i := range system {
		n += countBlocks(system[i].Blocks)
	}
	for i := range turns {
		for _, p := range turns[i].parts {
			n += countBlock(p.block)
		}
	}
	return n
}

func countBlocks(blocks []weir.Block) (n int) {
	for i := range blocks {
		n += countBlock(&blocks[i])
	}
	return n
}

func countBlock(b *weir.Block) (n int) {
	if b.Cache != nil || b.Opaque != nil && jsonx.Get(b.Opaque.Raw, "cache_control") != nil {
		n = 1
	}
	if b.Result != nil {
		n += countBlocks(b.Result.Content)
	}
	return n
}

// cache writes the breakpoint of a block or tool as its member, unless it is one
// too many.
func (e *bodyEncoder) cache(c *weir.CacheControl, at string) {
	if c == nil {
		return
	}
	if e.drop > 0 {
		e.drop--
		e.losses.Drop(at+".cache_control", "a request has at most 4 cache breakpoints; the last ones were kept")
		return
	}
	e.buf.Key("cache_control")
	e.cacheValue(c)
}

func (e *bodyEncoder) cacheValue(c *weir.CacheControl) {
	start := e.begin()
	if !e.same || c.Extra.Value("type") == nil {
		e.buf.StringField("type", "ephemeral")
	}
	if c.TTL != "" {
		e.buf.StringField("ttl", c.TTL)
	}
	e.extra(start, c.Extra, "cache_control")
	e.buf.EndObject()
}
