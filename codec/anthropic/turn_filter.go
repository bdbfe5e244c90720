package anthropic

import (
	"slices"
	"strings"

	"github.com/weir-gateway/weir"
)

// filter takes out of every turn what the API would refuse: empty texts, thinking
// that is not Anthropic's own, and the turns that are empty then (§13.7, T-03).
func (e *bodyEncoder) filter(turns []turn) []turn {
	out := turns[:0:0]
	for _, t := range turns {
		had := len(t.parts) > 0
		t.parts = e.filterParts(t)
		if len(t.parts) == 0 && (had || !e.same) {
			continue
		}
		if n := len(out); n > 0 && !e.same && out[n-1].role == t.role {
			out[n-1].parts = append(out[n-1].parts, t.parts...)
			out[n-1].plain = false
			continue
		}
		out = append(out, t)
	}
	return out
}

func (e *bodyEncoder) filterParts(t turn) []part {
	var out []part
	for _, p := range t.parts {
		switch b := p.block; b.Type {
		case weir.BlockText, weir.BlockRefusal:
			if !e.same && strings.TrimSpace(b.Text) == "" {
				continue
			}
		case weir.BlockReasoning:
			if !e.keepsReasoning(t.role, b) {
				e.losses.Drop(e.path(p), "thinking without a signature of this provider is not accepted")
				continue
			}
		}
		out = append(out, p)
	}
	if e.q.ReasoningReplay == replayToolTurns && t.role == weir.RoleAssistant && !e.noThinking() {
		return thinkBeforeCalls(out)
	}
	return out
}

// keepsReasoning reports whether a thinking block may be sent. Signatures and
// encrypted thinking are only ever sent on as they came, in the format that they
// came in; none is made up (T-03). Upstreams that want thinking back in their
// tool turns take it unsigned (T-01).
func (e *bodyEncoder) keepsReasoning(role weir.Role, b *weir.Block) bool {
	if e.q.ReasoningReplay == replayNever || role != weir.RoleAssistant {
		return false
	}
	r := b.Reasoning
	if r != nil && e.owns(r.Format) && (r.Signature != "" || r.Encrypted != "") {
		return true
	}
	return e.q.ReasoningReplay == replayToolTurns && (r == nil || r.Encrypted == "")
}

// owns reports whether the target takes state of this Format for its own: it made
// it, or a client of this protocol sent it, and then nobody but the target can
// tell (T-04).
func (e *bodyEncoder) owns(format string) bool {
	return format == reasoningFormat || format == formatOf(e.target.Provider)
}

func (e *bodyEncoder) noThinking() bool {
	r := e.body.Reasoning
	return r != nil && (r.Mode == thinkDisabled || r.Effort == "none")
}

// thinkBeforeCalls puts a turn's thinking, or an empty one where it was lost, in
// front of its first tool call (DeepSeek's rule, providers.md §7).
func thinkBeforeCalls(parts []part) []part {
	is := func(t weir.BlockType) func(part) bool { return func(p part) bool { return p.block.Type == t } }
	call := slices.IndexFunc(parts, is(weir.BlockToolCall))
	if call < 0 {
		return parts
	}
	thought := slices.IndexFunc(parts, is(weir.BlockReasoning))
	switch {
	case thought < 0:
		lost := part{&weir.Block{Type: weir.BlockReasoning}, parts[call].at}
		return slices.Insert(parts, 0, lost)
	case thought > call:
		p := parts[thought]
		return slices.Insert(slices.Delete(parts, thought, thought+1), 0, p)
	}
	return parts
}
