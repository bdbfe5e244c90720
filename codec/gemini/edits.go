package gemini

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// An editor gathers the changes that the target demands, whether the body is the
// client's or was just written. They come in a fixed order, so that equal requests
// become equal bytes (C-03).
type editor struct {
	s    *sending
	q    *codec.Quirks
	top  *jsonx.Top
	body []byte
	list []jsonx.Edit
	conf config
}

func (s *sending) edits() ([]jsonx.Edit, error) {
	top, err := codec.TopOf(s.wire)
	if err != nil {
		return nil, err
	}
	e := &editor{s: s, q: s.target.Quirks, top: top, body: s.wire.Body}
	e.models()
	if s.req.Op == weir.Generate {
		e.conf.open(top, e.body)
		e.tokenCap()
		e.clamp("temperature", e.q.TemperatureMin, e.q.TemperatureMax)
		e.clamp("topP", nil, e.q.TopPMax)
		e.stop()
		e.level()
		e.params()
		e.conf.close(e)
	}
	return e.list, nil
}

// models makes every name of the model in the body that of the target: where it
// names another than the path, two readers might disagree about which counts.
func (e *editor) models() {
	if value := e.modelFor(e.top.Get(e.body, "model")); value != nil {
		e.list = append(e.list, jsonx.Edit{Key: "model", Value: value})
	}
	if inner, key := topGet(e.top, e.body, "generateContentRequest"); inner != nil {
		if changed := e.renamed(inner); changed != nil {
			e.list = append(e.list, jsonx.Edit{Key: key, Value: changed})
		}
	}
	raw := e.top.Get(e.body, "requests")
	if jsonx.KindOf(raw) != jsonx.KindArray {
		return
	}
	var all jsonx.Buffer
	some := false
	all.BeginArray()
	_ = jsonx.EachElement(raw, func(_ int, item []byte) error {
		if changed := e.renamed(item); changed != nil {
			some, item = true, changed
		}
		all.Raw(item)
		return nil
	})
	all.EndArray()
	if some {
		e.list = append(e.list, jsonx.Edit{Key: "requests", Value: all.B})
	}
}

// modelFor is the target's model for a member that names another; nil when the
// member is right or not there.
func (e *editor) modelFor(raw []byte) []byte {
	if raw == nil || jsonx.IsNull(raw) || bareModel(jsonx.StringOr(raw, "")) == e.s.model {
		return nil
	}
	return jsonx.AppendString(nil, resourceName(e.s.model))
}

// renamed is an object with the target's model in its member model, nil when it
// is there already.
func (e *editor) renamed(object []byte) []byte {
	value := e.modelFor(jsonx.Get(object, "model"))
	if value == nil {
		return nil
	}
	return spliced(object, jsonx.Edit{Key: "model", Value: value})
}

// spliced is an object with some members changed, nil when it is none.
func spliced(object []byte, edits ...jsonx.Edit) []byte {
	var top jsonx.Top
	if top.Scan(object) != nil {
		return nil
	}
	pieces := top.Splice(nil, object, edits)
	out := make([]byte, 0, jsonx.Len(pieces))
	for _, p := range pieces {
		out = append(out, p...)
	}
	return out
}

// config is generationConfig and what is to change in it.
type config struct {
	key   string // as the client wrote it
	raw   []byte // nil when there is none
	edits []jsonx.Edit
}

func (c *config) open(top *jsonx.Top, body []byte) {
	c.raw, c.key = topGet(top, body, "generationConfig")
	if jsonx.IsNull(c.raw) {
		c.raw = nil
	}
	if c.key == "" {
		c.key = "generationConfig"
	}
}

// get is a member as it will be sent, nil when there is none or it is null.
func (c *config) get(name string) []byte {
	value, key := get(c.raw, name)
	for i := range c.edits {
		if c.edits[i].Key == key || key == "" && c.edits[i].Key == name {
			value = c.edits[i].Value
		}
	}
	if jsonx.IsNull(value) {
		return nil
	}
	return value
}

// set gives a member a value, under the name that it has; nil takes it out.
func (c *config) set(name string, value []byte) {
	if _, key := get(c.raw, name); key != "" {
		name = key
	}
	c.edits = append(c.edits, jsonx.Edit{Key: name, Value: value})
}

func (c *config) close(e *editor) {
	if len(c.edits) == 0 {
		return
	}
	raw := c.raw
	if jsonx.KindOf(raw) != jsonx.KindObject {
		raw = []byte("{}")
	}
	if out := spliced(raw, c.edits...); out != nil {
		e.list = append(e.list, jsonx.Edit{Key: c.key, Value: out})
	}
}

// chatNames are the words of Chat for members of generationConfig, which losses
// are told in before they are put in the client's.
var chatNames = map[string]string{
	"maxOutputTokens": "max_tokens", "temperature": "temperature", "topP": "top_p", "topK": "top_k",
	"stopSequences": "stop", "thinkingConfig": "reasoning", "candidateCount": "n", "seed": "seed",
	"frequencyPenalty": "frequency_penalty", "presencePenalty": "presence_penalty",
	"responseLogprobs": "logprobs", "logprobs": "top_logprobs", "responseMimeType": "response_format",
}

