// Package attempt makes the upstream calls of one request: again at the same
// deployment (Retry), at the next deployment (Fallback), and within time limits
// (Timeout).
//
// One rule keeps them safe: an attempt may be thrown away only while nothing of
// it has been seen outside. The Gate, the one place that decides this, holds
// start, ping and usage events back until the first content event. From there
// the attempt is committed, and no stage tries again.
//
// One budget keeps them bounded: every upstream call takes one from the
// Request's Allowance, whichever stage makes it.
//
// A chain is Fallback over deployments, each of them Retry around Timeout
// around a provider. Begin with gate.go, then retry.go and fallback.go.
package attempt
