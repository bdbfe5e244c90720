// Package limit keeps one part from using up what all parts need: a Bulkhead
// bounds the calls that are in progress at one deployment, so that one that
// stalls holds no more than its share, and Bytes bounds the request bodies that
// the process holds at once.
//
// Both say no early and with a reason: KindOverloaded, with a time to wait.
package limit
