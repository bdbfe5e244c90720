package sim

import (
	"context"
	"hash/fnv"
	"iter"
	"strconv"
	"time"

	"github.com/weir-gateway/weir"
)

// A Model is the simulated model: a weir.Handler that needs nothing. It is safe
// for concurrent use.
type Model struct{ o Options }

// New makes a Model.
func New(o Options) *Model { return &Model{o: o} }

// Handle answers req. It supports weir.Generate, weir.CountTokens and weir.Embed;
// any other operation is a KindUnsupported error. Pauses end with ctx.
func (m *Model) Handle(ctx context.Context, req *weir.Request) iter.Seq2[weir.Event, error] {
	return func(yield func(weir.Event, error) bool) {
		if req.Op.IsRelayed() {
			yield(weir.Event{}, unsupported(req.Op))
			return
		}
		body, err := req.Body()
		if err != nil {
			yield(weir.Event{}, err)
			return
		}
		if err := ctx.Err(); err != nil {
			yield(weir.Event{}, err)
			return
		}
		p := &play{ctx: ctx, yield: yield, pace: m.newPace(req, body)}
		switch req.Op {
		case weir.Generate:
			m.generate(p, req, body)
		case weir.CountTokens:
			m.count(p, req, body)
		case weir.Embed:
			m.embed(p, req, body)
		default:
			yield(weir.Event{}, unsupported(req.Op))
		}
	}
}

func unsupported(op weir.Operation) error {
	return weir.Errorf(weir.KindUnsupported, "the simulated model does not know the operation %s", op)
}

func (m *Model) generate(p *play, req *weir.Request, body *weir.Body) {
	scripts := m.plan(req, body)
	input := countBody(body)
	if !p.send(m.start(req, body)) || !p.send(usageEvent(input, nil)) {
		return
	}
	if p.scripts(scripts) {
		p.send(usageEvent(input, scripts))
	}
}

func (m *Model) count(p *play, req *weir.Request, body *weir.Body) {
	if p.send(m.start(req, body)) {
		p.send(usageEvent(countBody(body), nil))
	}
}

func (m *Model) start(req *weir.Request, body *weir.Body) weir.Event {
	name := m.o.Model
	if name == "" {
		name = req.Model
	}
	return weir.Event{Type: weir.EventStart, More: true, Start: &weir.Start{
		ID:      "sim-" + m.token(req, body),
		Model:   name,
		Created: time.Now().Unix(),
	}}
}

// usageEvent reports the input, and with scripts what they came to.
func usageEvent(input int64, scripts []*script) weir.Event {
	u := new(weir.Usage)
	u.Set(weir.UsageInput, input)
	if scripts != nil {
		var out, thought int
		for _, s := range scripts {
			out += s.tokens
			thought += s.thought
		}
		u.Set(weir.UsageOutput, int64(out))
		u.Set(weir.UsageReasoning, int64(thought))
	}
	return weir.Event{Type: weir.EventUsage, Usage: u}
}

// hash is what a request's ids and jitter come from: the seed, the call's id,
// the model and the conversation.
func (m *Model) hash(req *weir.Request, body *weir.Body) uint64 {
	h := fnv.New64a()
	write := func(parts ...string) {
		for _, s := range parts {
			_, _ = h.Write([]byte(s))
			_, _ = h.Write([]byte{0})
		}
	}
	write(strconv.FormatUint(m.o.Seed, 10), req.ID, req.Model, strconv.Itoa(len(body.Messages)))
	for i := range body.Messages {
		for j := range body.Messages[i].Blocks {
			b := &body.Messages[i].Blocks[j]
			write(string(body.Messages[i].Role), string(b.Type), b.Text)
			if b.Call != nil {
				write(b.Call.ID, b.Call.Arguments)
			}
			if b.Result != nil {
				write(b.Result.CallID, blocksText(b.Result.Content))
			}
		}
	}
	return h.Sum64()
}

// token is the hash as sixteen hexadecimal digits.
func (m *Model) token(req *weir.Request, body *weir.Body) string {
	s := strconv.FormatUint(m.hash(req, body), 16)
	for len(s) < 16 {
		s = "0" + s
	}
	return s
}
