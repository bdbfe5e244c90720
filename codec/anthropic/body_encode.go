package anthropic

import (
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// bodyEncoder writes a canonical body as a request. Members come in a fixed
// order, so that equal requests give equal bytes (C-03).
type bodyEncoder struct {
	req    *weir.Request
	body   *weir.Body
	target *codec.Target
	q      *codec.Quirks
	// same tells that the body came in this protocol: Extra is put back, and
	// what the client is responsible for is left to the upstream to judge.
	same   bool
	buf    jsonx.Buffer
	losses codec.Losses
	names  *codec.NameMap
	paths  codec.Paths
	// drop is how many of the cache breakpoints, from the first, are left out.
	drop int
	plan plan
}

// defaultMaxTokens is asked for where neither client nor catalog say more.
const defaultMaxTokens = 8192

func (e *bodyEncoder) encode() error {
	if err := e.refuse(); err != nil {
		return err
	}
	system := leadingSystem(e.body.Messages)
	turns := e.turns(len(system))
	if !e.same {
		pairByOrder(turns)
		if err := e.checkTurns(turns); err != nil {
			return err
		}
	}
	turns = e.filter(turns)
	if !e.same {
		turns = e.beginWithUser(turns)
	}
	if err := e.checkPrefill(turns); err != nil {
		return err
	}
	e.names = e.toolNames(turns)
	e.plan = e.makePlan(turns)
	e.drop = max(0, e.breakpoints(system, turns)-maxBreakpoints)

	start := e.begin()
	e.buf.StringField("model", e.req.Model)
	e.limits()
	if err := e.tools(); err != nil {
		return err
	}
	if err := e.system(system); err != nil {
		return err
	}
	if err := e.messages(turns); err != nil {
		return err
	}
	e.settings()
	e.extras(start)
	e.buf.EndObject()
	return nil
}

// refuse answers what must not be left out.
func (e *bodyEncoder) refuse() error {
	if n := e.body.N; n != nil && *n > 1 {
		err := weir.Errorf(weir.KindUnsupported, "n: the model's protocol gives one choice a call")
		err.Param, err.Hint = "n", "send several requests"
		return err
	}
	return nil
}

// checkPrefill looks at a conversation that ends with the assistant's words.
func (e *bodyEncoder) checkPrefill(turns []turn) error {
	if e.same || len(turns) == 0 || turns[len(turns)-1].role != weir.RoleAssistant {
		return nil
	}
	last := &turns[len(turns)-1]
	if e.q.Prefill == "refused" {
		at := e.paths.Message(last.msg)
		err := weir.Errorf(weir.KindUnsupported, "%s: the model does not continue an assistant message", at)
		err.Param, err.Hint = at, "end the conversation with a user message"
		return err
	}
	if n := len(last.parts); n > 0 && last.parts[n-1].block.Type == weir.BlockText {
		// The API refuses a last text that ends in white space.
		b := *last.parts[n-1].block
		b.Text = strings.TrimRight(b.Text, " \t\r\n")
		last.parts[n-1].block = &b
	}
	return nil
}

func (e *bodyEncoder) limits() {
	if e.req.Op != weir.Generate {
		return
	}
	e.buf.IntField("max_tokens", e.plan.maxTokens)
	if e.req.Stream {
		e.buf.BoolField("stream", true)
	}
}

func (e *bodyEncoder) system(system []weir.Message) error {
	if e.same && len(system) == 1 && system[0].Plain && e.plan.instruction == "" {
		e.buf.StringField("system", system[0].Text())
		return nil
	}
	if len(system) == 0 && e.plan.instruction == "" {
		return nil
	}
	var parts []part
	for i := range system {
		for k := range system[i].Blocks {
			if b := &system[i].Blocks[k]; b.Type != weir.BlockText || e.same || strings.TrimSpace(b.Text) != "" {
				parts = append(parts, part{b, codec.Place{Message: i, Block: k}})
			}
		}
		e.lost(system[i].Extra, e.paths.Message(i))
	}
	if e.plan.instruction != "" {
		parts = append(parts, part{block: &weir.Block{Type: weir.BlockText, Text: e.plan.instruction}})
	}
	if len(parts) == 0 && !e.same {
		return nil
	}
	if len(parts) == 1 && !e.same && parts[0].block.Cache == nil && parts[0].block.Type == weir.BlockText {
		e.buf.StringField("system", parts[0].block.Text)
		return nil
	}
	e.buf.Key("system")
	return e.blocks(parts, weir.RoleSystem)
}

func (e *bodyEncoder) messages(turns []turn) error {
	e.buf.Key("messages")
	e.buf.BeginArray()
	for i := range turns {
		t := &turns[i]
		start := e.begin()
		e.buf.StringField("role", string(t.role))
		e.buf.Key("content")
		if t.plain && len(t.parts) == 1 && t.parts[0].block.Type == weir.BlockText && bare(t.parts[0].block) {
			e.buf.String(t.parts[0].block.Text)
		} else if err := e.blocks(t.parts, t.role); err != nil {
			return err
		}
		e.extra(start, t.extra, e.paths.Message(t.msg))
		e.buf.EndObject()
	}
	e.buf.EndArray()
	return nil
}

// bare reports whether a text block says no more than its text.
func bare(b *weir.Block) bool {
	return b.Cache == nil && len(b.Citations) == 0 && len(b.Extra) == 0
}

// extras puts back the unknown members of the top level. Those that were kept
// apart from members with words (decodeRest) have been written with them.
func (e *bodyEncoder) extras(start int) {
	if e.same && e.req.Op != weir.Generate {
		e.addIfCounted(start)
		return
	}
	fields := e.body.Extra
	if e.body.Format == nil || !e.oldFormat(e.body.Format) {
		if old := fields.Value("output_format"); old != nil && !jsonx.IsNull(old) {
			fields = fields.With("output_format", nil) // written as output_config.format, or taken out
		}
	}
	e.extra(start, fields, "")
}

// addIfCounted leaves out what count_tokens would refuse: a body of Generate can
// be counted too.
func (e *bodyEncoder) addIfCounted(start int) {
	for _, f := range e.body.Extra {
		if !f.Spelling || f.Name != "stream" && f.Name != "metadata" {
			addMissing(&e.buf, start, weir.Fields{f})
		}
	}
}
