package provider

import (
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/catalog"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/codec/all"
)

// chosen is the protocol in which a deployment is asked.
func chosen(t *testing.T, h weir.Handler, req *weir.Request) weir.Protocol {
	t.Helper()
	c := &call{upstream: h.(*upstream), req: req}
	if err := c.encode(); err != nil {
		t.Fatal(err)
	}
	return c.endpoint.codec.Protocol()
}

func speaking(t *testing.T, quirks *codec.Quirks, protocols ...weir.Protocol) weir.Handler {
	t.Helper()
	o := Options{Model: "m", Provider: "acme"}
	for _, p := range protocols {
		o.Endpoints = append(o.Endpoints, Endpoint{Codec: all.For(p), BaseURL: "https://acme.example", Auth: NoAuth(), Quirks: quirks})
	}
	return must(t, o)
}

// A model that takes tools in one protocol only gets requests with tools in that,
// whatever its client speaks.
func TestToolsGoWhereTheModelTakesThem(t *testing.T) {
	h := speaking(t, &codec.Quirks{ToolsProtocol: string(weir.OpenAIResponses)}, weir.OpenAIChat, weir.OpenAIResponses, weir.OpenAIREST)
	const hi = `"messages":[{"role":"user","content":"hi"}]`
	const tool = `{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}`
	for body, want := range map[string]weir.Protocol{
		`{"model":"x",` + hi + `}`:                          weir.OpenAIChat,
		`{"model":"x",` + hi + `,"tools":[]}`:               weir.OpenAIChat,
		`{"model":"x",` + hi + `,"tools":null}`:             weir.OpenAIChat,
		`{"model":"x",` + hi + `,"tools":[` + tool + `]}`:   weir.OpenAIResponses,
		`{"model":"x",` + hi + `,"tools":[ ` + tool + ` ]}`: weir.OpenAIResponses,
	} {
		if got := chosen(t, h, wired(t, weir.OpenAIChat, weir.Generate, "", body)); got != want {
			t.Errorf("%s went to %s", body, got)
		}
	}
	edited := weir.NewRequest("m", &weir.Body{
		From: weir.OpenAIChat, Messages: []weir.Message{weir.UserText("hi")},
		Tools: []weir.Tool{{Type: weir.ToolFunction, Name: "f", Schema: []byte(`{"type":"object"}`)}},
	})
	if got := chosen(t, h, edited); got != weir.OpenAIResponses {
		t.Errorf("an edited request went to %s", got)
	}
	// There is no such endpoint: the one that is there has to do.
	h = speaking(t, &codec.Quirks{ToolsProtocol: string(weir.OpenAIResponses)}, weir.OpenAIChat, weir.OpenAIREST)
	if got := chosen(t, h, edited); got != weir.OpenAIChat {
		t.Errorf("without the endpoint it went to %s", got)
	}
}

// What speaks no protocol of the client's is translated, and never to one that
// holds no conversations; an operation goes to a protocol that has it.
func TestTheProtocolFitsTheRequest(t *testing.T) {
	h := speaking(t, nil, weir.OpenAIREST, weir.OpenAICompletions, weir.AnthropicMessages, weir.OpenAIChat)
	for name, c := range map[string]struct {
		req  *weir.Request
		want weir.Protocol
	}{
		"its own":            {wired(t, weir.OpenAIChat, weir.Generate, "", `{"model":"x","messages":[{"role":"user","content":"hi"}]}`), weir.OpenAIChat},
		"one of the others":  {wired(t, weir.GeminiGenerate, weir.Generate, "/v1beta/models/x:generateContent", `{"contents":[{"role":"user","parts":[{"text":"hi"}]}]}`), weir.AnthropicMessages},
		"made in Go":         {question(), weir.AnthropicMessages},
		"vectors":            {wired(t, weir.OpenAIREST, weir.Embed, "/v1/embeddings", `{"model":"x","input":"hi"}`), weir.OpenAIREST},
		"vectors for Gemini": {wired(t, weir.GeminiGenerate, weir.Embed, "/v1beta/models/x:embedContent", `{"content":{"parts":[{"text":"hi"}]}}`), weir.OpenAIREST},
	} {
		if got := chosen(t, h, c.req); got != c.want {
			t.Errorf("%s went to %s", name, got)
		}
	}
}

// what signs is not sent, even if an endpoint wants a key in a header.
func TestACredentialThatSignsIsNeverSent(t *testing.T) {
	p := &catalog.Provider{
		ID: "acme", Auth: catalog.Auth{Scheme: catalog.AuthSigV4, Service: "bedrock", Region: "eu-west-1"},
		Endpoints: []catalog.Endpoint{{Protocol: weir.OpenAIChat, BaseURL: "https://acme.example/v1", Auth: &catalog.Auth{Scheme: catalog.AuthHeader, Header: "x-api-key"}}},
	}
	own := FromSource(static(func() string { return "id:canary-secret" }))
	for name, c := range map[string]struct {
		creds *Credentials
		want  Auth
	}{"a key": {Keys("k"), HeaderAuth("x-api-key")}, "what signs": {own, nil}} {
		o, err := FromCatalog(p, "m", c.creds)
		if err != nil {
			t.Fatal(err)
		}
		got := o.Endpoints[0].Auth
		if c.want != nil && got != c.want {
			t.Errorf("%s is sent by %#v", name, got)
		}
		if s, ok := got.(*sigV4); c.want == nil && (!ok || s.service != "bedrock" || s.region != "eu-west-1") {
			t.Errorf("%s is sent by %#v", name, got)
		}
	}
}
