package structured

import (
	"encoding/json"
	"strings"
)

// clean takes off what models put around JSON: white space, code fences, and
// words in front of it and behind. A text in which no JSON is found stays as it
// is. What it gives is always a piece of the text.
func clean(text string) string {
	trimmed := strings.TrimSpace(strings.TrimPrefix(text, "\ufeff"))
	if json.Valid([]byte(trimmed)) {
		return trimmed
	}
	if inner, ok := fenced(trimmed); ok && json.Valid([]byte(inner)) {
		return inner
	}
	if inner, ok := embedded(trimmed); ok {
		return inner
	}
	return text
}

// fenced is what stands in the first pair of code fences (CommonMark 0.31 §4.5,
// as far as models write them).
func fenced(text string) (string, bool) {
	_, rest, ok := strings.Cut(text, "```")
	if !ok {
		return "", false
	}
	_, rest, ok = strings.Cut(rest, "\n") // the word "json"
	if !ok {
		return "", false
	}
	inner, _, ok := strings.Cut(rest, "\n```")
	if !ok {
		inner, _, ok = strings.Cut(rest, "```")
	}
	return strings.TrimSpace(inner), ok
}

// embedded is the object or list that begins at the first brace or bracket.
func embedded(text string) (string, bool) {
	start := strings.IndexAny(text, "{[")
	if start < 0 {
		return "", false
	}
	text = text[start:]
	var raw json.RawMessage
	if json.NewDecoder(strings.NewReader(text)).Decode(&raw) != nil {
		return "", false
	}
	return string(raw), true
}
