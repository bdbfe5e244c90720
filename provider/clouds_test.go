package provider

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/catalog"
	"github.com/weir-gateway/weir/codec/all"
	"github.com/weir-gateway/weir/internal/eventstream"
)

// detour carries calls for any host to one server, which still sees the host.
type detour struct {
	server *httptest.Server
	tr     *Transport
}

func (d detour) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.URL.Scheme, r.URL.Host = "http", strings.TrimPrefix(d.server.URL, "http://")
	return d.tr.RoundTrip(r)
}

// wired is a request as a client sent it.
func wired(t *testing.T, p weir.Protocol, op weir.Operation, path, body string) *weir.Request {
	t.Helper()
	req, err := all.For(p).OpenRequest(op, &weir.Wire{Protocol: p, Path: path, Body: []byte(body)})
	if err != nil {
		t.Fatal(err)
	}
	return req
}

const (
	completionWhole = `{"id":"c","object":"chat.completion","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}]}`
	converseWhole   = `{"output":{"message":{"role":"assistant","content":[{"text":"hi"}]}},"stopReason":"end_turn","usage":{"inputTokens":1,"outputTokens":1,"totalTokens":2},"metrics":{"latencyMs":1}}`
	geminiWhole     = `{"candidates":[{"content":{"role":"model","parts":[{"text":"hi"}]},"finishReason":"STOP","index":0}]}`
	responsesWhole  = `{"id":"resp_1","object":"response","status":"completed","model":"m","output":[{"type":"message","id":"msg_1","role":"assistant","status":"completed","content":[{"type":"output_text","text":"hi","annotations":[]}]}]}`
	geminiStream    = "data: " + geminiWhole + "\r\n\r\n"
)

func converseStream() string {
	var out []byte
	for _, e := range [][2]string{
		{"messageStart", `{"role":"assistant"}`},
		{"contentBlockDelta", `{"contentBlockIndex":0,"delta":{"text":"hi"}}`},
		{"contentBlockStop", `{"contentBlockIndex":0}`},
		{"messageStop", `{"stopReason":"end_turn"}`},
		{"metadata", `{"usage":{"inputTokens":1,"outputTokens":1,"totalTokens":2},"metrics":{"latencyMs":1}}`},
	} {
		out = eventstream.AppendEvent(out, e[0], []byte(e[1]))
	}
	return string(out)
}

// aCall is one call by the embedded catalogue and what of it must arrive.
type aCall struct {
	name, model string
	env         []string
	req         *weir.Request // nil: a question made in Go
	stream      bool
	answer      string
	host, uri   string
	body        string      // exact
	header      http.Header // nil values: absent
	scope       string      // of the signature; empty: it is not signed
}

const (
	sse    = "text/event-stream"
	events = "application/vnd.amazon.eventstream"
)

// contentType is that of an answer of these tests.
func (c *aCall) contentType() string {
	switch {
	case strings.HasPrefix(c.answer, "{"):
		return "application/json"
	case strings.Contains(c.answer, "data: "):
		return sse
	}
	return events
}

