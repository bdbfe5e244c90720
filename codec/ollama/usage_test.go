package ollama

import (
	"errors"
	"strings"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
)

// U-04: an answer that its upstream gave up has used what it says, and is an error all
// the same. Of one that came whole nothing is shown, so that it can be tried again.
func TestWhatFailedIsCounted(t *testing.T) {
	gaveUp := words("a") + strings.Replace(last, `"stop"`, `"crashed"`, 1)
	whole := strings.Replace(strings.Replace(last, `"stop"`, `"crashed"`, 1), `"content":""`, `"content":"a"`, 1)
	for _, tt := range []struct {
		body    string
		stream  bool
		content bool
	}{{gaveUp, true, true}, {whole, false, false}} {
		for _, relay := range []bool{true, false} {
			a := received(tt.body, tt.stream)
			a.Relay, a.Target = relay, target(codec.Quirks{FinishReasons: map[string]string{"crashed": "error"}})
			var usage *weir.Usage
			var last error
			content := false
			for ev, err := range New().Decode(a) {
				last = err
				content = content || ev.IsContent()
				if ev.Usage != nil {
					usage = ev.Usage
				}
			}
			if !errors.Is(last, weir.KindUpstream) || !usage.Has(weir.UsageInput|weir.UsageOutput) || usage.Total() != 7 || content != tt.content {
				t.Errorf("stream=%v, relay=%v: %v, usage %+v, content %v", tt.stream, relay, last, usage, content)
			}
		}
	}
}

// U-07, P-01: counts that the protocol has no member for are reported, once each.
func TestCountsWithoutAMemberAreLosses(t *testing.T) {
	u := &weir.Usage{InputTokens: 100, OutputTokens: 40, CacheReadTokens: 30, ReasoningTokens: 10, AudioOutputTokens: 0,
		Known: weir.UsageInput | weir.UsageOutput | weir.UsageCacheRead | weir.UsageReasoning | weir.UsageAudioOutput}
	for _, stream := range []bool{true, false} {
		e := New().NewEncoder(asked(stream))
		var out []byte
		for _, ev := range []weir.Event{
			{Type: weir.EventStart, Start: &weir.Start{Model: "gpt"}},
			{Type: weir.EventBlockStart, Block: &weir.Block{Type: weir.BlockText, Text: "a"}}, {Type: weir.EventBlockEnd},
			{Type: weir.EventFinish, Finish: &weir.Finish{Reason: weir.FinishStop}},
			{Type: weir.EventUsage, Usage: u}, {Type: weir.EventUsage, Usage: u},
		} {
			out = e.Encode(out, ev)
		}
		out = e.Close(out, nil)
		var lost []string
		for _, l := range e.Losses() {
			lost = append(lost, string(l.Action)+" "+l.Field)
		}
		if got := strings.Join(lost, ", "); got != "dropped usage.cache_read, dropped usage.reasoning" {
			t.Errorf("stream=%v: losses %s", stream, got)
		}
		if !strings.Contains(string(out), `"prompt_eval_count":100,"eval_count":40`) {
			t.Errorf("stream=%v: %s", stream, out)
		}
	}
}
