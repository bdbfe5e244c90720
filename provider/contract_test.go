package provider

import (
	"io"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec/all"
	"github.com/weir-gateway/weir/weirtest"
)

const chatStream = `data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}

data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"hello"}}]}

data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}

data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"m","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":1,"total_tokens":4}}

data: [DONE]

`

const chatWhole = `{"id":"c1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"hello"},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":1,"total_tokens":4}}`

// The whole contract of a Handler, over sockets, streamed and not.
func TestTheHandlerKeepsItsContract(t *testing.T) {
	for name, stream := range map[string]bool{"streamed": true, "whole": false} {
		t.Run(name, func(t *testing.T) {
			var calls, open atomic.Int64
			s, tr := upstreamServer(t, func(w http.ResponseWriter, r *http.Request) {
				calls.Add(1)
				_, _ = io.Copy(io.Discard, r.Body)
				if stream {
					w.Header().Set("Content-Type", "text/event-stream")
					_, _ = io.WriteString(w, chatStream)
					return
				}
				w.Header().Set("Content-Type", "application/json")
				_, _ = io.WriteString(w, chatWhole)
			})
			req := question()
			req.Stream = stream
			weirtest.HandlerSuite{
				New: func() weir.Handler {
					return must(t, Options{
						Provider: "acme", Model: "m", Credentials: Keys("k1", "k2"), Transport: bodies{tr, &open},
						Endpoints: []Endpoint{{Codec: all.For(weir.OpenAIChat), BaseURL: s.URL}},
					})
				},
				Request: req,
				Probe:   calls.Load,
				Open:    open.Load,
				Settle:  func() { tr.CloseIdleConnections(); s.Client().CloseIdleConnections() },
			}.Run(t)
		})
	}
}

// bodies counts the answers whose bodies have not been closed.
type bodies struct {
	next http.RoundTripper
	open *atomic.Int64
}

func (b bodies) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := b.next.RoundTrip(r)
	if err == nil {
		b.open.Add(1)
		res.Body = &counted{ReadCloser: res.Body, open: b.open}
	}
	return res, err
}

type counted struct {
	io.ReadCloser
	open   *atomic.Int64
	closed bool
}

func (c *counted) Close() error {
	if !c.closed {
		c.closed = true
		c.open.Add(-1)
	}
	return c.ReadCloser.Close()
}

// The same deployment serves both protocols, each at its own endpoint.
func TestTokensAreCountedWhereTheProtocolCanDoSo(t *testing.T) {
	var path string
	s, tr := upstreamServer(t, func(w http.ResponseWriter, r *http.Request) {
		path = r.URL.Path
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"input_tokens":12}`)
	})
	h := must(t, Options{
		Provider: "acme", Model: "m", Credentials: Keys("k"), Transport: tr,
		Endpoints: []Endpoint{
			{Codec: all.For(weir.OpenAIChat), BaseURL: s.URL + "/v1"},
			{Codec: all.For(weir.AnthropicMessages), BaseURL: s.URL + "/anthropic", Auth: HeaderAuth("x-api-key")},
		},
	})
	req := question()
	req.Op = weir.CountTokens
	done, err := weir.Collect(h.Handle(t.Context(), req))
	if err != nil || path != "/anthropic/v1/messages/count_tokens" {
		t.Fatalf("it went to %s, %v", path, err)
	}
	if !done.Usage.Has(weir.UsageInput) || done.Usage.InputTokens != 12 {
		t.Errorf("the usage is %+v", done.Usage)
	}
}
