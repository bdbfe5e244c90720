package structured

import (
	"strconv"

	"github.com/weir-gateway/weir"
)

// Note is a note: how an answer got its form. It comes when the answer is
// given, of a streamed call of the tool at its end, and before the error of a
// call that failed for its form.
type Note struct {
	Mode Mode
	// Asks is how many answers were asked for.
	Asks int
	// Checked tells that the answer was compared with the schema. A refusal, a
	// cut answer and a call of a client's tool are not.
	Checked bool
	// Valid tells that it matches.
	Valid bool
	// Cleaned tells that code fences or words around the JSON were taken off.
	Cleaned bool
	// Dropped is how many blocks beside the call of the tool were left out:
	// words, or a call that came twice.
	Dropped int
	// Unchecked is how many patterns of the schema were not checked, since they
	// need a regular expression engine that can be made to run for ever.
	Unchecked int
}

// NoteKind implements weir.Note.
func (*Note) NoteKind() string { return "structured" }

// Emulated implements weir.Emulated: by which means the form was had, and in how
// many asks where one was not enough.
func (n *Note) Emulated() string {
	if n.Mode == "" {
		return ""
	}
	s := "structured_output;" + string(n.Mode)
	if n.Asks > 1 {
		s += ";asks=" + strconv.Itoa(n.Asks)
	}
	return s
}

// Spent is a note: what the asks cost of a call that failed in the end. Of one
// that is answered it is part of the answer's usage.
type Spent struct {
	Usage      *weir.Usage
	Deployment string
	Provider   string
	Model      string // the provider's own name of the model
}

// NoteKind implements weir.Note.
func (*Spent) NoteKind() string { return "spent" }

// SpentUsage is the usage and where it arose, for a ledger.
func (s *Spent) SpentUsage() (u *weir.Usage, deployment, provider, model string) {
	return s.Usage, s.Deployment, s.Provider, s.Model
}
