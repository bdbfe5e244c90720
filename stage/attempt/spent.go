package attempt

import "github.com/weir-gateway/weir"

// Spent is a note: an attempt that was thrown away had reported usage, which
// the provider will bill although its answer reached nobody.
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
