package openairest_test

import (
	"errors"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/codec/openairest"
	"github.com/weir-gateway/weir/internal/jsonx"
)

const embedAnswer = `{"object":"list","data":[{"object":"embedding","index":1,"embedding":[0.5, -1.25e-3]},{"object":"embedding","index":0,"embedding":[1,2]}],"model":"up-model","usage":{"prompt_tokens":3,"total_tokens":3}}`

func embed(t testing.TB, body string) *weir.Request {
	t.Helper()
	return open(t, weir.Embed, wire("/v1/embeddings", body))
}

// The canonical body of a request for embeddings has a user message for every text.
func TestEmbedBody(t *testing.T) {
	body, err := embed(t, `{"model":"m","input":["a","b"],"dimensions":256,"encoding_format":"base64","user":"u","input_type":"query","task":null}`).Body()
	if err != nil {
		t.Fatal(err)
	}
	if len(body.Messages) != 2 || body.Messages[1].Text() != "b" || body.Messages[1].At != "input[1]" || !body.Messages[0].Plain ||
		*body.Embed.Dimensions != 256 || body.Embed.Encoding != "base64" || body.User != "u" || string(body.Extra.Value("input_type")) != `"query"` {
		t.Errorf("body %+v", body)
	}
	for text, want := range map[string]struct {
		kind  weir.Kind
		param string
	}{
		`{"model":"m"}`: {weir.KindInvalid, "input"}, `{"model":"m","input":7}`: {weir.KindInvalid, "input"},
		`{"model":"m","input":[1,2]}`: {weir.KindUnsupported, "input[0]"}, `{"model":"m","input":[[1],[2]]}`: {weir.KindUnsupported, "input[0]"},
		`{"model":"m","input":["a",{"image":"x"}]}`: {weir.KindUnsupported, "input[1]"}, `{"model":"m","input":{"text":"x"}}`: {weir.KindUnsupported, "input"},
		`{"model":"m","input":"a","dimensions":"x"}`: {weir.KindInvalid, "dimensions"}, `{"model":"m","input":"a","x":tru}`: {weir.KindInvalid, ""},
	} {
		req, err := openairest.New().OpenRequest(weir.Embed, wire("", text))
		if err == nil {
			_, err = req.Body()
		}
		if e := weir.AsError(err); !errors.Is(err, want.kind) || e.Param != want.param {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// Tokens and what is not text go up as they were received; an edit keeps what the
// client has said. // P-01
func TestEmbedRequests(t *testing.T) {
	for _, text := range []string{
		`{"model":"up","input":"a"}`, `{"model":"up","input":["a"],"encoding_format":"float","dimensions":2}`,
		`{"model":"up","input":["a","b"],"user":"u","input_type":"query","late_chunking":true,"dimensions":null}`, `{"model":"up","input":""}`,
	} {
		edited, err := embed(t, text).Edit(func(*weir.Body) error { return nil })
		if err != nil {
			t.Fatal(err)
		}
		got, call := sent(t, edited, neutral("up"))
		if !jsonx.Equal([]byte(got), []byte(text)) || call.Path != "/embeddings" || len(call.Losses) > 0 {
			t.Errorf("%s became %s at %s, losses %v", text, got, call.Path, call.Losses)
		}
	}
	if got, _ := sent(t, embed(t, `{"model":"m","input":[[1,2],[3]],"x":1}`), neutral("up")); got != `{"model":"up","input":[[1,2],[3]],"x":1}` {
		t.Errorf("tokens became %s", got)
	}
}

// What comes from another protocol is written; what this one cannot say is told.
func TestForeignEmbedRequests(t *testing.T) {
	made := func(b *weir.Body) *weir.Request {
		r := weir.NewRequest("m", b)
		r.Op = weir.Embed
		return r
	}
	got, call := sent(t, made(&weir.Body{
		From:     weir.GeminiGenerate,
		Messages: []weir.Message{weir.UserText("a"), {Role: weir.RoleUser, Blocks: []weir.Block{{Type: weir.BlockText, Text: "b"}, {Type: weir.BlockText, Text: "c"}}, Extra: weir.Fields{{Name: "title", Value: []byte(`"t"`)}}}},
		Embed:    &weir.EmbedConfig{Dimensions: new(int64(3)), Task: "RETRIEVAL_QUERY", Truncate: new(true)},
		Extra:    weir.Fields{{Name: "autoTruncate", Value: []byte("true")}},
	}), neutral("up"))
	if got != `{"model":"up","input":["a","bc"],"dimensions":3}` {
		t.Errorf("sent %s", got)
	}
	var fields []string
	for _, l := range call.Losses {
		fields = append(fields, l.Field)
	}
	if s := strings.Join(fields, " "); s != "contents[1].title taskType truncate autoTruncate" {
		t.Errorf("losses of %s", s)
	}
	if got, _ := sent(t, made(&weir.Body{Messages: []weir.Message{weir.UserText("a")}}), neutral("up")); got != `{"model":"up","input":"a"}` {
		t.Errorf("made in Go: %s", got)
	}
	if _, err := openairest.New().EncodeRequest(made(&weir.Body{}), neutral("up")); !errors.Is(err, weir.KindInvalid) || weir.AsError(err).Param != "input" {
		t.Errorf("no text: %v", err)
	}
	image := made(&weir.Body{Messages: []weir.Message{{Blocks: []weir.Block{{Type: weir.BlockImage, Media: &weir.Media{}}}}}})
	if _, err := openairest.New().EncodeRequest(image, neutral("up")); !errors.Is(err, weir.KindUnsupported) || weir.AsError(err).Param == "" {
		t.Errorf("a picture: %v", err)
	}
	strict := made(&weir.Body{Messages: []weir.Message{weir.UserText("a")}, Embed: &weir.EmbedConfig{Task: "x"}})
	strict.Strict = true
	if _, err := openairest.New().EncodeRequest(strict, neutral("up")); !errors.Is(err, weir.KindUnsupported) {
		t.Errorf("strict: %v", err)
	}
}

// The answer becomes a vector for each input, in whatever order they came, and is the
// upstream's byte for byte for a client that asked for what came.
func TestEmbedAnswer(t *testing.T) {
	for _, relay := range []bool{false, true} {
		a := answer(weir.Embed, "application/json", iotest.HalfReader(strings.NewReader(embedAnswer)))
		a.Relay = relay
		events, err := decoded(t, a)
		if err != nil {
			t.Fatal(err)
		}
		var all weir.Collector
		for _, ev := range events {
			all.Add(ev)
		}
		done := all.Completion()
		if done.Start.Model != "up-model" || len(done.Vectors) != 2 || string(done.Vectors[0].JSON) != "[1,2]" || openairest.UsageText(done.Usage) != "in=3" {
			t.Errorf("completion %+v", done)
		}
		for _, body := range []string{`{"model":"m","input":"a"}`, `{"model":"m","input":"a","encoding_format":"float"}`, `{"model":"m","input":"a","encoding_format":"int8"}`} {
			if got, enc := written(embed(t, body), events); got != embedAnswer || enc.ContentType() != "application/json" {
				t.Errorf("%s gets %s", body, got)
			}
		}
	}
}

// Vectors are put in the way that the client asked for, whatever the upstream knows.
func TestEncodingIsConverted(t *testing.T) {
	events, err := decoded(t, answer(weir.Embed, "application/json", strings.NewReader(embedAnswer)))
	if err != nil {
		t.Fatal(err)
	}
	packed, _ := written(embed(t, `{"model":"asked","input":"a","encoding_format":"base64"}`), events)
	want := `{"object":"list","data":[{"object":"embedding","index":0,"embedding":"AACAPwAAAEA="},{"object":"embedding","index":1,"embedding":"AAAAPwrXo7o="}],"model":"asked","usage":{"prompt_tokens":3,"total_tokens":3}}`
	if packed != want {
		t.Errorf("got %s", packed)
	}
	back, err := decoded(t, answer(weir.Embed, "application/json", strings.NewReader(packed)))
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := written(embed(t, `{"model":"asked","input":"a","encoding_format":"base64"}`), back); got != packed {
		t.Errorf("not as received: %s", got)
	}
	floats, _ := written(embed(t, `{"model":"asked","input":"a","encoding_format":"float"}`), back)
	if !strings.Contains(floats, `"embedding":[1,2]`) || !strings.Contains(floats, `"embedding":[0.5,-0.00125]`) {
		t.Errorf("got %s", floats)
	}
	for _, req := range []*weir.Request{embed(t, `{"model":"asked","input":"a"}`), {Op: weir.Embed, Model: "asked"}} {
		if got, _ := written(req, back); got != packed {
			t.Errorf("who asked for nothing gets %s", got)
		}
	}
}

// Answers of other protocols, and edited ones, are written by value.
func TestEmbedAnswerByValue(t *testing.T) {
	events := []weir.Event{
		{Type: weir.EventStart, Start: &weir.Start{Model: "up", From: weir.GeminiGenerate, Extra: weir.Fields{{Name: "x", Value: []byte("1")}}}},
		{Type: weir.EventVector, Index: 1, Vector: &weir.Vector{JSON: []byte("[2]"), Extra: weir.Fields{{Name: "y", Value: []byte("1")}}}},
		{Type: weir.EventVector, Index: 0, Vector: &weir.Vector{Base64: "AACAPw=="}},
	}
	if got, _ := written(embed(t, `{"model":"asked","input":["a","b"]}`), events); got != `{"object":"list","data":[{"object":"embedding","index":0,"embedding":[1]},{"object":"embedding","index":1,"embedding":[2]}],"model":"asked"}` {
		t.Errorf("got %s", got)
	}
	events[2].Vector = &weir.Vector{Base64: "AAA="}
	enc := openairest.New().NewEncoder(embed(t, `{"model":"asked","input":["a","b"]}`))
	for _, ev := range events {
		_ = enc.Encode(nil, ev)
	}
	out := enc.Close(nil, nil)
	if f, ok := enc.(codec.Failer); !ok || f.Failed() == nil || len(out) > 0 {
		t.Errorf("a vector that is none gives %s", out)
	}
	own := `{"data":[{"embedding":[1],"index":0,"truncated":true}],"id":"e","created":7,"provider":"p","usage":{"prompt_tokens":1,"cost":2}}`
	decodedEvents, err := decoded(t, answer(weir.Embed, "application/json", strings.NewReader(own)))
	if err != nil {
		t.Fatal(err)
	}
	for i := range decodedEvents {
		decodedEvents[i] = decodedEvents[i].Detach()
	}
	if got, _ := written(embed(t, `{"model":"asked","input":"a"}`), decodedEvents); !strings.Contains(got, `"truncated":true`) || !strings.Contains(got, `"provider":"p"`) {
		t.Errorf("what has no word is gone in %s", got)
	}
}

// Numbers that cannot be meant give way to the order.
func TestOddNumbers(t *testing.T) {
	for _, numbers := range [][2]string{{"0", "0"}, {"-1", "7"}, {"1e300", "\"x\""}, {"1", "2"}} {
		body := `{"data":[{"index":` + numbers[0] + `,"embedding":[1]},{"index":` + numbers[1] + `,"embedding":[2]}]}`
		events, err := decoded(t, answer(weir.Embed, "application/json", strings.NewReader(body)))
		if err != nil || events[1].Index != 0 || events[2].Index != 1 {
			t.Errorf("%s: %v, %+v", body, err, events)
		}
	}
}

// // E-02, R-04
func TestBrokenEmbedAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		body string
		kind weir.Kind
	}{
		"nothing": {"", weir.KindUpstream}, "a page": {"<html>no</html>", weir.KindUpstream}, "a list": {"[]", weir.KindUpstream},
		"cut": {embedAnswer[:40], weir.KindUpstream}, "no data": {`{"object":"list"}`, weir.KindUpstream},
		"an error":              {`{"error":{"message":"slow down","code":"rate_limit_exceeded"}}`, weir.KindRateLimit},
		"a vector that is none": {`{"data":[{"index":0}]}`, weir.KindUpstream}, "an element that is none": {`{"data":[7]}`, weir.KindUpstream},
	} {
		events, err := decoded(t, answer(weir.Embed, "application/json", strings.NewReader(c.body)))
		if !errors.Is(err, c.kind) || len(events) > 0 {
			t.Errorf("%s: %v after %d events", name, err, len(events))
		}
		enc := openairest.New().NewEncoder(embed(t, `{"model":"m","input":"a"}`))
		if out := enc.Close(nil, weir.AsError(err)); len(out) > 0 {
			t.Errorf("%s: %s", name, out)
		}
	}
	a := answer(weir.Embed, "application/json", strings.NewReader(embedAnswer))
	a.MaxBody = 30
	if _, err := decoded(t, a); !errors.Is(err, weir.KindUpstream) || weir.AsError(err).Hint == "" {
		t.Errorf("over the limit: %v", err)
	}
	enc := openairest.New().NewEncoder(embed(t, `{"model":"m","input":"a"}`))
	_ = enc.Encode(nil, weir.Event{Type: weir.EventStart, Start: &weir.Start{}})
	if out := enc.Close(nil, weir.Errorf(weir.KindTimeout, "late")); jsonx.Get(out, "error") == nil {
		t.Errorf("a late error is %s", out)
	}
}

// FuzzEmbed: an answer is well-formed events or an error, and can be written for any
// client or is refused.
func FuzzEmbed(f *testing.F) {
	f.Add([]byte(embedAnswer))
	f.Add([]byte(`{"data":[{"index":0,"embedding":"AACAPw=="}],"meta":{"billed_units":{"input_tokens":1}}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		events, err := decoded(t, answer(weir.Embed, "application/json", strings.NewReader(string(body))))
		if err != nil {
			return
		}
		for _, encoding := range []string{"float", "base64"} {
			out, enc := written(embed(t, `{"model":"m","input":"a","encoding_format":"`+encoding+`"}`), events)
			if fail, _ := enc.(codec.Failer); fail.Failed() == nil && jsonx.Valid([]byte(strings.TrimPrefix(out, "\ufeff"))) != nil {
				t.Fatalf("%s: wrote %q of %q", encoding, out, body)
			}
		}
	})
}
