package provider

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/catalog"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/codec/anthropic"
	"github.com/weir-gateway/weir/codec/openaichat"
	"github.com/weir-gateway/weir/internal/eventstream"
	"github.com/weir-gateway/weir/weirtest"
)

// arrived is a request as a cloud got it.
type arrived struct {
	uri, body string
	header    http.Header
}

// cloud is a server that keeps what arrives and answers with answer.
func cloud(t *testing.T, got *arrived, answer http.HandlerFunc) (*httptest.Server, *Transport) {
	return upstreamServer(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		*got = arrived{r.RequestURI, string(body), r.Header}
		answer(w, r)
	})
}

func enveloped(s *httptest.Server, tr http.RoundTripper, c codec.Codec, envelope, model string) Options {
	return Options{
		Name: "cloud/m", Provider: "cloud", Model: model, Transport: tr, Credentials: Keys("some-long-key"),
		Endpoints: []Endpoint{{Codec: c, BaseURL: s.URL, Envelope: envelope, Quirks: &codec.Quirks{BetaHeaders: []string{"b-1", "b-2"}}}},
	}
}

// messages is a request of a client that speaks Anthropic's protocol.
func messages(t *testing.T, op weir.Operation, body string, betas ...string) *weir.Request {
	t.Helper()
	w := &weir.Wire{Protocol: weir.AnthropicMessages, Body: []byte(body), Header: http.Header{"Anthropic-Version": {"2023-06-01"}}}
	if len(betas) > 0 {
		w.Header["Anthropic-Beta"] = betas
	}
	req, err := anthropic.New().OpenRequest(op, w)
	if err != nil {
		t.Fatal(err)
	}
	return req
}

const whole = `{"id":"msg_1","type":"message","role":"assistant","model":"claude","content":[{"type":"text","text":"hi"}],"stop_reason":"end_turn","usage":{"input_tokens":3,"output_tokens":1}}`

func reply(contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		_, _ = io.WriteString(w, body)
	}
}