// run makes the call and checks what arrived.
func (c *aCall) run(t *testing.T, opts ...Option) {
	t.Helper()
	type seen struct {
		arrived
		host, wrong string
	}
	calls := make(chan seen, 4)
	s, tr := upstreamServer(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		call := seen{arrived: arrived{r.RequestURI, string(body), r.Header}, host: r.Host}
		if c.scope != "" {
			call.wrong = verify(r, body, "canary-aws-secret", "canary-session")
		}
		calls <- call
		w.Header().Set("Content-Type", c.contentType())
		_, _ = io.WriteString(w, c.answer)
	})
	h, err := Open(c.model, append([]Option{WithLookup(env(c.env...)), WithTransport(detour{s, tr})}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	req := c.req
	if req == nil {
		req = question()
		req.Stream = c.stream
	}
	if answer, err := weir.Collect(h.Handle(t.Context(), req)); err != nil || answer.Text() != "hi" {
		t.Errorf("the answer is %+v, %v", answer, err)
	}
	if len(calls) != 1 {
		t.Fatalf("%d calls were made", len(calls))
	}
	got := <-calls
	if got.host != c.host || got.uri != c.uri {
		t.Errorf("it went to %s %s, want %s %s", got.host, got.uri, c.host, c.uri)
	}
	if got.body != c.body {
		t.Errorf("sent was\n%s\nwant\n%s", got.body, c.body)
	}
	for name, want := range c.header {
		if !slices.Equal(got.header[name], want) {
			t.Errorf("%s is %q, want %q", name, got.header[name], want)
		}
	}
	if got.wrong != "" || !strings.Contains(got.header.Get("Authorization"), c.scope) {
		t.Errorf("the signature %s: %s", got.header.Get("Authorization"), got.wrong)
	}
}

var awsKeys = []string{
	"AWS_ACCESS_KEY_ID", "AKIDCANARY", "AWS_SECRET_ACCESS_KEY", "canary-aws-secret", "AWS_SESSION_TOKEN", "canary-session",
	"AWS_REGION", "eu-west-1",
}

func TestBedrockIsCalledAsAWSWants(t *testing.T) {
	bearer := []string{"AWS_BEARER_TOKEN_BEDROCK", "bedrock-api-key-x", "AWS_DEFAULT_REGION", "us-east-1"}
	byKey := http.Header{"Authorization": {"Bearer bedrock-api-key-x"}, "X-Amz-Date": nil, "X-Amz-Security-Token": nil}
	signed := http.Header{"X-Amz-Security-Token": {"canary-session"}}
	claude := `{"model":"x","max_tokens":5,"messages":[{"role":"user","content":"hi"}]}`
	for _, c := range []aCall{
		{
			name: "Converse, signed", model: "bedrock/amazon.nova-pro-v1:0", env: awsKeys, answer: converseWhole,
			host: "bedrock-runtime.eu-west-1.amazonaws.com", uri: "/model/amazon.nova-pro-v1%3A0/converse",
			body:   `{"messages":[{"role":"user","content":[{"text":"hi"}]}]}`,
			header: signed, scope: "/eu-west-1/bedrock/aws4_request",
		},
		{
			name: "ConverseStream with an API key", model: "bedrock/amazon.nova-pro-v1:0", env: bearer, answer: converseStream(), stream: true,
			host: "bedrock-runtime.us-east-1.amazonaws.com", uri: "/model/amazon.nova-pro-v1%3A0/converse-stream",
			body: `{"messages":[{"role":"user","content":[{"text":"hi"}]}]}`, header: byKey,
		},
		{
			name: "InvokeModel of Claude, signed", model: "bedrock/us.anthropic.claude-haiku-4-5-20251001-v1:0", env: awsKeys,
			req: wired(t, weir.AnthropicMessages, weir.Generate, "", claude), answer: whole,
			host: "bedrock-runtime.eu-west-1.amazonaws.com", uri: "/model/us.anthropic.claude-haiku-4-5-20251001-v1%3A0/invoke",
			body:   `{"max_tokens":5,"messages":[{"role":"user","content":"hi"}],"anthropic_version":"bedrock-2023-05-31"}`,
			header: http.Header{"X-Amz-Security-Token": {"canary-session"}, "Anthropic-Version": nil}, scope: "/eu-west-1/bedrock/aws4_request",
		},
		{
			name: "a stream of Claude with an API key", model: "bedrock/us.anthropic.claude-haiku-4-5-20251001-v1:0", env: bearer,
			req:    wired(t, weir.AnthropicMessages, weir.Generate, "", strings.Replace(claude, `"max_tokens"`, `"stream":true,"max_tokens"`, 1)),
			answer: string(invoked(streamed...)),
			host:   "bedrock-runtime.us-east-1.amazonaws.com", uri: "/model/us.anthropic.claude-haiku-4-5-20251001-v1%3A0/invoke-with-response-stream",
			body: `{"max_tokens":5,"messages":[{"role":"user","content":"hi"}],"anthropic_version":"bedrock-2023-05-31"}`, header: byKey,
		},
		{
			name: "a newer Claude, signed for the other service", model: "bedrock/anthropic.claude-opus-5-5", env: awsKeys,
			req: wired(t, weir.AnthropicMessages, weir.Generate, "", claude), answer: whole,
			host: "bedrock-mantle.eu-west-1.api.aws", uri: "/anthropic/v1/messages",
			body:   `{"model":"anthropic.claude-opus-5-5","max_tokens":5,"messages":[{"role":"user","content":"hi"}]}`,
			header: http.Header{"X-Amz-Security-Token": {"canary-session"}, "Anthropic-Version": {"2023-06-01"}}, scope: "/eu-west-1/bedrock-mantle/aws4_request",
		},
		{
			name: "an open model of OpenAI", model: "bedrock/openai.gpt-oss-20b", env: awsKeys, answer: completionWhole,
			host: "bedrock-mantle.eu-west-1.api.aws", uri: "/v1/chat/completions",
			body:   `{"model":"openai.gpt-oss-20b","messages":[{"role":"user","content":"hi"}]}`,
			header: signed, scope: "/eu-west-1/bedrock-mantle/aws4_request",
		},
		{
			name: "the same model by its older name", model: "bedrock/openai.gpt-oss-20b-1:0", env: awsKeys, answer: converseWhole,
			req:  wired(t, weir.OpenAIChat, weir.Generate, "", `{"model":"x","messages":[{"role":"user","content":"hi"}]}`),
			host: "bedrock-runtime.eu-west-1.amazonaws.com", uri: "/model/openai.gpt-oss-20b-1%3A0/converse",
			body: `{"messages":[{"role":"user","content":[{"text":"hi"}]}]}`, scope: "/eu-west-1/bedrock/aws4_request",
		},
		{
			name: "a closed model of OpenAI", model: "bedrock/openai.gpt-5.5", env: bearer, answer: responsesWhole,
			req:  wired(t, weir.OpenAIResponses, weir.Generate, "", `{"model":"x","input":"hi"}`),
			host: "bedrock-mantle.us-east-1.api.aws", uri: "/openai/v1/responses",
			body: `{"model":"openai.gpt-5.5","input":"hi"}`, header: byKey,
		},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(t) })
	}
}

