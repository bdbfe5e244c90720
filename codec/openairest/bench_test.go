package openairest_test

import (
	"strings"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec/openairest"
)

// One mebibyte of a picture in JSON, looked through for its usage and sent on.
func BenchmarkRelayImage(b *testing.B) {
	body := `{"created":1,"data":[{"b64_json":"` + strings.Repeat("AbCdEf/+", 128<<10) + `"}],"usage":{"input_tokens":1,"output_tokens":2}}`
	benchmarkRelay(b, weir.Image, "application/json", body)
}

// The same of a sound, which is not looked through.
func BenchmarkRelaySound(b *testing.B) {
	benchmarkRelay(b, weir.Speech, "audio/mpeg", strings.Repeat("AbCdEf/+", 128<<10))
}

// The answer to a short rerank.
func BenchmarkRelayRerank(b *testing.B) {
	benchmarkRelay(b, weir.Rerank, "application/json", `{"id":"x","results":[{"index":0,"relevance_score":0.9},{"index":1,"relevance_score":0.1}],"meta":{"billed_units":{"search_units":1}}}`)
}

func benchmarkRelay(b *testing.B, op weir.Operation, typ, body string) {
	b.ReportAllocs()
	b.SetBytes(int64(len(body)))
	req := &weir.Request{Op: op}
	var out []byte
	for b.Loop() {
		enc := openairest.New().NewEncoder(req)
		for ev, err := range openairest.New().Decode(answer(op, typ, strings.NewReader(body))) {
			if err != nil {
				b.Fatal(err)
			}
			out = enc.Encode(out[:0], ev)
		}
		out = enc.Close(out[:0], nil)
	}
}

// embeddings is an answer of a hundred vectors of a thousand numbers each.
func embeddings() string {
	vector := "[" + strings.TrimSuffix(strings.Repeat("-0.0123456789,", 1000), ",") + "]"
	return `{"object":"list","data":[` + strings.TrimSuffix(strings.Repeat(`{"object":"embedding","embedding":`+vector+`},`, 100), ",") + `],"model":"m","usage":{"prompt_tokens":3,"total_tokens":3}}`
}

func benchmarkEmbed(b *testing.B, edit func(weir.Event) weir.Event) {
	body := embeddings()
	req := embed(b, `{"model":"m","input":"a"}`)
	b.ReportAllocs()
	b.SetBytes(int64(len(body)))
	var out []byte
	for b.Loop() {
		enc := openairest.New().NewEncoder(req)
		for ev, err := range openairest.New().Decode(answer(weir.Embed, "application/json", strings.NewReader(body))) {
			if err != nil {
				b.Fatal(err)
			}
			out = enc.Encode(out, edit(ev))
		}
		out = enc.Close(out[:0], nil)
	}
}

// Embeddings sent on as they were received.
func BenchmarkEmbedVerbatim(b *testing.B) {
	benchmarkEmbed(b, func(ev weir.Event) weir.Event { return ev })
}

// Embeddings written by value.
func BenchmarkEmbedRewritten(b *testing.B) { benchmarkEmbed(b, weir.Event.Detach) }

// A form of a mebibyte that is looked through for its model.
func BenchmarkOpenForm(b *testing.B) {
	body := field("model", "whisper-1") + part(`Content-Disposition: form-data; name="file"; filename="a.wav"`, strings.Repeat("AbCdEf\n+", 128<<10)) + ending
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := openairest.New().OpenRequest(weir.Transcribe, formWire(body)); err != nil {
			b.Fatal(err)
		}
	}
}
