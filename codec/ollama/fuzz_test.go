package ollama

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// FuzzSentOn sends answers on, decoded and relayed: what reaches the client is what
// came, up to where something was wrong.
func FuzzSentOn(f *testing.F) {
	f.Add(words("a")+last, true)
	f.Add(piece(`,"tool_calls":[{"function":{"name":"f","arguments":{"done":true}}}]`)+last, false)
	f.Add("\n"+words("a")+`{"error":"x"}`, true)
	f.Add("{\n\"message\":{}}", false)
	f.Fuzz(func(t *testing.T, body string, relay bool) {
		a := received(body, true)
		a.Relay = relay
		e := New().NewEncoder(asked(true))
		var out []byte
		var failed error
		anew := New().NewEncoder(asked(true))
		var lines []byte
		whole := false // one body over several lines, which a stream cannot hold
		for ev, err := range New().Decode(a) {
			if failed = err; err == nil {
				out = e.Encode(out, ev)
				lines = anew.Encode(lines, ev.Detach())
				whole = whole || ev.Frame != nil && ev.Frame.Whole
			}
		}
		lines = anew.Close(lines, weir.AsError(failed))
		for line := range bytes.SplitSeq(bytes.TrimSuffix(lines, []byte("\n")), []byte("\n")) {
			if err := jsonx.Valid(line); err != nil {
				t.Fatalf("%v in the line %q", err, line)
			}
		}
		if _, typed := errors.AsType[*weir.Error](failed); failed != nil && !typed {
			t.Fatalf("an error of type %T: %v", failed, failed)
		}
		if !whole && !strings.HasPrefix(body, string(out)) {
			t.Fatalf("%q became %q", body, out)
		}
		if failed == nil && !whole && len(e.Close(nil, nil)) > 0 {
			t.Fatalf("something was added to %q", body)
		}
	})
}

// FuzzVectors reads requests for vectors and their answers.
func FuzzVectors(f *testing.F) {
	f.Add(`{"model":"m","input":["a","b"],"options":{"num_ctx":1}}`, `{"embeddings":[[1,2],[3]]}`)
	f.Add(`{"model":"m","prompt":"a"}`, `{"embedding":[]}`)
	f.Fuzz(func(t *testing.T, request, body string) {
		if req, err := New().OpenRequest(weir.Embed, &weir.Wire{Body: []byte(request)}); err == nil {
			if again, err := req.Edit(func(*weir.Body) error { return nil }); err == nil {
				if call, err := New().EncodeRequest(again, target(codec.Quirks{})); err == nil && jsonx.Valid([]byte(request)) == nil {
					if out := bytes.Join(call.Body, nil); jsonx.Valid(out) != nil {
						t.Fatalf("%s became %s", request, out)
					}
				}
			}
		}
		e := New().NewEncoder(&weir.Request{Op: weir.Embed, Model: "m"})
		var out []byte
		var failed *weir.Error
		for ev, err := range New().Decode(embedAnswer(body)) {
			if failed = weir.AsError(err); err == nil {
				out = e.Encode(out, ev.Detach())
			}
		}
		if out = e.Close(out, failed); len(out) > 0 && jsonx.Valid(out) != nil {
			t.Fatalf("%s became %s", body, out)
		}
	})
}
