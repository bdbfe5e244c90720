package attempt

import "github.com/weir-gateway/weir"

// Repeatable reports whether a request may be made twice, so that two
// deployments work on it at once, without more harm than the cost: it wants a
// completion, vectors or a count, is kept nowhere and continues nothing that is
// kept (a response that is stored or runs in the background, a conversation),
// and lets the provider run no tools, which may have effects of their own.
//
// It decodes the request's body where that has not been done.
func Repeatable(req *weir.Request) bool {
	switch req.Op {
	case weir.Embed, weir.CountTokens:
		return true
	case weir.Generate:
	default:
		return false
	}
	body, err := req.Body()
	return err == nil && !kept(body) && !runsTools(body)
}

// kept reports whether the answer becomes part of something that outlives the
// call. Without a word on it, the Responses API stores (2026-08-21).
func kept(b *weir.Body) bool {
	t := b.Thread
	if t == nil || t.Store == nil {
		return b.From == weir.OpenAIResponses || t.IsBound() || t != nil && isTrue(t.Background)
	}
	return *t.Store || isTrue(t.Background) || t.IsBound()
}

func isTrue(b *bool) bool { return b != nil && *b }

func runsTools(b *weir.Body) bool {
	for i := range b.Tools {
		if b.Tools[i].Type == weir.ToolHosted {
			return true
		}
	}
	return false
}
