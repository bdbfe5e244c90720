package degrade

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// A template is a text with places to be filled in. It is not text/template:
// that one calls methods by name, for which the linker has to keep all methods
// of all types, and can do far more than an answer should.
type template struct {
	parts []part
	// json tells that the text is a JSON object or list, whatever is filled in.
	json bool
}

// A part is a text or a place.
type part struct {
	text string
	name string // of a place; empty for a text
	or   string // for a place that is empty
}

// places are the names that may be filled in, beside "match.…".
var places = []string{"model", "id", "kind", "retry_after", "date", "time"}

const groupPrefix = "match."

// parse reads a text. groups are the names that may follow "match.".
func parse(text string, groups []string) (*template, error) {
	t := &template{}
	for at := 0; ; {
		before, rest, ok := strings.Cut(text[at:], "{{")
		if before != "" {
			t.parts = append(t.parts, part{text: before})
		}
		if !ok {
			break
		}
		inner, _, closed := strings.Cut(rest, "}}")
		column := at + len(before) + 1
		if !closed {
			return nil, fmt.Errorf("column %d: {{ is not closed", column)
		}
		p, err := place(strings.TrimSpace(inner), groups)
		if err != nil {
			return nil, fmt.Errorf("column %d: %w", column, err)
		}
		t.parts = append(t.parts, p)
		at += len(before) + len(inner) + 4
	}
	t.json = isJSON(t.render(sample)) && isJSON(t.render(func(string) string { return "" }))
	return t, nil
}

// sample is something that may be filled in. Only a number needs no quotes.
func sample(name string) string {
	if name == "retry_after" {
		return "1"
	}
	return "x"
}

// isJSON reports whether a text is a JSON object or list.
func isJSON(text string) bool {
	text = strings.TrimSpace(text)
	return (strings.HasPrefix(text, "{") || strings.HasPrefix(text, "[")) && json.Valid([]byte(text))
}

// place reads what stands between braces.
func place(inner string, groups []string) (part, error) {
	if len(inner) >= 2 && inner[0] == '"' && inner[len(inner)-1] == '"' {
		return part{text: inner[1 : len(inner)-1]}, nil
	}
	name, or, _ := strings.Cut(inner, "|")
	name = strings.TrimSpace(name)
	group, isGroup := strings.CutPrefix(name, groupPrefix)
	switch {
	case isGroup && group != "" && slices.Contains(groups, group):
	case isGroup:
		return part{}, fmt.Errorf("the pattern has no group %q", group)
	case !slices.Contains(places, name):
		return part{}, fmt.Errorf("there is nothing called %q; there are %s and match.NAME", name, strings.Join(places, ", "))
	}
	return part{name: name, or: strings.TrimSpace(or)}, nil
}

// maxValue bounds what is filled in at one place, in bytes: names and groups
// are the client's words.
const maxValue = 256

// render fills the places in.
func (t *template) render(value func(name string) string) string {
	var b strings.Builder
	for _, p := range t.parts {
		if p.name == "" {
			b.WriteString(p.text)
			continue
		}
		v := cut(value(p.name), maxValue)
		if v == "" {
			v = p.or
		}
		if t.json {
			v = escaped(v)
		}
		b.WriteString(v)
	}
	return b.String()
}

// escaped is s as it stands between the quotes of a JSON string.
func escaped(s string) string {
	quoted, err := json.Marshal(s)
	if err != nil {
		return ""
	}
	return string(quoted[1 : len(quoted)-1])
}
