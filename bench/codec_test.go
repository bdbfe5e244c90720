package bench

import (
	"net/http"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

var (
	jsonHeader = http.Header{"Content-Type": {"application/json"}}
	sseHeader  = http.Header{"Content-Type": {"text/event-stream; charset=utf-8"}}
)

var sizes = []struct {
	name  string
	bytes int
}{{"1KB", 1 << 10}, {"20KB", 20 << 10}, {"1MiB", 1 << 20}}

// BenchmarkRequest is the way of a request in: the scan at the door, then what
// goes up, which is a splice where the protocols agree and a decode with an
// encode where not.
func BenchmarkRequest(b *testing.B) {
	for _, w := range ways {
		for _, size := range sizes {
			b.Run(w.String()+"/"+size.name, func(b *testing.B) {
				body := w.client.body(size.bytes, false)
				b.SetBytes(int64(len(body)))
				b.ReportAllocs()
				for b.Loop() {
					req, err := w.client.open(body)
					if err != nil {
						b.Fatal(err)
					}
					call, err := w.upstream.codec.EncodeRequest(req, target)
					if err != nil {
						b.Fatal(err)
					}
					if jsonx.Len(call.Body) < size.bytes/2 {
						b.Fatal("the request has lost its prompt")
					}
				}
			})
		}
	}
}

// BenchmarkAnswer is the way of a small answer out that is not streamed.
func BenchmarkAnswer(b *testing.B) {
	for _, w := range ways {
		b.Run(w.String(), func(b *testing.B) {
			req := mustOpen(b, w.client, false)
			buf := make([]byte, 0, 4<<10)
			b.ReportAllocs()
			for b.Loop() {
				answer := &codec.Answer{Header: jsonHeader, Body: w.upstream.whole(), Relay: w.same(), Target: target}
				buf = relay(b, w, req, answer, buf)
			}
		})
	}
}

// BenchmarkChunk is the way of one event of a stream out: an operation is one
// chunk of a single long stream.
func BenchmarkChunk(b *testing.B) {
	for _, w := range ways {
		b.Run(w.String(), func(b *testing.B) {
			req := mustOpen(b, w.client, true)
			buf := make([]byte, 0, 4<<10)
			b.SetBytes(int64(len(w.upstream.chunk)))
			b.ReportAllocs()
			b.ResetTimer()
			answer := &codec.Answer{Header: sseHeader, Body: w.upstream.stream(b.N), Stream: true, Relay: w.same(), Target: target}
			relay(b, w, req, answer, buf)
		})
	}
}

func mustOpen(b *testing.B, d *dialect, stream bool) *weir.Request {
	b.Helper()
	req, err := d.open(d.body(1<<10, stream))
	if err != nil {
		b.Fatal(err)
	}
	return req
}

// relay decodes an answer and encodes it for the client.
func relay(b *testing.B, w way, req *weir.Request, answer *codec.Answer, buf []byte) []byte {
	b.Helper()
	enc := w.client.codec.NewEncoder(req)
	written := 0
	for ev, err := range w.upstream.codec.Decode(answer) {
		if err != nil {
			b.Fatal(err)
		}
		buf = enc.Encode(buf[:0], ev)
		written += len(buf)
	}
	buf = enc.Close(buf[:0], nil)
	if written += len(buf); written == 0 {
		b.Fatal("nothing came out")
	}
	return buf
}
