package faultproxy

import "sync/atomic"

// An exchange is one request with its answer, and how far that has come. But for
// begun it belongs to the goroutine that carries the answer.
type exchange struct {
	fault Fault
	// begun tells that the answer has: what the client sends next is another
	// request.
	begun atomic.Bool
	// head counts the bytes of "\r\n\r\n" that were seen last; with all of them
	// the body begins.
	head    int
	body    int
	mangled bool
}

const headEnd = "\r\n\r\n"

func (x *exchange) inHead() bool { return x.head < len(headEnd) }

// due reports whether the place of the fault has been reached.
func (x *exchange) due() bool {
	switch {
	case x.fault.Do == Pass, x.mangled:
		return false
	case x.fault.After < 0:
		return true
	}
	return !x.inHead() && x.body >= x.fault.After
}

// span is how much of b, which is not empty, lies ahead of the next place to
// look: the end of the head, or the fault.
func (x *exchange) span(b []byte) int {
	if x.inHead() {
		seen := x.head
		for i, c := range b {
			if seen = follow(seen, c); seen == len(headEnd) {
				return i + 1
			}
		}
		return len(b)
	}
	if x.fault.Do != Pass && x.body < x.fault.After {
		return min(len(b), x.fault.After-x.body)
	}
	return len(b)
}

// advance takes note that b is being passed on.
func (x *exchange) advance(b []byte) {
	x.begun.Store(true)
	if !x.inHead() {
		x.body += len(b)
		return
	}
	for _, c := range b {
		x.head = follow(x.head, c)
	}
}

// follow is how much of headEnd has been seen after one more byte.
func follow(seen int, c byte) int {
	if c == headEnd[seen] {
		return seen + 1
	}
	if c == '\r' {
		return 1
	}
	return 0
}