// field is what the client calls a member of generationConfig.
func (s *sending) field(name string) string {
	if s.from == protocol {
		return configPath + name
	}
	if chat, ok := chatNames[name]; ok {
		return codec.ClientWord(s.from, chat)
	}
	return name
}

// tokenCap brings the cap under the model's limit and fills it in where it is
// required.
func (e *editor) tokenCap() {
	const name = "maxOutputTokens"
	raw, limit := e.conf.get(name), e.s.target.MaxOutput
	n, ok := jsonx.Int64(unquoted(raw))
	switch {
	case raw == nil && e.q.MaxTokensRequired && max(e.q.MaxTokensDefault, limit) > 0:
		if n = e.q.MaxTokensDefault; n == 0 {
			n = limit
		}
		e.conf.set(name, strconv.AppendInt(nil, n, 10))
	case ok && limit > 0 && n > limit:
		e.s.losses.Clamp(e.s.field(name), "brought down to the model's limit of output tokens")
		e.conf.set(name, strconv.AppendInt(nil, limit, 10))
	}
}

func (e *editor) clamp(name string, low, high *float64) {
	v, ok := jsonx.Float64(unquoted(e.conf.get(name)))
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
		e.conf.set(name, jsonx.AppendFloat(nil, to))
		e.s.losses.Clamp(e.s.field(name), "brought into the target's range")
	}
}

func (e *editor) stop() {
	const name = "stopSequences"
	raw := e.conf.get(name)
	if e.q.MaxStop <= 0 || jsonx.KindOf(raw) != jsonx.KindArray {
		return
	}
	var kept jsonx.Buffer
	n := 0
	kept.BeginArray()
	_ = jsonx.EachElement(raw, func(_ int, v []byte) error {
		if n++; n <= e.q.MaxStop {
			kept.Raw(v)
		}
		return nil
	})
	kept.EndArray()
	if n > e.q.MaxStop {
		e.conf.set(name, kept.B)
		e.s.losses.Drop(fmt.Sprintf("%s[%d]", e.s.field(name), e.q.MaxStop), "the target takes fewer stop sequences")
	}
}

// level moves thinkingLevel to one that the model has (T-11).
func (e *editor) level() {
	thinking := e.conf.get("thinkingConfig")
	raw, key := get(thinking, "thinkingLevel")
	level := strings.ToLower(jsonx.StringOr(raw, ""))
	if level == "" || len(e.q.Efforts) == 0 {
		return
	}
	to, changed := codec.ClampEffort(level, e.q.Efforts)
	if !changed {
		return
	}
	e.s.losses.Clamp(e.s.field("thinkingConfig")+".thinkingLevel", "the model has other levels")
	e.conf.set("thinkingConfig", spliced(thinking, jsonx.Edit{Key: key, Value: jsonx.AppendString(nil, strings.ToUpper(to))}))
}

// params renames, sets and drops what the quirks name: members of the top level,
// and those of generationConfig with or without its name in front. What is dropped
// comes last, so that no other edit brings it back.
func (e *editor) params() {
	for _, from := range slices.Sorted(maps.Keys(e.q.RenameParams)) {
		if value := e.param(from); value != nil {
			to := e.q.RenameParams[from]
			e.setParam(from, nil)
			e.setParam(to, value)
			e.s.losses.Rename(e.paramField(from), "the target calls it "+to)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(e.q.SetParams)) {
		if e.param(name) != nil {
			continue
		}
		if raw, err := json.Marshal(e.q.SetParams[name]); err == nil {
			e.setParam(name, raw)
		}
	}
	for _, name := range e.q.DropParams {
		if e.param(name) != nil {
			e.setParam(name, nil)
			e.s.losses.Drop(e.paramField(name), "the target does not accept it")
		}
	}
}

// inConfig tells where a parameter stands: in generationConfig under the name
// that is returned, or at the top.
func (e *editor) inConfig(name string) (inner string, is bool) {
	name = camel(name)
	if rest, ok := strings.CutPrefix(name, configPath); ok {
		return rest, true
	}
	if raw, _ := topGet(e.top, e.body, name); raw != nil {
		return name, false
	}
	_, known := chatNames[name]
	return name, known || e.conf.get(name) != nil
}

func (e *editor) param(name string) []byte {
	inner, is := e.inConfig(name)
	if is {
		return e.conf.get(inner)
	}
	raw, _ := topGet(e.top, e.body, inner)
	return raw
}

func (e *editor) setParam(name string, value []byte) {
	inner, is := e.inConfig(name)
	if is {
		e.conf.set(inner, value)
		return
	}
	if _, key := topGet(e.top, e.body, inner); key != "" {
		inner = key
	}
	e.list = append(e.list, jsonx.Edit{Key: inner, Value: value})
}

func (e *editor) paramField(name string) string {
	inner, is := e.inConfig(name)
	switch {
	case is:
		return e.s.field(inner)
	case e.s.from == protocol:
		return inner
	}
	return name
}
