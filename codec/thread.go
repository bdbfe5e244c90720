package codec

import "github.com/weir-gateway/weir"

// RefuseThread is the error for a body that says only part of the conversation,
// since the rest is kept where the target cannot see it: without it the model
// would answer something else; for one that refers to what only its provider keeps;
// and for a text to be continued that cannot become a
// message. Nil for all other bodies. A body of the target's own protocol is not to
// be asked.
func RefuseThread(b *weir.Body) error {
	if !b.Thread.IsBound() {
		if err := refuseKept(b); err != nil {
			return err
		}
		return refusePrompt(b)
	}
	field := "previous_response_id"
	if b.Thread.Previous == "" {
		field = "conversation"
	}
	field = ClientWord(b.From, field)
	e := weir.Errorf(weir.KindUnsupported, "%s refers to a conversation that this target does not keep", field)
	e.Param = field
	e.Hint = "send the whole conversation in the request"
	return e
}
