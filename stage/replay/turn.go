package replay

import (
	"encoding/json"

	"github.com/weir-gateway/weir"
)

// version begins every value, so that a later version of Weir that shares a
// Store with this one can tell what it reads. What has another one is not there.
const version = '1'

// A value is what lies in a Store: of a state, who made it; of the first call
// of a turn, the turn too; of a later call, the key of the first one.
type value struct {
	Family     string    `json:"f,omitempty"`
	Deployment string    `json:"d,omitempty"`
	Segments   []segment `json:"s,omitempty"`
	First      string    `json:"c,omitempty"`
}

// A segment of a turn is a tool call with what came since the one before.
type segment struct {
	ID        string    `json:"id,omitempty"`
	Signature string    `json:"sig,omitempty"` // of the call
	Thoughts  []thought `json:"t,omitempty"`
}

// A thought is a block of reasoning.
type thought struct {
	Text      string `json:"text,omitempty"`
	ID        string `json:"id,omitempty"`
	Format    string `json:"fmt,omitempty"`
	Signature string `json:"sig,omitempty"`
	Encrypted string `json:"enc,omitempty"`
	Summary   bool   `json:"sum,omitempty"`
	// Late tells that text came before it in its segment.
	Late bool `json:"late,omitempty"`
}

func (t *thought) hasState() bool { return t.Signature != "" || t.Encrypted != "" }

// block is the thought as a block of a message, with its state or as plain text.
func (t *thought) block(state bool) weir.Block {
	b := weir.Block{Type: weir.BlockReasoning, Text: t.Text}
	if state {
		b.Reasoning = &weir.Reasoning{ID: t.ID, Format: t.Format, Signature: t.Signature, Encrypted: t.Encrypted, Summary: t.Summary}
	}
	return b
}

// bound reports whether the turn holds what only its maker can read.
func (v *value) bound() bool {
	for i := range v.Segments {
		if v.Segments[i].Signature != "" {
			return true
		}
		for j := range v.Segments[i].Thoughts {
			if v.Segments[i].Thoughts[j].hasState() {
				return true
			}
		}
	}
	return false
}

func (v *value) encode() []byte {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil // strings and flags only: it cannot fail
	}
	return append([]byte{version}, raw...)
}

// decode reads what encode wrote; nil for anything else.
func decode(raw []byte) *value {
	if len(raw) == 0 || raw[0] != version {
		return nil
	}
	v := new(value)
	if json.Unmarshal(raw[1:], v) != nil {
		return nil
	}
	return v
}
