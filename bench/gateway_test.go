package bench

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/catalog"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/config"
	"github.com/weir-gateway/weir/gateway"
	"github.com/weir-gateway/weir/server"
)

const benchKey = "sk-weir-bench-0123456789abcdef0123456789abcdef"

// upstreams answers every provider's calls in memory.
type upstreams struct {
	dialect *dialect
	chunks  int // of a stream; 0 answers in one piece
}

// RoundTrip implements http.RoundTripper.
func (u *upstreams) RoundTrip(r *http.Request) (*http.Response, error) {
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return nil, err
	}
	if err := r.Body.Close(); err != nil {
		return nil, err
	}
	res := &http.Response{
		Status: "200 OK", StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: jsonHeader, ContentLength: -1, Request: r, Body: u.dialect.whole(),
	}
	if u.chunks > 0 {
		res.Header, res.Body = sseHeader, u.dialect.stream(u.chunks)
	}
	return res, nil
}

// newGateway is the gateway of a full configuration over upstreams in memory,
// with its access log thrown away.
func newGateway(b testing.TB, u *upstreams) (*gateway.Gateway, *slog.Logger) {
	b.Helper()
	hash := sha256.Sum256([]byte(benchKey))
	text := fmt.Sprintf(`providers:
  openai: {base_url: "http://127.0.0.1:1/v1", key: sk-upstream}
  anthropic: {base_url: "http://127.0.0.1:1", key: sk-upstream}
models:
  bench-chat: openai/gpt-4o-mini
  bench-messages: anthropic/claude-sonnet-4-5
keys:
  - {name: bench, hash: "sha256:%s"}
`, hex.EncodeToString(hash[:]))
	none := func(string) (string, bool) { return "", false }
	cfg, err := config.Parse("weir.yaml", []byte(text), none, catalog.Default())
	if err != nil {
		b.Fatal(err)
	}
	logger := slog.New(slog.NewTextHandler(io.Discard, nil)) //nolint:sloglint // each line is to be formatted, as it would be
	g, err := gateway.New(gateway.Options{Config: cfg, Lookup: none, Logger: logger, Transport: u})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(g.Close)
	return g, logger
}

