package degrade

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/weir-gateway/weir"
)

// A question is what the rules look at.
type question struct {
	model string
	text  string // the user's last, cut
	lower string // the same in small letters, once a keyword asks for it
	json  bool   // the client wants JSON
}

func (s *stage) question(req *weir.Request, body *weir.Body) *question {
	q := &question{model: req.Model, text: lastText(body, s.maxText)}
	if f := body.Format; f != nil {
		q.json = f.Type == weir.FormatJSONObject || f.Type == weir.FormatJSONSchema
	}
	return q
}

// choose is the first rule that fits, with what its pattern caught.
func (s *stage) choose(q *question) (r *rule, caught []string) {
	for i := range s.rules {
		if caught, ok := s.rules[i].fits(q); ok {
			return &s.rules[i], caught
		}
	}
	return nil, nil
}

func (r *rule) fits(q *question) (caught []string, ok bool) {
	if len(r.models) > 0 && !slices.Contains(r.models, q.model) || q.json && !r.answer.json {
		return nil, false
	}
	if r.pattern != nil {
		if caught := r.pattern.FindStringSubmatch(q.text); caught != nil {
			return caught, true
		}
	}
	if len(r.keywords) > 0 && q.lower == "" {
		q.lower = strings.ToLower(q.text)
	}
	for _, k := range r.keywords {
		if strings.Contains(q.lower, k) {
			return nil, true
		}
	}
	return nil, r.pattern == nil && len(r.keywords) == 0
}

// lastText is the text of the last message of the user that has one, its blocks
// one under the other, cut to n bytes.
func lastText(b *weir.Body, n int) string {
	for i := len(b.Messages) - 1; i >= 0; i-- {
		m := &b.Messages[i]
		if m.Role != weir.RoleUser {
			continue
		}
		var parts []string
		for j := range m.Blocks {
			if t := m.Blocks[j].Text; m.Blocks[j].Type == weir.BlockText && t != "" {
				parts = append(parts, cut(t, n))
			}
		}
		if len(parts) > 0 {
			return cut(strings.Join(parts, "\n"), n)
		}
	}
	return ""
}

// cut is the first n bytes of s, or a little less, so that no character is torn.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
