package openaichat_test

import (
	"strings"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/codec/openaichat"
)

// texts are the deltas of a stream, by what they add to, and how it ended.
func texts(stream string) (out []string, failed bool) {
	a := &codec.Answer{Body: strings.NewReader(stream), Stream: true, Target: &codec.Target{Quirks: &codec.Quirks{}}}
	for ev, err := range openaichat.New().Decode(a) {
		if err != nil {
			return out, true
		}
		if ev.Type != weir.EventStart && ev.Type != weir.EventRelay {
			out = append(out, ev.Type.String()+" "+ev.Text)
		}
	}
	return out, false
}

// FuzzTwins holds what is read by comparison with the chunk before against what
// is read by taking the chunk apart. // W-03 P-01
func FuzzTwins(f *testing.F) {
	for _, inside := range []string{"a", "", `\n`, `\"`, `"`, `\`, "\x01", "\xff", "堰", `a","x":"b`, `\ud83d\ude00`, `"},"finish_reason":"stop`} {
		f.Add(inside, uint8(0))
		f.Add(inside, uint8(1))
	}
	f.Fuzz(func(t *testing.T, inside string, member uint8) {
		if strings.ContainsAny(inside, "\r\n") {
			return // the framing's business
		}
		name := [...]string{"content", "reasoning_content", "reasoning"}[member%3]
		chunk := func(text, more string) string {
			return `data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"` + name + `":"` + text + `"` + more + `},"finish_reason":null}]}` + "\n\n"
		}
		first, last := chunk("one", "")+chunk("two", ""), "data: [DONE]\n\n"
		twins, failed := texts(first + chunk(inside, "") + last)
		// A chunk of another form between makes the next one be taken apart.
		apart, alsoFailed := texts(first + chunk("three", `,"x":1`) + chunk(inside, "") + last)
		if i := indexOf(apart, "delta three"); i >= 0 {
			apart = append(apart[:i], apart[i+1:]...)
		}
		if failed != alsoFailed || strings.Join(twins, "|") != strings.Join(apart, "|") {
			t.Errorf("%q: %q (%v), want %q (%v)", inside, twins, failed, apart, alsoFailed)
		}
	})
}

func indexOf(list []string, s string) int {
	for i := range list {
		if list[i] == s {
			return i
		}
	}
	return -1
}
