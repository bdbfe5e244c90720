package thread

import (
	"bytes"
	"context"
	"time"

	"github.com/weir-gateway/weir"
)

// A plan is what is to be done with one request.
type plan struct {
	req     *weir.Request // as it goes to the upstream
	tenant  string
	session *Session    // of the connection, nil where there is none
	asked   weir.Thread // as the client said it
	history *history    // nil when the request says everything, or its upstream knows the rest

	// store is where the answer is kept, nil when it is not; local tells that it
	// is the connection's own.
	store Store
	local bool
	// record is the response before it is answered; set with store or
	// conversation.
	record *Record
	// keptUpstream tells that the upstream keeps the answer as well.
	keptUpstream bool
	// id is what the response is to be called; empty: as the upstream calls it.
	id string
	// anew tells that the answer must not be sent on as the upstream wrote it,
	// since it speaks of another request than the client's.
	anew bool
	// tools are those that the history has brought. The answer may call them, and
	// the client's request does not say what they are.
	tools []weir.Tool
	// warm tells that nothing is to be generated.
	warm bool
	// conversation is the one that items are added to; empty when there is none
	// here.
	conversation string
	unlock       func()
}

// release gives back what plan has taken.
func (p *plan) release() {
	if p.unlock != nil {
		p.unlock()
	}
}

// idle reports whether the answer is none of the stage's business.
func (p *plan) idle() bool {
	return p.store == nil && p.conversation == "" && !p.anew && len(p.tools) == 0
}

// plan looks up what the request refers to and decides what becomes of it. What
// it takes is to be given back by release.
func (o *Options) plan(ctx context.Context, req *weir.Request) (*plan, error) {
	p := &plan{req: req, tenant: TenantOf(req), session: sessionOf(ctx)}
	job := jobOf(ctx)
	if o.NativeStore && !o.Keep && p.session == nil && job == nil {
		o.planBare(p)
		return p, nil
	}
	body, err := req.Body()
	if err != nil {
		return nil, err
	}
	if body.Thread != nil {
		p.asked = *body.Thread
	}
	if p.history, err = o.findHistory(ctx, p); err != nil {
		p.release()
		return nil, err
	}
	if req.Op == weir.Generate {
		o.planKeep(p, body, job)
	}
	if err := o.planRequest(p, body); err != nil {
		p.release()
		return nil, err
	}
	return p, nil
}

// planBare only notes where the response is made: its body is not read.
func (o *Options) planBare(p *plan) {
	if p.req.Op == weir.Generate {
		p.store, p.keptUpstream = o.Keeper.Store, true
		p.record = &Record{
			Created: now(), Model: p.req.Model, Deployment: o.Deployment, Provider: o.Provider,
			Native: true, Bare: true,
		}
	}
}

// planKeep decides whether, where and as what the answer is kept.
func (o *Options) planKeep(p *plan, body *weir.Body, job *job) {
	stores := p.asked.Store == nil || *p.asked.Store
	p.warm = p.session != nil && isFalse(body.Extra.Value(generateMember))
	switch {
	case job != nil:
		p.store, p.id, p.anew = o.Keeper.Store, job.id, true
	case stores && o.Keep:
		p.store = o.Keeper.Store
	case p.session != nil:
		p.store, p.local = p.session.store, true
	}
	if p.store == nil && p.conversation == "" {
		return
	}
	if p.id == "" && (p.warm || !o.Native) {
		p.id = NewResponseID()
	}
	p.keptUpstream = o.NativeStore && stores && !p.warm
	p.record = &Record{
		Created: now(), Model: p.req.Model, Deployment: o.Deployment, Provider: o.Provider,
		Previous: p.asked.Previous, Conversation: p.asked.Conversation,
		Background: job != nil, Native: o.NativeStore && stores && p.id == "",
		Input: withoutInstructions(body.Messages), Metadata: body.Metadata,
	}
	if h := p.history; h != nil && h.local && !p.local {
		// What only the connection remembers must outlive it.
		p.record.Root, p.record.Base = true, h.messages
	}
}

// generateMember is the member of a request on a connection that asks for
// nothing to be generated (protocols.md §5).
const generateMember = "generate"

func isFalse(raw []byte) bool { return string(bytes.TrimSpace(raw)) == "false" }

func now() time.Time { return time.Now().UTC().Truncate(time.Second) }

// planRequest makes the request that goes up: whole, and without what is done
// here. One that needs no change keeps its bytes.
func (o *Options) planRequest(p *plan, body *weir.Body) error {
	t := body.Thread
	mine := p.history != nil || t != nil && (!o.Native || t.Background != nil) ||
		p.session != nil && body.Extra.Value(generateMember) != nil
	if mine {
		req, err := p.req.Edit(func(b *weir.Body) error {
			o.edit(b, p)
			return nil
		})
		if err != nil {
			return err
		}
		p.req = req
		p.anew = p.anew || o.Native && p.history != nil
	}
	if p.req.Relay && !p.idle() {
		p.req = p.req.Clone()
		p.req.Relay = false
	}
	return nil
}

// edit takes out of b what is done here, and puts in what went before.
func (o *Options) edit(b *weir.Body, p *plan) {
	if p.session != nil {
		b.Extra = b.Extra.With(generateMember, nil)
	}
	if p.history != nil {
		p.tools = o.addTools(b, p.history.messages)
		b.Messages = p.history.before(b.Messages)
	}
	if b.Thread == nil {
		return
	}
	b.Thread.Background = nil
	if p.history != nil {
		b.Thread.Previous, b.Thread.Conversation = "", ""
		if !o.NativeStore {
			b.Thread.Store = new(bool)
		}
	}
	if !o.Native || *b.Thread == (weir.Thread{}) {
		b.Thread = nil
	}
}
