package weirtest

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
)

// A fact is one thing that a request says. A translation keeps it or reports a
// loss: nothing may vanish. // P-01
type fact struct {
	// class is what sort of thing it is, value the thing by value.
	class, value string
	// hints are parts of the path that a loss of it names: all of one of the
	// alternatives.
	hints [][]string
}

func (f fact) String() string { return f.class + " " + strconv.Quote(shorten(f.value)) }

// facts are what a request says, with the whole text of every role to look
// texts up in.
type facts struct {
	from weir.Protocol // whose words losses use
	list []fact
	text map[string]string // by speaker
	open []string          // the calls that nothing has answered yet, in their words
}

// factsOf reads a body. from is the protocol whose words its losses use.
func factsOf(b *weir.Body, from weir.Protocol) *facts {
	f := &facts{from: from, text: map[string]string{}}
	calls := map[string]string{} // by id: what was called, in which place
	paths := messagePaths(b, from)
	for i := range b.Messages {
		f.message(&b.Messages[i], paths[i], calls)
	}
	for i := range b.Tools {
		f.tool(&b.Tools[i], i)
	}
	f.settings(b)
	return f
}

func (f *facts) add(class, value string, hints ...[]string) {
	for _, h := range hints {
		if word := codec.ClientWord(f.from, h[0]); word != h[0] {
			hints = append(hints, append([]string{word}, h[1:]...))
		}
	}
	f.list = append(f.list, fact{class: class, value: value, hints: hints})
}

// messagePaths are the places of the messages in the client's words, and in
// those of the canonical list where they differ: Messages has its system text
// beside its list.
func messagePaths(b *weir.Body, from weir.Protocol) []string {
	out := make([]string, len(b.Messages))
	shift := 0
	known := codec.NewPaths(b)
	for i := range b.Messages {
		if from != weir.OpenAIChat && from != weir.AnthropicMessages {
			out[i] = known.Message(i) + "|" + fmt.Sprintf("messages[%d]", i)
			continue
		}
		if from == weir.AnthropicMessages && i == shift && isSystem(b.Messages[i].Role) {
			out[i] = fmt.Sprintf("system|messages[%d]", i)
			shift++
			continue
		}
		out[i] = fmt.Sprintf("messages[%d]", i-shift)
		if shift > 0 {
			out[i] += fmt.Sprintf("|messages[%d]", i)
		}
	}
	return out
}

func isSystem(r weir.Role) bool { return r == weir.RoleSystem || r == weir.RoleDeveloper }

// speaker is who says a text, where protocols agree about it.
func speaker(r weir.Role) string {
	if isSystem(r) {
		return "system"
	}
	return string(r)
}

func (f *facts) message(m *weir.Message, path string, calls map[string]string) {
	if m.Name != "" && m.Role != weir.RoleTool { // a tool's name stands in the call
		f.add("name", m.Name, []string{path, "name"})
	}
	f.extra("message member", path, m.Extra)
	for j := range m.Blocks {
		f.block(&m.Blocks[j], speaker(m.Role), path, calls)
	}
}

func (f *facts) block(b *weir.Block, who, path string, calls map[string]string) {
	if b.At != "" {
		path += "|" + b.At
	}
	here := []string{path}
	switch b.Type {
	case weir.BlockText:
		f.say(who, b.Text, here)
	case weir.BlockRefusal:
		f.say(who, b.Text, here)
	case weir.BlockReasoning:
		f.reasoning(b, here)
	case weir.BlockImage, weir.BlockAudio, weir.BlockFile:
		f.media(string(b.Type), b.Media, here)
	case weir.BlockToolCall:
		f.call(b.Call, path, calls)
	case weir.BlockToolResult:
		f.result(b.Result, path, calls)
	case weir.BlockOpaque:
		f.add("opaque "+b.Opaque.Type, canonicalJSON(string(b.Opaque.Raw)), here)
	}
	for i := range b.Citations {
		f.add("citation", b.Citations[i].Cited+b.Citations[i].URL, []string{path, "citation"}, []string{path, "annotation"})
	}
	if b.Cache != nil {
		f.add("cache breakpoint", "", []string{path, "cache"})
	}
	f.extra("block member", path, b.Extra)
}

// say notes a text. An empty one says nothing.
func (f *facts) say(who, text string, hints []string) {
	f.text[who] += text + "\n"
	if strings.TrimSpace(text) != "" {
		f.add("text of "+who, text, hints)
	}
}

func (f *facts) reasoning(b *weir.Block, hints []string) {
	if b.Text != "" {
		f.text["reasoning"] += b.Text
		f.add("reasoning", b.Text, hints)
	}
	if r := b.Reasoning; r != nil {
		if r.Signature != "" {
			f.add("signature", r.Signature, hints)
		}
		if r.Encrypted != "" {
			f.add("encrypted reasoning", r.Encrypted, hints)
		}
	}
}

func (f *facts) media(kind string, m *weir.Media, hints []string) {
	text := base64.StdEncoding.EncodeToString([]byte(m.Text)) // by value or as a text: it says the same
	f.add(kind, m.Data+m.URL+m.FileID+text, hints)
	for _, x := range []struct{ class, value string }{
		{"detail", strings.TrimPrefix(m.Detail, "auto")}, {"media name", m.Name}, {"context", m.Context},
	} {
		if x.value != "" {
			f.add(x.class, x.value, hints)
		}
	}
	if m.Citations != nil && *m.Citations {
		f.add("document citations", "", hints)
	}
}

func (f *facts) call(c *weir.ToolCall, path string, calls map[string]string) {
	calls[c.ID] = c.Name + " " + canonicalJSON(c.Arguments)
	f.open = append(f.open, calls[c.ID])
	f.add("tool call", calls[c.ID], []string{path})
	if c.Signature != "" {
		f.add("call signature", c.Signature, []string{path})
	}
	f.extra("call member", path, c.Extra)
}

// result notes a tool result with the call that it answers, since ids may be
// shortened on the way.
func (f *facts) result(r *weir.ToolResult, path string, calls map[string]string) {
	var text []string
	for i := range r.Content {
		if b := &r.Content[i]; b.Media != nil {
			f.media("result "+string(b.Type), b.Media, []string{path})
		} else if b.Type == weir.BlockOpaque {
			f.add("opaque in result", canonicalJSON(string(b.Opaque.Raw)), []string{path})
		} else {
			text = append(text, b.Text)
		}
	}
	f.add("tool result", f.answered(r, calls)+" → "+strings.Join(text, ""), []string{path})
	if r.IsError {
		f.add("is_error", calls[r.CallID], []string{path, "is_error"})
	}
	f.extra("result member", path, r.Extra)
}

// answered is the call that a result answers: where it does not say which, the
// first that nothing has answered. // S-03
func (f *facts) answered(r *weir.ToolResult, calls map[string]string) string {
	call := calls[r.CallID]
	if r.CallID == "" && len(f.open) > 0 {
		call = f.open[0]
	}
	if i := slices.Index(f.open, call); i >= 0 {
		f.open = slices.Delete(f.open, i, i+1)
	}
	return call
}

// extra notes members without a word, but for spellings.
func (f *facts) extra(class, path string, extra weir.Fields) {
	for _, x := range extra {
		if x.Spelling || string(x.Value) == "null" || x.Name == "store" && string(x.Value) == "false" { // Chat's default
			continue
		}
		hint := []string{x.Name}
		if path != "" {
			hint = append(hint, path)
		}
		f.add(class+" "+x.Name, canonicalJSON(string(x.Value)), hint)
	}
}
