package converse

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/eventstream"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// Exceptions that end a stream, before and after its first byte of content. // E-01
func TestExceptions(t *testing.T) {
	begun := frames(messageStart, `{"role":"assistant"}`, contentBlockDelta, `{"contentBlockIndex":0,"delta":{"text":"a"}}`)
	for name, want := range map[string]weir.Kind{
		"throttlingException":         weir.KindRateLimit,
		"modelStreamErrorException":   weir.KindUpstream,
		"validationException":         weir.KindInvalid,
		"serviceUnavailableException": weir.KindOverloaded,
		"internalServerException":     weir.KindUpstream,
		"novelException":              weir.KindUpstream,
	} {
		wire := frames(name, `{"message":"why","originalStatusCode":500}`)
		for where, before := range map[string]string{"before": "", "after the start": begun[:len(frames(messageStart, `{"role":"assistant"}`))], "after content": begun} {
			for _, relay := range []bool{true, false} {
				d := decode(streamOf(before+wire, relay))
				e := weir.AsError(d.err)
				if e == nil || e.Kind != want || e.Message != "why" || e.Provider != "bedrock" || string(d.raw) != before || e.Wire == nil {
					t.Errorf("%s %s, relay=%v: %+v", name, where, relay, e)
					continue
				}
				// A client of this protocol gets the exception by its own name.
				out := encode(&weir.Request{Stream: true}, d.events, e)
				if string(out) != before+wire {
					t.Errorf("%s %s: a client got %s", name, where, shown(t, out))
				}
			}
		}
	}
}

// Errors that the service's model does not name, and exceptions without a word.
func TestOddExceptions(t *testing.T) {
	e := weir.AsError(decode(streamOf(string(eventstream.AppendError(nil, "InternalFailure", "broken")), false)).err)
	if e == nil || e.Kind != weir.KindUpstream || e.Message != "broken" {
		t.Errorf("%+v", e)
	}
	e = weir.AsError(decode(streamOf(string(eventstream.AppendException(nil, "throttlingException", nil)), false)).err)
	if e == nil || e.Kind != weir.KindRateLimit || !strings.Contains(e.Message, "throttlingException") {
		t.Errorf("%+v", e)
	}
	// Nothing behind an exception is read.
	wire := frames("throttlingException", `{"message":"slow down"}`, messageStart, `{"role":"assistant"}`)
	if d := decode(streamOf(wire, false)); len(d.events) != 0 || !errors.Is(d.err, weir.KindRateLimit) {
		t.Errorf("%v, %v", d.events, d.err)
	}
	// One inside of a block that is held: its frames are sent on first.
	wire = frames(messageStart, `{"role":"assistant"}`, contentBlockStart, `{"contentBlockIndex":0,"start":{"image":{"format":"png"}}}`)
	d := decode(streamOf(wire+frames("modelStreamErrorException", `{"message":"x"}`), false))
	if string(d.raw) != wire || !errors.Is(d.err, weir.KindUpstream) {
		t.Errorf("%q, %v", d.raw, d.err)
	}
}

// Errors with a status: the type stands in a header. (providers.md §6)
func TestStatusErrors(t *testing.T) {
	for _, v := range []struct {
		status    int
		typ, text string
		want      weir.Kind
	}{
		{400, "ValidationException", "The model returned the following errors: bad", weir.KindInvalid},
		{400, "ValidationException", "Input is too long for requested model.", weir.KindContextLength},
		{400, "ValidationException", "The provided model identifier is invalid.", weir.KindModelNotFound},
		{400, "ValidationException", "The provided model doesn't support counting tokens.", weir.KindUnsupported},
		{400, "ServiceQuotaExceededException", "Too many tokens per day", weir.KindQuota},
		{403, "UnrecognizedClientException", "The security token included in the request is invalid.", weir.KindUpstreamAuth},
		{403, "ExpiredTokenException", "The security token included in the request is expired", weir.KindUpstreamAuth},
		{404, "ResourceNotFoundException", "Could not resolve the foundation model from the provided model identifier.", weir.KindModelNotFound},
		{408, "ModelTimeoutException", "Model has timed out in processing the request.", weir.KindTimeout},
		{424, "ModelErrorException", "The system encountered an unexpected error during processing.", weir.KindUpstream},
		{429, "ThrottlingException", "Too many requests, please wait before trying again.", weir.KindRateLimit},
		{429, "ModelNotReadyException", "Model is not ready for inference.", weir.KindOverloaded},
		{500, "InternalServerException", "The system encountered an unexpected error", weir.KindUpstream},
		{503, "ServiceUnavailableException", "Bedrock is unable to process your request.", weir.KindOverloaded},
	} {
		h := http.Header{"X-Amzn-Errortype": {v.typ + ":http://internal.amazon.com/coral/com.amazon.bedrock/"}, "X-Amzn-Requestid": {"id-1"}, "Content-Type": {"application/json"}}
		body := `{"message":"` + v.text + `"}`
		e := New().DecodeError(v.status, h, []byte(body), plainTarget(claude))
		if e.Kind != v.want || e.Status != v.status || e.Message != v.text || e.RequestID != "id-1" || e.Provider != "bedrock" {
			t.Errorf("%d %s %q: %+v", v.status, v.typ, v.text, e)
		}
		if out := string(New().AppendError(nil, e)); out != body {
			t.Errorf("a client of this protocol got %s", out)
		}
	}
}

