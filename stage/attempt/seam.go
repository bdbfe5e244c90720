package attempt

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// cutPrefill is a text as it is sent as the beginning of an answer, and the rest
// of it: a character that is not complete, and white space at the end, after
// which models go on badly and which Anthropic refuses ("final assistant content
// cannot end with trailing whitespace", Messages API, 2026-08-07).
func cutPrefill(text string) (sent, rest string) {
	sent = text
	for i := 1; i <= utf8.UTFMax && i <= len(text); i++ {
		if c := text[len(text)-i]; utf8.RuneStart(c) {
			if !utf8.FullRuneInString(text[len(text)-i:]) {
				sent = text[:len(text)-i]
			}
			break
		}
	}
	sent = strings.TrimRightFunc(sent, unicode.IsSpace)
	return sent, text[len(sent):]
}

// A seam joins a continuation to a text. It holds back the first bytes of the
// continuation until it is clear that they do not repeat what is there.
//
// Two things may be there twice. The first is the end of the text, where the
// model says it over again; that is cut when it is long enough not to be chance,
// and not such that the text may truly go on so: see credible. The second is the
// white space that was kept back from the prefill and which the model now
// writes itself.
type seam struct {
	sent string // the prefill
	rest string // what the client has beyond it
	held string
	// places are where in sent the held text occurs, as far as it goes.
	places []int
	looked bool // places have been looked for
	repeat int  // bytes of held that say sent's end over again
	joined bool // sent is dealt with, rest is not yet
	done   bool
}

// knit is how many bytes are looked at before it is decided whether anything
// may be repeated.
const knit = 8

// add takes text of the continuation and returns what is to be said of it.
func (s *seam) add(text string) string {
	if s.done {
		return text
	}
	s.held += text
	if !s.joined && !s.match() {
		return ""
	}
	s.join()
	if len(s.held) < len(s.rest) {
		return ""
	}
	return s.finish()
}

// flush returns what is held when nothing more comes.
func (s *seam) flush() string {
	if s.done {
		return ""
	}
	s.join()
	return s.finish()
}

// match follows the places where held occurs in sent and reports whether it is
// decided which of them is a repetition of the end, if any.
func (s *seam) match() bool {
	body := strings.TrimLeftFunc(s.held, unicode.IsSpace)
	if len(body) < knit {
		return false
	}
	if !s.looked {
		s.looked = true
		for at := 0; ; at++ {
			i := strings.Index(s.sent[at:], body[:knit])
			if i < 0 {
				break
			}
			at += i
			s.places = append(s.places, at)
		}
	}
	lead := len(s.held) - len(body)
	alive := s.places[:0]
	for _, at := range s.places {
		end := s.sent[at:]
		switch {
		case len(body) < len(end) && strings.HasPrefix(end, body):
			alive = append(alive, at)
		case strings.HasPrefix(body, end) && lead+len(end) > s.repeat && credible(s.sent, at, lead > 0):
			s.repeat = lead + len(end)
		}
	}
	s.places = alive
	return len(alive) == 0
}

// join cuts what repeats the end of sent.
func (s *seam) join() {
	if !s.joined {
		s.joined = true
		s.held = s.held[s.repeat:]
	}
}

// finish cuts what repeats rest and returns what is left.
func (s *seam) finish() string {
	s.done = true
	text := s.held
	s.held = ""
	for n := min(len(s.rest), len(text)); n > 0; n-- {
		if strings.HasSuffix(s.rest, text[:n]) {
			return text[n:]
		}
	}
	space := text[:len(text)-len(strings.TrimLeftFunc(text, unicode.IsSpace))]
	if space != "" && strings.HasPrefix(s.rest, space) {
		return text[len(space):]
	}
	return text
}

// credible reports whether a continuation that begins with text[at:] repeats it
// by mistake, and is not how the text goes on: people do write "row, row, row",
// tables have rules, and code has lines that are alike.
//
// Where a word follows a word without a space between them (spaced is false),
// no text goes on so, and a few words are enough. Otherwise it takes about a
// sentence. What is made of repetitions itself is never taken for a mistake.
func credible(text string, at int, spaced bool) bool {
	again := text[at:]
	least, letters := 24, 8
	before, _ := utf8.DecodeLastRuneInString(text[:at])
	first, _ := utf8.DecodeRuneInString(again)
	last, _ := utf8.DecodeLastRuneInString(again)
	switch {
	case !spaced && (at == 0 || !isWord(before)) && isWord(first) && isWord(last):
		least, letters = knit, 5
	case at == 0:
		least, letters = 12, 5
	}
	return len(again) >= least && distinct(again, letters) && !periodic(again) && !strings.HasSuffix(text[:at], again)
}

// isWord reports whether r is of a word of a script that puts spaces between
// words.
func isWord(r rune) bool {
	return (unicode.IsLetter(r) || unicode.IsDigit(r)) &&
		!unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar)
}

// distinct reports whether s has at least n different characters.
func distinct(s string, n int) bool {
	seen := make(map[rune]struct{}, n)
	for _, r := range s {
		seen[r] = struct{}{}
		if len(seen) >= n {
			return true
		}
	}
	return false
}

// periodic reports whether s consists of one piece said twice or more, the last
// time perhaps in part.
func periodic(s string) bool {
	border := make([]int, len(s)) // of each prefix, as Knuth, Morris and Pratt have it
	for i := 1; i < len(s); i++ {
		n := border[i-1]
		for n > 0 && s[i] != s[n] {
			n = border[n-1]
		}
		if s[i] == s[n] {
			n++
		}
		border[i] = n
	}
	return len(s) > 0 && len(s)-border[len(s)-1] <= len(s)/2
}
