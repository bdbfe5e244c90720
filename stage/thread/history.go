package thread

import (
	"context"
	"slices"

	"github.com/weir-gateway/weir"
)

// A history is what went before a request.
type history struct {
	messages []weir.Message
	// field is what of the request refers to it.
	field string
	// local tells that part of it is kept by the connection only.
	local bool
}

// instructionsAt is where a codec says that a message stood that holds the
// instructions of one request. They are not inherited (protocols.md §4.2).
const instructionsAt = "instructions"

func isInstructions(m *weir.Message) bool { return m.At == instructionsAt }

func withoutInstructions(messages []weir.Message) []weir.Message {
	out := make([]weir.Message, 0, len(messages))
	for i := range messages {
		if !isInstructions(&messages[i]) {
			out = append(out, messages[i])
		}
	}
	return out
}

// before is messages with the history in front, behind the instructions.
func (h *history) before(messages []weir.Message) []weir.Message {
	out := make([]weir.Message, 0, len(messages)+len(h.messages))
	for i := range messages {
		if isInstructions(&messages[i]) {
			out = append(out, messages[i])
		}
	}
	for i := range h.messages {
		m := h.messages[i]
		m.At, m.Blocks = h.field, placed(m.Blocks, h.field)
		out = append(out, m)
	}
	return append(out, withoutInstructions(messages)...)
}

// placed is blocks as standing at a place of the request: what is lost of them
// is lost of what the client referred to.
func placed(blocks []weir.Block, at string) []weir.Block {
	out := slices.Clone(blocks)
	for i := range out {
		out[i].At = at
		if r := out[i].Result; r != nil && len(r.Content) > 0 {
			c := *r
			c.Content = placed(r.Content, at)
			out[i].Result = &c
		}
	}
	return out
}

// findHistory is what the request refers to, nil when it refers to nothing or
// its upstream knows it.
func (o *Options) findHistory(ctx context.Context, p *plan) (*history, error) {
	switch t := &p.asked; {
	case t.Previous != "" && t.Conversation != "":
		return nil, weir.Invalid("previous_response_id", "previous_response_id and conversation exclude each other: send one of them")
	case t.Previous != "":
		return o.previous(ctx, p)
	case t.Conversation != "":
		return o.conversation(ctx, p)
	}
	return nil, nil
}

// previous is the history that ends with the response that the request follows.
func (o *Options) previous(ctx context.Context, p *plan) (*history, error) {
	h := &history{field: "previous_response_id"}
	id := p.asked.Previous
	rec, err := o.find(ctx, p, id, h)
	switch {
	case err != nil:
		return nil, err
	case rec == nil && o.NativeStore:
		return nil, nil // it may be known there
	case rec == nil:
		return nil, noPrevious(id, "no such response is kept here")
	case rec.Native && o.NativeStore && rec.Deployment == o.Deployment:
		return nil, nil
	}
	return h, o.walk(ctx, p, rec, id, h)
}

// walk collects a chain of responses from its end.
func (o *Options) walk(ctx context.Context, p *plan, rec *Record, id string, h *history) error {
	var turns [][]weir.Message // the latest first
	for n := 1; ; n++ {
		if err := rec.continuable(id); err != nil {
			return err
		}
		if rec.Bare {
			return noPrevious(id, "only "+rec.Deployment+" keeps its content")
		}
		if rec.Conversation != "" && !rec.Root {
			items, err := o.until(ctx, p, rec)
			if err != nil {
				return err
			}
			turns = append(turns, items)
			break
		}
		turns = append(turns, rec.Output, rec.Input)
		if rec.Root {
			turns = append(turns, rec.Base)
		}
		if rec.Root || rec.Previous == "" {
			break
		}
		if n >= o.Keeper.MaxChain {
			return weir.Invalid("previous_response_id", "more than %d responses follow one upon the other: send the whole conversation in input", o.Keeper.MaxChain)
		}
		id = rec.Previous
		next, err := o.find(ctx, p, id, h)
		if err != nil {
			return err
		}
		if next == nil {
			return noPrevious(id, "an earlier response of the chain is not kept any more")
		}
		rec = next
	}
	slices.Reverse(turns)
	h.messages = slices.Concat(turns...)
	return nil
}

// find is the record of a response, nil when there is none. What only the
// connection keeps makes the history local.
func (o *Options) find(ctx context.Context, p *plan, id string, h *history) (*Record, error) {
	if p.session != nil {
		rec, err := lookUp(ctx, p.session.store, p.tenant, id, o.Keeper.TTL)
		if rec != nil || err != nil {
			h.local = true
			return rec, err
		}
	}
	return lookUp(ctx, o.Keeper.Store, p.tenant, id, o.Keeper.TTL)
}

// until is what a conversation held when rec, which belongs to it, was complete.
func (o *Options) until(ctx context.Context, p *plan, rec *Record) ([]weir.Message, error) {
	entries, _, err := o.Keeper.Store.List(ctx, conversationKey(p.tenant, rec.Conversation), Page{})
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(entries, func(e Entry) bool { return e.ID == rec.Last })
	if rec.Last == "" || i < 0 {
		return nil, noPrevious(rec.ID, "the conversation that it belongs to is not kept any more")
	}
	items, err := decodeItems(entries[:i+1])
	return joinItems(items), err
}

// conversation is what the request's conversation holds. The conversation is
// taken until the call is over.
func (o *Options) conversation(ctx context.Context, p *plan) (*history, error) {
	id, all := p.asked.Conversation, o.Keeper.Conversations()
	conv, _, err := all.get(ctx, p.tenant, id)
	switch {
	case err != nil:
		return nil, err
	case conv == nil && o.NativeStore:
		return nil, nil // it may be known there
	case conv == nil:
		return nil, noConversation(id)
	}
	if p.req.Op == weir.Generate {
		if p.unlock, err = all.lock(ctx, p.tenant, id); err != nil {
			return nil, err
		}
		p.conversation = id
	}
	items, _, err := all.Items(ctx, p.tenant, id, Page{})
	return &history{messages: joinItems(items), field: "conversation"}, err
}