// An error with status 200 is one all the same. // E-02
func TestErrorsIn200(t *testing.T) {
	for body, want := range map[string]weir.Kind{
		`{"__type":"com.amazon.coral.service#ThrottlingException"}`:                                  weir.KindRateLimit,
		`{"__type":"ValidationException","message":"Input is too long for requested model."}`:        weir.KindContextLength,
		`{"message":"something went wrong"}`:                                                         weir.KindUpstream,
		`{"Output":{"__type":"com.amazon.coral.service#UnknownOperationException"},"Version":"1.0"}`: weir.KindUpstream,
		`{"error":{"type":"overloaded_error","message":"Overloaded"}}`:                               weir.KindOverloaded,
		`{}`: weir.KindUpstream, ``: weir.KindUpstream, `<html>`: weir.KindUpstream, `{"output":{}}`: weir.KindUpstream,
		`{"output":{"message":{"content":[5]}}}`: weir.KindUpstream,
	} {
		d := decode(wholeOf(body))
		if e := weir.AsError(d.err); e == nil || e.Kind != want || len(d.events) > 0 {
			t.Errorf("%s: %+v", body, e)
		}
	}
	a := wholeOf(whole)
	a.MaxBody = 100
	if d := decode(a); !errors.Is(d.err, weir.KindUpstream) {
		t.Errorf("over the limit: %v", d.err)
	}
}

// Every kind has a type that the SDKs know, whole and streamed.
func TestErrorsOfOurOwn(t *testing.T) {
	for k := weir.KindInternal; k <= weir.KindCanceled; k++ {
		e := weir.Errorf(k, "went \"wrong\"")
		body := New().AppendError(nil, e)
		if typ := jsonx.StringOr(jsonx.Get(body, "__type"), ""); !strings.HasSuffix(typ, "Exception") {
			t.Errorf("%s: %s", k, body)
		}
		f, err := eventstream.Parse(encode(&weir.Request{Stream: true}, nil, e))
		if err != nil || f.Type != eventstream.TypeException || streamTypes[string(f.Name)] == false {
			t.Errorf("%s: %v, %s", k, err, f.Name)
		}
	}
	long := string(New().AppendError(nil, weir.Errorf(weir.KindContextLength, "300000 tokens are more than 200000")))
	if !strings.Contains(long, `"message":"Input is too long: 300000 tokens`) {
		t.Errorf("clients look for the words of Bedrock: %s", long)
	}
	e := weir.Errorf(weir.KindUnavailable, "all failed")
	e.Hint = "try later"
	e.Attempts = []*weir.Attempt{{Deployment: "a", Err: &weir.Error{Kind: weir.KindRateLimit, Status: 429}}, {Deployment: "b"}}
	equalJSON(t, "attempts", string(New().AppendError(nil, e)), // E-05
		`{"__type":"ServiceUnavailableException","message":"all failed (try later)","attempts":[{"deployment":"a","status":429,"reason":"rate_limit"},{"deployment":"b"}]}`)
	if out := encode(&weir.Request{}, nil, e); out != nil {
		t.Errorf("before the first byte the status line tells: %s", out)
	}
	events := []weir.Event{start(), text(0), add(0, weir.PartText, "a")}
	if out := string(encode(&weir.Request{}, events, e)); !strings.Contains(out, "all failed") || strings.Contains(out, "output") {
		t.Errorf("a whole answer that failed: %s", out)
	}
}

// streamTypes are the exceptions of ConverseStreamOutput (2026-08-07).
var streamTypes = map[string]bool{
	"internalServerException": true, "modelStreamErrorException": true, "validationException": true,
	"throttlingException": true, "serviceUnavailableException": true,
}
