// Package attempt makes the upstream calls of one request: again at the same
// deployment (Retry), at the next deployment (Fallback), at two at once (Hedge),
// on from where an answer broke (Continue), and within time limits (Timeout).
//
// One rule keeps them safe: an attempt may be thrown away only while nothing of
// it has been seen outside. The Gate, the one place that decides this, holds
// start, ping and usage events, and blocks that begin empty, back until the first
// content event. From there the attempt is committed, and no stage tries again.
// Continue, which is off unless it is asked for, does not try again either: it
// has the rest of an answer written by somebody else.
//
// One budget keeps them bounded: every upstream call takes one from the
// Request's Allowance, whichever stage makes it. A Budget bounds the extra calls
// of all requests together.
//
// A chain is Continue around Fallback over deployments, each of them Retry
// around Timeout around a provider. Begin with gate.go, then retry.go with
// policy.go, fallback.go with race.go, and continue.go.
package attempt
