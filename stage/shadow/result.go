package shadow

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/weir-gateway/weir"
)

// A Result compares two answers to one request. It holds nothing of the prompt
// and nothing of the answers.
type Result struct {
	Target    string // name of the target
	ID        string // of the client's request
	Principal string // who asked; empty when nobody was identified
	Op        weir.Operation
	// First is the answer that the client got, and Second the one to the copy.
	First, Second Outcome
	// Waited is how long the copy waited for its turn.
	Waited time.Duration
	// Score is what Options.Compare says, where Scored.
	Score  float64
	Scored bool
}

// An Outcome is how a call went.
type Outcome struct {
	Model      string // as it was asked for
	Deployment string // that answered, else the last one tried; empty when nobody told
	Provider   string
	// TTFT is the time until the first content, 0 when there was none, and
	// Duration that until the end. Of the client's own answer both include the
	// time in which the client did not read.
	TTFT, Duration time.Duration
	Usage          *weir.Usage // nil when none was reported
	Finish         weir.FinishReason
	Err            *weir.Error // nil: it was answered
}

// builder is what gathers a text.
type builder = strings.Builder

// cut is the first n bytes of s, or a little less, so that no character is torn.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
