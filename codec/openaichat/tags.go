package openaichat

import "strings"

const (
	thinkOpen  = "<think>"
	thinkClose = "</think>"
)

// thinkTags tells thinking from text where the upstream marks it with tags
// inside the content, which may be cut anywhere.
type thinkTags struct {
	thinking bool
	fresh    bool   // a tag has just ended: the line breaks behind it are not text
	held     string // the end of what came, which may be the start of a tag
}

// write takes more content and gives out what is certain.
func (t *thinkTags) write(s string, out func(text string, thinking bool)) {
	s = t.held + s
	t.held = ""
	for s != "" {
		if t.fresh {
			if s = strings.TrimLeft(s, "\r\n"); s == "" {
				return
			}
			t.fresh = false
		}
		tag := thinkOpen
		if t.thinking {
			tag = thinkClose
		}
		at := strings.Index(s, tag)
		if at < 0 {
			keep := partOf(s, tag)
			t.held = s[len(s)-keep:]
			t.give(s[:len(s)-keep], out)
			return
		}
		t.give(s[:at], out)
		t.thinking, t.fresh = !t.thinking, true
		s = s[at+len(tag):]
	}
}

func (t *thinkTags) give(s string, out func(string, bool)) {
	if s != "" {
		out(s, t.thinking)
	}
}

// end gives out what was held back.
func (t *thinkTags) end(out func(text string, thinking bool)) {
	t.give(t.held, out)
	t.held = ""
}

// partOf is how many bytes at the end of s are the start of tag.
func partOf(s, tag string) int {
	for n := min(len(s), len(tag)-1); n > 0; n-- {
		if strings.HasPrefix(tag, s[len(s)-n:]) {
			return n
		}
	}
	return 0
}
