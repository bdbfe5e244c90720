package openairesponses_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// failure is the error of a failed response, from a stream.
func failure(t *testing.T, wire string) (code, message string) {
	t.Helper()
	if err := checkStream(wire); err != nil {
		t.Fatalf("%v\n%s", err, wire)
	}
	last := wire[strings.LastIndex(wire, "data: ")+len("data: "):]
	e := jsonx.GetPath([]byte(last), "response", "error")
	return jsonx.StringOr(jsonx.Get(e, "code"), ""), jsonx.StringOr(jsonx.Get(e, "message"), "")
}

// An upstream that dies, after whichever event and relayed or not, is an error for
// the reader, and the client's stream gets an end that can be tried again, behind
// what went out as it came. // P-15, P-16, W-05
func TestACutUpstreamEndsWithAFailedResponse(t *testing.T) {
	all := nativeEvents()
	for _, relay := range []bool{false, true} {
		for n := range all {
			t.Run(fmt.Sprintf("after %d events, relay=%v", n, relay), func(t *testing.T) {
				d := decodeText(sse(all[:n]...)+"event: ", relay)
				if !errors.Is(d.err, weir.KindUpstream) || !d.err.Kind.Retryable() {
					t.Fatalf("%v", d.err)
				}
				wire, _ := written(client(t, true), d.events, d.err)
				code, message := failure(t, wire)
				if code != "server_error" || message == "" {
					t.Errorf("%s: %s", code, message)
				}
				if !keepsFrames(sse(all[:n]...), wire) {
					t.Errorf("what had come was not sent on: %s", wire)
				}
			})
		}
	}
}

// keepsFrames reports whether wire begins with the frames of before, but for some
// last ones: what says again what came in pieces waits for the end of its item.
func keepsFrames(before, wire string) bool {
	frames := strings.SplitAfter(before, "\n\n")
	for n := len(frames); n > 0; n-- {
		if strings.HasPrefix(wire, strings.Join(frames[:n], "")) {
			return len(frames)-n <= 4
		}
	}
	return len(frames) <= 4
}

// Every way in which a stream ends badly is an error of the right kind.
func TestBadEndsAreErrorsOfTheirKind(t *testing.T) {
	begin := nativeEvents()[:2]
	ends := func(typ, rest string) string { return sse(append(begin[:2:2], [2]string{typ, rest})...) }
	failed := func(errRaw string) string {
		return ends("response.failed", `,"response":{`+aroundIt+`,"status":"failed","error":`+errRaw+`,"output":[]}`)
	}
	for name, c := range map[string]struct {
		wire string
		kind weir.Kind
	}{
		"rate limit":          {failed(`{"code":"rate_limit_exceeded","message":"slow down"}`), weir.KindRateLimit},
		"context length":      {failed(`{"code":"context_length_exceeded","message":"Your input exceeds the context window"}`), weir.KindContextLength},
		"no reason":           {failed(`null`), weir.KindUpstream},
		"server error":        {failed(`{"code":"server_error","message":"oops"}`), weir.KindUpstream},
		"canceled":            {ends("response.cancelled", `,"response":{`+aroundIt+`,"status":"cancelled","output":[]}`), weir.KindUpstream},
		"an error event":      {ends("error", `,"code":"rate_limit_exceeded","message":"slow down","param":null`), weir.KindRateLimit},
		"a nested error":      {ends("error", `,"error":{"type":"insufficient_quota","code":"insufficient_quota","message":"pay"}`), weir.KindQuota},
		"an error as in Chat": {sse(begin...) + "data: {\"error\":{\"message\":\"overloaded\",\"type\":\"server_error\",\"code\":503}}\n\n", weir.KindOverloaded},
		"broken JSON":         {sse(begin...) + "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"delta\":\"x\n\n", weir.KindUpstream},
		"only [DONE]":         {"data: [DONE]\n\n", weir.KindUpstream},
		"nothing":             {": hello\n\n", weir.KindUpstream},
		"a page":              {"<html><title>502 Bad Gateway</title></html>", weir.KindUpstream},
	} {
		t.Run(name, func(t *testing.T) {
			d := decodeText(c.wire, false)
			if !errors.Is(d.err, c.kind) || d.err.Provider != "openai" {
				t.Errorf("%+v", d.err)
			}
		})
	}
}

