// Package server puts HTTP faces in front of a gateway: it matches a path to a
// protocol, authenticates before it reads the body, reads within limits, hands
// the request to the chain, and writes the events back as the client's protocol
// has them, flushing each piece as it comes.
//
// It holds no policy: what may be called, how often and where is the chain's.
// Begin with Server in server.go; generate.go is one call from first byte to
// last, answer.go the writing side of it.
package server