func TestVertexIsCalledAsGoogleWants(t *testing.T) {
	tokens, _ := tokenServer(t, func(*http.Request) (int, string) { return http.StatusOK, tokenOne })
	account := serviceAccount(t, tokens.URL)
	in := func(more ...string) []string {
		return append([]string{googleVariable, account, "GOOGLE_CLOUD_PROJECT", "my-project"}, more...)
	}
	token := http.Header{"Authorization": {"Bearer canary-token-1"}, "X-Goog-Api-Key": nil}
	claude := `{"model":"x","max_tokens":5,"messages":[{"role":"user","content":"hi"}]}`
	const asked = `{"contents":[{"role":"user","parts":[{"text":"hi"}]}]}`
	for _, c := range []aCall{
		{
			name: "Gemini", model: "vertex/gemini-2.5-flash", env: in(), answer: geminiWhole,
			req:  wired(t, weir.GeminiGenerate, weir.Generate, "/v1beta/models/x:generateContent", asked),
			host: "aiplatform.googleapis.com", uri: "/v1/projects/my-project/locations/global/publishers/google/models/gemini-2.5-flash:generateContent",
			body: asked, header: token,
		},
		{
			name: "a stream of Gemini in a region", model: "vertex/gemini-2.5-flash", env: in("GOOGLE_CLOUD_LOCATION", "europe-west1"), answer: geminiStream, stream: true,
			host: "europe-west1-aiplatform.googleapis.com", uri: "/v1/projects/my-project/locations/europe-west1/publishers/google/models/gemini-2.5-flash:streamGenerateContent?alt=sse",
			body: asked, header: token,
		},
		{
			name: "Gemini with a key", model: "vertex/gemini-2.5-flash", answer: geminiWhole,
			env:  []string{"VERTEX_API_KEY", "k-1", "GOOGLE_CLOUD_PROJECT", "my-project", "CLOUD_ML_REGION", "us"},
			host: "aiplatform.us.rep.googleapis.com", uri: "/v1/projects/my-project/locations/us/publishers/google/models/gemini-2.5-flash:generateContent",
			body: asked, header: http.Header{"X-Goog-Api-Key": {"k-1"}, "Authorization": nil},
		},
		{
			name: "Claude", model: "vertex/claude-haiku-4-5", env: in("GOOGLE_CLOUD_LOCATION", "eu"), answer: whole,
			req:  wired(t, weir.AnthropicMessages, weir.Generate, "", claude),
			host: "aiplatform.eu.rep.googleapis.com", uri: "/v1/projects/my-project/locations/eu/publishers/anthropic/models/claude-haiku-4-5@20251001:rawPredict",
			body:   `{"max_tokens":5,"messages":[{"role":"user","content":"hi"}],"anthropic_version":"vertex-2023-10-16"}`,
			header: http.Header{"Authorization": {"Bearer canary-token-1"}, "Anthropic-Version": nil},
		},
		{
			name: "a model of others", model: "vertex/meta/llama-3.3-70b-instruct-maas", env: in("GOOGLE_CLOUD_LOCATION", "us-central1"), answer: completionWhole,
			host: "us-central1-aiplatform.googleapis.com", uri: "/v1/projects/my-project/locations/us-central1/endpoints/openapi/chat/completions",
			body: `{"model":"meta/llama-3.3-70b-instruct-maas","messages":[{"role":"user","content":"hi"}]}`, header: token,
		},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(t) })
	}
}

// tokenOne is a token endpoint's answer.
const tokenOne = `{"access_token":"canary-token-1","token_type":"Bearer","expires_in":3600}`

