package openaicompletions_test

import (
	"bytes"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/codec/anthropic"
	"github.com/weir-gateway/weir/codec/openaichat"
	"github.com/weir-gateway/weir/codec/openaicompletions"
	"github.com/weir-gateway/weir/internal/jsonx"
)

func neutral() *codec.Target {
	return &codec.Target{Provider: "test", Model: "up", Quirks: &codec.Quirks{}}
}

func open(t *testing.T, body string) *weir.Request {
	t.Helper()
	req, err := openaicompletions.New().OpenRequest(weir.Generate, &weir.Wire{Protocol: weir.OpenAICompletions, Body: []byte(body), Path: "/v1/completions"})
	if err != nil {
		t.Fatal(err)
	}
	return req
}

func sent(t *testing.T, c codec.Codec, req *weir.Request, to *codec.Target) (string, *codec.Call) {
	t.Helper()
	call, err := c.EncodeRequest(req, to)
	if err != nil {
		t.Fatal(err)
	}
	return string(bytes.Join(call.Body, nil)), call
}

// edited is what goes up when a stage has edited the body and changed nothing.
func edited(t *testing.T, req *weir.Request) *weir.Request {
	t.Helper()
	out, err := req.Edit(func(*weir.Body) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// A request keeps its bytes but for what has to change. // P-01, P-02
func TestUntouchedBytesAreKept(t *testing.T) {
	cases := []struct{ name, body, want string }{
		{"the model alone", `{ "model":"m" , "prompt":"a","future":{"x":[1]} }`, `{ "model":"up" , "prompt":"a","future":{"x":[1]} }`},
		{"tokens", `{"model":"m","prompt":[[1,2],[3]],"n":2}`, `{"model":"up","prompt":[[1,2],[3]],"n":2}`},
		{"a stream asks for usage", `{"model":"m","prompt":"a","stream":true}`, `{"model":"up","prompt":"a","stream":true,"stream_options":{"include_usage":true}}`},
		{"options that are there", `{"model":"m","stream":true,"stream_options":{"x":1},"prompt":"a"}`, `{"model":"up","stream":true,"stream_options":{"x":1,"include_usage":true},"prompt":"a"}`},
		{"a suffix", `{"model":"m","prompt":"a","suffix":"b"}`, `{"model":"up","prompt":"a","suffix":"b"}`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, call := sent(t, openaicompletions.New(), open(t, c.body), neutral())
			if got != c.want || call.Path != "/completions" || len(call.Losses) > 0 {
				t.Errorf("sent %s to %s, losses %v", got, call.Path, call.Losses)
			}
		})
	}
}

// An edited request says what the client said.
func TestEditedRequestKeepsItsMeaning(t *testing.T) {
	for _, body := range []string{
		`{"model":"up","prompt":"a","max_tokens":5,"temperature":0.5,"top_p":0.25,"n":2,"stop":"x","seed":7,"user":"u"}`,
		`{"model":"up","prompt":["a"],"stop":["x","y"],"logprobs":3,"echo":true,"best_of":4,"suffix":"s","logit_bias":{"50256":-100}}`,
		`{"model":"up","prompt":["a","b"],"echo":false,"best_of":1,"seed":null,"stop":null,"presence_penalty":0.5,"frequency_penalty":-1}`,
		`{"model":"up","prompt":[1,2,3],"top_k":4,"min_p":0.1}`,
		`{"model":"up","prompt":"a","random_seed":3,"min_tokens":2,"metadata":{"a":1}}`,
		`{"model":"up","prompt":null,"prompt_embeds":"AAAA"}`,
		`{"model":"up","prompt":"a","logprobs":0,"user":""}`,
	} {
		got, call := sent(t, openaicompletions.New(), edited(t, open(t, body)), neutral())
		if !jsonx.Equal([]byte(got), []byte(body)) || len(call.Losses) > 0 {
			t.Errorf("%s became %s, losses %v", body, got, call.Losses)
		}
	}
}

// What an edit empties does not come back from how it was spelled.
func TestClearedSettingsStayAway(t *testing.T) {
	req, err := open(t, `{"model":"m","prompt":"a","stop":"x","random_seed":1,"stream_options":null}`).Edit(func(b *weir.Body) error {
		b.Stop, b.Seed = nil, nil
		b.Messages[0].Blocks[0].Text = "b"
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := sent(t, openaicompletions.New(), req, neutral()); got != `{"model":"up","prompt":"b","stream_options":null}` {
		t.Errorf("sent %s", got)
	}
}

func TestRefusedAtTheDoor(t *testing.T) {
	cases := []struct{ body, param string }{
		{`{"prompt":"a"}`, "model"}, {`{"model":"","prompt":"a"}`, "model"}, {`{"model":1,"prompt":"a"}`, "model"},
		{`{"model":"a","model":"b","prompt":"x"}`, "model"}, {`{"model":"a","stream":"yes"}`, "stream"}, {`[]`, ""}, {`{"model":"a"`, ""},
	}
	for _, c := range cases {
		_, err := openaicompletions.New().OpenRequest(weir.Generate, &weir.Wire{Body: []byte(c.body)})
		if !errors.Is(err, weir.KindInvalid) || weir.AsError(err).Param != c.param {
			t.Errorf("%s: %v", c.body, err)
		}
	}
	if _, err := openaicompletions.New().OpenRequest(weir.Embed, &weir.Wire{Body: []byte(`{}`)}); !errors.Is(err, weir.KindInvalid) {
		t.Errorf("another operation: %v", err)
	}
	for body, param := range map[string]string{
		`{"model":"m","prompt":{}}`: "prompt", `{"model":"m","prompt":["a",1]}`: "prompt[1]", `{"model":"m","n":"x"}`: "n",
		`{"model":"m","stop":[1]}`: "stop[0]", `{"model":"m","logprobs":true}`: "logprobs", `{"model":"m","stop":7}`: "stop",
	} {
		if _, err := open(t, body).Body(); !errors.Is(err, weir.KindInvalid) || weir.AsError(err).Param != param {
			t.Errorf("%s: %v", body, err)
		}
	}
}

// A model of conversations gets the prompt as a message and the client is told so;
// what would make nonsense of it there is refused by name. // P-01
func TestIntoConversations(t *testing.T) {
	for _, c := range []codec.Codec{openaichat.New(), anthropic.New()} {
		req := open(t, `{"model":"m","prompt":"Once","max_tokens":9,"echo":true}`)
		got, call := sent(t, c, req, neutral())
		if !strings.Contains(got, `"Once"`) || !strings.Contains(got, `"user"`) {
			t.Errorf("%s: sent %s", c.Protocol(), got)
		}
		want := map[string]weir.LossAction{"prompt": weir.LossApproximated, "echo": weir.LossDropped}
		for _, l := range call.Losses {
			if want[l.Field] == l.Action {
				delete(want, l.Field)
			}
		}
		if len(want) > 0 {
			t.Errorf("%s: losses %v lack %v", c.Protocol(), call.Losses, want)
		}
		strict := req.Clone()
		strict.Strict = true
		if _, err := c.EncodeRequest(strict, neutral()); !errors.Is(err, weir.KindUnsupported) {
			t.Errorf("%s, strict: %v", c.Protocol(), err)
		}
		for body, param := range map[string]string{
			`{"model":"m","prompt":"a","suffix":"b"}`:   "suffix",
			`{"model":"m","prompt":["a","b"]}`:          "prompt",
			`{"model":"m","prompt":[1,2]}`:              "prompt",
			`{"model":"m","prompt":[[1],[2]],"n":1}`:    "prompt",
			`{"model":"m","prompt":"a","suffix":["x"]}`: "suffix",
		} {
			_, err := c.EncodeRequest(open(t, body), neutral())
			e := weir.AsError(err)
			if !errors.Is(err, weir.KindUnsupported) || e.Param != param || e.Hint == "" {
				t.Errorf("%s: %s gives %v", c.Protocol(), body, err)
			}
		}
		for _, body := range []string{`{"model":"m","prompt":["a"]}`, `{"model":"m","prompt":"a","suffix":null}`, `{"model":"m","prompt":"a","suffix":""}`} {
			if _, err := c.EncodeRequest(open(t, body), neutral()); err != nil {
				t.Errorf("%s: %s gives %v", c.Protocol(), body, err)
			}
		}
	}
}

// A conversation does not become a text to be continued. // P-04
func TestConversationsAreRefused(t *testing.T) {
	say := weir.UserText("hi")
	cases := []struct {
		name, param string
		body        weir.Body
	}{
		{"of Chat", "messages", weir.Body{From: weir.OpenAIChat, Messages: []weir.Message{say}}},
		{"of Gemini", "contents", weir.Body{From: weir.GeminiGenerate, Messages: []weir.Message{say}}},
		{"of Responses", "input", weir.Body{From: weir.OpenAIResponses, Messages: []weir.Message{say}}},
		{"two messages", "messages", weir.Body{Messages: []weir.Message{say, say}}},
		{"no message", "messages", weir.Body{}},
		{"an assistant", "messages[0]", weir.Body{Messages: []weir.Message{weir.AssistantText("x")}}},
		{"tools", "tools", weir.Body{Messages: []weir.Message{say}, Tools: []weir.Tool{{Name: "f"}}}},
		{"a picture", "messages[0].content[0]", weir.Body{Messages: []weir.Message{{Role: weir.RoleUser, Blocks: []weir.Block{{Type: weir.BlockImage, Media: &weir.Media{URL: "u"}}}}}}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := openaicompletions.New().EncodeRequest(weir.NewRequest("m", &c.body), neutral())
			if e := weir.AsError(err); !errors.Is(err, weir.KindUnsupported) || e.Param != c.param {
				t.Errorf("got %v", err)
			}
		})
	}
	if _, err := openaicompletions.New().EncodeRequest(&weir.Request{Op: weir.CountTokens}, neutral()); !errors.Is(err, weir.KindUnsupported) {
		t.Errorf("another operation: %v", err)
	}
}

// A single message of a program is a text; what else it said and completions cannot
// say is told.
func TestMadeInGo(t *testing.T) {
	got, call := sent(t, openaicompletions.New(), weir.NewRequest("m", &weir.Body{
		Messages: []weir.Message{weir.UserText("Once")}, Logprobs: new(true), TopLogprobs: new(int64(2)),
		Stop: []string{"."}, StreamUsage: new(true), Verbosity: "low", Reasoning: &weir.ReasoningConfig{Effort: "low"},
		Metadata: []weir.Pair{{Key: "k", Value: "v"}}, Format: &weir.Format{Type: weir.FormatJSONObject},
		Extra: weir.Fields{{Name: "zz", Value: []byte("1")}},
	}), neutral())
	if want := `{"model":"up","prompt":"Once","logprobs":2,"stop":["."]}`; got != want {
		t.Errorf("sent %s, want %s", got, want)
	}
	var fields []string
	for _, l := range call.Losses {
		fields = append(fields, l.Field)
	}
	if got := strings.Join(fields, " "); got != "messages[0] response_format reasoning verbosity metadata.k zz" {
		t.Errorf("losses of %s", got)
	}
}

// Mistral's path and names, and the ranges of a target, are data. // P-03
func TestQuirks(t *testing.T) {
	to := neutral()
	to.MaxOutput = 100
	to.Quirks = &codec.Quirks{
		CompletionsPath: "/fim/completions", RenameParams: map[string]string{"seed": "random_seed"}, NoStreamOptions: true,
		DropParams: []string{"echo"}, SetParams: map[string]any{"min_tokens": 1}, TemperatureMax: new(1.5), TopPMax: new(0.9), MaxStop: 1,
	}
	got, call := sent(t, openaicompletions.New(), open(t, `{"model":"m","prompt":"a","seed":1,"stream":true,"stream_options":{"include_usage":true},"echo":true,`+
		`"temperature":2,"top_p":1,"max_tokens":500,"stop":["a","b"]}`), to)
	want := `{"model":"up","prompt":"a","stream":true,"temperature":1.5,"top_p":0.9,"max_tokens":100,"stop":["a"],"random_seed":1,"min_tokens":1}`
	if call.Path != "/fim/completions" || got != want {
		t.Errorf("%s: %s", call.Path, got)
	}
	if len(call.Losses) != 6 {
		t.Errorf("losses %v", call.Losses)
	}
}

func TestHeadersOfTheProtocolGoOn(t *testing.T) {
	req := open(t, `{"model":"m","prompt":"a"}`)
	req.Wire.Header = http.Header{"X-Client-Request-Id": {"7"}, "Other": {"x"}}
	if _, call := sent(t, openaicompletions.New(), req, neutral()); len(call.Header) != 1 || call.Header.Get("X-Client-Request-Id") != "7" {
		t.Errorf("header %v", call.Header)
	}
	if _, call := sent(t, openaicompletions.New(), edited(t, req), neutral()); call.Header.Get("X-Client-Request-Id") != "7" {
		t.Errorf("edited, header %v", call.Header)
	}
}

// Equal requests become equal bytes. // C-03
func TestEqualRequestsEqualBytes(t *testing.T) {
	to := neutral()
	to.Quirks.SetParams = map[string]any{"b": 1, "a": 2, "c": 3, "d": 4}
	body := `{"model":"m","prompt":"a","z":1,"y":2}`
	first, _ := sent(t, openaicompletions.New(), edited(t, open(t, body)), to)
	for range 20 {
		if again, _ := sent(t, openaicompletions.New(), edited(t, open(t, body)), to); again != first {
			t.Fatalf("%s became %s", first, again)
		}
	}
}

// FuzzRequests: a request is refused as wrong or can be written again, and what is
// written is JSON.
func FuzzRequests(f *testing.F) {
	for _, s := range []string{
		`{"model":"m","prompt":"a","suffix":"b","stop":["x"],"logprobs":2}`, `{"model":"m","prompt":[1,[2]],"stream":true}`,
		`{"model":"m","prompt":["a","b"],"n":2,"echo":false}`, `{"model":"m","stream_options":{"include_usage":null}}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		req, err := openaicompletions.New().OpenRequest(weir.Generate, &weir.Wire{Protocol: weir.OpenAICompletions, Body: body})
		if err == nil {
			_, err = req.Body()
		}
		if err != nil {
			if !errors.Is(err, weir.KindInvalid) {
				t.Fatalf("refused with %v", err)
			}
			return
		}
		for _, r := range []*weir.Request{req, edited(t, req)} {
			call, err := openaicompletions.New().EncodeRequest(r, neutral())
			if err != nil {
				t.Fatalf("%q: %v", body, err)
			}
			if out := bytes.Join(call.Body, nil); jsonx.Valid(out) != nil {
				t.Fatalf("%q became %q", body, out)
			}
		}
	})
}
