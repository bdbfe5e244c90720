// Package limit keeps one part from using up what all parts need: a Bulkhead
// bounds the calls that are in progress at one deployment, so that one that
// stalls holds no more than its share, an Adaptive finds that bound by itself,
// and Bytes bounds the request bodies that the process holds at once.
//
// All of them say no early and with a reason: KindOverloaded, with a time to wait.
//
// Of an Adaptive, adaptive.go is what it is, law.go how the limit moves, turn.go
// who gets a place and when, and call.go the stage that watches a call. The law
// is that of congestion control: additive increase and multiplicative decrease
// (RFC 5681), with the time to first content as a second sign of congestion, as
// in TCP Vegas (1994).
package limit
