package anthropic

import (
	"slices"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// A plan holds the settings that depend on each other: the token cap, thinking,
// what sampling and tool choice it leaves, and the answer's form.
type plan struct {
	maxTokens   int64
	thinking    thinking
	choice      *weir.ToolChoice
	sampling    bool   // temperature, top_p and top_k may be sent
	schema      []byte // of output_config.format
	instruction string // added to the system prompt
}

func (e *bodyEncoder) makePlan(turns []turn) plan {
	p := plan{choice: e.body.ToolChoice, sampling: true}
	p.maxTokens = e.maxTokens()
	if r := e.body.Reasoning; r != nil {
		e.planThinking(&p, r, turns)
	}
	e.planFormat(&p)
	return p
}

// maxTokens is the cap, which the protocol requires.
func (e *bodyEncoder) maxTokens() int64 {
	limit := e.target.MaxOutput
	switch n := e.body.MaxTokens; {
	case n != nil && e.same:
		return *n
	case n != nil && limit > 0 && *n > limit:
		e.losses.Clamp("max_tokens", "the model writes no more in one answer")
		return limit
	case n != nil:
		return *n
	case e.q.MaxTokensDefault > 0:
		return e.q.MaxTokensDefault
	case limit > 0:
		return limit
	}
	return defaultMaxTokens
}

func (e *bodyEncoder) planThinking(p *plan, r *weir.ReasoningConfig, turns []turn) {
	if e.same {
		p.thinking = thinking{mode: r.Mode, effort: r.Effort}
		if r.Budget != nil {
			p.thinking.budget = *r.Budget
		}
		return
	}
	t := foreignThinking(r, e.q, p.maxTokens, &e.losses).fit(e.q, p.maxTokens, &e.losses)
	if t.mode == thinkEnabled {
		t = e.fitBudget(p, t)
	}
	if t.mode == thinkEnabled && e.q.ReasoningReplay == "" && inLoopWithoutThinking(turns) {
		e.losses.Approximate("reasoning", "off for this turn: the thinking of the open tool loop was lost")
		t = thinking{mode: thinkDisabled}.fit(e.q, p.maxTokens, &e.losses)
	}
	p.thinking = t
	if t.mode == thinkEnabled || t.mode == thinkAdaptive {
		e.freeForThinking(p)
	}
}

// fitBudget keeps 1024 ≤ budget < max_tokens (T-12). A cap that the client did
// not name is raised, one that it did name wins.
func (e *bodyEncoder) fitBudget(p *plan, t thinking) thinking {
	if e.body.MaxTokens == nil && t.budget >= p.maxTokens {
		p.maxTokens = t.budget + defaultMaxTokens
		if e.target.MaxOutput > 0 {
			p.maxTokens = min(p.maxTokens, e.target.MaxOutput)
		}
	}
	if p.maxTokens <= codec.MinBudget {
		e.losses.Approximate("reasoning", "off: the token cap leaves no room to think")
		return thinking{mode: thinkDisabled}.fit(e.q, p.maxTokens, &e.losses)
	}
	if fit := codec.FitBudget(t.budget, p.maxTokens); fit != t.budget {
		e.losses.Clamp("reasoning", "a thinking budget is at least 1024 and below max_tokens")
		t.budget = fit
	}
	return t
}

// inLoopWithoutThinking reports whether the conversation waits for tool results
// to be read by a model whose thinking before the calls is not there: with a
// budget, that is a 400.
func inLoopWithoutThinking(turns []turn) bool {
	n := len(turns)
	if n < 2 || !slices.ContainsFunc(turns[n-1].parts, func(p part) bool { return p.block.Type == weir.BlockToolResult }) {
		return false
	}
	return !slices.ContainsFunc(turns[n-2].parts, func(p part) bool { return p.block.Type == weir.BlockReasoning })
}

// freeForThinking leaves out what is refused beside thinking: sampling, and a
// forced call when there is a budget (§13.11).
func (e *bodyEncoder) freeForThinking(p *plan) {
	b := e.body
	if b.Temperature != nil && *b.Temperature != 1 {
		e.losses.Drop("temperature", "it cannot be set while the model thinks")
	}
	if b.TopP != nil && *b.TopP != 1 {
		e.losses.Drop("top_p", "it cannot be set while the model thinks")
	}
	if b.TopK != nil {
		e.losses.Drop("top_k", "it cannot be set while the model thinks")
	}
	p.sampling = false
	if c := p.choice; c != nil && p.thinking.mode == thinkEnabled &&
		(c.Mode == weir.ToolModeRequired || c.Mode == weir.ToolModeNamed) {
		e.losses.Approximate("reasoning", "off: a call cannot be forced while the model thinks on a budget")
		p.thinking = thinking{mode: thinkDisabled}.fit(e.q, p.maxTokens, &e.losses)
	}
}

// planFormat chooses between a native schema and an instruction.
func (e *bodyEncoder) planFormat(p *plan) {
	f := e.body.Format
	if f == nil || e.same {
		return
	}
	native := accepts(e.q.Formats, string(weir.FormatJSONSchema))
	switch {
	case f.Type == weir.FormatJSONSchema && native:
		p.schema = f.Schema
		if p.schema == nil {
			p.schema = []byte(`{"type":"object"}`)
		}
		e.lost(f.Extra, "response_format")
	case f.Type == weir.FormatJSONSchema:
		p.instruction = "Answer with one JSON object that conforms to this JSON Schema, and with nothing else:\n" +
			string(jsonx.Compact(nil, f.Schema))
		e.losses.Approximate("response_format", "the schema became an instruction")
	case f.Type == weir.FormatJSONObject:
		p.instruction = "Answer with one JSON object and nothing else."
		e.losses.Approximate("response_format", "it became an instruction")
	}
}

// settings writes what stands behind the messages.
func (e *bodyEncoder) settings() {
	e.toolChoice()
	e.thinking()
	e.outputConfig()
	if e.req.Op == weir.Generate {
		e.sampling()
		e.metadata()
		e.unsupported()
	}
	if e.body.Cache != nil {
		e.buf.Key("cache_control")
		e.cacheValue(e.body.Cache)
	}
}

func (e *bodyEncoder) thinking() {
	t := e.plan.thinking
	if t.mode == "" {
		return
	}
	e.buf.Key("thinking")
	start := e.begin()
	e.buf.StringField("type", t.mode)
	if t.mode == thinkEnabled && t.budget > 0 {
		e.buf.IntField("budget_tokens", t.budget)
	}
	if r := e.body.Reasoning; r.Display != "" && t.mode != thinkDisabled {
		e.buf.StringField("display", r.Display)
	}
	e.extra(start, e.body.Reasoning.Extra, "reasoning")
	e.buf.EndObject()
}

func (e *bodyEncoder) outputConfig() {
	var c jsonx.Buffer
	c.BeginObject()
	if e.plan.thinking.effort != "" {
		c.StringField("effort", e.plan.thinking.effort)
	}
	if f := e.body.Format; f != nil && e.same && !e.oldFormat(f) {
		c.Key("format")
		e.sameFormat(&c, f)
	} else if e.plan.schema != nil {
		c.Key("format")
		c.BeginObject()
		c.StringField("type", string(weir.FormatJSONSchema))
		c.RawField("schema", e.plan.schema)
		c.EndObject()
	}
	if e.same {
		mergeRest(&c, e.body.Extra.Value("output_config"))
	}
	c.EndObject()
	if len(c.B) > len("{}") {
		e.buf.RawField("output_config", c.B)
	}
}

func (e *bodyEncoder) sameFormat(c *jsonx.Buffer, f *weir.Format) {
	c.BeginObject()
	c.StringField("type", string(f.Type))
	if f.Schema != nil {
		c.RawField("schema", f.Schema)
	}
	for _, x := range f.Extra {
		c.RawField(x.Name, x.Value)
	}
	c.EndObject()
}

// oldFormat reports whether the client wrote the format in the deprecated member
// output_format, and it is still what the client wrote: it goes back there.
func (e *bodyEncoder) oldFormat(f *weir.Format) bool {
	raw := e.body.Extra.Value("output_format")
	if raw == nil || jsonx.IsNull(raw) {
		return false
	}
	return jsonx.Equal(jsonx.Get(raw, "schema"), f.Schema) && jsonx.StringOr(jsonx.Get(raw, "type"), "") == string(f.Type)
}

// mergeRest adds the members of raw that the open object c does not have.
func mergeRest(c *jsonx.Buffer, raw []byte) {
	if raw == nil {
		return
	}
	have := membersOf(c.B)
	_ = jsonx.EachMember(raw, func(k, v []byte) error {
		if !have[string(k)] {
			have[string(k)] = true
			c.RawField(string(k), v)
		}
		return nil
	})
}

func (e *bodyEncoder) sampling() {
	b := e.body
	if t := b.Temperature; t != nil && e.plan.sampling {
		v := *t
		if v > 1 && !e.same {
			v = 1
			e.losses.Clamp("temperature", "the target's range ends at 1")
		}
		e.buf.Key("temperature")
		e.buf.Float(v)
	}
	if b.TopP != nil && e.plan.sampling {
		e.buf.Key("top_p")
		e.buf.Float(*b.TopP)
	}
	if b.TopK != nil && e.plan.sampling {
		e.buf.IntField("top_k", *b.TopK)
	}
	if b.Stop != nil {
		e.stop()
	}
}

// stop leaves out sequences of white space, which are refused.
func (e *bodyEncoder) stop() {
	var list []string
	for _, s := range e.body.Stop {
		if e.same || hasInk(s) {
			list = append(list, s)
		} else {
			e.losses.Drop("stop", "a stop sequence of white space is not accepted")
		}
	}
	if list == nil {
		return
	}
	e.buf.Key("stop_sequences")
	e.buf.BeginArray()
	for _, s := range list {
		e.buf.String(s)
	}
	e.buf.EndArray()
}

func (e *bodyEncoder) metadata() {
	var m jsonx.Buffer
	m.BeginObject()
	if e.body.User != "" {
		m.StringField("user_id", e.body.User)
	}
	if e.same {
		mergeRest(&m, e.body.Extra.Value("metadata"))
	}
	m.EndObject()
	if len(m.B) > len("{}") {
		e.buf.RawField("metadata", m.B)
	}
	switch tier := e.body.ServiceTier; {
	case tier == "":
	case e.same || tier == "auto":
		e.buf.StringField("service_tier", tier)
	case tier == "default" || tier == "standard":
		e.buf.StringField("service_tier", "standard_only")
	default:
		e.losses.Drop("service_tier", "the target has no such tier")
	}
}

// unsupported reports the settings that the protocol has no member for.
func (e *bodyEncoder) unsupported() {
	b := e.body
	nonzero := func(f *float64) bool { return f != nil && *f != 0 }
	lost := []struct {
		set  bool
		name string
	}{
		{nonzero(b.FrequencyPenalty), "frequency_penalty"},
		{nonzero(b.PresencePenalty), "presence_penalty"},
		{b.Seed != nil, "seed"},
		{b.Logprobs != nil && *b.Logprobs, "logprobs"},
		{b.TopLogprobs != nil && *b.TopLogprobs > 0, "top_logprobs"},
		{b.Verbosity != "", "verbosity"},
		{len(b.Metadata) > 0, "metadata"},
		{b.CacheKey != "", "prompt_cache_key"},
	}
	for _, l := range lost {
		if l.set {
			e.losses.Drop(l.name, "the target's protocol has no such setting")
		}
	}
}
