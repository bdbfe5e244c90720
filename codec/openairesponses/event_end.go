package openairesponses

import (
	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// ending is how a response ended, from its object.
type ending struct {
	status, reason, errRaw, usage, output []byte
	details                               []byte
	extra                                 weir.Fields
}

func (d *decoder) readEnding(response []byte) ending {
	var e ending
	_ = jsonx.EachMember(response, func(key, value []byte) error {
		switch string(key) {
		case "status":
			e.status = value
		case "error":
			e.errRaw = value
		case "incomplete_details":
			e.details, e.reason = value, jsonx.Get(value, "reason")
		case "usage":
			e.usage = value
		case "output":
			e.output = value
		default:
			if !d.relay && isAround(string(key)) && says(value) {
				e.extra.Add(string(key), value)
			}
		}
		return nil
	})
	return e
}

// terminal is the last event: the response as a whole. A call that was made is
// what the client must know, although the protocol has no word for it (S-05), but
// for an answer that was cut: its arguments may be cut too (S-06).
func (d *decoder) terminal() {
	d.ended = true
	e := d.readEnding(d.in.response)
	if e.status == nil { // the name of the event says it
		e.status = append([]byte{'"'}, d.in.typ[len(`"response.`):]...)
	}
	if d.failed = d.failure200(&e); d.failed != nil {
		return
	}
	d.rest(e.output)
	d.finish(&e)
}

// failure200 is the error that a response ended with, nil for none.
func (d *decoder) failure200(e *ending) error {
	switch string(e.status) {
	case `"failed"`:
		return d.reported(wrapped(e.errRaw))
	case `"cancelled"`:
		if !says(e.errRaw) {
			err := d.broken("the response was canceled at the upstream")
			err.Code = "cancelled"
			return err
		}
	}
	if says(e.errRaw) {
		return d.reported(wrapped(e.errRaw))
	}
	return nil
}

// rest completes the items that were not, and takes those that never came as
// events: some imitations send the response as a whole only.
func (d *decoder) rest(output []byte) {
	if d.relay {
		_ = jsonx.EachElement(output, func(_ int, raw []byte) error {
			d.calls = d.calls || isCall(raw)
			return nil
		})
		return
	}
	if len(d.items) == 0 {
		_ = jsonx.EachElement(output, func(_ int, raw []byte) error {
			it := &item{kind: kindOf(raw)}
			d.order = append(d.order, it)
			if it.kind == kindMessage || it.kind == kindReasoning {
				d.describe(it, raw)
			}
			d.complete(it, raw)
			return nil
		})
		return
	}
	open := map[int64]*item{}
	for n, it := range d.items {
		if !it.done {
			open[n] = it
		}
	}
	if len(open) == 0 {
		return
	}
	_ = jsonx.EachElement(output, func(i int, raw []byte) error {
		if it := open[int64(i)]; it != nil && it.kind == kindOf(raw) {
			d.complete(it, raw)
		}
		return nil
	})
	for _, it := range d.order {
		if !it.done {
			d.complete(it, nil)
		}
	}
}

// finish sends why the answer ended, and its usage.
func (d *decoder) finish(e *ending) {
	native := jsonx.StringOr(e.status, "completed")
	if reason := jsonx.StringOr(e.reason, ""); reason != "" {
		native = reason
	}
	f := &weir.Finish{Reason: d.reason(native), Native: native, From: protocol, Extra: e.extra}
	if says(e.details) {
		f.Details = append(f.Details, e.details...)
	}
	if d.calls && f.Reason == weir.FinishStop {
		f.Reason = weir.FinishToolCalls
	}
	d.emit(weir.Event{Type: weir.EventFinish, Finish: f})
	if jsonx.KindOf(e.usage) == jsonx.KindObject && !saysNothing(e.usage) {
		d.emit(weir.Event{Type: weir.EventUsage, Usage: readUsage(e.usage, !d.relay)})
	}
}

// reasonPause is what a Weir says of a hosted tool loop that waits to be continued,
// in Anthropic's word: the API has none.
const reasonPause = "pause_turn"

// finishReasons are the statuses and the reasons for an incomplete response.
var finishReasons = map[string]weir.FinishReason{
	"completed":         weir.FinishStop,
	"max_output_tokens": weir.FinishLength,
	"max_tokens":        weir.FinishLength,
	"content_filter":    weir.FinishContentFilter,
	reasonPause:         weir.FinishPause,
}

func (d *decoder) reason(native string) weir.FinishReason {
	if mapped, ok := d.q.FinishReasons[native]; ok {
		return weir.FinishReason(mapped)
	}
	if reason, ok := finishReasons[native]; ok {
		return reason
	}
	return weir.FinishOther
}
