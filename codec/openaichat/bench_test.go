package openaichat

import (
	"bytes"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
)

const benchChunk = `data: {"id":"chatcmpl-B9MHDbslfkBeAs8l4bebGdFOJ6PeG","object":"chat.completion.chunk","created":1741570283,` +
	`"model":"gpt-4o-2024-08-06","service_tier":"default","system_fingerprint":"fp_fc9f1d7035",` +
	`"choices":[{"index":0,"delta":{"content":" something"},"logprobs":null,"finish_reason":null}],"usage":null}` + "\n\n"

// repeat is a stream of n equal chunks and no end.
type repeat struct {
	n    int
	rest string
}

func (r *repeat) Read(b []byte) (int, error) {
	if r.rest == "" {
		if r.n == 0 {
			return 0, io.EOF
		}
		r.n--
		r.rest = benchChunk
	}
	n := copy(b, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

func benchmarkStream(b *testing.B, relay bool, edit func(weir.Event) weir.Event) {
	b.ReportAllocs()
	b.SetBytes(int64(len(benchChunk)))
	a := &codec.Answer{Header: http.Header{}, Body: &repeat{n: b.N}, Stream: true, Relay: relay, Target: neutral("m")}
	req := clientAsking(true)
	e := New().NewEncoder(req)
	var out []byte
	b.ResetTimer()
	for ev, err := range New().Decode(a) {
		if err != nil {
			break
		}
		out = e.Encode(out[:0], edit(ev))
	}
}

func same(ev weir.Event) weir.Event { return ev }

// One frame that is looked at for usage and finish only, and sent on.
func BenchmarkRelayFrame(b *testing.B) { benchmarkStream(b, true, same) }

// One frame decoded for a stage that reads it, and sent on as received.
func BenchmarkDecodedFrame(b *testing.B) { benchmarkStream(b, false, same) }

// One frame decoded and written anew.
func BenchmarkTranslatedFrame(b *testing.B) { benchmarkStream(b, false, weir.Event.Detach) }

func benchRequest(n int) []byte {
	var s strings.Builder
	s.WriteString(`{"model":"m","stream":true,"messages":[{"role":"system","content":"You help."}`)
	for i := range n {
		s.WriteString(`,{"role":"user","content":"` + strings.Repeat("question ", 100) + strconv.Itoa(i) + `"},{"role":"assistant","content":"` +
			strings.Repeat("answer ", 100) + `"}`)
	}
	s.WriteString(`,{"role":"user","content":"go on"}]}`)
	return []byte(s.String())
}

func benchmarkRequest(b *testing.B, encode func(*weir.Request) error) {
	body := benchRequest(60)
	b.ReportAllocs()
	b.SetBytes(int64(len(body)))
	for range b.N {
		req, err := New().OpenRequest(weir.Generate, &weir.Wire{Protocol: protocol, Body: body})
		if err == nil {
			err = encode(req)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}

// 100 KB of conversation sent on with the model and the usage switch spliced in.
func BenchmarkRelayRequest(b *testing.B) {
	target := neutral("other")
	benchmarkRequest(b, func(req *weir.Request) error {
		_, err := New().EncodeRequest(req, target)
		return err
	})
}

// The same decoded into the canonical form and written anew.
func BenchmarkTranslatedRequest(b *testing.B) {
	target := neutral("other")
	benchmarkRequest(b, func(req *weir.Request) error {
		edited, err := req.Edit(func(*weir.Body) error { return nil })
		if err != nil {
			return err
		}
		_, err = New().EncodeRequest(edited, target)
		return err
	})
}

func BenchmarkWholeAnswer(b *testing.B) {
	body := []byte(`{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":` +
		`{"role":"assistant","content":"` + strings.Repeat("word ", 200) + `"},"finish_reason":"stop"}],` +
		`"usage":{"prompt_tokens":10,"completion_tokens":200,"total_tokens":210}}`)
	b.ReportAllocs()
	req := clientAsking(false)
	for range b.N {
		a := &codec.Answer{Header: http.Header{}, Body: bytes.NewReader(body), Target: neutral("m")}
		if _, err := encodeAll(req, New().Decode(a)); err != nil {
			b.Fatal(err)
		}
	}
}
