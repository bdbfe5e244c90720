package breaker

import "time"

// State is what a deployment's health comes to.
type State uint8

// States.
const (
	Closed   State = iota // calls pass
	HalfOpen              // a few calls pass, to see whether it is back
	Open                  // calls are refused
	Ejected               // slower than its peers: calls pass, but it is not chosen first
)

var stateNames = [...]string{"closed", "half_open", "open", "ejected"}

// String is the state's name in logs, metrics and notes.
func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return "unknown"
}

// Standing is how much a deployment commends itself for the next call, best
// first.
type Standing uint8

// Standings.
const (
	Ready   Standing = iota // choose it
	Slow                    // ejected from its group: choose it when no other is ready
	Cooling                 // it asked for patience: choose it when no other works
	Down                    // a call would be refused
)

var standingNames = [...]string{"ready", "slow", "cooling", "down"}

// String is the standing's name.
func (s Standing) String() string {
	if int(s) < len(standingNames) {
		return standingNames[s]
	}
	return "unknown"
}

// A Change is a change of a deployment's state. It is a weir.Note as well: the
// call that caused it tells it.
type Change struct {
	Deployment string
	// Group is that from which the deployment was ejected, or to which it came
	// back; empty when it is the circuit that changed.
	Group    string
	From, To State
	// Reason is one clause of kinds and numbers, never prompt text.
	Reason string
	At     time.Time
	// Until is when calls are let through again, where To is Open.
	Until time.Time
}

// NoteKind implements weir.Note.
func (*Change) NoteKind() string { return "health" }
