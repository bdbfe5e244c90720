package ollama_test

import (
	"bytes"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/codec/anthropic"
	"github.com/weir-gateway/weir/codec/ollama"
	"github.com/weir-gateway/weir/codec/openaichat"
	"github.com/weir-gateway/weir/internal/jsonx"
	"github.com/weir-gateway/weir/weirtest"
)

func TestContract(t *testing.T) { weirtest.TestCodec(t, ollama.New()) }

func TestAcrossProtocols(t *testing.T) {
	own := ollama.New()
	t.Run("to Chat", func(t *testing.T) { weirtest.TestCross(t, own, openaichat.New()) })
	t.Run("from Chat", func(t *testing.T) { weirtest.TestCross(t, openaichat.New(), own) })
	t.Run("to Messages", func(t *testing.T) { weirtest.TestCross(t, own, anthropic.New()) })
	t.Run("from Messages", func(t *testing.T) { weirtest.TestCross(t, anthropic.New(), own) })
}

func FuzzAnswers(f *testing.F)  { weirtest.FuzzAnswers(f, ollama.New()) }
func FuzzRequests(f *testing.F) { weirtest.FuzzRequests(f, ollama.New()) }

// Recorded exchanges of the endpoints that the contract suites do not cover.
func TestRecordedPromptsAndVectors(t *testing.T) {
	for name, op := range map[string]weir.Operation{"native-generate": weir.Generate, "native-embed": weir.Embed} {
		for _, rec := range weirtest.Recordings(t, name) {
			if rec.Response.Status == 200 {
				checkRecorded(t, op, rec)
			}
		}
	}
}

func checkRecorded(t *testing.T, op weir.Operation, rec *weirtest.Recording) {
	t.Helper()
	wire := &weir.Wire{Path: "/api/generate", Body: []byte(`{"model":"m","prompt":"a"}`)}
	if op == weir.Embed {
		wire = &weir.Wire{Path: "/api/embed", Body: []byte(`{"model":"m","input":"a"}`)}
	}
	if rec.Request != nil {
		wire.Body = rec.Request.Body
	}
	req, err := ollama.New().OpenRequest(op, wire)
	if err != nil {
		t.Fatalf("%s: %v", rec.Path, err)
	}
	to := &codec.Target{Provider: "p", Model: req.Model, Quirks: &codec.Quirks{}}
	for _, relay := range []bool{true, false} {
		asked := req.Clone()
		asked.Stream = rec.IsStream()
		e := ollama.New().NewEncoder(asked)
		var out []byte
		for ev, err := range ollama.New().Decode(&codec.Answer{Body: bytes.NewReader(rec.Response.Body), Header: rec.Response.Headers,
			Stream: rec.IsStream(), Op: op, Relay: relay, Target: to}) {
			if err != nil {
				t.Fatalf("%s: %v", rec.Path, err)
			}
			out = e.Encode(out, ev)
		}
		if out = e.Close(out, nil); !bytes.Equal(out, rec.Response.Body) {
			t.Errorf("%s, relay=%v: sent on as %.300s", rec.Path, relay, out)
		}
	}
	edited, err := req.Edit(func(*weir.Body) error { return nil })
	if err != nil {
		t.Fatalf("%s: %v", rec.Path, err)
	}
	call, err := ollama.New().EncodeRequest(edited, to)
	if err != nil {
		t.Fatalf("%s: %v", rec.Path, err)
	}
	if got := bytes.Join(call.Body, nil); !jsonx.Equal(got, wire.Body) || call.Path != wire.Path {
		t.Errorf("%s: %s became %s", rec.Path, wire.Body, got)
	}
}
