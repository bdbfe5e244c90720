// Package ledger keeps the books: exactly one Entry for every call that was
// begun, whatever became of it, refusals and clients that left included.
//
// It also owns what happens when a client leaves (requirement R-18 and its
// conflict): before any content the call is cancelled at once; afterwards the
// upstream is read on for a short, declared time, only to learn the final
// usage, then cancelled, and what is still missing is estimated and marked.
// For this the inner call runs under a context that does not end with the
// client's.
//
// Begin with entry.go (what is recorded), then stage.go and client.go; usage.go
// says what counts as reported, estimated, none and unknown.
package ledger
