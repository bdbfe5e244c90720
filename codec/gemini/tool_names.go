package gemini

import (
	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
)

// toolNames gives every tool of a request a name that the target takes: what
// codec.NameMap makes of it, and not a digit or a dash in front (protocols.md
// §7.3). It knows the way back.
type toolNames struct {
	names *codec.NameMap
	lead  map[string]string // names with a letter put in front, by the client's
}

// newToolNames maps the names of a body's functions and calls; of a body of this
// protocol they stay as they are.
func newToolNames(b *weir.Body, limit int) *toolNames {
	if b.From == protocol {
		return &toolNames{names: codec.NewNameMap(0)}
	}
	var all []string
	for i := range b.Tools {
		if b.Tools[i].Type != weir.ToolHosted {
			all = append(all, b.Tools[i].Name)
		}
	}
	for i := range b.Messages {
		for _, c := range b.Messages[i].ToolCalls() {
			all = append(all, c.Name)
		}
	}
	t := &toolNames{}
	taken := map[string]bool{}
	for _, name := range all {
		taken[name] = true
	}
	for i, name := range all {
		all[i] = t.withLetter(name, taken)
	}
	t.names = codec.NewNameMap(limit, all...)
	return t
}

// withLetter is name with underscores in front, as many as it takes to be legal
// and no other tool's.
func (t *toolNames) withLetter(name string, taken map[string]bool) string {
	if name == "" || !beginsBadly(name[0]) {
		return name
	}
	if done, ok := t.lead[name]; ok {
		return done
	}
	to := "_" + name
	for taken[to] {
		to = "_" + to
	}
	taken[to] = true
	if t.lead == nil {
		t.lead = map[string]string{}
	}
	t.lead[name] = to
	return to
}

func beginsBadly(c byte) bool { return c >= '0' && c <= '9' || c == '-' }

// sent is the name under which the target knows the tool.
func (t *toolNames) sent(name string) string {
	if to, ok := t.lead[name]; ok {
		name = to
	}
	return t.names.Sent(name)
}

// back maps changed names to the client's; nil when nothing was changed.
func (t *toolNames) back() map[string]string {
	out := t.names.Back()
	for own, lead := range t.lead {
		if out == nil {
			out = map[string]string{}
		}
		out[t.names.Sent(lead)] = own
	}
	return out
}
