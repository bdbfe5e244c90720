// Package degrade answers from a few written rules when no model can: the last
// rung of the ladder, below retry and fallback.
//
// The stage stands outside of route. It does nothing until a call has failed
// with nothing of an answer seen outside, and with an error that means an
// outage. A rule then chooses a text by what the user said last, and the text
// goes out as a usual answer, whole or streamed, in the client's own protocol.
//
// It never answers in the place of an error that the request itself is to blame
// for, of a refusal for safety, or of a client that left; never after
// the first event of an answer; and never a client that a text would mislead:
// one that asked for strict treatment, that forces a tool to be called, or that
// wants JSON from a rule that has none.
//
// That an answer is degraded is told in a Note before it, with the error and
// the attempts that it stands for (E-05, O-16), and in the answer itself: a
// member "weir" beside the id, where the client's protocol has a place for it.
//
// Begin with options.go, then stage.go; match.go chooses the rule, template.go
// is the language of texts, answer.go makes the events.
package degrade
