package openaicompletions

import (
	"bytes"
	"errors"
	"slices"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// whole reads an answer that is one JSON body.
func (d *decoder) whole(src *codec.Source, maxBody int, yield func(weir.Event, error) bool) {
	if maxBody <= 0 {
		maxBody = defaultMax
	}
	body, err := src.ReadAll(maxBody)
	if errors.Is(err, codec.ErrTooLong) {
		e := d.broken("the answer is longer than %d bytes", maxBody)
		e.Hint = "raise the limit for answers"
		yield(weir.Event{}, e)
		return
	}
	if err != nil {
		yield(weir.Event{}, d.failure(err))
		return
	}
	if err := d.completion(body); err != nil {
		yield(weir.Event{}, err)
		return
	}
	d.frame = weir.Frame{Protocol: d.shape(), Raw: body, Events: int32(len(d.events)), Whole: true}
	d.flush(func() bool { return false }, yield)
}

// completion makes the events of a body. A finish reason of null or "" is an end
// here: nothing can follow.
func (d *decoder) completion(body []byte) error {
	data := bytes.TrimPrefix(body, []byte("\ufeff"))
	if len(bytes.TrimSpace(data)) == 0 {
		return d.empty()
	}
	if err := jsonx.Valid(data); err != nil {
		return d.broken("malformed: the answer is not the JSON that it should be: %w", err)
	}
	if jsonx.KindOf(data) != jsonx.KindObject {
		if e := d.disguised(data); e != nil {
			return e
		}
		return d.broken("malformed: the answer is no JSON object")
	}
	if err := d.read(data); err != nil {
		return d.broken("malformed: the answer is not the JSON that it should be: %w", err)
	}
	switch {
	case d.failed != nil:
		d.keepUsage()
	case len(d.choices) == 0:
		return d.empty()
	default:
		d.closeAll()
	}
	return nil
}

// keepUsage leaves of the events of a body that is an error what it has used, which
// is billed all the same (U-04). Content is not: another attempt may still be made.
func (d *decoder) keepUsage() {
	d.events = slices.DeleteFunc(d.events, func(ev weir.Event) bool { return ev.IsContent() })
	if n := len(d.events); n > 0 && d.events[n-1].Type != weir.EventUsage {
		d.events = d.events[:0]
	}
}