// The error that a client of this protocol reads tells what it may do: try again,
// compact, or stop. // P-16
func TestFailuresHaveTheCodeThatClientsRead(t *testing.T) {
	for kind, want := range map[weir.Kind]string{
		weir.KindUpstream: "server_error", weir.KindTimeout: "server_error", weir.KindOverloaded: "server_error",
		weir.KindUnavailable: "server_error", weir.KindInternal: "server_error", weir.KindUpstreamAuth: "server_error",
		weir.KindRateLimit: "rate_limit_exceeded", weir.KindQuota: "insufficient_quota",
		weir.KindContextLength: "context_length_exceeded", weir.KindContentFilter: "content_filter", weir.KindInvalid: "invalid_prompt",
	} {
		wire, _ := written(client(t, true), say("").add(weir.Event{Type: weir.EventBlockStart, Block: &weir.Block{Type: weir.BlockText}},
			weir.Event{Type: weir.EventDelta, Text: "so far"}).events, weir.Errorf(kind, "went wrong"))
		code, message := failure(t, wire)
		if code != want || message != "went wrong" {
			t.Errorf("%s: %s %s", kind, code, message)
		}
		if code == "invalid_request_error" {
			t.Errorf("%s is not to be tried again", kind)
		}
	}
}

// Of an answer that failed, the text is done as far as it came; a call is not,
// since clients run calls that are done. // S-06
func TestACallThatWasCutIsNotDone(t *testing.T) {
	events := say("").text("a").add(weir.Event{Type: weir.EventBlockStart, Index: 1, Block: &weir.Block{Type: weir.BlockToolCall, Call: &weir.ToolCall{ID: "c", Name: "f"}}},
		weir.Event{Type: weir.EventDelta, Part: weir.PartArguments, Index: 1, Text: `{"path":"/`}).events
	wire, _ := written(client(t, true), events, weir.Errorf(weir.KindUpstream, "cut"))
	failure(t, wire)
	if n := strings.Count(wire, "event: response.output_item.done"); n != 1 || strings.Contains(wire, "arguments.done") {
		t.Errorf("%d items are done in %s", n, wire)
	}
}

// Errors that are no answer at all.
func TestWholeBodiesThatAreNoAnswer(t *testing.T) {
	for name, c := range map[string]struct {
		body string
		kind weir.Kind
	}{
		"an error with status 200": {`{"error":{"message":"no","type":"rate_limit_error","code":"rate_limit_exceeded"}}`, weir.KindRateLimit},
		"an answer of Chat":        {`{"id":"x","choices":[]}`, weir.KindUpstream},
		"cut":                      {`{"id":"x","output":[`, weir.KindUpstream},
		"a failed response":        {wholeOf("failed", "null", "null"), weir.KindUpstream},
		"a canceled response":      {wholeOf("cancelled", "null", "null"), weir.KindUpstream},
	} {
		if d := decodeText(c.body, false); !errors.Is(d.err, c.kind) {
			t.Errorf("%s: %+v", name, d.err)
		}
	}
}

// An upstream's own error reaches a client of its protocol in its own words, but
// for what it says of the gateway's credential. // E-02, X-01
func TestErrorsKeepTheUpstreamsWords(t *testing.T) {
	said := `{"error":{"message":"No such thing.","type":"invalid_request_error","param":"input","code":"x_y","more":1}}`
	e := responses.DecodeError(400, nil, []byte(said), plain(codec.Quirks{}))
	if got := string(responses.AppendError(nil, e)); got != said {
		t.Errorf("%s", got)
	}
	e = responses.DecodeError(401, nil, []byte(`{"error":{"message":"Incorrect API key provided: sk-proj-abcdefghijklmnopqrstuvwxyz","code":"invalid_api_key"}}`), plain(codec.Quirks{}))
	if got := string(responses.AppendError(nil, e)); strings.Contains(got, "sk-proj") || e.Kind != weir.KindUpstreamAuth {
		t.Errorf("%s: %s", e.Kind, got)
	}
	e = &weir.Error{Kind: weir.KindUnavailable, Message: "all failed", Hint: "wait", Attempts: []*weir.Attempt{{Number: 1, Deployment: "a/b", Err: &weir.Error{Kind: weir.KindRateLimit, Status: 429, Message: "slow"}}}}
	if got := string(responses.AppendError(nil, e)); !strings.Contains(got, "all failed (wait). Attempts: 1. a/b: rate_limit (429): slow") {
		t.Errorf("%s", got)
	}
}
