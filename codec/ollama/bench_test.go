package ollama

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
)

// repeat is a stream of n equal lines and no end.
type repeat struct {
	n    int
	rest string
}

var benchLine = words(" something")

func (r *repeat) Read(b []byte) (int, error) {
	if r.rest == "" {
		if r.n == 0 {
			return 0, io.EOF
		}
		r.n--
		r.rest = benchLine
	}
	n := copy(b, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

func benchmarkStream(b *testing.B, relay bool, edit func(weir.Event) weir.Event) {
	b.ReportAllocs()
	b.SetBytes(int64(len(benchLine)))
	a := &codec.Answer{Header: http.Header{}, Body: &repeat{n: b.N}, Stream: true, Relay: relay, Target: target(codec.Quirks{})}
	e := New().NewEncoder(asked(true))
	var out []byte
	b.ResetTimer()
	for ev, err := range New().Decode(a) {
		if err != nil {
			break
		}
		out = e.Encode(out[:0], edit(ev))
	}
}

// One line that is looked at for its end only, and sent on.
func BenchmarkRelayLine(b *testing.B) { benchmarkStream(b, true, same) }

// One line decoded for a stage that reads it, and sent on as received.
func BenchmarkDecodedLine(b *testing.B) { benchmarkStream(b, false, same) }

// One line decoded and written anew.
func BenchmarkTranslatedLine(b *testing.B) { benchmarkStream(b, false, weir.Event.Detach) }

func benchmarkRequest(b *testing.B, edit bool) {
	body := []byte(`{"model":"m","messages":[{"role":"system","content":"You help."}` +
		strings.Repeat(`,{"role":"user","content":"`+strings.Repeat("question ", 100)+`"},{"role":"assistant","content":"`+strings.Repeat("answer ", 100)+`"}`, 60) + `]}`)
	b.ReportAllocs()
	b.SetBytes(int64(len(body)))
	to := target(codec.Quirks{})
	for range b.N {
		req, err := New().OpenRequest(weir.Generate, &weir.Wire{Path: "/api/chat", Body: body})
		if err == nil && edit {
			req, err = req.Edit(func(*weir.Body) error { return nil })
		}
		if err == nil {
			_, err = New().EncodeRequest(req, to)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}

// 100 KB of conversation sent on with the model spliced in.
func BenchmarkRelayRequest(b *testing.B) { benchmarkRequest(b, false) }

// The same decoded into the canonical form and written anew.
func BenchmarkTranslatedRequest(b *testing.B) { benchmarkRequest(b, true) }
