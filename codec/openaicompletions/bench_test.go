package openaicompletions_test

import (
	"io"
	"net/http"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/codec/openaicompletions"
)

const benchChunk = `data: {"id":"cmpl-DPTNxTJenX62KX0SSuaFqZbIZs7Ua","object":"text_completion","created":1774963529,` +
	`"choices":[{"text":" something","index":0,"logprobs":null,"finish_reason":null}],"model":"gpt-3.5-turbo-instruct:20230824-v2","usage":null}` + "\n\n"

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
	a := &codec.Answer{Header: http.Header{}, Body: &repeat{n: b.N}, Stream: true, Relay: relay, Target: neutral()}
	e := openaicompletions.New().NewEncoder(client(b, textPath, true))
	var out []byte
	b.ResetTimer()
	for ev, err := range openaicompletions.New().Decode(a) {
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

// One frame decoded and written by value.
func BenchmarkRewrittenFrame(b *testing.B) { benchmarkStream(b, false, weir.Event.Detach) }
