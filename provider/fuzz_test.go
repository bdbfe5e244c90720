package provider

import (
	"bytes"
	"encoding/base64"
	"io"
	"net/http"
	"testing"
	"testing/iotest"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/codec/anthropic"
	"github.com/weir-gateway/weir/internal/eventstream"
)

// Whatever a cloud says is read without a panic, and the same however its bytes
// are split.
func FuzzWhatACloudSays(f *testing.F) {
	f.Add(invoked(streamed...), "ThrottlingException:http://internal")
	f.Add(eventstream.AppendException(invoked(streamed[:2]...), "throttlingException", []byte(`{"message":"slow down"}`)), "")
	f.Add([]byte(`{"inputTokens":11}`), "ValidationException")
	f.Add([]byte(`[{"error":{"code":404}}]`), "x")
	f.Add([]byte(`{"__type":"a"}`), ":")
	f.Fuzz(func(t *testing.T, body []byte, errorType string) {
		for _, c := range []struct {
			contentType string
			op          weir.Operation
		}{{events, weir.Generate}, {"application/json", weir.CountTokens}, {"", weir.Generate}} {
			read := func(src io.Reader) (string, bool) {
				h := http.Header{"Content-Type": {c.contentType}}
				out, err := io.ReadAll(bedrockInvoke{}.open(src, h, c.op, 1<<16))
				return string(out), err == nil
			}
			whole, ok := read(bytes.NewReader(body))
			split, okToo := read(iotest.OneByteReader(bytes.NewReader(body)))
			if whole != split || ok != okToo {
				t.Errorf("%s: %q, %v became %q, %v", c.contentType, whole, ok, split, okToo)
			}
		}
		for _, e := range []envelope{bedrockInvoke{}, vertexAnthropic{}, azureDeployments{}} {
			ep := &endpoint{codec: anthropic.New(), envelope: e, target: *target()}
			res := &http.Response{StatusCode: http.StatusBadRequest, Header: http.Header{"X-Amzn-Errortype": {errorType}}}
			if err := ep.decodeError(res, body); err == nil || err.Wire == nil || !bytes.Equal(err.Wire.Body, body) {
				t.Errorf("%T loses the bytes of an error: %+v", e, err)
			}
		}
	})
}

// A body goes up as it came but for the members that a cloud wants elsewhere.
func FuzzBodiesForClouds(f *testing.F) {
	f.Add([]byte(`{"model":"x","stream":true,"max_tokens":5,"messages":[]}`))
	f.Add([]byte(`{"thinking":{"budget_tokens":9007199254740993},"model":"x","messages":[]}`))
	f.Add([]byte(`{}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, op := range []weir.Operation{weir.Generate, weir.CountTokens} {
			req, err := anthropic.New().OpenRequest(op, &weir.Wire{Protocol: weir.AnthropicMessages, Body: body})
			if err != nil {
				return
			}
			for _, e := range []envelope{bedrockInvoke{}, vertexAnthropic{}} {
				ep := &endpoint{codec: anthropic.New(), envelope: e, target: *target()}
				call, err := ep.encode(req)
				if err != nil {
					continue
				}
				sent := bytes.Join(call.Body, nil)
				if inner, ok := bytes.CutPrefix(sent, []byte(`{"input":{"invokeModel":{"body":"`)); ok {
					if sent, err = base64.StdEncoding.DecodeString(string(bytes.TrimSuffix(inner, []byte(`"}}}`)))); err != nil {
						t.Fatal(err)
					}
				}
				if bytes.Count(sent, []byte(`"anthropic_version"`)) == 0 || sent[0] != '{' || sent[len(sent)-1] != '}' {
					t.Errorf("%T made %s of %s", e, sent, body)
				}
			}
		}
	})
}

func target() *codec.Target {
	return &codec.Target{Provider: "cloud", Model: "m", Quirks: &codec.Quirks{}}
}
