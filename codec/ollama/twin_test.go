package ollama_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/codec/ollama"
)

// told is the text of an answer, and whether it failed.
func told(lines string) (text string, failed bool) {
	a := &codec.Answer{Body: strings.NewReader(lines), Stream: true, Target: &codec.Target{Quirks: &codec.Quirks{}}}
	for ev, err := range ollama.New().Decode(a) {
		if err != nil {
			return text, true
		}
		if ev.Type == weir.EventDelta {
			text += fmt.Sprint(ev.Part, ":", ev.Text, "|")
		}
	}
	return text, false
}

// FuzzTwins holds what is read by comparison with the line before against what is
// read by taking the line apart. // W-03 P-01
func FuzzTwins(f *testing.F) {
	for _, inside := range []string{"a", "", `\n`, `\"`, `"`, `\`, "\x01", "\xff", "堰", `a","x":"b`, `"},"done":true,"x":"`, `2026`} {
		f.Add(inside, "2026-11-21T10:00:00.12Z", false)
		f.Add(inside, `a\"b`, true)
	}
	f.Fuzz(func(t *testing.T, inside, at string, thinks bool) {
		if strings.ContainsAny(inside+at, "\r\n") {
			return // the framing's business
		}
		name := "content"
		if thinks {
			name = "thinking"
		}
		line := func(text, at, more string) string {
			return `{"model":"m","created_at":"` + at + `","message":{"role":"assistant","` + name + `":"` + text + `"` + more + `},"done":false}` + "\n"
		}
		first := line("one", "2026-11-21T10:00:00.1Z", "") + line("two", "2026-11-21T10:00:00Z", "")
		last := `{"model":"m","created_at":"2026-11-21T10:00:00.1Z","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop"}` + "\n"
		twins, failed := told(first + line(inside, at, "") + last)
		apart, alsoFailed := told(first + line("", "x", `,"y":1`) + line(inside, at, "") + last)
		if failed != alsoFailed || twins != apart {
			t.Errorf("%q at %q: %q (%v), want %q (%v)", inside, at, twins, failed, apart, alsoFailed)
		}
	})
}
