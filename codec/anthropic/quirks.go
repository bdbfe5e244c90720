package anthropic

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// editor gathers the changes to a body's top level that target demands, whether
// the body is the client's or was just written.
type editor struct {
	top    *jsonx.Top
	body   []byte
	q      *codec.Quirks
	losses *codec.Losses
	list   []jsonx.Edit
}

func edits(w *weir.Wire, req *weir.Request, target *codec.Target, losses *codec.Losses) ([]jsonx.Edit, error) {
	top, err := codec.TopOf(w)
	if err != nil {
		return nil, err
	}
	e := &editor{top: top, body: w.Body, q: target.Quirks, losses: losses}
	e.model(req, target)
	e.stream(req)
	e.clamp("temperature", e.q.TemperatureMin, e.q.TemperatureMax)
	e.clamp("top_p", nil, e.q.TopPMax)
	e.oneSampling()
	e.stop()
	e.toolChoice()
	e.thinking()
	e.needsStream(req)
	e.params()
	return e.list, nil
}

func (e *editor) get(key string) []byte { return e.top.Get(e.body, key) }

func (e *editor) set(key string, value []byte) {
	e.list = append(e.list, jsonx.Edit{Key: key, Value: value})
}

func (e *editor) model(req *weir.Request, target *codec.Target) {
	name := target.Model
	if name == "" {
		name = req.Model
	}
	if raw := e.get("model"); raw == nil || jsonx.StringOr(raw, "") != name {
		e.set("model", jsonx.AppendString(nil, name))
	}
}

// stream follows the Request, since a stage may have chosen otherwise (S-12).
func (e *editor) stream(req *weir.Request) {
	on, _ := jsonx.Bool(e.get("stream"))
	switch {
	case req.Op != weir.Generate || on == req.Stream:
	case req.Stream:
		e.set("stream", []byte("true"))
	default:
		e.set("stream", []byte("false"))
	}
}

func (e *editor) clamp(key string, low, high *float64) {
	v, ok := jsonx.Float64(e.get(key))
	if !ok {
		return
	}
	to := v
	if low != nil {
		to = max(to, *low)
	}
	if high != nil {
		to = min(to, *high)
	}
	if to != v {
		e.set(key, jsonx.AppendFloat(nil, to))
		e.losses.Clamp(key, "the target accepts a smaller range")
	}
}

// oneSampling keeps temperature where the upstream refuses it beside top_p.
func (e *editor) oneSampling() {
	said := func(key string) bool { v := e.get(key); return v != nil && !jsonx.IsNull(v) }
	if !e.q.TemperatureOrTopP || slices.Contains(e.q.DropParams, "temperature") || !said("temperature") || !said("top_p") {
		return
	}
	e.set("top_p", nil)
	e.losses.Drop("top_p", "the target does not accept it beside temperature")
}

func (e *editor) stop() {
	raw := e.get("stop_sequences")
	if e.q.MaxStop == 0 || jsonx.KindOf(raw) != jsonx.KindArray {
		return
	}
	var kept jsonx.Buffer
	n := 0
	kept.BeginArray()
	_ = jsonx.EachElement(raw, func(i int, v []byte) error {
		if n++; i < e.q.MaxStop {
			kept.Raw(v)
		}
		return nil
	})
	kept.EndArray()
	if n > e.q.MaxStop {
		e.set("stop_sequences", kept.B)
		e.losses.Drop("stop_sequences", fmt.Sprintf("the target accepts %d", e.q.MaxStop))
	}
}

func (e *editor) toolChoice() {
	raw := e.get("tool_choice")
	mode := toolModes[jsonx.StringOr(jsonx.Get(raw, "type"), "")]
	if mode == "" || mode == weir.ToolModeAuto || len(e.q.ToolChoices) == 0 || slices.Contains(e.q.ToolChoices, string(mode)) {
		return
	}
	e.set("tool_choice", []byte(`{"type":"auto"}`))
	e.losses.Approximate("tool_choice", "the target does not accept "+string(mode)+"; it became auto")
}

// thinking moves thinking.type and output_config.effort to what is accepted.
func (e *editor) thinking() {
	if len(e.q.ThinkingModes) == 0 && len(e.q.Efforts) == 0 {
		return
	}
	raw, config := e.get("thinking"), e.get("output_config")
	budget, _ := jsonx.Int64(jsonx.Get(raw, "budget_tokens"))
	limit, _ := jsonx.Int64(e.get("max_tokens"))
	said := thinking{
		mode:   jsonx.StringOr(jsonx.Get(raw, "type"), ""),
		budget: budget,
		effort: jsonx.StringOr(jsonx.Get(config, "effort"), ""),
	}
	to := said.fit(e.q, limit, e.losses)
	if to.mode != said.mode || to.budget != said.budget {
		e.set("thinking", to.rewrite(raw))
	}
	if to.effort != said.effort {
		e.set("output_config", withMember(config, "effort", to.effort))
	}
}

// needsStream turns thinking off for a call that is not streamed, where the
// upstream refuses the two together (Qwen, T-10).
func (e *editor) needsStream(req *weir.Request) {
	if !e.q.ThinkingNeedsStream || req.Stream || req.Op != weir.Generate {
		return
	}
	raw := e.get("thinking")
	if jsonx.StringOr(jsonx.Get(raw, "type"), "") == thinkDisabled {
		return
	}
	if raw != nil && !jsonx.IsNull(raw) {
		e.losses.Approximate("thinking", "off: the target thinks in streams only")
	}
	e.set("thinking", []byte(`{"type":"disabled"}`))
}

// withMember is the object raw with the string member key set, or without it
// when value is empty; nil when nothing is left.
func withMember(raw []byte, key, value string) []byte {
	var out jsonx.Buffer
	out.BeginObject()
	_ = jsonx.EachMember(raw, func(k, v []byte) error {
		if string(k) != key {
			out.RawField(string(k), v)
		}
		return nil
	})
	if value != "" {
		out.StringField(key, value)
	}
	out.EndObject()
	if len(out.B) <= len("{}") {
		return nil
	}
	return out.B
}

// params renames, sets and drops whole members. What is dropped comes last, so
// that no other edit brings it back.
func (e *editor) params() {
	for _, from := range slices.Sorted(maps.Keys(e.q.RenameParams)) {
		if to := e.q.RenameParams[from]; e.top.Has(from) && to != "" && to != from {
			e.list = append(e.list, jsonx.Edit{Key: from, Value: e.pending(from), NewKey: to})
			e.losses.Rename(from, "the target calls it "+to)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(e.q.SetParams)) {
		if e.top.Has(key) {
			continue
		}
		if raw, err := json.Marshal(e.q.SetParams[key]); err == nil {
			e.set(key, raw)
		}
	}
	for _, key := range e.q.DropParams {
		if e.top.Has(key) {
			e.set(key, nil)
			e.losses.Drop(key, "the target does not accept it")
		}
	}
}

// pending is the value that an earlier edit gives key, nil for none.
func (e *editor) pending(key string) []byte {
	for _, edit := range slices.Backward(e.list) {
		if edit.Key == key {
			return edit.Value
		}
	}
	return nil
}