// Only the members that the cloud wants elsewhere are touched: white space,
// order and unknown members stay.
func TestClaudesBodyIsKeptButForWhatTheCloudWantsElsewhere(t *testing.T) {
	const rest = `"max_tokens" : 5, "odd":{"a": 1.50},"messages":[{"role":"user","content":"hi"}]`
	for _, c := range []struct {
		name, envelope, model, body string
		betas                       []string
		uri, want                   string
		header                      http.Header // nil values: absent
	}{
		{"Bedrock", catalog.EnvelopeBedrockInvoke, "us.anthropic.claude-haiku-4-5-20251001-v1:0", `{"model":"x",` + rest + `}`, nil,
			"/model/us.anthropic.claude-haiku-4-5-20251001-v1%3A0/invoke", `{` + rest + `,"anthropic_version":"bedrock-2023-05-31"}`,
			http.Header{"Anthropic-Version": nil, "Anthropic-Beta": nil, "Accept": {"application/json"}}},
		{"Bedrock with betas", catalog.EnvelopeBedrockInvoke, "anthropic.claude-3", `{` + rest + `,"model":"x"}`, []string{"b-1,  b-9", "b-2"},
			"/model/anthropic.claude-3/invoke", `{` + rest + `,"anthropic_version":"bedrock-2023-05-31","anthropic_beta":["b-1","b-2"]}`,
			http.Header{"Anthropic-Beta": nil}},
		{"Bedrock by an ARN", catalog.EnvelopeBedrockInvoke, "arn:aws:bedrock:us-east-1:1:inference-profile/p", `{"model":"x",` + rest + `,"stream":false}`, nil,
			"/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Ainference-profile%2Fp/invoke", `{` + rest + `,"anthropic_version":"bedrock-2023-05-31"}`, nil},
		{"a client's own version", catalog.EnvelopeBedrockInvoke, "m", `{"anthropic_version":"x",` + rest + `,"model":"x"}`, nil,
			"/model/m/invoke", `{"anthropic_version":"bedrock-2023-05-31",` + rest + `}`, nil},
		{"Vertex", catalog.EnvelopeVertexAnthropic, "claude-haiku-4-5@20251001", `{"model":"x",` + rest + `}`, []string{"b-1,b-9"},
			"/models/claude-haiku-4-5@20251001:rawPredict", `{` + rest + `,"anthropic_version":"vertex-2023-10-16"}`,
			http.Header{"Anthropic-Version": nil, "Anthropic-Beta": {"b-1"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got arrived
			s, tr := cloud(t, &got, reply("application/json", whole))
			h := must(t, enveloped(s, tr, anthropic.New(), c.envelope, c.model))
			answer, err := weir.Collect(h.Handle(t.Context(), messages(t, weir.Generate, c.body, c.betas...)))
			if err != nil || answer.Text() != "hi" {
				t.Errorf("the answer is %+v, %v", answer, err)
			}
			if got.uri != c.uri || got.body != c.want {
				t.Errorf("%s\n%s\nwant %s\n%s", got.uri, got.body, c.uri, c.want)
			}
			for name, want := range c.header {
				if !slices.Equal(got.header[name], want) {
					t.Errorf("%s is %q", name, got.header[name])
				}
			}
		})
	}
}

// invoked is a stream of Anthropic's as Bedrock sends it.
func invoked(events ...string) (out []byte) {
	for _, e := range events {
		out = eventstream.AppendEvent(out, "chunk", []byte(`{"bytes":"`+base64.StdEncoding.EncodeToString([]byte(e))+`","p":"abc"}`))
	}
	return out
}

var streamed = []string{
	`{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"claude","content":[],"usage":{"input_tokens":3,"output_tokens":1}}}`,
	`{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}`,
	`{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"h"}}`,
	`{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"i"}}`,
	`{"type":"content_block_stop","index":0}`,
	`{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":2}}`,
	`{"type":"message_stop","amazon-bedrock-invocationMetrics":{"inputTokenCount":3}}`,
}

func TestAStreamOfClaudeOnACloudIsAnthropicsStream(t *testing.T) {
	var b strings.Builder
	for _, e := range streamed {
		_, rest, _ := strings.Cut(e, `"type":"`)
		name, _, _ := strings.Cut(rest, `"`)
		b.WriteString("event: " + name + "\ndata: " + e + "\n\n")
	}
	sse := b.String()
	for _, c := range []struct{ envelope, contentType, body, uri, sent string }{
		{catalog.EnvelopeBedrockInvoke, "application/vnd.amazon.eventstream", string(invoked(streamed...)),
			"/model/m/invoke-with-response-stream", `{"max_tokens":5,"messages":[],"anthropic_version":"bedrock-2023-05-31"}`},
		{catalog.EnvelopeVertexAnthropic, "text/event-stream", sse,
			"/models/m:streamRawPredict", `{"max_tokens":5,"stream":true,"messages":[],"anthropic_version":"vertex-2023-10-16"}`},
	} {
		t.Run(c.envelope, func(t *testing.T) {
			var got arrived
			s, tr := cloud(t, &got, reply(c.contentType, c.body))
			req := messages(t, weir.Generate, `{"model":"x","max_tokens":5,"stream":true,"messages":[]}`)
			h := must(t, enveloped(s, tr, anthropic.New(), c.envelope, "m"))
			var relayed strings.Builder
			enc := anthropic.New().NewEncoder(req)
			for ev, err := range h.Handle(t.Context(), req) {
				if err != nil {
					t.Fatal(err)
				}
				relayed.Write(enc.Encode(nil, ev))
			}
			relayed.Write(enc.Close(nil, nil))
			if got.uri != c.uri || got.body != c.sent {
				t.Errorf("sent was %s\n%s", got.uri, got.body)
			}
			if relayed.String() != sse {
				t.Errorf("relayed was\n%s\nwant\n%s", relayed.String(), sse)
			}
		})
	}
}

// AWS breaks a stream off with an exception; it reaches the client with its kind.
func TestAnExceptionOfAWSEndsAStreamWithItsKind(t *testing.T) {
	for name, kind := range map[string]weir.Kind{
		"throttlingException": weir.KindRateLimit, "serviceUnavailableException": weir.KindOverloaded,
		"modelTimeoutException": weir.KindTimeout, "validationException": weir.KindInvalid,
		"modelStreamErrorException": weir.KindUpstream, "somethingNewException": weir.KindUpstream,
	} {
		for _, before := range []int{0, 3} {
			var got arrived
			body := eventstream.AppendException(invoked(streamed[:before]...), name, []byte(`{"message":"too \"many\""}`))
			s, tr := cloud(t, &got, reply("application/vnd.amazon.eventstream", string(body)))
			out := ask(t, must(t, enveloped(s, tr, anthropic.New(), catalog.EnvelopeBedrockInvoke, "m")),
				messages(t, weir.Generate, `{"model":"x","max_tokens":5,"stream":true,"messages":[]}`))
			e := out.error(t)
			if e.Kind != kind || !strings.Contains(e.Message, `too "many"`) || len(out.texts) != before/3 {
				t.Errorf("%s after %d events: %v, texts %q", name, before, e, out.texts)
			}
		}
	}
}

// W-05
func TestAStreamOfAWSThatIsCutIsAnError(t *testing.T) {
	body := string(invoked(streamed...))
	for _, at := range []int{len(body) / 2, len(body) - 1} {
		var got arrived
		s, tr := cloud(t, &got, reply("application/vnd.amazon.eventstream", body[:at]))
		out := ask(t, must(t, enveloped(s, tr, anthropic.New(), catalog.EnvelopeBedrockInvoke, "m")),
			messages(t, weir.Generate, `{"model":"x","max_tokens":5,"stream":true,"messages":[]}`))
		if e := out.error(t); e.Kind != weir.KindUpstream {
			t.Errorf("cut at %d of %d: %v", at, len(body), e)
		}
	}
}

func TestWhatACloudSaysItselfIsNotTakenForTheProtocols(t *testing.T) {
	for _, c := range []struct {
		name, envelope string
		status         int
		errorType      string
		body           string
		kind           weir.Kind
		spoke          weir.Protocol
	}{
		{"a limit of AWS", catalog.EnvelopeBedrockInvoke, 429, "ThrottlingException:http://internal", `{"message":"Too many requests"}`, weir.KindRateLimit, weir.BedrockConverse},
		{"a token that has ended", catalog.EnvelopeBedrockInvoke, 403, "ExpiredTokenException:http://internal", `{"message":"The security token included in the request is expired"}`, weir.KindUpstreamAuth, ""},
		{"a model that is not open", catalog.EnvelopeBedrockInvoke, 403, "AccessDeniedException", `{"message":"You don't have access to the model with the specified model ID."}`, weir.KindPermission, weir.BedrockConverse},
		{"a failure of the model", catalog.EnvelopeBedrockInvoke, 424, "ModelErrorException", `{"message":"boom"}`, weir.KindUpstream, weir.BedrockConverse},
		{"no JSON", catalog.EnvelopeBedrockInvoke, 500, "X", `<html>`, weir.KindUpstream, weir.BedrockConverse},
		{"Anthropic behind Vertex", catalog.EnvelopeVertexAnthropic, 400, "", `{"type":"error","error":{"type":"invalid_request_error","message":"no"}}`, weir.KindInvalid, weir.AnthropicMessages},
		{"Google itself", catalog.EnvelopeVertexAnthropic, 404, "", `[{"error":{"code":404,"status":"NOT_FOUND","message":"Publisher Model was not found"}}]`, weir.KindModelNotFound, weir.GeminiGenerate},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got arrived
			s, tr := cloud(t, &got, func(w http.ResponseWriter, _ *http.Request) {
				if c.errorType != "" {
					w.Header().Set("X-Amzn-Errortype", c.errorType)
				}
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.body)
			})
			o := enveloped(s, tr, anthropic.New(), c.envelope, "m")
			o.Endpoints[0].Quirks = catalog.Default().Provider("bedrock").Quirks
			e := ask(t, must(t, o), messages(t, weir.Generate, `{"model":"x","max_tokens":5,"messages":[]}`)).error(t)
			if e.Kind != c.kind {
				t.Errorf("the kind is %v: %v", e.Kind, e)
			}
			if c.spoke != "" && (e.Wire == nil || e.Wire.Protocol != c.spoke || string(e.Wire.Body) != c.body) {
				t.Errorf("the bytes are kept as %+v", e.Wire)
			}
		})
	}
}

