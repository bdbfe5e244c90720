package converse

import (
	"github.com/weir-gateway/weir"
)

// noOutput stands for the output of a tool that had none: a blank text is refused,
// and whether none at all is taken differs from model to model.
const noOutput = "(no output)"

func (e *bodyEncoder) toolResult(b *weir.Block, at string) error {
	r := b.Result
	if r == nil {
		r = &weir.ToolResult{}
	}
	start := e.begin()
	e.buf.Key("toolResult")
	inner := e.begin()
	e.buf.StringField("toolUseId", e.callID(r.CallID))
	if err := e.resultContent(r, at); err != nil {
		return err
	}
	if r.IsError {
		e.status(at)
	}
	e.extra(inner, r.Extra, at)
	e.buf.EndObject()
	e.extra(start, b.Extra, at)
	e.buf.EndObject()
	return nil
}

// status says that a tool has failed, to the models that can be told (ToolResultBlock
// reference, 2026-08-07: Claude and Nova).
func (e *bodyEncoder) status(at string) {
	if e.same || isClaude(e.model) || e.vendor == vendorAmazon {
		e.buf.StringField("status", "error")
		return
	}
	e.losses.Drop(at+".is_error", "the model cannot be told that a tool has failed")
}

func (e *bodyEncoder) resultContent(r *weir.ToolResult, at string) error {
	e.buf.Key("content")
	e.buf.BeginArray()
	defer e.buf.EndArray()
	n := 0
	for i := range r.Content {
		c := &r.Content[i]
		if c.Type == weir.BlockText && !e.same && !hasInk(c.Text) {
			continue
		}
		n++
		if err := e.block(c, resultPath(c, at), weir.RoleUser); err != nil {
			return err
		}
	}
	if n == 0 && !e.same {
		e.losses.Approximate(at, "the tool had no output, which had to be put into words")
		e.buf.BeginObject()
		e.buf.StringField("text", noOutput)
		e.buf.EndObject()
	}
	return nil
}

// resultPath is where a part of a tool result stood.
func resultPath(b *weir.Block, at string) string {
	if b.At != "" {
		return b.At
	}
	return at
}

// resultCache is the mark of a tool result, or of a part of it: those have no cache
// points of their own here, and the one behind the result keeps the same prefix.
func resultCache(b *weir.Block) *weir.CacheControl {
	if b.Cache != nil || b.Result == nil {
		return b.Cache
	}
	for i := range b.Result.Content {
		if c := b.Result.Content[i].Cache; c != nil {
			return c
		}
	}
	return nil
}
