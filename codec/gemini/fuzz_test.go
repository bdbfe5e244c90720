package gemini_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/codec/gemini"
	"github.com/weir-gateway/weir/internal/jsonx"
	"github.com/weir-gateway/weir/weirtest"
)

func FuzzAnswers(f *testing.F) { weirtest.FuzzAnswers(f, gemini.New()) }

// FuzzRequest checks that whatever is taken can be written again, and that what was
// written means the same when it is read again.
func FuzzRequest(f *testing.F) {
	ops := map[weir.Operation]byte{weir.Generate: 0, weir.CountTokens: 1, weir.Embed: 2}
	for _, tt := range nativeRequests {
		f.Add([]byte(tt.body), ops[tt.op])
	}
	f.Fuzz(func(t *testing.T, body []byte, op byte) {
		o := []weir.Operation{weir.Generate, weir.CountTokens, weir.Embed}[op%3]
		once, ok := rewritten(t, body, o)
		if !ok {
			return
		}
		if err := jsonx.Valid(once); err != nil {
			t.Fatalf("%v in %s", err, once)
		}
		twice, ok := rewritten(t, once, o)
		if !ok || !jsonx.Equal(once, twice) {
			t.Fatalf("%v\nonce  %s\ntwice %s", ok, once, twice)
		}
	})
}

func rewritten(t *testing.T, body []byte, op weir.Operation) ([]byte, bool) {
	t.Helper()
	req, err := gemini.New().OpenRequest(op, &weir.Wire{Path: "/models/m", Body: body})
	if err == nil {
		_, err = req.Body()
	}
	if err != nil {
		if _, typed := errors.AsType[*weir.Error](err); !typed {
			t.Fatalf("an error of type %T: %v", err, err)
		}
		return nil, false
	}
	again, err := req.Edit(func(*weir.Body) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	if jsonx.Valid(body) != nil {
		return nil, false
	}
	call, err := gemini.New().EncodeRequest(again, target("m"))
	if err != nil {
		return nil, false
	}
	return bytes.Join(call.Body, nil), true
}

// FuzzStream checks that any bytes are read without harm, that the frames are the
// bytes, and that what was understood makes a stream that can be read again.
func FuzzStream(f *testing.F) {
	f.Add([]byte(sse(chunks...)))
	f.Add([]byte(array(chunks...)))
	f.Add([]byte(sse(parts(`{"functionCall":{"name":"f","willContinue":true}}`), parts(`{"functionCall":{"partialArgs":[{"jsonPath":"$.a[0]['b']","stringValue":"x"}]}}`), parts(``, `,"finishReason":"STOP"`))))
	f.Add([]byte(sse(parts(`{"text":"a"}`, `,"finishReason":"STOP"`), parts(`{"text":"b"}`, `,"finishReason":"STOP"`)) + "data: [DONE]\n\n"))
	f.Add([]byte(sse(`{"promptFeedback":{"blockReason":"SAFETY"}}`)))
	f.Add([]byte(": x\r\n\r\n\n[{\"error\":{}}]"))
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, relay := range []bool{true, false} {
			d := decode(streamAnswer(string(body), relay))
			if !bytes.HasPrefix(body, d.raw) {
				t.Fatalf("frames %q of %q", d.raw, body)
			}
			if _, typed := errors.AsType[*weir.Error](d.err); d.err != nil && !typed {
				t.Fatalf("an error of type %T: %v", d.err, d.err)
			}
			if d.err != nil || relay {
				continue
			}
			for _, path := range []string{streamPath + "?alt=sse", streamPath} {
				req := open(t, weir.Generate, path, `{"contents":[]}`)
				_ = encoded(req, d.events)
				out := encoded(req, detached(d.events))
				if again := decode(streamAnswer(string(out), false)); again.err != nil || again.completion().Text() != d.completion().Text() {
					t.Fatalf("%v\nof    %q\nwrote %q", again.err, body, out)
				}
			}
		}
	})
}

// FuzzWhole checks that any answer is read without harm and can be written again.
func FuzzWhole(f *testing.F) {
	f.Add([]byte(parts(signedTurn, `,"finishReason":"STOP"`)))
	f.Add([]byte(`{"candidates":[{"index":3,"finishReason":2,"logprobsResult":{"chosenCandidates":[{"token":"a"}]},"citationMetadata":{"citations":[{"endIndex":9,"uri":"u"}]}}],"usageMetadata":{"promptTokenCount":"1"}}`))
	f.Add([]byte(`{"promptFeedback":{"blockReason":"SAFETY"}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		d := decode(wholeAnswer(string(body)))
		if _, typed := errors.AsType[*weir.Error](d.err); d.err != nil && !typed {
			t.Fatalf("an error of type %T: %v", d.err, d.err)
		}
		if d.err != nil {
			return
		}
		if err := weirtest.CheckEvents(d.events); err != nil && bytes.HasPrefix(bytes.TrimSpace(body), []byte("{")) {
			t.Fatalf("%v in %q", err, body)
		}
		out := encoded(open(t, weir.Generate, generatePath, `{"contents":[]}`), detached(d.events))
		if err := jsonx.Valid(out); err != nil {
			t.Fatalf("%v\nof    %q\nwrote %q", err, body, out)
		}
	})
}

// FuzzVectors reads answers with vectors and counts.
func FuzzVectors(f *testing.F) {
	f.Add([]byte(`{"embedding":{"values":[1,2],"x":null}}`), true)
	f.Add([]byte(`{"embeddings":[{"values":[]},{"values":[1]}],"usageMetadata":{"promptTokenCount":1}}`), true)
	f.Add([]byte(`{"totalTokens":5,"cachedContentTokenCount":"1","more":[1]}`), false)
	f.Fuzz(func(t *testing.T, body []byte, embed bool) {
		op, path := weir.CountTokens, countPath
		if embed {
			op, path = weir.Embed, batchPath
		}
		d := decode(&codec.Answer{Body: bytes.NewReader(body), Op: op, Target: target("m")})
		if d.err != nil {
			return
		}
		e := gemini.New().NewEncoder(&weir.Request{Op: op, Wire: &weir.Wire{Protocol: weir.GeminiGenerate, Path: path}})
		for _, ev := range detached(d.events) {
			_ = e.Encode(nil, ev)
		}
		if out := e.Close(nil, nil); jsonx.Valid(out) != nil {
			t.Fatalf("%q became %q", body, out)
		}
	})
}

// FuzzErrors reads errors and writes them again.
func FuzzErrors(f *testing.F) {
	f.Add(429, []byte(`[{"error":{"code":429,"details":[{"retryDelay":"31s"}]}}]`))
	f.Add(400, []byte(`{"error":{"message":1,"details":{}}}`))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		e := gemini.New().DecodeError(status, nil, body, target("m"))
		if e == nil || e.Message == "" {
			t.Fatalf("%q is %v", body, e)
		}
		if out := gemini.New().AppendError(nil, e); jsonx.Valid(out) != nil {
			t.Fatalf("%q became %q", body, out)
		}
	})
}
