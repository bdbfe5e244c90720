package openaichat

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// editor collects what has to change at the top level of a request for its
// target. Edits come in a fixed order, so that equal requests become equal bytes
// (C-03).
type editor struct {
	req    *weir.Request
	target *codec.Target
	q      *codec.Quirks
	wire   *weir.Wire
	top    *jsonx.Top
	edits  []jsonx.Edit
	losses codec.Losses
	body   *weir.Body // that the request was written anew from; nil when it keeps its bytes
}

func (e *editor) plan() error {
	top, err := codec.TopOf(e.wire)
	if err != nil {
		return err
	}
	e.top = top
	e.set("model", jsonx.AppendString(nil, e.target.Model))
	e.stream()
	e.thinking()
	e.tokenCap()
	e.ranges()
	e.choices()
	e.drops()
	return nil
}

// get is a member's value as it will be sent, nil when there is none or it is
// null.
func (e *editor) get(key string) []byte {
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

// set sets a member, unless it has that value already.
func (e *editor) set(key string, value []byte) {
	if string(e.top.Get(e.wire.Body, key)) == string(value) && !e.edited(key) {
		return
	}
	e.edits = append(e.edits, jsonx.Edit{Key: key, Value: value})
}

func (e *editor) edited(key string) bool {
	return slices.ContainsFunc(e.edits, func(d jsonx.Edit) bool { return d.Key == key })
}

func (e *editor) remove(key string) {
	if e.top.Has(key) || e.edited(key) {
		e.edits = append(e.edits, jsonx.Edit{Key: key})
	}
}

// stream makes the stream member say what was decided, and asks for usage
// whatever the client wants to see (U-01).
func (e *editor) stream() {
	raw := e.get("stream")
	if on, _ := jsonx.Bool(raw); on != e.req.Stream || (raw == nil && e.req.Stream) {
		e.set("stream", strconv.AppendBool(nil, e.req.Stream))
	}
	options := e.get("stream_options")
	switch {
	case !e.req.Stream && options == nil: // a null says nothing and stays
	case !e.req.Stream || e.q.NoStreamOptions:
		// Without a stream the member is an error at OpenAI.
		e.remove("stream_options")
	case options == nil:
		e.set("stream_options", []byte(`{"include_usage":true}`))
	default:
		if on, _ := jsonx.Bool(jsonx.Get(options, "include_usage")); on {
			return
		}
		var nested jsonx.Top
		if nested.Scan(options) == nil {
			edit := []jsonx.Edit{{Key: "include_usage", Value: []byte("true")}}
			e.set("stream_options", join(nested.Splice(nil, options, edit)))
		}
	}
}

func join(pieces [][]byte) []byte {
	out := make([]byte, 0, jsonx.Len(pieces))
	for _, p := range pieces {
		out = append(out, p...)
	}
	return out
}

const (
	maxTokens           = "max_tokens"
	maxCompletionTokens = "max_completion_tokens"
	fallbackMaxTokens   = 8192
)

// tokenCap gives the cap the name that the target knows it by, fills it in
// where it is required and brings it under the model's limit.
func (e *editor) tokenCap() {
	name := maxCompletionTokens
	value := e.get(name)
	if value == nil {
		name, value = maxTokens, e.get(maxTokens)
	}
	want := e.q.MaxTokensField
	if want == "" {
		want = name
	}
	if value == nil {
		if e.q.MaxTokensRequired {
			e.set(want, strconv.AppendInt(nil, e.defaultMaxTokens(), 10))
		}
		return
	}
	if n, ok := jsonx.Int64(value); ok && e.target.MaxOutput > 0 && n > e.target.MaxOutput {
		e.losses.Clamp(name, "brought down to the model's limit of output tokens")
		value = strconv.AppendInt(nil, e.target.MaxOutput, 10)
		e.set(name, value)
	}
	if want == name {
		if e.q.MaxTokensField != "" {
			e.remove(other(want))
		}
		return
	}
	e.remove(name)
	e.set(want, value)
	e.losses.Rename(name, "the target calls it "+want)
}

func other(name string) string {
	if name == maxTokens {
		return maxCompletionTokens
	}
	return maxTokens
}

func (e *editor) defaultMaxTokens() int64 {
	switch {
	case e.q.MaxTokensDefault > 0:
		return e.q.MaxTokensDefault
	case e.target.MaxOutput > 0:
		return e.target.MaxOutput
	}
	return fallbackMaxTokens
}

// ranges clamps what has a narrower range at the target (protocols.md §13.8).
func (e *editor) ranges() {
	e.clamp("temperature", e.q.TemperatureMin, e.q.TemperatureMax)
	e.clamp("top_p", nil, e.q.TopPMax)
	stop := e.get("stop")
	if e.q.MaxStop <= 0 || jsonx.KindOf(stop) != jsonx.KindArray {
		return
	}
	var kept jsonx.Buffer
	n := 0
	kept.BeginArray()
	_ = jsonx.EachElement(stop, func(_ int, value []byte) error {
		if n++; n <= e.q.MaxStop {
			kept.Raw(value)
		}
		return nil
	})
	kept.EndArray()
	if n > e.q.MaxStop {
		e.losses.Drop("stop["+strconv.Itoa(e.q.MaxStop)+"]", "the target takes fewer stop sequences")
		e.set("stop", kept.B)
	}
}

func (e *editor) clamp(key string, low, high *float64) {
	v, ok := jsonx.Float64(e.get(key))
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
	e.set(key, jsonx.AppendFloat(nil, v))
	e.losses.Clamp(key, "brought into the target's range")
}

// choices replaces modes of tool_choice that the target refuses (P-01).
func (e *editor) choices() {
	raw := e.get("tool_choice")
	if raw == nil || len(e.q.ToolChoices) == 0 {
		return
	}
	mode := jsonx.StringOr(raw, "")
	if mode == "" {
		switch mode = jsonx.StringOr(jsonx.Get(raw, "type"), ""); mode {
		case "function", "custom":
			mode = string(weir.ToolModeNamed)
		}
	}
	if !slices.Contains(e.q.ToolChoices, mode) {
		e.set("tool_choice", []byte(`"auto"`))
		e.losses.Approximate("tool_choice", "the target does not take this mode; it became auto")
	}
}

// drops leaves out, renames and adds what the quirks say, last, so that they
// have the last word.
func (e *editor) drops() {
	for _, key := range e.q.DropParams {
		if e.get(key) != nil {
			e.losses.Drop(key, "the target refuses it")
		}
		e.remove(key)
	}
	for _, key := range keysInOrder(e.q.RenameParams) {
		if value := e.get(key); value != nil {
			to := e.q.RenameParams[key]
			e.remove(key)
			e.set(to, value)
			e.losses.Rename(key, "the target calls it "+to)
		}
	}
	for _, key := range keysInOrder(e.q.SetParams) {
		if e.get(key) != nil {
			continue
		}
		if value, err := json.Marshal(e.q.SetParams[key]); err == nil {
			e.set(key, value)
		}
	}
}

// keysInOrder keeps the order of edits the same for equal requests (C-03), and
// costs nothing for the many targets that have none.
func keysInOrder[V any](m map[string]V) []string {
	if len(m) == 0 {
		return nil
	}
	return slices.Sorted(maps.Keys(m))
}
