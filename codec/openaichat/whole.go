package openaichat

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
	d.frame = weir.Frame{Protocol: protocol, Raw: d.corrected(body), Events: int32(len(d.events)), Whole: true}
	d.flush(func() bool { return false }, yield)
}

var byteOrderMark = []byte("\ufeff")

// completion makes the events of a chat.completion. A finish reason of null, ""
// or none is an end here: nothing can follow.
func (d *decoder) completion(body []byte) error {
	body = bytes.TrimPrefix(body, byteOrderMark)
	if len(bytes.TrimSpace(body)) == 0 {
		return d.broken("the upstream sent an empty answer")
	}
	err := jsonx.Valid(body)
	if err == nil {
		err = d.read(body)
	}
	switch {
	case err != nil:
		return d.broken("malformed: the answer is not the JSON that it should be: %w", err)
	case d.failed != nil:
		d.keepUsage()
	case len(d.choices) == 0:
		return d.broken("the answer has no choices")
	default:
		d.endChoices()
	}
	return nil
}

// endChoices ends the choices that no finish reason has ended. Usage counts after the
// ends, as in a stream.
func (d *decoder) endChoices() {
	var usage []weir.Event
	if n := len(d.events); n > 0 && d.events[n-1].Type == weir.EventUsage {
		usage = append(usage, d.events[n-1])
		d.events = d.events[:n-1]
	}
	for _, c := range d.choices {
		if !c.finished {
			d.close(c, &weir.Finish{Reason: weir.FinishStop, From: protocol})
		}
	}
	d.events = append(d.events, usage...)
}

// keepUsage leaves of the events of a body that is an error what it has used, which
// is billed all the same (U-04). Content is not: another attempt may still be made.
func (d *decoder) keepUsage() {
	d.events = slices.DeleteFunc(d.events, func(ev weir.Event) bool { return ev.IsContent() })
	if n := len(d.events); n > 0 && d.events[n-1].Type != weir.EventUsage {
		d.events = d.events[:0]
	}
}
