package weir

import (
	"net/http"
	"time"
)

// A Note is a fact about a call that travels outward beside the answer. Stages
// say what they did in notes, and read what happened from notes; there is no
// other channel. The kinds below are those that the root package knows; a
// stage may add its own.
type Note interface{ NoteKind() string }

// Emulated is a Note of something that a stage made up for, which the upstream
// could not do by itself. It is told to the client and in the log.
type Emulated interface {
	Note
	// Emulated is what was done, as "what;how": "structured_output;tool".
	// Empty: nothing, the upstream did it.
	Emulated() string
}

// NoteEvent is the Event that carries n.
func NoteEvent(n Note) Event { return Event{Type: EventNote, Note: n} }

// Route tells which deployments a model name stood for, and why.
type Route struct {
	Model       string
	Deployments []string
	Reason      string
}

// Attempt tells how one upstream call went. It is sent when the attempt is over
// for the stage that made it: on failure with Err, on commit with Err nil.
type Attempt struct {
	Number     int // from 1, over the whole call
	Deployment string
	Provider   string
	Model      string // the provider's own name of the model
	Duration   time.Duration
	Err        *Error // nil: this attempt answers
	// Wait is how long the next attempt is waited for.
	Wait time.Duration
}

// Upstream tells that an upstream has answered with a status line.
type Upstream struct {
	Deployment string
	Provider   string
	Model      string
	Protocol   Protocol
	Status     int
	RequestID  string      // the upstream's own id of the call
	Header     http.Header // rate limits and the like, without credentials or hop headers
}

// Loss tells that something could not be carried over as it was.
type Loss struct {
	Field  string // path in the client's words: "messages[2].content[0].cache_control"
	Action LossAction
	Detail string // one clause in plain words; never the value itself
}

// LossAction is what was done with what could not be carried over.
type LossAction string

// Loss actions.
const (
	LossDropped      LossAction = "dropped"
	LossApproximated LossAction = "approximated"
	LossMoved        LossAction = "moved"
	LossClamped      LossAction = "clamped"
	LossRenamed      LossAction = "renamed"
)

// NoteKind implements Note.
func (*Route) NoteKind() string { return "route" }

// NoteKind implements Note.
func (*Attempt) NoteKind() string { return "attempt" }

// NoteKind implements Note.
func (*Upstream) NoteKind() string { return "upstream" }

// NoteKind implements Note.
func (*Loss) NoteKind() string { return "loss" }
