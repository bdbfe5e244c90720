package shadow

import (
	"bytes"
	"maps"
	"strconv"

	"github.com/weir-gateway/weir"
)

// copier copies what is needed of a request whose bytes are valid only for as
// long as the client's call, and makes the copy later, where nobody waits. The
// Request that it makes is nil when it may not be asked twice.
func (s *Shadow) copier(req *weir.Request, t *target) func() (*weir.Request, error) {
	head := *req
	head.Wire, head.Uplink, head.Deployments = nil, nil, nil
	if w := req.Wire; w != nil && s.options.Open != nil {
		own := *w
		own.Body, own.Index = bytes.Clone(w.Body), nil
		return func() (*weir.Request, error) {
			opened, err := s.options.Open(head.Op, &own)
			if err != nil {
				return nil, err
			}
			return s.addressed(opened, &head, t)
		}
	}
	body, err := req.Body()
	if err != nil || body == nil || !repeatable(body) {
		return func() (*weir.Request, error) { return nil, err }
	}
	own := detached(body)
	return func() (*weir.Request, error) { return s.addressed(weir.NewRequest(t.Model, own), &head, t) }
}

// addressed makes out a copy to a target.
func (s *Shadow) addressed(out, from *weir.Request, t *target) (*weir.Request, error) {
	body, err := out.Body()
	if err != nil || body == nil || !repeatable(body) {
		return nil, err
	}
	out.ID = from.ID + "-shadow" + strconv.Itoa(t.number)
	out.Op, out.Model, out.Stream, out.Strict = from.Op, t.Model, from.Stream, from.Strict
	out.Relay = s.options.Compare == nil
	out.Principal = s.options.Principal
	out.Labels = maps.Clone(from.Labels)
	if out.Labels == nil {
		out.Labels = map[string]string{}
	}
	out.Labels[LabelTarget], out.Labels[LabelOf] = t.Name, from.ID
	out.Allowance = weir.NewAllowance(s.options.Attempts)
	return out, nil
}

// repeatable reports whether a request may be asked a second time: nothing is
// kept of it, it belongs to nothing that is kept, and the upstream runs no tools
// for it. The Responses API keeps everything that does not say store=false.
func repeatable(b *weir.Body) bool {
	for i := range b.Tools {
		if b.Tools[i].Type == weir.ToolHosted {
			return false
		}
	}
	stored := b.From == weir.OpenAIResponses
	if t := b.Thread; t != nil {
		if t.IsBound() || t.Background != nil && *t.Background {
			return false
		}
		if t.Store != nil {
			stored = *t.Store
		}
	}
	return !stored
}

// weight is about how many bytes a copy takes.
func weight(req *weir.Request) int64 {
	if req.Wire != nil {
		return int64(len(req.Wire.Body))
	}
	body, err := req.Body()
	if err != nil || body == nil {
		return 0
	}
	n := 0
	for i := range body.Messages {
		n += weigh(body.Messages[i].Blocks)
	}
	for i := range body.Tools {
		t := &body.Tools[i]
		n += len(t.Description) + len(t.Schema) + len(t.Raw)
	}
	return int64(n)
}

func weigh(blocks []weir.Block) (n int) {
	for i := range blocks {
		b := &blocks[i]
		n += len(b.Text)
		if m := b.Media; m != nil {
			n += len(m.Data) + len(m.Text)
		}
		if r := b.Reasoning; r != nil {
			n += len(r.Encrypted) + len(r.Signature)
		}
		if c := b.Call; c != nil {
			n += len(c.Arguments)
		}
		if b.Opaque != nil {
			n += len(b.Opaque.Raw)
		}
		if b.Result != nil {
			n += weigh(b.Result.Content)
		}
	}
	return n
}
