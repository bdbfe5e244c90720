package ollama

import (
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/weir-gateway/weir"
)

// wireAnswers are answers of every endpoint, with what is hard to split in them.
var wireAnswers = []struct {
	path, body string
	stream     bool
}{
	{"/api/chat", piece(`,"thinking":"嗯\\n\ud83d\ude00"`) + words("堰😀") + piece(`,"tool_calls":[{"function":{"name":"f","arguments":{"城":"奥斯陆"}}}]`) + last, true},
	{"/api/chat", strings.ReplaceAll("\n"+words("a")+"\n"+last, "\n", "\r\n"), true},
	{"/api/chat", words("a") + strings.TrimSuffix(last, "\n"), true}, // no end of the last line
	{"/api/chat", strings.TrimSuffix(strings.Replace(last, `"content":""`, `"content":"堰"`, 1), "\n"), false},
	{"/api/generate", head + `"response":"","thinking":"hm","done":false}` + "\n" + head + `"response":"堰","done":false}` + "\n" +
		head + `"response":"","done":true,"done_reason":"length","context":[1,2],"eval_count":4}` + "\n", true},
	{"/api/generate", head + `"response":"a","done":true,"done_reason":"stop","prompt_eval_count":3,"eval_count":4}`, false},
	{"/api/embed", `{"model":"m","embeddings":[[0.1,-2e-3],[1,2]],"prompt_eval_count":7}`, false},
	{"/api/embeddings", `{"embedding":[0.5,0.25]}`, false},
}

// W-03, W-04: answers mean the same and are sent on byte for byte wherever their bytes
// are split.
func TestAnswersMayBeSplitAnywhere(t *testing.T) {
	for _, tt := range wireAnswers {
		op := weir.Generate
		if strings.Contains(tt.path, "embed") {
			op = weir.Embed
		}
		req := open(t, op, tt.path, `{"model":"m"}`)
		req.Stream = tt.stream
		read := func(body io.Reader, relay bool) (*weir.Completion, string) {
			t.Helper()
			var all weir.Collector
			var out []byte
			e := New().NewEncoder(req)
			a := received("", tt.stream)
			a.Body, a.Relay, a.Op = body, relay, op
			for ev, err := range New().Decode(a) {
				if err != nil {
					t.Fatalf("%s: %v", tt.body, err)
				}
				all.Add(ev)
				out = e.Encode(out, ev)
			}
			return all.Completion(), string(e.Close(out, nil))
		}
		want, _ := read(strings.NewReader(tt.body), false)
		for n := range len(tt.body) {
			for _, relay := range []bool{true, false} {
				got, out := read(io.MultiReader(strings.NewReader(tt.body[:n]), strings.NewReader(tt.body[n:])), relay)
				if out != tt.body {
					t.Fatalf("%s, relay=%v, split at %d: sent on as %q", tt.path, relay, n, out)
				}
				if !relay && !reflect.DeepEqual(got, want) {
					t.Fatalf("%s, split at %d: %+v became %+v", tt.path, n, want, got)
				}
			}
		}
		if _, out := read(iotest.OneByteReader(strings.NewReader(tt.body)), false); out != tt.body {
			t.Errorf("%s, byte by byte: sent on as %q", tt.path, out)
		}
	}
}

// W-05, R-04: an answer that is cut anywhere is an error or all there: never part of it
// and a success.
func TestAnswersMayBeCutAnywhere(t *testing.T) {
	for _, tt := range wireAnswers {
		if !tt.stream {
			continue
		}
		whole := collect(t, received(tt.body, true)).Text()
		for n := range len(tt.body) {
			for _, relay := range []bool{true, false} {
				a := received(tt.body[:n], true)
				a.Relay = relay
				var all weir.Collector
				var failed error
				for ev, err := range New().Decode(a) {
					if failed = err; err == nil {
						all.Add(ev)
					}
				}
				done := strings.Contains(tt.body[:n], `"done":true`)
				if failed == nil && !done {
					t.Errorf("cut at %d, relay=%v: a success", n, relay)
				}
				if failed == nil && !relay && all.Completion().Text() != whole {
					t.Errorf("cut at %d: a success of %q", n, all.Completion().Text())
				}
			}
		}
	}
}
