// Package tokens estimates how many tokens a text or a request has, without
// any model's vocabulary: fast, for every model, and rather too many than too
// few, since what is built on an estimate (admission, reservations, the
// compaction of a long conversation) fails worse on the other side.
//
// Begin with EstimateText in text.go; EstimateBody (body.go) adds up a decoded
// request, EstimateBytes (bytes.go) one that nobody has decoded.
package tokens
