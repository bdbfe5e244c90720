package openairest

import (
	"fmt"
	"strings"

	"github.com/weir-gateway/weir"
)

// What the tests from outside, which use the shared suites, look at inside.
var (
	Resource    = resource
	CountsUsage = countsUsage
	NeedsModel  = needsModel
	UsageText   = usageText
)

// Bounds.
const (
	PieceSize     = pieceSize
	MaxParts      = maxParts
	MaxPartHeader = maxPartHeader
)

// IsForm reports whether a request is a form.
func IsForm(w *weir.Wire) bool { return formOf(w) == formMultipart }

// usageText is a usage in short.
func usageText(u *weir.Usage) string {
	if u == nil {
		return "none"
	}
	var b strings.Builder
	if u.Has(weir.UsageInput) {
		fmt.Fprintf(&b, "in=%d ", u.InputTokens)
	}
	if u.Has(weir.UsageOutput) {
		fmt.Fprintf(&b, "out=%d ", u.OutputTokens)
	}
	if u.Has(weir.UsageAudioInput) {
		fmt.Fprintf(&b, "audio=%d ", u.AudioInputTokens)
	}
	for _, f := range u.Extra {
		fmt.Fprintf(&b, "%s=%s ", f.Name, f.Value)
	}
	return strings.TrimSpace(b.String())
}
