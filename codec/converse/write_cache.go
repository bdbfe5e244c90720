package converse

import (
	"fmt"
	"slices"

	"github.com/weir-gateway/weir"
)

// maxBreakpoints is how many cache points a request may have (prompt caching
// guide, 2026-08: Claude and Nova; C-02).
const maxBreakpoints = 4

// caches reports whether the target has a prompt cache that is told where to
// keep; other models refuse cache points.
func (e *bodyEncoder) caches() bool {
	return e.same || isClaude(e.model) || e.vendor == vendorAmazon
}

// breakpoints counts the cache points that would be written.
func (e *bodyEncoder) breakpoints(system []part, turns []turn) int {
	if e.same || !e.caches() {
		return 0
	}
	n := 0
	count := func(c *weir.CacheControl) {
		if c != nil {
			n++
		}
	}
	for i := range e.body.Tools {
		count(e.body.Tools[i].Cache)
	}
	for _, p := range system {
		count(resultCache(p.block))
	}
	for i := range turns {
		for _, p := range turns[i].parts {
			count(resultCache(p.block))
		}
	}
	return n
}

// cache writes the cache point behind a block or tool that has a mark. Of too many,
// the first are left out: the last one keeps the longest prefix.
func (e *bodyEncoder) cache(c *weir.CacheControl, at string) {
	if c == nil {
		return
	}
	if !e.caches() {
		e.losses.Drop(at+".cache_control", "the model has no cache points")
		return
	}
	if e.drop > 0 {
		e.drop--
		e.losses.Drop(at+".cache_control", fmt.Sprintf("the target keeps at most %d breakpoints, the last ones were kept", maxBreakpoints))
		return
	}
	if !e.same {
		e.losses.DropExtra(at+".cache_control", c.Extra)
	}
	e.buf.BeginObject()
	e.buf.Key("cachePoint")
	e.buf.BeginObject()
	e.buf.StringField("type", "default")
	switch {
	case c.TTL == "":
	case e.same || slices.Contains([]string{"5m", "1h"}, c.TTL):
		e.buf.StringField("ttl", c.TTL)
	default:
		e.losses.Approximate(at+".cache_control.ttl", "the target keeps for 5m or 1h")
	}
	e.buf.EndObject()
	e.buf.EndObject()
}

// autoCache marks the end of the conversation where the client asked for an
// automatic breakpoint, which is what that stands for.
func (e *bodyEncoder) autoCache(turns []turn) {
	c := e.body.Cache
	if c == nil || e.same {
		return
	}
	if !e.caches() || len(turns) == 0 {
		e.losses.Drop("cache_control", "the model has no cache points")
		return
	}
	e.losses.Move("cache_control", "it became a cache point behind the last message")
	last := &turns[len(turns)-1]
	p := &last.parts[len(last.parts)-1]
	if resultCache(p.block) != nil {
		return
	}
	b := *p.block
	b.Cache = c
	p.block = &b
}
