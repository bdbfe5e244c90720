package weirtest

import (
	"bytes"
	"testing"

	"github.com/weir-gateway/weir/codec/anthropic"
)

// Fixtures with several answers one after another are skipped elsewhere; what a
// decoder makes of them has to be well-formed all the same.
func TestSplicedAnswersStayWellFormed(t *testing.T) {
	for _, rec := range Recordings(t, "messages") {
		if !spliced(rec) {
			continue
		}
		if _, err := readingOf(rec).decode(anthropic.New(), bytes.NewReader(rec.Response.Body)); isContract(err) {
			t.Errorf("%s: %v", rec.Path, err)
		}
	}
}
