package share

import "github.com/weir-gateway/weir"

// Reused is a note: the answer was not made for this request. It comes before
// anything of the answer. The usage that follows it was billed, and is accounted
// for, with the request that it was made for.
type Reused struct {
	// How is "shared" for a call that was in flight, "replayed" for an answer
	// that was kept.
	How string
	// ID is Request.ID of the request that the answer was made for.
	ID string
	// Deployment, Provider and Model name what answered; empty when not known.
	Deployment, Provider, Model string
}

// Values of Reused.How.
const (
	Shared   = "shared"
	Replayed = "replayed"
)

// NoteKind implements weir.Note.
func (*Reused) NoteKind() string { return "reused" }

// AnswerSource is How, for the header that says where an answer comes from. It
// stands in no error's place.
func (r *Reused) AnswerSource() (source string, cause *weir.Error) { return r.How, nil }

// AnsweredBy names what answered the request that the answer was made for.
func (r *Reused) AnsweredBy() (deployment, provider, model string) {
	return r.Deployment, r.Provider, r.Model
}

// An Orphan is a call that went on after the request which began it had ended:
// others read it, or might come back for it. What that request's ledger entry
// says ends where it left.
type Orphan struct {
	Request *weir.Request // which began the call; its Wire is still valid
	// Deployment, Provider and Model name what answered; empty when not known.
	Deployment, Provider, Model string
	Usage                       *weir.Usage // of the whole call, nil when none was reported
	Err                         *weir.Error // nil when it came to its end
}
