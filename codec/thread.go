package codec

import "github.com/weir-gateway/weir"

// RefuseThread is the error for a body that says only part of the conversation,
// since the rest is kept where the target cannot see it: without it the model
// would answer something else. Nil when the body is whole. A body of the target's
// own protocol is not to be asked.
func RefuseThread(b *weir.Body) error {
	if !b.Thread.IsBound() {
		return nil
	}
	field := "previous_response_id"
	if b.Thread.Previous == "" {
		field = "conversation"
	}
	e := weir.Errorf(weir.KindUnsupported, "%s refers to a conversation that this target does not keep", field)
	e.Param = field
	e.Hint = "send the whole conversation in the request"
	return e
}
