package ollama

import (
	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// vectors makes the events of the answer to a request for vectors, of either
// endpoint.
func (d *decoder) vectors(data []byte) error {
	s := &weir.Start{From: protocol}
	u := &weir.Usage{From: protocol}
	d.events = append(d.events, weir.Event{Type: weir.EventStart, Start: s})
	var found bool
	err := jsonx.EachMember(data, func(key, value []byte) error {
		switch string(key) {
		case "model":
			s.Model = jsonx.StringOr(value, "")
		case "embeddings":
			found = true
			return d.listed(value)
		case "embedding":
			found = true
			return d.vector(0, value)
		case "prompt_eval_count":
			count(u, weir.UsageInput, value)
		default:
			if says(value) {
				s.Extra.Add(string(key), value)
			}
		}
		return nil
	})
	switch {
	case err != nil:
		return err
	case !found:
		return d.fault("the answer has no embeddings")
	}
	if u.Known != 0 {
		d.events = append(d.events, weir.Event{Type: weir.EventUsage, Usage: u})
	}
	return nil
}

func (d *decoder) listed(raw []byte) error {
	if jsonx.KindOf(raw) != jsonx.KindArray {
		return d.fault("the answer's embeddings are no list")
	}
	return jsonx.EachElement(raw, d.vector)
}

func (d *decoder) vector(i int, raw []byte) error {
	if jsonx.KindOf(raw) != jsonx.KindArray {
		return d.fault("a vector is not a list of numbers")
	}
	d.events = append(d.events, weir.Event{Type: weir.EventVector, Index: int32(i), Vector: &weir.Vector{JSON: raw}})
	return nil
}
