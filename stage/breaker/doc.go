// Package breaker keeps the live health of deployments: what is in flight, how
// soon they answer, how often they fail. It refuses calls to one that is down
// for a while (the circuit breaker), and tells which one is so much slower than
// its peers that it should not be chosen (ejection).
//
// A Board is the memory. It outlives the chains that use it and finds a
// deployment again by its name. Health is one deployment on it; Health.Wrap is
// the stage, around one attempt: inside retry, outside of the time limits and
// the provider, and inside of what Weir itself limits, since that is not the
// deployment's fault.
//
// # The circuit
//
// A closed circuit lets every call pass. It opens when, over a sliding window,
// enough calls were made and too many of them failed: never after a single
// failure. While it is open every call is refused without being made.
// After that it is half open: a few calls at a time are let through as probes.
// When enough of them succeed it closes, and when one fails it opens again,
// for twice as long, up to a bound.
//
// What counts as a failure is in outcome.go. A rate limit does not, nor
// does an error that is about the request or a caller that went away. A
// refused credential or an empty account is a key's fault and counts
// only while nothing else is heard of the deployment.
//
// # Ejection
//
// A Group is the deployments among which a strategy of stage/route chooses. A
// member whose mean time to first token leaves the bounds that its peers set
// is ejected from the group: it is still called when the others fail, and it is
// given one call in a while, to see whether it is back. At most half of a group
// is ejected.
//
// Begin reading with board.go, then call.go and circuit.go.
package breaker
