package sim

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/weir-gateway/weir/internal/jsonx"
)

// hints are what values are made of where the schema leaves them open.
type hints struct {
	text   string // what the user said
	answer string // what the model says
	turn   int    // which of several calls of one tool this is, from 0
}

// formats are example values of the formats that JSON Schema names.
var formats = map[string]string{
	"date-time": "2026-01-02T03:04:05Z",
	"date":      "2026-01-02",
	"time":      "03:04:05Z",
	"duration":  "PT1H",
	"email":     "someone@example.com",
	"hostname":  "example.com",
	"ipv4":      "192.0.2.1",
	"ipv6":      "2001:db8::1",
	"uri":       "https://example.com/",
	"uuid":      "00000000-0000-4000-8000-000000000000",
}

// text makes a string.
func (m *maker) text(schema []byte, name string) string {
	s, ok := formats[jsonx.StringOr(jsonx.Get(schema, "format"), "")]
	if !ok {
		s = m.hints.word(name)
	}
	if n, ok := jsonx.Int64(jsonx.Get(schema, "minLength")); ok && n < 1<<16 {
		if short := int(n) - len([]rune(s)); short > 0 {
			s += strings.Repeat("x", short)
		}
	}
	if n, ok := jsonx.Int64(jsonx.Get(schema, "maxLength")); ok && n >= 0 {
		if r := []rune(s); int64(len(r)) > n {
			s = string(r[:n])
		}
	}
	return s
}

// answerNames are properties that want the answer, placeNames those that want
// a proper name out of the question.
var (
	answerNames = []string{"answer", "text", "message", "summary", "response", "content", "reply", "explanation"}
	placeNames  = []string{"city", "location", "place", "country", "name", "person", "symbol", "ticker", "destination", "origin", "address"}
)

// word makes a string for a property called name.
func (h *hints) word(name string) string {
	lower := strings.ToLower(name)
	has := func(list []string) bool {
		return slices.ContainsFunc(list, func(w string) bool { return strings.Contains(lower, w) })
	}
	switch {
	case h.answer != "" && has(answerNames):
		return h.answer
	case has(placeNames):
		if names := properNames(h.text); len(names) > 0 {
			return names[h.turn%len(names)]
		}
		return []string{"Paris", "Tokyo", "Beijing", "Nairobi"}[h.turn%4]
	case h.text != "":
		return quote(h.text)
	case name == "":
		return "example"
	}
	return "example " + name
}

// properNames are the words of text that begin with a capital, but for the
// first of a sentence, neighbours joined; of a Chinese text, the cities that
// the simulation knows.
func properNames(text string) []string {
	var out []string
	for _, c := range []string{"北京", "上海", "广州", "深圳", "杭州", "成都", "武汉", "西安", "东京", "巴黎", "伦敦", "纽约"} {
		if strings.Contains(text, c) {
			out = append(out, c)
		}
	}
	first, open := true, false
	for raw := range strings.FieldsSeq(text) {
		w := strings.TrimFunc(raw, func(r rune) bool { return !inWord(r) })
		r := []rune(w)
		capital := len(r) > 1 && unicode.IsUpper(r[0]) && !first
		switch {
		case capital && open:
			out[len(out)-1] += " " + w
		case capital:
			out = append(out, w)
		}
		ends := strings.HasSuffix(raw, ".") || strings.HasSuffix(raw, "?") || strings.HasSuffix(raw, "!")
		first, open = ends, capital && strings.HasSuffix(raw, w)
	}
	return out
}

// figure is the first number in the text.
func (h *hints) figure() (float64, bool) {
	for _, w := range strings.FieldsFunc(h.text, func(r rune) bool { return !unicode.IsDigit(r) && r != '.' && r != '-' }) {
		if f, err := strconv.ParseFloat(strings.Trim(w, "."), 64); err == nil {
			return f, true
		}
	}
	return 0, false
}

// number makes a number within the schema's bounds.
func (m *maker) number(schema []byte) float64 {
	f, ok := m.hints.figure()
	if !ok {
		f = 1
	}
	if lo, ok := jsonx.Float64(jsonx.Get(schema, "minimum")); ok {
		f = max(f, lo)
	}
	if lo, ok := jsonx.Float64(jsonx.Get(schema, "exclusiveMinimum")); ok && f <= lo {
		f = lo + 1
	}
	if hi, ok := jsonx.Float64(jsonx.Get(schema, "maximum")); ok {
		f = min(f, hi)
	}
	if hi, ok := jsonx.Float64(jsonx.Get(schema, "exclusiveMaximum")); ok && f >= hi {
		f = hi - 1
	}
	if step, ok := jsonx.Float64(jsonx.Get(schema, "multipleOf")); ok && step > 0 {
		f = math.Ceil(f/step) * step
	}
	return f
}

func (m *maker) integer(schema []byte) int64 {
	f := math.Round(m.number(schema))
	return int64(min(max(f, -1<<53), 1<<53))
}

// answerObject is text as the answer of a JSON mode without a schema.
func answerObject(text string) string {
	var b jsonx.Buffer
	b.BeginObject()
	b.StringField("answer", text)
	b.EndObject()
	return string(b.B)
}
