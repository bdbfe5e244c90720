package openaichat

import (
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// finishReasons are the words that mean the same at every vendor. Sources:
// protocols.md §12.3; recordings.
var finishReasons = map[string]weir.FinishReason{
	"stop": weir.FinishStop, "eos": weir.FinishStop, "end_turn": weir.FinishStop, "normal": weir.FinishStop,
	"length": weir.FinishLength, "max_tokens": weir.FinishLength,
	"model_length": weir.FinishContextWindow, "model_context_window_exceeded": weir.FinishContextWindow,
	"tool_calls": weir.FinishToolCalls, "tool_call": weir.FinishToolCalls, "function_call": weir.FinishToolCalls,
	"tool_use":       weir.FinishToolCalls,
	"content_filter": weir.FinishContentFilter, "sensitive": weir.FinishContentFilter,
	"refusal": weir.FinishRefusal, "error": weir.FinishError,
	"network_error": weir.FinishError, "insufficient_system_resource": weir.FinishError,
}

// finish reads the finish reason of the chunk at hand. An empty or missing one
// is none yet; after the first, the same again is no news.
func (d *decoder) finish(c *choice) error {
	native := jsonx.StringOr(d.chunk.finish, "")
	if d.chunk.finish != nil {
		d.finishes++
	}
	if c.finished && c.hasCalls && finishReasons[native] == weir.FinishStop {
		d.hide()
	}
	if native == "" || c.finished || d.suppress {
		return nil
	}
	reason := d.reason(native)
	if reason == weir.FinishError {
		if d.failed == nil {
			e := d.broken("the upstream gave up in the middle of the answer (%s)", clean(native))
			e.Code = clean(native)
			d.failed = e
		}
		return nil
	}
	f := &weir.Finish{Reason: reason, Native: native, From: protocol}
	for _, x := range d.chunk.choiceExtra {
		if says(x.Value) && !saysNothing(x.Value) {
			keep(&f.Extra, x.Name, x.Value)
		}
	}
	d.close(c, f)
	return nil
}

// clean keeps a vendor's word fit for an error message.
func clean(s string) string { return strings.ToValidUTF8(s[:min(len(s), 64)], "") }

func (d *decoder) reason(native string) weir.FinishReason {
	if mapped, ok := d.q.FinishReasons[native]; ok {
		return weir.FinishReason(mapped)
	}
	if reason, ok := finishReasons[native]; ok {
		return reason
	}
	return weir.FinishOther
}

// close ends every open block of c, and the choice. A call that was made is what
// the client must know, whatever the upstream's word (S-05), but for an answer
// that was cut: its arguments may be cut too (S-06).
func (d *decoder) close(c *choice, f *weir.Finish) {
	c.finished = true
	if !d.relay {
		c.tags.end(func(text string, thinking bool) { d.tagged(c, text, thinking) })
		d.flushCalls(c)
		d.endAll(c)
	}
	if c.hasCalls && f.Reason == weir.FinishStop {
		f.Reason = weir.FinishToolCalls
		if f.Native != "" {
			d.hide()
		}
	}
	d.emit(weir.Event{Type: weir.EventFinish, Choice: c.n, Finish: f})
}

// endAll ends what is open in the order in which it was begun.
func (d *decoder) endAll(c *choice) {
	for i := range c.blocks {
		for kind := range c.open {
			if c.open[kind] == i {
				d.end(c, i)
				c.open[kind] = notOpen
			}
		}
		for _, k := range c.calls {
			if k.begun && !k.ended && k.block == i {
				d.end(c, i)
				k.ended = true
			}
		}
	}
}
