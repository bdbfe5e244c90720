package provider

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec/all"
)

// canned answers without a socket: what is measured is this package and the
// codec, not a connection.
type canned struct{ answer string }

func (c canned) RoundTrip(r *http.Request) (*http.Response, error) {
	_, _ = io.Copy(io.Discard, r.Body)
	w := httptest.NewRecorder()
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, c.answer)
	return w.Result(), nil
}

func BenchmarkHandle(b *testing.B) {
	wire := &weir.Wire{Protocol: weir.OpenAIChat, Body: []byte(`{"model":"m","messages":[{"role":"user","content":"hi"}]}`)}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, chatWhole)
	}))
	defer s.Close()
	tr := NewTransport(TransportOptions{})
	defer tr.CloseIdleConnections()
	std := stdTransport(&TransportOptions{IdleTimeout: time.Minute})
	defer std.CloseIdleConnections()
	for name, rt := range map[string]http.RoundTripper{"no socket": canned{chatWhole}, "h1": tr, "net-http": std} {
		b.Run(name, func(b *testing.B) {
			c := all.For(weir.OpenAIChat)
			h, err := New(Options{
				Provider: "acme", Model: "m", Credentials: Keys("k"), Transport: rt,
				Endpoints: []Endpoint{{Codec: c, BaseURL: s.URL}},
			})
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				req, err := c.OpenRequest(weir.Generate, wire)
				if err != nil {
					b.Fatal(err)
				}
				req.Relay = true
				for _, err := range h.Handle(b.Context(), req) {
					if err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}
