package ledger

import (
	"time"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/price"
)

// An Entry is what is kept of a call. It holds no prompt text, no answer and
// no credential. It is not modified once it is recorded.
type Entry struct {
	ID        string
	Time      time.Time // when the call began
	Principal string    // the key's name; empty when nobody was identified
	Labels    map[string]string
	Op        weir.Operation
	Protocol  weir.Protocol // the client's; empty for calls made in Go
	Streamed  bool

	Model         string // as the client asked
	Deployment    string // that answered, else the last one tried; empty: none
	Provider      string
	UpstreamModel string
	UpstreamID    string // the provider's own id of the call

	// Attempts is how many upstream calls were told of.
	Attempts int
	// Outcome is how the call ended.
	Outcome Outcome
	// Status is the HTTP status for the client: 200 when answered.
	Status int
	// Kind and Code are the error's when Outcome is Failed or Canceled.
	Kind weir.Kind
	Code string
	// Message is the error's where Weir spoke. What upstreams say is left out:
	// some of them echo prompts, or parts of keys.
	Message string
	// Committed tells that content had reached the client.
	Committed bool
	// Finish is why the first choice ended; empty when it did not.
	Finish weir.FinishReason

	// Usage is of the answer. It is nil when UsageState is UsageNone or
	// UsageUnknown, which are not the same as zero.
	Usage      *weir.Usage
	UsageState UsageState
	// Spent is what attempts cost that failed after they had reported usage.
	Spent []Spent
	// Cost is of Usage and Spent together. It means nothing unless CostKnown:
	// a model without a price is not free.
	Cost      price.Money
	CostKnown bool

	TTFT     time.Duration // to the first content; 0 when there was none
	Duration time.Duration // to the end of the answer, draining included
	Losses   []weir.Loss
	// Emulated is what was made up for, in the words of weir.Emulated.
	Emulated []string
	// Source is what answered: "upstream", "degraded" …; empty when nothing did.
	Source string
	// Instead is the kind of the error in whose place a degraded answer stands.
	Instead weir.Kind
}

// Outcome is how a call ended.
type Outcome string

// Outcomes.
const (
	Answered Outcome = "answered" // to its end
	Failed   Outcome = "failed"   // with an error: refused, failed, or cut
	Canceled Outcome = "canceled" // the client left
)

// UsageState says what Entry.Usage rests on.
type UsageState string

// Usage states.
const (
	UsageReported  UsageState = "reported"  // by the provider
	UsageEstimated UsageState = "estimated" // in part or whole by Weir
	UsageNone      UsageState = "none"      // no upstream did anything that is billed
	UsageUnknown   UsageState = "unknown"   // an upstream worked, and nobody knows how much
)

// Spent is usage that a discarded attempt reported.
type Spent struct {
	Usage                       *weir.Usage
	Deployment, Provider, Model string
}

// Settled is a note: the last Event of a call, with what it used and cost, for
// who writes headers of answers that are not streamed.
type Settled struct{ Entry *Entry }

// NoteKind implements weir.Note.
func (*Settled) NoteKind() string { return "settled" }

// Price is what the call cost, as an amount with its currency, and whether that
// is known.
func (s *Settled) Price() (amount string, known bool) {
	return s.Entry.Cost.String(), s.Entry.CostKnown
}
