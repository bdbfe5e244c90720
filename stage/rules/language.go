package rules

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxLanguage is how many bytes decide what language a text is in.
const maxLanguage = 4 << 10

// script is a way of writing, as far as it tells a language.
type script uint8

const (
	scriptNone script = iota
	scriptHan
	scriptKana
	scriptHangul
	scriptLatin
	scriptCyrillic
	scriptArabic
	scriptDevanagari
	scriptThai
	scriptGreek
	scriptHebrew
	scriptCount
)

var languages = [scriptCount]string{
	scriptHan: "zh", scriptKana: "ja", scriptHangul: "ko", scriptLatin: "en", scriptCyrillic: "ru",
	scriptArabic: "ar", scriptDevanagari: "hi", scriptThai: "th", scriptGreek: "el", scriptHebrew: "he",
}

// languageOf guesses by the script that most of a text is written in: empty
// when it has no letters. A Chinese, Japanese or Thai character counts as much
// as a whole word of an alphabet, since Chinese that names a few English things
// is still Chinese. Han together with Kana is Japanese as soon as one in eight
// is Kana. What stands between code fences does not count, and only the first
// 4 KiB of the rest do. All that is written in Latin letters is "en", whatever
// the language; other scripts stand for their most spoken one.
func languageOf(text string) string {
	var n [scriptCount]int
	left := maxLanguage
	for i := 0; text != "" && left > 0; i++ {
		part, rest, _ := strings.Cut(text, "```")
		if i%2 == 0 {
			part = cut(part, left)
			left -= len(part)
			weigh(&n, part)
		}
		text = rest
	}
	if n[scriptKana] > 0 && n[scriptKana]*8 >= n[scriptHan]+n[scriptKana] {
		n[scriptKana], n[scriptHan] = n[scriptKana]+n[scriptHan], 0
	} else {
		n[scriptHan] += n[scriptKana]
		n[scriptKana] = 0
	}
	best := scriptNone
	for s := scriptHan; s < scriptCount; s++ {
		if n[s] > n[best] {
			best = s
		}
	}
	return languages[best]
}

// weigh adds the characters and words of a text to n. n[scriptNone] stays 0.
func weigh(n *[scriptCount]int, text string) {
	last := scriptNone
	for i := 0; i < len(text); {
		s := scriptNone
		if c := text[i]; c < utf8.RuneSelf {
			if c|0x20 >= 'a' && c|0x20 <= 'z' {
				s = scriptLatin
			}
			i++
		} else {
			r, size := utf8.DecodeRuneInString(text[i:])
			s = scriptOf(r)
			i += size
			if s == scriptNone && unicode.Is(unicode.M, r) {
				s = last // an accent or vowel sign belongs to its letter
			}
		}
		if s != scriptNone && (s != last || s.isDense()) {
			n[s]++
		}
		last = s
	}
}

// isDense reports whether one character says as much as a word.
func (s script) isDense() bool { return s == scriptHan || s == scriptKana || s == scriptThai }

// scriptOf is the script of a letter from U+0080 on.
func scriptOf(r rune) script {
	switch {
	case r >= 0x4E00 && r <= 0x9FFF, r >= 0x3400 && r <= 0x4DBF, r >= 0x20000 && r <= 0x323AF, r >= 0xF900 && r <= 0xFAFF:
		return scriptHan
	case r >= 0x3041 && r <= 0x30FA, r >= 0xFF66 && r <= 0xFF9F:
		return scriptKana
	case r >= 0xAC00 && r <= 0xD7A3, r >= 0x1100 && r <= 0x11FF, r >= 0x3131 && r <= 0x318E:
		return scriptHangul
	case r < 0x0250 && unicode.IsLetter(r), r >= 0x1E00 && r <= 0x1EFF:
		return scriptLatin
	case r >= 0x0370 && r <= 0x03FF:
		return scriptGreek
	case r >= 0x0400 && r <= 0x052F:
		return scriptCyrillic
	case r >= 0x05D0 && r <= 0x05EA:
		return scriptHebrew
	case r >= 0x0620 && r <= 0x064A, r >= 0x0671 && r <= 0x06D3:
		return scriptArabic
	case r >= 0x0904 && r <= 0x0939:
		return scriptDevanagari
	case r >= 0x0E01 && r <= 0x0E30:
		return scriptThai
	}
	return scriptNone
}
