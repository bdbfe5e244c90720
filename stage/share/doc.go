// Package share lets one upstream call answer several requests.
//
// New is the stage by which identical requests share one call while it is in
// flight, streams included: who comes later gets what has been said so far, and
// then the rest as it comes. NewIdempotency is the stage by which a request that
// is sent again with the same Idempotency-Key gets the answer of the first one,
// whether that is still on its way or kept in a Store, and is not paid twice.
//
// Both are built on the flight (flight.go): a call whose events are remembered
// for all its readers. No goroutine belongs to it. Whoever has read everything
// asks the upstream for the next event, on its own goroutine, and the others
// find it there; so a slow reader holds up nobody. The request that began a
// call stays in its range statement until the call is over, since the received
// bytes that the call works on are its own.
//
// Who did not make the call is told so in a Reused note, before anything of the
// answer. Of the other notes it gets losses only: attempts and the like were not
// made for it, and its ledger must not count them.
//
// Begin with flight.go, then group.go and idempotency.go.
package share
