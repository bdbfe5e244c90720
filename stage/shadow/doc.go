// Package shadow asks a second model what the first one was asked, for a share
// of the requests, and tells how the two compare. The client's answer is not
// touched, and does not wait.
//
// A request is sampled by a hash of its id, so that the same request is always
// in or out, and what is in at five per cent is in at ten. When its own answer
// has been given, a copy with bytes of its own goes to Options.Handler on
// another goroutine: a chain with a ledger of its own, since the copy costs
// money that is not the client's. At most so many run and wait at once; what is
// beyond that is dropped and counted.
//
// Only what may be asked twice is: Generate and Embed, without tools that the
// upstream runs, and nothing that an upstream keeps. Whose own call failed or
// was left by its client is not asked again.
//
// Begin with options.go, then stage.go and queue.go; request.go makes the copy.
package shadow
