package openairest

import (
	"bytes"
	"errors"
	"math"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// defaultMax bounds an answer where none is named, bytes.
const defaultMax = 64 << 20

// decodeVectors reads the answer to a request for embeddings, which is one JSON body.
func decodeVectors(a *codec.Answer, yield func(weir.Event, error) bool) {
	src, _ := codec.NewSource(a.Body)
	defer src.Release()
	limit := a.MaxBody
	if limit <= 0 {
		limit = defaultMax
	}
	body, err := src.ReadAll(limit)
	switch {
	case errors.Is(err, codec.ErrTooLong):
		e := broken(a, "the answer is longer than %d bytes", limit)
		e.Hint = "raise the limit for answers"
		yield(weir.Event{}, e)
		return
	case err != nil:
		yield(weir.Event{}, failure(a, err))
		return
	}
	// The vectors point into it, and may be kept longer than the source's buffer.
	d := vectors{a: a, body: src.Keep(body)}
	if err := d.read(); err != nil {
		yield(weir.Event{}, err)
		return
	}
	frame := &weir.Frame{Protocol: protocol, Raw: d.body, Events: int32(len(d.events)), Whole: true}
	for i := range d.events {
		ev := &d.events[i]
		ev.Frame, ev.FrameSeq, ev.More = frame, int32(i), i < len(d.events)-1
		if !yield(*ev, nil) {
			return
		}
	}
}

// vectors is an answer of embeddings taken apart: {object, data:[{object, index,
// embedding}], model, usage} (OpenAPI 2.3.0, CreateEmbeddingResponse).
type vectors struct {
	a      *codec.Answer
	body   []byte
	start  weir.Start
	data   []byte
	err    bool // there is a member error
	told   told
	events []weir.Event
}

// read makes the events. Errors are KindUpstream, or what the answer reports itself.
func (d *vectors) read() error {
	text := bytes.TrimSpace(bytes.TrimPrefix(d.body, []byte("\ufeff")))
	switch {
	case len(text) == 0:
		return broken(d.a, "the upstream answered without a body")
	case text[0] == '<':
		e := codec.ParseError(200, d.a.Header, text, d.a.Target.Quirks)
		e.Kind, e.Provider = weir.KindUpstream, d.a.Target.Provider
		return e
	}
	if err := jsonx.Valid(text); err != nil {
		return broken(d.a, "malformed: the answer is not the JSON that it should be: %w", err)
	}
	err := jsonx.EachMember(text, d.top)
	if d.data == nil || d.err {
		if e := disguised(d.a, text); e != nil {
			return e
		}
	}
	if err != nil || d.data == nil {
		return broken(d.a, "malformed: the answer has no embeddings")
	}
	d.start.From = protocol
	d.events = append(d.events, weir.Event{Type: weir.EventStart, Start: &d.start})
	if err := d.each(); err != nil {
		return err
	}
	if u := d.told.read(false); u != nil {
		d.events = append(d.events, weir.Event{Type: weir.EventUsage, Usage: u})
	}
	return nil
}

func (d *vectors) top(key, value []byte) error {
	switch string(key) {
	case "object":
	case "id":
		d.start.ID = jsonx.StringOr(value, "")
	case "model":
		d.start.Model = jsonx.StringOr(value, "")
	case "created":
		d.start.Created, _ = jsonx.Int64(value)
	case "data":
		if jsonx.KindOf(value) == jsonx.KindArray {
			d.data = value
		}
	case "usage":
		d.told.usage = value
	case "meta":
		d.told.meta = value
	case "error":
		d.err = !jsonx.IsNull(value)
	default:
		d.start.Extra = append(d.start.Extra, weir.Field{Name: string(key), Value: value})
	}
	return nil
}

// each makes an event of every embedding. Where they are numbered otherwise than from
// 0 and each once, they are counted in the order in which they came.
func (d *vectors) each() error {
	first := len(d.events)
	err := jsonx.EachElement(d.data, func(i int, item []byte) error {
		ev := weir.Event{Type: weir.EventVector, Index: int32(i), Vector: new(weir.Vector)}
		err := jsonx.EachMember(item, func(key, value []byte) error {
			switch string(key) {
			case "object":
			case "index":
				if told, ok := jsonx.Int64(value); ok {
					ev.Index = int32(min(max(told, -1), math.MaxInt32))
				}
			case "embedding":
				setVector(ev.Vector, value)
			default:
				ev.Vector.Extra = append(ev.Vector.Extra, weir.Field{Name: string(key), Value: value})
			}
			return nil
		})
		if err != nil || ev.Vector.JSON == nil && ev.Vector.Base64 == "" {
			return errNoVector
		}
		d.events = append(d.events, ev)
		return nil
	})
	if err != nil {
		return broken(d.a, "malformed: one of the embeddings is none")
	}
	if found := d.events[first:]; !numbered(found) {
		for i := range found {
			found[i].Index = int32(i)
		}
	}
	return nil
}

var errNoVector = errors.New("no vector")

// numbered reports whether every number from 0 on is there once.
func numbered(events []weir.Event) bool {
	taken := make([]bool, len(events))
	for i := range events {
		n := int(events[i].Index)
		if n < 0 || n >= len(taken) || taken[n] {
			return false
		}
		taken[n] = true
	}
	return true
}

func setVector(v *weir.Vector, raw []byte) {
	switch jsonx.KindOf(raw) {
	case jsonx.KindArray:
		v.JSON = raw
	case jsonx.KindString:
		v.Base64 = jsonx.StringOr(raw, "")
	}
}
