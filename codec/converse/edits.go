package converse

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// editor gathers what has to change in a body for its target: members of the top
// level and members of theirs. Losses are in Chat's words, which EncodeRequest puts
// into the client's.
type editor struct {
	top    *jsonx.Top
	body   []byte
	q      *codec.Quirks
	losses *codec.Losses
	list   []jsonx.Edit
}

// edits are the changes that quirks demand. Most targets have none, and then the
// body is not looked at.
func edits(w *weir.Wire, req *weir.Request, target *codec.Target, losses *codec.Losses) ([]jsonx.Edit, error) {
	q := target.Quirks
	if req.Op != weir.Generate || !hasEdits(q) {
		return nil, nil
	}
	top, err := codec.TopOf(w)
	if err != nil {
		return nil, err
	}
	e := &editor{top: top, body: w.Body, q: q, losses: losses}
	e.required(target)
	e.clamp("inferenceConfig.temperature", "temperature", q.TemperatureMin, q.TemperatureMax)
	e.clamp("inferenceConfig.topP", "top_p", nil, q.TopPMax)
	e.oneSampling()
	e.stop()
	e.toolChoice()
	e.thinking()
	e.params()
	return e.list, nil
}

func hasEdits(q *codec.Quirks) bool {
	return q.MaxTokensRequired || q.TemperatureMin != nil || q.TemperatureMax != nil || q.TopPMax != nil || q.TemperatureOrTopP ||
		q.MaxStop > 0 || len(q.ToolChoices) > 0 || len(q.ThinkingModes) > 0 || len(q.Efforts) > 0 ||
		len(q.DropParams) > 0 || len(q.RenameParams) > 0 || len(q.SetParams) > 0
}

// get is the value at a path of one or two names as it will be sent, nil when
// there is none or it is null.
func (e *editor) get(at string) []byte {
	outer, inner, nested := strings.Cut(at, ".")
	raw := e.top.Get(e.body, outer)
	for i := range e.list {
		if e.list[i].Key == outer {
			raw = e.list[i].Value
		}
	}
	if nested {
		raw = jsonx.Get(raw, inner)
	}
	if jsonx.IsNull(raw) {
		return nil
	}
	return raw
}

// set gives the value at a path; nil takes it out, and an object that is empty
// then.
func (e *editor) set(at string, value []byte) {
	outer, inner, nested := strings.Cut(at, ".")
	if nested {
		value = withMember(e.get(outer), inner, value)
	}
	e.list = slices.DeleteFunc(e.list, func(x jsonx.Edit) bool { return x.Key == outer })
	e.list = append(e.list, jsonx.Edit{Key: outer, Value: value})
}

// withMember is the object raw with a member set, or taken out when value is nil;
// nil when nothing is left.
func withMember(raw []byte, key string, value []byte) []byte {
	var top jsonx.Top
	if raw == nil || top.Scan(raw) != nil {
		raw = []byte("{}")
		_ = top.Scan(raw)
	}
	out := bytes.Join(top.Splice(nil, raw, []jsonx.Edit{{Key: key, Value: value}}), nil)
	if string(jsonx.Compact(nil, out)) == "{}" {
		return nil
	}
	return out
}

func (e *editor) required(target *codec.Target) {
	n := e.q.MaxTokensDefault
	if n == 0 {
		n = target.MaxOutput
	}
	if e.q.MaxTokensRequired && n > 0 && e.get("inferenceConfig.maxTokens") == nil {
		e.set("inferenceConfig.maxTokens", fmt.Append(nil, n))
	}
}

func (e *editor) clamp(at, word string, low, high *float64) {
	v, ok := jsonx.Float64(e.get(at))
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
		e.set(at, jsonx.AppendFloat(nil, to))
		e.losses.Clamp(word, "the target accepts a smaller range")
	}
}

// oneSampling keeps temperature where the model refuses it beside topP.
func (e *editor) oneSampling() {
	if !e.q.TemperatureOrTopP || slices.Contains(e.q.DropParams, "temperature") ||
		e.get("inferenceConfig.temperature") == nil || e.get("inferenceConfig.topP") == nil {
		return
	}
	e.set("inferenceConfig.topP", nil)
	e.losses.Drop("top_p", "the target does not accept it beside temperature")
}

