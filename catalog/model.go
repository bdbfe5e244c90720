package catalog

import (
	"time"

	"github.com/weir-gateway/weir/codec"
)

// A Model is what is known of one model at one provider. It is shared and must
// not be modified. A field that is zero or nil was not said by the source.
type Model struct {
	// ID is the provider's own name of the model.
	ID   string `json:"id"`
	Name string `json:"name,omitempty"`
	// Aliases are other names that the provider itself understands, or that
	// Weir turns into ID.
	Aliases []string `json:"aliases,omitempty"`
	// Context is how many tokens prompt and answer may have together, and
	// MaxOutput how many the answer may have. 0 is unknown.
	Context   int64 `json:"context,omitempty"`
	MaxOutput int64 `json:"max_output,omitempty"`
	// MaxInput bounds the prompt alone where the vendor gives such a limit.
	MaxInput int64 `json:"max_input,omitempty"`
	// Input and Output are modalities: "text", "image", "audio", "video",
	// "file"; of what makes vectors the output is "embedding", of what ranks
	// documents "score". Empty is unknown.
	Input  []string `json:"input,omitempty"`
	Output []string `json:"output,omitempty"`
	// Tools, Reasoning and StructuredOutput tell whether the model can call
	// tools, thinks, and keeps to a JSON schema. Nil is unknown, which must
	// not be taken for no.
	Tools            *bool `json:"tools,omitempty"`
	Reasoning        *bool `json:"reasoning,omitempty"`
	StructuredOutput *bool `json:"structured_output,omitempty"`
	// Efforts are the accepted levels of reasoning effort; empty is unknown.
	Efforts []string `json:"efforts,omitempty"`
	// Hosted tells that the model was made by somebody else than the provider.
	Hosted bool `json:"hosted,omitempty"`
	// Quirks are merged over those of the provider and the endpoint.
	Quirks *codec.Quirks `json:"quirks,omitempty"`
	// Prices are the sheets of all times and services; see Sheet. None: the
	// price is unknown, which is not free.
	Prices []PriceSheet `json:"prices,omitempty"`
	// Retired is the ISO date from which the vendor refuses the model, or
	// answers with another one; it may lie in the future. Empty: not announced.
	Retired string `json:"retired,omitempty"`
	// Source and Date (ISO 8601) say where the facts were read, and when.
	Source string `json:"source,omitempty"`
	Date   string `json:"date,omitempty"`
}

// Sheet is the price sheet that holds at a time for a service class ("" is the
// standard one): of those whose dates include it, the one that began last. Nil
// when the price is unknown. m may be nil.
func (m *Model) Sheet(at time.Time, service string) *PriceSheet {
	if m == nil {
		return nil
	}
	day := at.UTC().Format(time.DateOnly)
	var best *PriceSheet
	for i := range m.Prices {
		s := &m.Prices[i]
		if s.Service != service || !s.holds(day) {
			continue
		}
		if best == nil || s.From > best.From {
			best = s
		}
	}
	return best
}

// IsRetired reports whether the vendor no longer serves the model at a time.
func (m *Model) IsRetired(at time.Time) bool {
	return m.Retired != "" && m.Retired <= at.UTC().Format(time.DateOnly)
}