// BenchmarkChain is one small call through all stages and back, without HTTP
// around it.
func BenchmarkChain(b *testing.B) {
	for _, w := range ways {
		b.Run(w.String(), func(b *testing.B) {
			g, _ := newGateway(b, &upstreams{dialect: w.upstream})
			body := w.request(1<<10, false)
			b.ReportAllocs()
			for b.Loop() {
				if err := rangeOver(b, g, w, body); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkChainChunk is one event of a long stream through all stages.
func BenchmarkChainChunk(b *testing.B) {
	for _, w := range ways {
		b.Run(w.String(), func(b *testing.B) {
			g, _ := newGateway(b, &upstreams{dialect: w.upstream, chunks: b.N})
			body := w.request(1<<10, true)
			b.ReportAllocs()
			b.ResetTimer()
			if err := rangeOver(b, g, w, body); err != nil {
				b.Fatal(err)
			}
		})
	}
}

// request asks for the model that makes the gateway go this way.
func (w way) request(size int, stream bool) []byte {
	d := *w.client
	d.model = w.upstream.model
	return d.body(size, stream)
}

func rangeOver(b *testing.B, g *gateway.Gateway, w way, body []byte) error {
	req, err := w.client.open(body)
	if err != nil {
		return err
	}
	for ev, err := range g.Current().Chain.Handle(b.Context(), req) {
		if err != nil {
			return err
		}
		if ev.Type == weir.EventNone {
			b.Fatal("an event without a type")
		}
	}
	return nil
}

// BenchmarkServer is a request as the HTTP server hands it over until its answer
// is written: authentication, reading, all stages, encoding. Sockets and the
// HTTP server itself are not in it.
func BenchmarkServer(b *testing.B) {
	for _, w := range ways {
		for _, size := range sizes {
			if size.bytes > 20<<10 && !w.same() {
				continue
			}
			b.Run(w.String()+"/"+size.name, func(b *testing.B) {
				s := newServer(b, &upstreams{dialect: w.upstream})
				body := w.request(size.bytes, false)
				r, reset := w.http(body)
				out := newWriter()
				b.SetBytes(int64(len(body)))
				b.ReportAllocs()
				for b.Loop() {
					reset()
					out.clear()
					s.ServeHTTP(out, r)
					out.check(b)
				}
			})
		}
	}
}

// BenchmarkServerChunk is one chunk of a long stream, from the upstream's bytes
// to the write and the flush towards the client.
func BenchmarkServerChunk(b *testing.B) {
	for _, w := range ways {
		b.Run(w.String(), func(b *testing.B) {
			s := newServer(b, &upstreams{dialect: w.upstream, chunks: b.N})
			r, _ := w.http(w.request(1<<10, true))
			out := newWriter()
			b.ReportAllocs()
			b.ResetTimer()
			s.ServeHTTP(out, r)
			out.check(b)
		})
	}
}

func newServer(b testing.TB, u *upstreams) *server.Server {
	b.Helper()
	g, logger := newGateway(b, u)
	return server.New(server.Options{Gateway: g, Codecs: []codec.Codec{chat.codec, messages.codec}, Logger: logger, Version: "bench"})
}

// http is a client's request, and how to use it again.
func (w way) http(body []byte) (*http.Request, func()) {
	r := httptest.NewRequest(http.MethodPost, w.client.path, http.NoBody)
	r.Header.Set("Authorization", "Bearer "+benchKey)
	r.Header.Set("Content-Type", "application/json")
	if w.client == messages {
		r.Header.Set("Anthropic-Version", "2023-06-01")
	}
	content := bytes.NewReader(body)
	reset := func() {
		content.Reset(body)
		r.Body, r.ContentLength = io.NopCloser(content), int64(len(body))
	}
	reset()
	return r, reset
}

// writer is a client that reads everything at once.
type writer struct {
	header http.Header
	status int
	bytes  int
}

func newWriter() *writer { return &writer{header: http.Header{}} }

func (w *writer) clear() {
	clear(w.header)
	w.status, w.bytes = 0, 0
}

// Header implements http.ResponseWriter.
func (w *writer) Header() http.Header { return w.header }

// WriteHeader implements http.ResponseWriter.
func (w *writer) WriteHeader(status int) { w.status = status }

// Write implements http.ResponseWriter.
func (w *writer) Write(p []byte) (int, error) {
	w.bytes += len(p)
	return len(p), nil
}

// Flush implements http.Flusher.
func (w *writer) Flush() {}

func (w *writer) check(b *testing.B) {
	b.Helper()
	if w.status != http.StatusOK || w.bytes == 0 {
		b.Fatalf("status %d with %d bytes", w.status, w.bytes)
	}
}

// TestEveryWayCarriesTheText makes sure that what is measured is an answer and
// not its shell: a fast way that loses the text is no way.
func TestEveryWayCarriesTheText(t *testing.T) {
	for _, w := range ways {
		t.Run(w.String()+" whole", func(t *testing.T) {
			carries(t, w, &upstreams{dialect: w.upstream}, "low barrier across a river", 1)
		})
		t.Run(w.String()+" streamed", func(t *testing.T) {
			carries(t, w, &upstreams{dialect: w.upstream, chunks: 20}, " water over stone", 20)
		})
	}
}

func carries(t *testing.T, w way, u *upstreams, text string, times int) {
	t.Helper()
	s := newServer(t, u)
	r, _ := w.http(w.request(1<<10, u.chunks > 0))
	out := httptest.NewRecorder()
	s.ServeHTTP(out, r)
	if n := strings.Count(out.Body.String(), text); out.Code != http.StatusOK || n != times {
		t.Errorf("status %d with the text %d times, want 200 and %d times:\n%s", out.Code, n, times, out.Body)
	}
}
