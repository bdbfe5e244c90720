package openairesponses

import (
	"bytes"
	"errors"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// whole reads an answer that is one JSON body.
func (d *decoder) whole(src *codec.Source, a *codec.Answer, yield func(weir.Event, error) bool) {
	limit := a.MaxBody
	if limit <= 0 {
		limit = defaultMax
	}
	body, err := src.ReadAll(limit)
	switch {
	case errors.Is(err, codec.ErrTooLong):
		e := d.broken("the answer is longer than %d bytes", limit)
		e.Hint = "raise the limit for answers"
		err = e
	case err != nil:
		err = d.failure(err)
	default:
		err = d.body(body, a)
	}
	if err != nil {
		yield(weir.Event{}, err)
		return
	}
	d.frame = weir.Frame{Protocol: protocol, Raw: body, Events: int32(len(d.events)), Whole: true}
	d.flush(func() bool { return false }, yield)
}

var byteOrderMark = []byte("\ufeff")

// body makes the events of a response, or of a count.
func (d *decoder) body(body []byte, a *codec.Answer) error {
	body = bytes.TrimPrefix(body, byteOrderMark)
	if len(bytes.TrimSpace(body)) == 0 {
		return d.broken("the upstream sent an empty answer")
	}
	if err := jsonx.Valid(body); err != nil {
		return d.broken("malformed: the answer is not the JSON that it should be: %w", err)
	}
	if a.Op == weir.CountTokens {
		return d.count(body)
	}
	e := d.readEnding(body)
	if err := d.failure200(&e); err != nil {
		if jsonx.Get(body, "object") == nil { // an error body as HTTP has it
			return d.reported(body)
		}
		return err
	}
	if jsonx.KindOf(e.output) != jsonx.KindArray {
		if err := codec.ErrorIn200(body, d.q); err != nil {
			return d.reported(body)
		}
		return d.broken("the answer has no output and is no response")
	}
	if a.Stream { // the client needs the content in Events
		d.relay = false
	}
	d.begin(body)
	if d.relay {
		d.emit(weir.Event{Type: weir.EventRelay})
	}
	d.rest(e.output)
	d.finish(&e)
	return nil
}

// count makes the events of an answer to input_tokens.
func (d *decoder) count(body []byte) error {
	if codec.ErrorIn200(body, d.q) != nil {
		return d.reported(body)
	}
	n := count(jsonx.Get(body, "input_tokens"))
	if n < 0 {
		return d.broken("the answer has no count of input tokens")
	}
	u := &weir.Usage{From: protocol}
	u.Set(weir.UsageInput, n)
	_ = jsonx.EachMember(body, func(key, value []byte) error {
		if name := string(key); name != "input_tokens" && name != "object" {
			keep(&u.Extra, name, value)
		}
		return nil
	})
	d.emit(weir.Event{Type: weir.EventUsage, Usage: u})
	d.emit(weir.Event{Type: weir.EventFinish, Finish: &weir.Finish{Reason: weir.FinishStop, From: protocol}})
	return nil
}