// entra is the catalogue with the token endpoint of Entra at another address, and
// what that must be asked for.
func entra(t *testing.T, id, scope string) *catalog.Catalog {
	t.Helper()
	tokens, _ := tokenServer(t, func(r *http.Request) (int, string) {
		client, secret, _ := r.BasicAuth()
		if r.URL.Path != "/tenant-1/oauth2/v2.0/token" || client != "client-1" || secret != "canary-client-secret" ||
			r.Form.Get("grant_type") != "client_credentials" || r.Form.Get("scope") != scope {
			return http.StatusBadRequest, fmt.Sprintf(`{"error":"invalid_request","error_description":"%s %s"}`, r.URL.Path, r.Form.Get("scope"))
		}
		return http.StatusOK, tokenOne
	})
	a := catalog.Default().Provider(id).Auth
	a.TokenURL = strings.Replace(a.TokenURL, "https://login.microsoftonline.com", tokens.URL, 1)
	c, err := catalog.Default().With(&catalog.Provider{ID: id, Auth: a})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestAzureIsCalledAsItWants(t *testing.T) {
	client := []string{"AZURE_TENANT_ID", "tenant-1", "AZURE_CLIENT_ID", "client-1", "AZURE_CLIENT_SECRET", "canary-client-secret"}
	chat := `{"messages":[{"role":"user","content":"hi"}],"model":"x"}`
	const sent = `{"messages":[{"role":"user","content":"hi"}],"model":"my-gpt"}`
	byToken := http.Header{"Authorization": {"Bearer canary-token-1"}, "Api-Key": nil}
	byKey := http.Header{"Api-Key": {"k-1"}, "Authorization": nil}
	for _, c := range []struct {
		aCall
		opts []Option
	}{
		{aCall: aCall{
			name: "the surface without dates, by a key", model: "azure/my-gpt",
			env: []string{"AZURE_OPENAI_API_KEY", "k-1", "AZURE_RESOURCE_NAME", "acme"},
			req: wired(t, weir.OpenAIChat, weir.Generate, "", chat), answer: completionWhole,
			host: "acme.openai.azure.com", uri: "/openai/v1/chat/completions", body: sent, header: byKey,
		}},
		{aCall: aCall{
			name: "its responses, by a token of Entra", model: "azure/my-gpt",
			env: append([]string{"AZURE_OPENAI_ENDPOINT", "https://acme.services.ai.azure.com/"}, client...),
			req: wired(t, weir.OpenAIResponses, weir.Generate, "", `{"model":"x","input":"hi","previous_response_id":"resp_0"}`), answer: responsesWhole,
			host: "acme.services.ai.azure.com", uri: "/openai/v1/responses",
			body: `{"model":"my-gpt","input":"hi","previous_response_id":"resp_0"}`, header: byToken,
		}, opts: []Option{WithCatalog(entra(t, "azure", "https://ai.azure.com/.default"))}},
		{aCall: aCall{
			name: "the dated surface, by a key", model: "azure-classic/my-gpt",
			env: []string{"AZURE_API_KEY", "k-1", "AZURE_API_BASE", "https://acme.openai.azure.com", "AZURE_API_VERSION", "2024-10-21"},
			req: wired(t, weir.OpenAIChat, weir.Generate, "", chat), answer: completionWhole,
			host: "acme.openai.azure.com", uri: "/openai/deployments/my-gpt/chat/completions?api-version=2024-10-21", body: sent, header: byKey,
		}},
		{aCall: aCall{
			name: "the dated surface, by a token of Entra", model: "azure-classic/my-gpt",
			env: append([]string{"AZURE_OPENAI_ENDPOINT", "https://acme.openai.azure.com", "OPENAI_API_VERSION", "2025-04-01-preview"}, client...),
			req: wired(t, weir.OpenAIResponses, weir.Generate, "", `{"model":"x","input":"hi"}`), answer: responsesWhole,
			host: "acme.openai.azure.com", uri: "/openai/responses?api-version=2025-04-01-preview",
			body: `{"model":"my-gpt","input":"hi"}`, header: byToken,
		}, opts: []Option{WithCatalog(entra(t, "azure-classic", "https://cognitiveservices.azure.com/.default"))}},
		{aCall: aCall{
			name: "Claude in Foundry", model: "azure-anthropic/claude-opus-5-5",
			env: []string{"ANTHROPIC_FOUNDRY_API_KEY", "k-1", "ANTHROPIC_FOUNDRY_RESOURCE", "acme"},
			req: wired(t, weir.AnthropicMessages, weir.Generate, "", `{"model":"x","max_tokens":5,"messages":[{"role":"user","content":"hi"}]}`), answer: whole,
			host: "acme.services.ai.azure.com", uri: "/anthropic/v1/messages",
			body:   `{"model":"claude-opus-5-5","max_tokens":5,"messages":[{"role":"user","content":"hi"}]}`,
			header: http.Header{"X-Api-Key": {"k-1"}, "Anthropic-Version": {"2023-06-01"}},
		}},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(t, c.opts...) })
	}
}