func TestTokensAreCountedOnClouds(t *testing.T) {
	const body = `{"model":"x","messages":[{"role":"user","content":"hi"}]%s}`
	count := func(o Options, more string) (int64, error) {
		var n int64
		for ev, err := range must(t, o).Handle(t.Context(), messages(t, weir.CountTokens, fmt.Sprintf(body, more))) {
			if err != nil {
				return 0, err
			}
			if ev.Type == weir.EventUsage {
				n = ev.Usage.InputTokens
			}
		}
		return n, nil
	}
	var got arrived
	s, tr := cloud(t, &got, reply("application/json", `{"inputTokens": 11}`))
	for more, want := range map[string]string{
		"": `"anthropic_version":"bedrock-2023-05-31","max_tokens":4096}`,
		`,"thinking":{"type":"enabled","budget_tokens":5000}`: `"anthropic_version":"bedrock-2023-05-31","max_tokens":5001}`,
	} {
		n, err := count(enveloped(s, tr, anthropic.New(), catalog.EnvelopeBedrockInvoke, "us.anthropic.claude-sonnet-4-20250514-v1:0"), more)
		if n != 11 || err != nil || got.uri != "/model/anthropic.claude-sonnet-4-20250514-v1%3A0/count-tokens" {
			t.Errorf("counted %d, %v by %s", n, err, got.uri)
		}
		inner, ok := strings.CutPrefix(got.body, `{"input":{"invokeModel":{"body":"`)
		raw, err := base64.StdEncoding.DecodeString(strings.TrimSuffix(inner, `"}}}`))
		if !ok || err != nil || !strings.HasSuffix(string(raw), want) || strings.Contains(string(raw), `"model"`) {
			t.Errorf("asked with %s: %s", got.body, raw)
		}
	}

	s, tr = cloud(t, &got, reply("application/json", `{"input_tokens": 12}`))
	n, err := count(enveloped(s, tr, anthropic.New(), catalog.EnvelopeVertexAnthropic, "claude-haiku-4-5@20251001"), "")
	if n != 12 || err != nil || got.uri != "/models/count-tokens:rawPredict" || !strings.Contains(got.body, `"model":"claude-haiku-4-5@20251001"`) {
		t.Errorf("counted %d, %v by %s %s", n, err, got.uri, got.body)
	}

	s, tr = cloud(t, &got, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(400)
		_, _ = io.WriteString(w, `{"message":"The provided model doesn't support counting tokens."}`)
	})
	if _, err := count(enveloped(s, tr, anthropic.New(), catalog.EnvelopeBedrockInvoke, "m"), ""); weir.AsError(err).Kind != weir.KindUnsupported {
		t.Errorf("a model whose tokens are not counted: %v", err)
	}
}

