package rules

import (
	"slices"
	"strings"
	"unicode/utf8"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"github.com/weir-gateway/weir"
)

// maxPrompt is how many bytes of the user's last text a condition may look through.
const maxPrompt = 32 << 10

// text is a variable of the user's last text.
func (f *features) text(name string) ref.Val {
	if !f.found {
		f.found, f.last = true, lastSaid(f.body)
	}
	if name == "prompt_chars" {
		return types.Int(characters(f.last))
	}
	if !f.joined {
		f.joined, f.prompt = true, joinText(f.last)
	}
	if name == "prompt" {
		return types.String(f.prompt)
	}
	if !f.judged {
		f.judged, f.language = true, languageOf(f.prompt)
	}
	return types.String(f.language)
}

// lastSaid are the blocks of the last message of the user that has a text.
func lastSaid(b *weir.Body) []weir.Block {
	for i := len(b.Messages) - 1; i >= 0; i-- {
		m := &b.Messages[i]
		if m.Role == weir.RoleUser && slices.ContainsFunc(m.Blocks, isText) {
			return m.Blocks
		}
	}
	return nil
}

func isText(b weir.Block) bool { return b.Type == weir.BlockText && b.Text != "" }

// characters is how long the text of the blocks is.
func characters(blocks []weir.Block) (n int) {
	for i := range blocks {
		if isText(blocks[i]) {
			n += utf8.RuneCountInString(blocks[i].Text)
		}
	}
	return n
}

// joinText is the text of the blocks, one under the other, cut to maxPrompt
// bytes.
func joinText(blocks []weir.Block) string {
	var parts []string
	left := maxPrompt
	for i := range blocks {
		if isText(blocks[i]) && left > 0 {
			t := cut(blocks[i].Text, left)
			left -= len(t) + 1
			parts = append(parts, t)
		}
	}
	return cut(strings.Join(parts, "\n"), maxPrompt)
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