func (e *editor) stop() {
	const at = "inferenceConfig.stopSequences"
	raw := e.get(at)
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
		e.set(at, kept.B)
		e.losses.Drop("stop", fmt.Sprintf("the target accepts %d", e.q.MaxStop))
	}
}

// toolChoice leaves out a choice that the model does not take: models that take no
// choice refuse auto too, which is what they do without one.
func (e *editor) toolChoice() {
	const at = "toolConfig.toolChoice"
	kind, _ := onlyMember(e.get(at), func(name string) bool { return toolModes[name] != "" }, nil)
	mode := toolModes[kind]
	if mode == "" || len(e.q.ToolChoices) == 0 || slices.Contains(e.q.ToolChoices, string(mode)) {
		return
	}
	e.set(at, nil)
	if mode != weir.ToolModeAuto {
		e.losses.Approximate("tool_choice", "the target does not accept "+string(mode)+"; it became auto")
	}
}

// thinking moves Claude's thinking.type and the effort to what is accepted.
func (e *editor) thinking() {
	if len(e.q.ThinkingModes) == 0 && len(e.q.Efforts) == 0 {
		return
	}
	const modeAt, effortAt = claudeSwitch, "outputConfig.effort"
	raw := e.get(modeAt)
	budget, _ := jsonx.Int64(jsonx.Get(raw, "budget_tokens"))
	limit, _ := jsonx.Int64(e.get("inferenceConfig.maxTokens"))
	said := thinking{
		mode:   jsonx.StringOr(jsonx.Get(raw, "type"), ""),
		budget: budget,
		effort: jsonx.StringOr(e.get(effortAt), ""),
	}
	to := said.fit(e.q, limit, e.losses)
	if to.mode != said.mode || to.budget != said.budget {
		e.set(modeAt, to.rewrite(raw))
	}
	if to.effort != said.effort {
		var effort []byte
		if to.effort != "" {
			effort = jsonx.AppendString(nil, to.effort)
		}
		e.set(effortAt, effort)
	}
}

// rewrite is the member thinking, made of the one that was there.
func (t thinking) rewrite(was []byte) []byte {
	if t.mode == "" {
		return nil
	}
	var out jsonx.Buffer
	out.BeginObject()
	out.StringField("type", t.mode)
	if t.mode == thinkEnabled {
		out.IntField("budget_tokens", t.budget)
	}
	_ = jsonx.EachMember(was, func(k, v []byte) error {
		key := string(k)
		if key == "type" || key == "budget_tokens" || key == "display" && !t.thinks() {
			return nil
		}
		out.RawField(key, v)
		return nil
	})
	out.EndObject()
	return out.B
}

// claudeSwitch is where thinking is switched for Claude.
const claudeSwitch = "additionalModelRequestFields.thinking"

// paramPath is where a parameter stands that quirks call by the name that it has in
// other protocols.
func paramPath(name string) string {
	if name == "reasoning" { // what is told as a loss of every maker's switch
		return claudeSwitch
	}
	return codec.ClientWord(protocol, name)
}

// params renames, sets and drops members. What is dropped comes last, so that no
// other edit brings it back.
func (e *editor) params() {
	for _, from := range slices.Sorted(maps.Keys(e.q.RenameParams)) {
		to, value := e.q.RenameParams[from], e.get(paramPath(from))
		if value != nil && to != "" && to != from {
			e.set(paramPath(from), nil)
			e.set(paramPath(to), value)
			e.losses.Rename(from, "the target calls it "+to)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(e.q.SetParams)) {
		if e.get(paramPath(key)) != nil {
			continue
		}
		if raw, err := json.Marshal(e.q.SetParams[key]); err == nil {
			e.set(paramPath(key), raw)
		}
	}
	for _, key := range e.q.DropParams {
		if e.get(paramPath(key)) != nil {
			e.set(paramPath(key), nil)
			e.losses.Drop(key, "the target does not accept it")
		}
	}
}
