package codec

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// An Editor collects what has to change at the top level of a JSON request for its
// target, and what is lost by it. Edits keep the order in which they were made, so
// that equal requests become equal bytes (C-03). Not safe for concurrent use.
type Editor struct {
	Losses Losses

	wire  *weir.Wire
	top   *jsonx.Top
	edits []jsonx.Edit
}

// NewEditor is the editor of w's body, which it shares and does not modify. Errors
// are those of ScanTop.
func NewEditor(w *weir.Wire) (*Editor, error) {
	top, err := TopOf(w)
	if err != nil {
		return nil, err
	}
	return &Editor{wire: w, top: top}, nil
}

// Get is a member's value as it will be sent, nil when there is none or it is
// null.
func (e *Editor) Get(key string) []byte {
	raw := e.top.Get(e.wire.Body, key)
	for i := range e.edits {
		if e.edits[i].Key == key {
			raw = e.edits[i].Value
		}
	}
	if jsonx.IsNull(raw) {
		return nil
	}
	return raw
}

// Set sets a member, unless it has that value already.
func (e *Editor) Set(key string, value []byte) {
	if string(e.top.Get(e.wire.Body, key)) == string(value) && !e.edited(key) {
		return
	}
	e.edits = append(e.edits, jsonx.Edit{Key: key, Value: value})
}

// Remove takes a member out, if there is one.
func (e *Editor) Remove(key string) {
	if e.top.Has(key) || e.edited(key) {
		e.edits = append(e.edits, jsonx.Edit{Key: key})
	}
}

func (e *Editor) edited(key string) bool {
	return slices.ContainsFunc(e.edits, func(d jsonx.Edit) bool { return d.Key == key })
}

// Stream makes the member stream say what was decided.
func (e *Editor) Stream(want bool) {
	raw := e.Get("stream")
	if on, _ := jsonx.Bool(raw); on != want || raw == nil && want {
		e.Set("stream", strconv.AppendBool(nil, want))
	}
}

// StreamUsage asks for usage in a stream, whatever the client wants to see (U-01).
// Where there is no stream, or the target refuses it, nothing is asked.
func (e *Editor) StreamUsage(streams bool, q *Quirks) {
	options := e.Get("stream_options")
	switch {
	case !streams && options == nil: // a null says nothing and stays
	case !streams || q.NoStreamOptions:
		e.Remove("stream_options")
	case options == nil:
		e.Set("stream_options", []byte(`{"include_usage":true}`))
	default:
		if on, _ := jsonx.Bool(jsonx.Get(options, "include_usage")); on {
			return
		}
		var nested jsonx.Top
		if nested.Scan(options) == nil {
			edit := []jsonx.Edit{{Key: "include_usage", Value: []byte("true")}}
			e.Set("stream_options", slices.Concat(nested.Splice(nil, options, edit)...))
		}
	}
}

// Clamp brings a number into the range of the target; nil is no bound.
func (e *Editor) Clamp(key string, low, high *float64) {
	v, ok := jsonx.Float64(e.Get(key))
	if !ok {
		return
	}
	switch {
	case high != nil && v > *high:
		v = *high
	case low != nil && v < *low:
		v = *low
	default:
		return
	}
	e.Set(key, jsonx.AppendFloat(nil, v))
	e.Losses.Clamp(key, "brought into the target's range")
}

// AtMost brings a whole number down to limit; 0 is no limit.
func (e *Editor) AtMost(key string, limit int64, detail string) {
	if n, ok := jsonx.Int64(e.Get(key)); ok && limit > 0 && n > limit {
		e.Set(key, strconv.AppendInt(nil, limit, 10))
		e.Losses.Clamp(key, detail)
	}
}

// Shorten leaves at most limit elements in an array; 0 is no limit.
func (e *Editor) Shorten(key string, limit int, detail string) {
	list := e.Get(key)
	if limit <= 0 || jsonx.KindOf(list) != jsonx.KindArray {
		return
	}
	var kept jsonx.Buffer
	n := 0
	kept.BeginArray()
	_ = jsonx.EachElement(list, func(_ int, value []byte) error {
		if n++; n <= limit {
			kept.Raw(value)
		}
		return nil
	})
	kept.EndArray()
	if n > limit {
		e.Losses.Drop(key+"["+strconv.Itoa(limit)+"]", detail)
		e.Set(key, kept.B)
	}
}

// Params leaves out, renames and adds the members that the quirks name. It is
// called last, so that they have the last word.
func (e *Editor) Params(q *Quirks) {
	for _, key := range q.DropParams {
		if e.Get(key) != nil {
			e.Losses.Drop(key, "the target refuses it")
		}
		e.Remove(key)
	}
	for _, key := range inOrder(q.RenameParams) {
		if value := e.Get(key); value != nil {
			to := q.RenameParams[key]
			e.Remove(key)
			e.Set(to, value)
			e.Losses.Rename(key, "the target calls it "+to)
		}
	}
	for _, key := range inOrder(q.SetParams) {
		if e.Get(key) != nil {
			continue
		}
		if value, err := json.Marshal(q.SetParams[key]); err == nil {
			e.Set(key, value)
		}
	}
}

// inOrder are the keys of m; it costs nothing for the many targets that have none.
func inOrder[V any](m map[string]V) []string {
	if len(m) == 0 {
		return nil
	}
	return slices.Sorted(maps.Keys(m))
}

// Body is the edited body in pieces, as RelayBody makes them.
func (e *Editor) Body() ([][]byte, error) { return RelayBody(e.wire, e.edits) }
