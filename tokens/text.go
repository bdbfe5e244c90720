package tokens

import "unicode/utf8"

// EstimateText is about how many tokens s has. Empty text has none, other text
// at least one. The cost is one pass over s.
func EstimateText(s string) int64 {
	var m meter
	m.text(s)
	return m.tokens()
}

func (m *meter) text(s string) {
	for i := 0; i < len(s); {
		if s[i] < utf8.RuneSelf {
			m.ascii(s[i])
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		m.wide(r)
		i += n
	}
}
