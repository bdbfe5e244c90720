package openaicompletions_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/codec/openaicompletions"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// written is an answer whose events have been edited, as its client reads it.
func written(t *testing.T, req *weir.Request, wire string, edit func(weir.Event) weir.Event) string {
	t.Helper()
	a := &codec.Answer{Header: http.Header{}, Body: strings.NewReader(wire), Stream: req.Stream, Target: neutral()}
	enc := openaicompletions.New().NewEncoder(req)
	var out []byte
	for ev, err := range openaicompletions.New().Decode(a) {
		if err != nil {
			t.Fatal(err)
		}
		out = enc.Encode(out, edit(ev))
	}
	return string(enc.Close(out, nil))
}

// Fill-in-the-middle: a prompt and a suffix go to DeepSeek as they are (its base URL
// ends with /beta), and to Mistral by its path and its name of the seed. // P-01, P-03
func TestFillInTheMiddle(t *testing.T) {
	const asked = `{"model":"m","prompt":"def fib(a):","suffix":"    return fib(a-1)","max_tokens":128,"seed":7,"stream":false}`
	mistral := neutral()
	mistral.Quirks = &codec.Quirks{CompletionsPath: "/fim/completions", RenameParams: map[string]string{"seed": "random_seed"}}
	for _, c := range []struct {
		name, path, want string
		to               *codec.Target
	}{
		{"DeepSeek", "/completions", strings.Replace(asked, `"m"`, `"up"`, 1), neutral()},
		{"Mistral", "/fim/completions", `{"model":"up","prompt":"def fib(a):","suffix":"    return fib(a-1)","max_tokens":128,"stream":false,"random_seed":7}`, mistral},
	} {
		req := open(t, asked)
		for _, r := range []*weir.Request{req, edited(t, req)} {
			got, call := sent(t, openaicompletions.New(), r, c.to)
			got = strings.Replace(got, `,"stream":false`, "", 1) // which an edited body need not say
			if want := strings.Replace(c.want, `,"stream":false`, "", 1); !jsonx.Equal([]byte(got), []byte(want)) || call.Path != c.path {
				t.Errorf("%s: %s to %s", c.name, got, call.Path)
			}
		}
	}
}

// An echo, its log probabilities (of which the first token has none) and several
// answers are the upstream's byte for byte, and the same by value. // P-01, W-12
func TestEchoAndLogprobs(t *testing.T) {
	const logprobs = `{"tokens":["Once"," upon"],"token_logprobs":[null,-0.5],"top_logprobs":[null,{" upon":-0.5," more":-2}],"text_offset":[0,4]}`
	whole := `{"id":"c1","object":"text_completion","created":7,"model":"m","choices":[` +
		`{"text":"Once upon","index":0,"logprobs":` + logprobs + `,"finish_reason":"length"},` +
		`{"text":"Once more","index":1,"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}}`
	stream := `data: {"id":"c1","object":"text_completion","created":7,"model":"m","choices":[{"text":"Once upon","index":0,"logprobs":` + logprobs + `,"finish_reason":null}]}` + "\n\n" +
		`data: {"id":"c1","object":"text_completion","created":7,"model":"m","choices":[{"text":"Once more","index":1,"logprobs":null,"finish_reason":"stop"}]}` + "\n\n" +
		`data: {"id":"c1","object":"text_completion","created":7,"model":"m","choices":[{"text":"","index":0,"logprobs":null,"finish_reason":"length"}]}` + "\n\n" +
		`data: {"id":"c1","object":"text_completion","created":7,"model":"m","choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}}` + "\n\n" + "data: [DONE]\n\n"
	for _, c := range []struct {
		wire   string
		stream bool
	}{{whole, false}, {stream, true}} {
		req := client(t, textPath, c.stream)
		if got, _, _, err := passed(t, req, c.wire, true); err != nil || got != c.wire {
			t.Errorf("stream=%v: %v\n%s", c.stream, err, got)
		}
		again := written(t, req, c.wire, weir.Event.Detach)
		_, done, _, err := passed(t, req, again, false)
		if err != nil {
			t.Fatal(err)
		}
		if len(done.Choices) != 2 || done.Choices[0].Message.Text() != "Once upon" || done.Choices[1].Message.Text() != "Once more" ||
			done.Choices[0].Finish.Reason != weir.FinishLength || done.Choices[1].Finish.Reason != weir.FinishStop || done.Usage.Total() != 3 {
			t.Errorf("stream=%v: %s", c.stream, again)
		}
		if l := done.Choices[0].Logprobs; len(l) != 1 || !jsonx.Equal(l[0], []byte(logprobs)) {
			t.Errorf("stream=%v: log probabilities %s", c.stream, l)
		}
	}
}
