// Package gateway builds the running whole from a configuration: which
// providers are on, what each model name stands for, and the chain of stages
// that every request goes through. It is the only place that knows the order of
// the stages.
//
// A configuration becomes a Snapshot, which is never changed; a reload builds a
// new one and swaps a pointer, so that requests in flight keep theirs. What must
// outlive a reload (benched keys, connection limits, metrics) stands beside the
// snapshots in state.go.
//
// Begin with chain.go for the order of stages, then gateway.go.
package gateway
