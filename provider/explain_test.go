package provider

import (
	"errors"
	"net/http"
	"testing"

	"github.com/weir-gateway/weir"
)

type noTransport struct{ t *testing.T }

func (n noTransport) RoundTrip(*http.Request) (*http.Response, error) {
	n.t.Error("something is called")
	return nil, errors.New("nothing is to be called")
}

func TestExplainSaysWhatWouldBeSentAndSendsNothing(t *testing.T) { // O-16
	own, other := &lines{protocol: weir.OpenAIChat}, &lines{protocol: weir.AnthropicMessages, path: "/m"}
	own.losses = []weir.Loss{{Field: "seed", Action: weir.LossDropped}}
	h, err := New(Options{Provider: "p", Model: "m", Transport: noTransport{t}, Endpoints: []Endpoint{
		{Codec: own, BaseURL: "https://one.test/v1?key=secret"}, {Codec: other, BaseURL: "https://two.test"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	ask := func(p weir.Protocol) (*Plan, error) {
		req := weir.NewWireRequest(&weir.Wire{Protocol: p, Body: []byte(`{}`)}, func() (*weir.Body, error) { return &weir.Body{From: p}, nil })
		return h.(Explainer).Explain(req)
	}
	for _, tt := range []struct {
		from, to   weir.Protocol
		address    string
		losses     int
		translated bool
	}{
		{weir.OpenAIChat, weir.OpenAIChat, "https://one.test/v1/ask", 1, false}, // no query
		{weir.AnthropicMessages, weir.AnthropicMessages, "https://two.test/m", 0, false},
		{weir.GeminiGenerate, weir.OpenAIChat, "https://one.test/v1/ask", 1, true},
	} {
		p, err := ask(tt.from)
		if err != nil || p.Protocol != tt.to || p.Address != tt.address || len(p.Losses) != tt.losses || p.Translated != tt.translated {
			t.Errorf("%s: %+v, %v", tt.from, p, err)
		}
	}
	own.refuse = weir.Invalid("seed", "no")
	if _, err := ask(weir.OpenAIChat); weir.AsError(err).Param != "seed" || weir.AsError(err).Deployment != "p/m" {
		t.Errorf("%v", err)
	}
	if _, err := h.(Explainer).Explain(&weir.Request{Op: weir.Realtime}); !errors.Is(err, weir.KindUnsupported) {
		t.Errorf("%v", err)
	}
}
