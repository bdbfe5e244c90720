package weirtest

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// A meaning is what an answer says, as words to be compared: how it was cut
// into blocks and events does not count. Keys are those of the functions below;
// what an answer does not say has no key. The model is not part of it: a client
// is shown the name that it asked for.
type meaning map[string]string

// meaningOf reads the meaning of a completion.
func meaningOf(c *weir.Completion) meaning {
	m := meaning{}
	for i := range c.Choices {
		prefix := ""
		if i > 0 {
			prefix = "choice " + strconv.Itoa(i) + " "
		}
		m.choice(prefix, &c.Choices[i])
	}
	if u := c.Usage; u != nil {
		for _, n := range usageCounts(u) {
			if u.Has(n.field) {
				m["usage "+n.name] = strconv.FormatInt(n.n, 10)
			}
		}
	}
	m.set("id", c.Start.ID)
	return m
}

func (m meaning) set(key, value string) {
	if value != "" {
		m[key] += value
	}
}

func (m meaning) choice(prefix string, c *weir.Choice) {
	for i := range c.Message.Blocks {
		m.block(prefix, &c.Message.Blocks[i])
	}
	m.set(prefix+"finish", string(c.Finish.Reason))
	m.set(prefix+"stop sequence", c.Finish.StopSequence)
	for _, piece := range c.Logprobs {
		m.logprobs(prefix, piece)
	}
}

// logprobs notes the tokens of a piece, since pieces may be put together.
func (m meaning) logprobs(prefix string, piece []byte) {
	_ = jsonx.EachElement(jsonx.Get(piece, "content"), func(_ int, token []byte) error {
		m.set(prefix+"logprobs", canonicalJSON(string(token))+"\n")
		return nil
	})
}

func (m meaning) block(prefix string, b *weir.Block) {
	switch b.Type {
	case weir.BlockText, weir.BlockRefusal:
		m.set(prefix+string(b.Type), b.Text)
		for range b.Citations {
			m.set(prefix+"citations", "+")
		}
	case weir.BlockReasoning:
		m.set(prefix+"reasoning", b.Text)
		if r := b.Reasoning; r != nil {
			m.set(prefix+"signature", r.Signature)
			m.set(prefix+"encrypted", r.Encrypted)
		}
	case weir.BlockToolCall:
		m.set(prefix+"calls", callWords(b.Call)+"\n")
	case weir.BlockToolResult:
		m.set(prefix+"results", "+")
	case weir.BlockOpaque:
		m.set(prefix+"opaque", b.Opaque.Type+" ")
	default:
		m.set(prefix+string(b.Type), "+")
	}
}

// callWords are a call's id, name and arguments, the latter by value. Some
// models write null for no arguments.
func callWords(c *weir.ToolCall) string {
	arguments := canonicalJSON(c.Arguments)
	if arguments == "null" {
		arguments = "{}"
	}
	return c.ID + " " + c.Name + " " + arguments
}

// canonicalJSON spells equal values equally; what is not JSON stays.
func canonicalJSON(text string) string {
	if strings.TrimSpace(text) == "" {
		return ""
	}
	if jsonx.Valid([]byte(text)) != nil {
		return text
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return text
	}
	out, err := json.Marshal(v)
	if err != nil {
		return text
	}
	return string(out)
}

// differences are the keys in which two meanings differ, sorted.
func differences(a, b meaning) []string {
	keys := map[string]bool{}
	for k := range a {
		keys[k] = true
	}
	for k := range b {
		keys[k] = true
	}
	return slices.DeleteFunc(slices.Sorted(maps.Keys(keys)), func(k string) bool { return a[k] == b[k] })
}

// explain shows a difference.
func explain(a, b meaning, key string) string {
	return fmt.Sprintf("%q became %q", a[key], b[key])
}
