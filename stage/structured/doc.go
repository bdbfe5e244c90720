// Package structured gives every deployment structured output: an answer that
// is JSON and matches the schema that the client sent, also where the upstream
// knows no schemas (requirement P-08).
//
// The stage, one for each deployment, does nothing for an upstream that takes
// the format itself. For others it descends a ladder:
//
//	tool         the schema becomes the parameters of the one tool, which the
//	             model has to call; its arguments are the answer's text
//	json_object  the upstream promises JSON, the schema becomes an instruction
//	prompt       all is an instruction
//
// An answer is checked against the schema. One that does not match is asked for
// again, with what is wrong with it, within Options.Reasks and the Request's
// Allowance. Until then nothing of it is yielded, so that an attempt can still
// be thrown away; only a streamed call of the tool flows as it comes, and is
// checked at its end.
//
// In the end an answer that does not match is an error when the client asked
// for strict treatment, and else is given as it is, with a loss that says so.
// Refusals, cut answers and calls of the client's own tools are given as they
// are: they are no answers in the format.
//
// Begin with options.go, then mode.go (what is sent), call.go (asking), answer.go
// and live.go (what is given), and schema.go (the check).
package structured