func TestAzuresDeploymentsAreInThePath(t *testing.T) {
	var got arrived
	s, tr := cloud(t, &got, reply("application/json", `{"id":"c","object":"chat.completion","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}]}`))
	p := catalog.Default().Provider("azure-classic")
	p, err := p.WithVariables(env("AZURE_API_BASE", s.URL+"/", "AZURE_API_VERSION", "2024-10-21"))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		creds        *Credentials
		header, want string
	}{
		"a key":            {Keys("k-1"), "Api-Key", "k-1"},
		"a token of Entra": {FromSource(static(func() string { return "t-1" })), "Authorization", "Bearer t-1"},
	} {
		o, err := FromCatalog(p, "my deployment", c.creds)
		if err != nil {
			t.Fatal(err)
		}
		o.Transport = tr
		req := weir.NewRequest("m", &weir.Body{Messages: []weir.Message{weir.UserText("hi")}})
		if out := ask(t, must(t, o), req); out.err != nil || len(out.texts) != 1 {
			t.Errorf("%s: %v", name, out.err)
		}
		if got.uri != "/openai/deployments/my%20deployment/chat/completions?api-version=2024-10-21" || got.header.Get(c.header) != c.want {
			t.Errorf("%s: it went to %s with %v", name, got.uri, got.header)
		}
	}
	call := &codec.Call{Path: "/responses"}
	if err := (azureDeployments{}).wrap(call, weir.Generate, &codec.Target{Model: "d"}); err != nil || call.Path != "/responses" {
		t.Errorf("a call without a deployment goes to %s, %v", call.Path, err)
	}
}

func TestAnEnvelopeThatNobodyKnowsIsRefused(t *testing.T) {
	o := Options{Model: "m", Endpoints: []Endpoint{{Codec: openaichat.New(), BaseURL: "https://h", Auth: NoAuth(), Envelope: "brown"}}}
	if _, err := New(o); err == nil || weir.AsError(err).Param != "endpoints.envelope" {
		t.Errorf("%v", err)
	}
}

// Recorded streams of Claude on Bedrock read to their end, and mean the same as
// the chunks in them.
func TestRecordedStreamsOfBedrockAreRead(t *testing.T) {
	n := 0
	for _, rec := range weirtest.Recordings(t, "invoke-stream") {
		if rec.Request == nil || rec.Response.Status != 200 || !strings.Contains(rec.Request.Path, "claude") || !strings.Contains(string(rec.Request.Body), "bedrock-2023-05-31") || rec.Has("truncated-stream") {
			continue
		}
		n++
		var got arrived
		s, tr := cloud(t, &got, reply("application/vnd.amazon.eventstream", string(rec.Response.Body)))
		out := ask(t, must(t, enveloped(s, tr, anthropic.New(), catalog.EnvelopeBedrockInvoke, "m")),
			messages(t, weir.Generate, `{"model":"x","max_tokens":5,"stream":true,"messages":[]}`))
		if out.err != nil || len(out.texts) == 0 {
			t.Errorf("%s: %d texts, %v", rec.Path, len(out.texts), out.err)
		}
	}
	if n == 0 {
		t.Error("no recording was read")
	}
}
