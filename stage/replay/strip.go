package replay

import (
	"slices"

	"github.com/weir-gateway/weir"
)

// foreign are the pieces of state that are known to be made by another family.
// What nobody knows is left alone: it may well be the deployment's own.
func (p *plan) foreign(family string) []place {
	var out []place
	for i := range p.states {
		if m := p.states[i].maker; m != nil && m.Family != family {
			out = append(out, p.states[i].at)
		}
	}
	return out
}

// strip takes the state at places out of b, which is the caller's to change.
// Text stays, for the codec to judge.
func strip(b *weir.Body, places []place) {
	for _, at := range places {
		block := &b.Messages[at.message].Blocks[at.block]
		if block.Call != nil {
			block.Call.Signature = ""
		} else {
			block.Reasoning = nil
		}
	}
}

// tidy takes out the blocks of which strip has left nothing, and the messages
// that are empty then.
func tidy(b *weir.Body, places []place) {
	emptied := map[int]bool{}
	for _, at := range places {
		m := &b.Messages[at.message]
		m.Blocks = slices.DeleteFunc(m.Blocks, isBlank)
		emptied[at.message] = len(m.Blocks) == 0
	}
	kept := b.Messages[:0]
	for i := range b.Messages {
		if !emptied[i] {
			kept = append(kept, b.Messages[i])
		}
	}
	b.Messages = kept
}

func isBlank(b weir.Block) bool {
	return b.Type == weir.BlockReasoning && b.Text == "" && b.Reasoning == nil
}
