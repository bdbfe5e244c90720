package anthropic_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/codec/anthropic"
)

// told is the text of an answer, and whether it failed.
func told(stream string) (text string, failed bool) {
	a := &codec.Answer{Body: strings.NewReader(stream), Stream: true, Target: &codec.Target{Quirks: &codec.Quirks{}}}
	for ev, err := range anthropic.New().Decode(a) {
		if err != nil {
			return text, true
		}
		if ev.Type == weir.EventDelta {
			text += fmt.Sprint(ev.Index, ev.Part, ":", ev.Text, "|")
		}
	}
	return text, false
}

// FuzzTwins holds what is read by comparison with the delta before against what
// is read by taking the delta apart. // W-03 P-01
func FuzzTwins(f *testing.F) {
	for _, inside := range []string{"a", "", `\n`, `\"`, `"`, `\`, "\x01", "\xff", "堰", `a","x":"b`, `"},"index":1,"x":{"y":"`} {
		f.Add(inside, false)
		f.Add(inside, true)
	}
	f.Fuzz(func(t *testing.T, inside string, thinks bool) {
		if strings.ContainsAny(inside, "\r\n") {
			return // the framing's business
		}
		name := "text"
		if thinks {
			name = "thinking"
		}
		event := func(typ, rest string) string {
			return "event: " + typ + "\ndata: {\"type\":\"" + typ + "\"" + rest + "}\n\n"
		}
		delta := func(text, more string) string {
			return event("content_block_delta", `,"index":0,"delta":{"type":"`+name+`_delta","`+name+`":"`+text+`"`+more+`}`)
		}
		begin := event("message_start", `,"message":{"id":"m","type":"message","role":"assistant","model":"m","content":[],"usage":{"input_tokens":1,"output_tokens":1}}`) +
			event("content_block_start", `,"index":0,"content_block":{"type":"`+name+`","`+name+`":""}`)
		end := event("content_block_stop", `,"index":0`) + event("message_delta", `,"delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":2}`) + event("message_stop", "")
		twins, failed := told(begin + delta("one", "") + delta("two", "") + delta(inside, "") + end)
		apart, alsoFailed := told(begin + delta("one", "") + delta("two", `,"x":1`) + delta(inside, "") + end)
		if failed != alsoFailed || twins != apart {
			t.Errorf("%q: %q (%v), want %q (%v)", inside, twins, failed, apart, alsoFailed)
		}
	})
}
