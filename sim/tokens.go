package sim

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/weir-gateway/weir"
)

// What is counted for parts that have no words, and around every message.
const (
	mediaTokens   = 85
	messageTokens = 3
)

// tokens cuts text into pieces whose sum is the text: a word with the space
// before it, one ideograph, one sign. It is the simulated model's tokenizer.
func tokens(text string) []string {
	var out []string
	for len(text) > 0 {
		n := tokenLen(text)
		out = append(out, text[:n])
		text = text[n:]
	}
	return out
}

func tokenLen(s string) int {
	n := 0
	for n < len(s) {
		r, size := utf8.DecodeRuneInString(s[n:])
		if !unicode.IsSpace(r) {
			break
		}
		n += size
	}
	if n == len(s) {
		return n
	}
	r, size := utf8.DecodeRuneInString(s[n:])
	n += size
	if !inWord(r) {
		return n
	}
	for n < len(s) {
		r, size = utf8.DecodeRuneInString(s[n:])
		if !inWord(r) {
			break
		}
		n += size
	}
	return n
}

// inWord reports whether r stands with its neighbours in one token.
func inWord(r rune) bool {
	return (unicode.IsLetter(r) || unicode.IsDigit(r)) && !isIdeograph(r)
}

func isIdeograph(r rune) bool {
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul)
}

// countTokens is len(tokens(text)) without the slice.
func countTokens(text string) (n int64) {
	for len(text) > 0 {
		text = text[tokenLen(text):]
		n++
	}
	return n
}

func join(pieces []string) string { return strings.Join(pieces, "") }

// countBody is the number of input tokens.
func countBody(b *weir.Body) int64 {
	var n int64
	for i := range b.Messages {
		n += messageTokens + countBlocks(b.Messages[i].Blocks)
	}
	for i := range b.Tools {
		t := &b.Tools[i]
		n += countTokens(t.Name) + countTokens(t.Description) + countTokens(string(t.Schema)) + countTokens(string(t.Raw))
	}
	if b.Format != nil {
		n += countTokens(string(b.Format.Schema))
	}
	return n
}

func countBlocks(blocks []weir.Block) int64 {
	var n int64
	for i := range blocks {
		b := &blocks[i]
		n += countTokens(b.Text)
		switch {
		case b.Media != nil && b.Media.Text != "":
			n += countTokens(b.Media.Text)
		case b.Media != nil:
			n += mediaTokens
		}
		if b.Call != nil {
			n += countTokens(b.Call.Name) + countTokens(b.Call.Arguments)
		}
		if b.Result != nil {
			n += countBlocks(b.Result.Content)
		}
	}
	return n
}
