// Package rules chooses the model of a request by what the request is: short
// prompts go to a fast model, long or hard ones to a large one.
//
// A Rule is a condition and a name. The condition is an expression in CEL
// (cel.dev, language definition of 2026-10) over features of the request: its
// length in tokens, pictures, tools, language, labels, who asks, the time of
// day; Variables lists them all. The name is whatever the rest of the gateway
// can route: an alias, a model, "provider/model".
//
// Rules stand in Lists. The general list, without a model, judges every
// request; a list with a model judges what asks for that name, "auto" for
// instance, which then exists only through its list. In a list the first rule
// that holds decides.
//
// Expressions are compiled and checked once, by New, which tells every mistake
// with its place. A feature is computed when an expression first asks for it:
// a rule about the principal decodes nothing. What an evaluation may cost is
// bounded; a rule that cannot be evaluated is passed over and told in the Note.
//
// Begin with options.go, then judge.go (which rule decides), variables.go and
// features.go (what a rule sees), compile.go and stage.go.
package rules
