package openaicompletions_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/weir-gateway/weir"
)

// U-04: an answer that ends with an error has used what it says. Of one that came
// whole nothing is shown, so that it can be tried again.
func TestWhatFailedIsCounted(t *testing.T) {
	const usage = `"usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7}`
	first, _, _ := strings.Cut(textStream, "\n\n")
	for _, c := range []struct {
		name, wire string
		stream     bool
		content    string
	}{
		{"an error in a stream", first + "\n\n" + `data: {"error":{"message":"worker died","code":500},` + usage + "}\n\n", true, "a"},
		{"an end that is an error", first + "\n\n" + `data: {"id":"c1","choices":[{"index":0,"text":"","finish_reason":"abort"}],` + usage + "}\n\n", true, "a"},
		{"an error in one body", `{"error":{"message":"worker died"},` + usage + `}`, false, ""},
		{"a body that was given up", `{"id":"c1","choices":[{"index":0,"text":"a","finish_reason":"error"}],` + usage + `}`, false, ""},
	} {
		for _, relay := range []bool{false, true} {
			_, done, _, err := passed(t, client(t, textPath, c.stream), c.wire, relay)
			if !errors.Is(err, weir.KindUpstream) {
				t.Errorf("%s, relay=%v: %v", c.name, relay, err)
			}
			if u := done.Usage; !u.Has(weir.UsageInput|weir.UsageOutput) || u.Total() != 7 {
				t.Errorf("%s, relay=%v: usage %+v", c.name, relay, u)
			}
			if !relay && done.Text() != c.content {
				t.Errorf("%s: shown %q", c.name, done.Text())
			}
		}
	}
}

// U-07: what a vendor counts beside the totals is there, read and written anew.
func TestCountsArriveInDetail(t *testing.T) {
	wire := strings.Replace(textWhole, `"total_tokens":7`, `"total_tokens":7,"prompt_tokens_details":{"cached_tokens":2,"image_tokens":1},"completion_tokens_details":{"reasoning_tokens":3}`, 1)
	req := client(t, textPath, false)
	_, done, _, err := passed(t, req, wire, false)
	if err != nil {
		t.Fatal(err)
	}
	u := done.Usage
	if u.CacheReadTokens != 2 || u.ReasoningTokens != 3 || u.Extra.Value("prompt_tokens_details") == nil {
		t.Errorf("counted %+v", u)
	}
	again := written(t, req, wire, weir.Event.Detach)
	for _, part := range []string{`"cached_tokens":2`, `"image_tokens":1`, `"reasoning_tokens":3`, `"prompt_tokens":3`, `"completion_tokens":4`} {
		if !strings.Contains(again, part) {
			t.Errorf("no %s in %s", part, again)
		}
	}
}
