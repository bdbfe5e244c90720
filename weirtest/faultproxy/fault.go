package faultproxy

import "time"

// A Fault is what goes wrong with the answers of one proxy. The zero Fault is
// none: everything passes. A fault whose place an answer never reaches, since it
// is too short, does not happen.
type Fault struct {
	// Do is what happens, and After where.
	Do Action
	// After is how many bytes of an answer's body have been passed on by then,
	// as they are on the wire (the framing of chunked bodies counts). 0 is right
	// behind the head; BeforeHead is ahead of the first byte. Refuse and
	// BlackHole come before any answer and do not look at it.
	After int
	// Latency is waited before the first byte of every answer.
	Latency time.Duration
	// Rate is how many bytes of an answer pass in a second; 0 is no limit.
	Rate int
}

// BeforeHead is the place ahead of an answer's first byte.
const BeforeHead = -1

// Action is how a connection breaks.
type Action uint8

// Actions.
const (
	// Pass breaks nothing.
	Pass Action = iota
	// Refuse closes the port, and every connection that stands: connecting is
	// refused until another fault is set.
	Refuse
	// BlackHole takes the connection and the request, passes nothing on and
	// never answers.
	BlackHole
	// Reset ends the connection by a TCP RST.
	Reset
	// Cut closes the connection by a FIN, in the middle of whatever it carries.
	Cut
	// HalfClose sends a FIN and goes on holding the connection, from which the
	// client is still read.
	HalfClose
	// Stall sends nothing more, with the connection open.
	Stall
	// Garble inverts a bit of every byte from there on, framing and all.
	Garble
	// Spoil overwrites quotes, braces and brackets from there on: the framing of
	// HTTP, of lines and of events stays whole, and JSON inside does not.
	Spoil
)

// mangle is b as a Garble or a Spoil leaves it; b is overwritten.
func (a Action) mangle(b []byte) {
	for i, c := range b {
		switch {
		case a == Garble:
			b[i] = c ^ 0x20
		case c == '"', c == '{', c == '}', c == '[', c == ']':
			b[i] = '#'
		}
	}
}
