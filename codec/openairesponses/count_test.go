package openairesponses_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
)

// counting is a request for a count of tokens.
func counting(t *testing.T, body string) *weir.Request {
	t.Helper()
	req, err := responses.OpenRequest(weir.CountTokens, &weir.Wire{Protocol: weir.OpenAIResponses, Body: []byte(body)})
	if err != nil {
		t.Fatal(err)
	}
	return req
}

func counted(body string) decoded {
	return decodeOf(&codec.Answer{Body: strings.NewReader(body), Op: weir.CountTokens, Target: plain(codec.Quirks{})})
}

// A count goes up as it came, and its answer comes back so. // C-05
func TestCountTokens(t *testing.T) {
	req := counting(t, `{"model":"m","input":"q","stream":true}`)
	got, call := send(t, req, codec.Quirks{MaxTokensRequired: true})
	if req.Stream || call.Stream || call.Path != "/responses/input_tokens" || got != `{"model":"up","input":"q","stream":true}` {
		t.Errorf("%s to %s", got, call.Path)
	}
	body := `{"object":"response.input_tokens","input_tokens":12,"more":{"x":1}}`
	d := counted(body)
	if u := d.completion(t).Usage; u.InputTokens != 12 || u.Known != weir.UsageInput {
		t.Errorf("%+v", u)
	}
	if wire, _ := written(req, d.events, nil); wire != body {
		t.Errorf("%s", wire)
	}
	wire, _ := written(req, byValue(d.events), nil)
	same(t, wire, body)
}

// The count of another protocol's conversation is asked without what is not part of
// it, and told in the words of this one's client. // C-05
func TestCountTokensAcrossProtocols(t *testing.T) {
	req := foreign(weir.AnthropicMessages, weir.Body{Messages: []weir.Message{weir.UserText("q")}, MaxTokens: new(int64(9)), Temperature: new(0.5), User: "u",
		Tools: []weir.Tool{{Type: weir.ToolFunction, Name: "f"}}})
	req.Op = weir.CountTokens
	got, _ := send(t, req, codec.Quirks{})
	same(t, got, `{"model":"up","input":[{"type":"message","role":"user","content":"q"}],"tools":[{"type":"function","name":"f","parameters":{"type":"object","properties":{}},"strict":false}]}`)
	u := &weir.Usage{From: weir.AnthropicMessages}
	u.Set(weir.UsageInput, 7)
	wire, _ := written(counting(t, `{"model":"m","input":"q"}`), []weir.Event{{Type: weir.EventUsage, Usage: u}}, nil)
	if wire != `{"object":"response.input_tokens","input_tokens":7}` {
		t.Errorf("%s", wire)
	}
}

func TestCountsThatAreNone(t *testing.T) {
	for body, kind := range map[string]weir.Kind{
		`{"input_tokens":-1}`: weir.KindUpstream, `{"x":1}`: weir.KindUpstream, `[`: weir.KindUpstream, ``: weir.KindUpstream,
		`{"error":{"code":"rate_limit_exceeded","message":"slow"}}`: weir.KindRateLimit,
	} {
		if d := counted(body); !errors.Is(d.err, kind) {
			t.Errorf("%s: %+v", body, d.err)
		}
	}
	enc := responses.NewEncoder(counting(t, `{"model":"m","input":"q"}`))
	out := enc.Encode(nil, weir.Event{Type: weir.EventFinish, Finish: &weir.Finish{Reason: weir.FinishStop}})
	out = enc.Close(out, nil)
	if f, ok := enc.(codec.Failer); !ok || f.Failed() == nil || !strings.Contains(string(out), `"error"`) {
		t.Errorf("%s", out)
	}
}
