package codec

import (
	"net/http"

	"strings"
	"testing"
	"time"

	"github.com/weir-gateway/weir"
)

// Bodies marked "doc" are from the vendors' error pages, the others from
// recorded answers, shortened (wire-quirks.md).
func TestErrorsOfEveryShapeAreUnderstood(t *testing.T) { // E-04, E-06, E-07
	cases := []struct {
		name    string
		status  int
		body    string
		quirks  *Quirks
		kind    weir.Kind
		message string // a part of it
	}{
		{"OpenAI's envelope", 400, `{"error":{"message":"Invalid 'temperature'","type":"invalid_request_error","param":"temperature","code":"decimal_above_max_value"}}`, nil, weir.KindInvalid, "temperature"},
		{"an error that is a string", 404, `{"error":"Specified model not found: x. Did you mean: y?"}`, nil, weir.KindModelNotFound, "Did you mean"},
		{"xAI's code beside a string", 400, `{"code":"Client specified an invalid argument","error":"Model grok does not support parameter reasoningEffort."}`, nil, weir.KindInvalid, "grok"},
		{"Anthropic's envelope", 404, `{"type":"error","error":{"type":"not_found_error","message":"model: claude-x"},"request_id":"req_1"}`, nil, weir.KindModelNotFound, "claude-x"},
		{"Anthropic's prompt is too long", 400, `{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 200082 tokens > 200000 maximum"}}`, nil, weir.KindContextLength, "200082"},
		{"Anthropic overloaded", 529, `{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}`, nil, weir.KindOverloaded, "Overloaded"},
		{"a message alone", 403, `{"message":"You don't have access to the model."}`, nil, weir.KindPermission, "access"},
		{"a detail that is a string", 422, `{"detail":"Model nonexistent is not supported."}`, nil, weir.KindInvalid, "nonexistent"},
		{"a detail that is a list", 422, `{"detail":[{"loc":["body","messages",0,"content"],"msg":"field required","type":"value_error"}]}`, nil, weir.KindInvalid, "messages.0.content: field required"},
		{"Mistral's flat error", 400, `{"object":"error","message":{"detail":[{"loc":["body","n"],"msg":"too big"}]},"type":"invalid_request_error","param":null,"code":null}`, nil, weir.KindInvalid, "n: too big"},
		{"MiniMax's base_resp", 200, `{"base_resp":{"status_code":1008,"status_msg":"insufficient balance"}}`, nil, weir.KindQuota, "balance"},
		{"MiniMax's sensitive input", 200, `{"base_resp":{"status_code":1026,"status_msg":"input sensitive"}}`, nil, weir.KindContentFilter, "sensitive"},
		{"Baidu v1 (doc)", 200, `{"error_code":18,"error_msg":"Open api qps request limit reached"}`, nil, weir.KindRateLimit, "qps"},
		{"Ark's infrastructure (doc)", 401, `{"ResponseMetadata":{"RequestId":"r1","Error":{"Code":"AuthenticationError","Message":"bad key"}}}`, nil, weir.KindUpstreamAuth, "bad key"},
		{"Ark's content check (doc)", 400, `{"error":{"code":"SensitiveContentDetected.Text","message":"may contain sensitive information","type":"BadRequest"}}`, nil, weir.KindContentFilter, "sensitive"},
		{"SiliconFlow's code (doc)", 400, `{"code":20012,"message":"Model does not exist. Please check it carefully.","data":null}`, nil, weir.KindModelNotFound, "exist"},
		{"Spark's code (doc)", 200, `{"code":10013,"message":"input audit","sid":"cht1"}`, nil, weir.KindContentFilter, "audit"},
		{"an error in an array", 400, `[{"error":{"code":400,"message":"API key not valid. Please pass a valid API key.","status":"INVALID_ARGUMENT"}}]`, nil, weir.KindUpstreamAuth, "not valid"},
		{"a bare string", 401, `"Invalid token"`, nil, weir.KindUpstreamAuth, "Invalid token"},
		{"an HTML page gives its title", 502, "<html><head><title>502 Bad\n Gateway</title></head><body><h1>secret</h1></body></html>", nil, weir.KindUpstream, `"502 Bad Gateway"`},
		{"nothing at all", 500, "", nil, weir.KindUpstream, "without a body"},
		{"null", 500, "null", nil, weir.KindUpstream, "null"},
		{"an error without fields", 500, `{"error":{}}`, nil, weir.KindUpstream, "no message"},
		{"a body that was cut", 429, `{"error":{"message":"Rate limit reached for org`, nil, weir.KindRateLimit, "Rate limit reached for org"},
		{"OpenAI's quota", 429, `{"error":{"message":"You exceeded your current quota","type":"insufficient_quota","code":"insufficient_quota"}}`, nil, weir.KindQuota, "quota"},
		{"Gemini's limit by the minute is no quota", 429, `{"error":{"code":429,"message":"You exceeded your current quota, please check your plan","status":"RESOURCE_EXHAUSTED"}}`, nil, weir.KindRateLimit, "quota"},
		{"Gemini's limit by the day is one", 429, `{"error":{"code":429,"message":"You exceeded your current quota","status":"RESOURCE_EXHAUSTED","details":[{"quotaId":"GenerateRequestsPerDayPerProject"}]}}`, nil, weir.KindQuota, "quota"},
		{"DeepSeek without money", 402, `{"error":{"message":"Insufficient Balance","type":"unknown_error","param":null,"code":"invalid_request_error"}}`, nil, weir.KindQuota, "Balance"},
		{"Qwen in arrears", 400, `{"error":{"code":"Arrearage","message":"Access denied"}}`, nil, weir.KindQuota, "Access"},
		{"Qwen's content check", 400, `{"error":{"code":"data_inspection_failed","message":"Input data may contain inappropriate content."}}`, nil, weir.KindContentFilter, "inappropriate"},
		{"Qwen's input length", 400, `{"error":{"message":"Range of input length should be [1, 98304]","code":"invalid_parameter_error"}}`, nil, weir.KindContextLength, "98304"},
		{"GLM's prompt too long", 400, `{"error":{"code":"1261","message":"Prompt exceeds max length"}}`, nil, weir.KindContextLength, "Prompt"},
		{"GLM's content check", 400, `{"error":{"code":"1301","message":"..."}}`, nil, weir.KindContentFilter, ""},
		{"GLM without money", 429, `{"error":{"code":"1113","message":"..."}}`, nil, weir.KindQuota, ""},
		{"GLM's rate", 429, `{"error":{"code":"1302","message":"..."}}`, nil, weir.KindRateLimit, ""},
		{"Kimi's limit", 400, `{"error":{"message":"Invalid request: Your request exceeded model token limit: 8192","type":"invalid_request_error"}}`, nil, weir.KindContextLength, "8192"},
		{"Kimi overloaded", 429, `{"error":{"message":"The engine is currently overloaded, please try again later","type":"engine_overloaded_error"}}`, nil, weir.KindOverloaded, "overloaded"},
		{"DeepSeek's context", 400, `{"error":{"message":"This model's maximum context length is 1048565 tokens. However, you requested 1250025 tokens","code":"invalid_request_error"}}`, nil, weir.KindContextLength, "1048565"},
		{"Gemini's context", 400, `{"error":{"code":400,"message":"The input token count (1250074) exceeds the maximum number of tokens allowed (1048576).","status":"INVALID_ARGUMENT"}}`, nil, weir.KindContextLength, "1250074"},
		{"llama.cpp's context", 400, `{"error":{"code":400,"message":"the request exceeds the available context size, try increasing it","type":"exceed_context_size_error"}}`, nil, weir.KindContextLength, "context"},
		{"Azure's filter", 400, `{"error":{"message":"The response was filtered","param":"prompt","code":"content_filter","innererror":{"code":"ResponsibleAIPolicyViolation"}}}`, nil, weir.KindContentFilter, "filtered"},
		{"Azure's deployment", 404, `{"error":{"code":"DeploymentNotFound","message":"The API deployment for this resource does not exist."}}`, nil, weir.KindModelNotFound, "deployment"},
		{"Tencent's 451", 451, `{"error":{"type":"content_filter_error","code":"451001","message":"blocked"}}`, nil, weir.KindContentFilter, "blocked"},
		{"Groq's request over the tier's tokens stays too large", 413, `{"error":{"message":"Request too large for model","type":"tokens","code":"rate_limit_exceeded"}}`, nil, weir.KindTooLarge, "too large"}, // E-08
		{"OpenRouter's nested error", 400, `{"error":{"code":400,"message":"Provider returned error","metadata":{"raw":"{\"error\":{\"message\":\"This model's maximum context length is 8 tokens\"}}"}}}`, nil, weir.KindContextLength, "Provider"},
		{"a code that the quirks name", 400, `{"error":{"code":"zz-9","message":"..."}}`, &Quirks{ErrorCodes: map[string]string{"zz-9": "quota"}}, weir.KindQuota, ""},
		{"a plain 404", 404, "404 page not found", nil, weir.KindNotFound, "page not found"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			e := ParseError(c.status, nil, []byte(c.body), c.quirks)
			if e.Kind != c.kind {
				t.Errorf("kind %v, want %v", e.Kind, c.kind)
			}
			if !strings.Contains(e.Message, c.message) || e.Message == "" {
				t.Errorf("message %q lacks %q", e.Message, c.message)
			}
			if e.Status != c.status { // E-04
				t.Errorf("status %d, want %d", e.Status, c.status)
			}
		})
	}
}

func TestAnErrorKeepsTheUpstreamsRequestID(t *testing.T) { // O-16
	for _, name := range []string{"x-request-id", "request-id", "x-ds-request-id", "apim-request-id"} {
		h := http.Header{}
		h.Set(name, "id-1")
		if e := ParseError(500, h, nil, nil); e.RequestID != "id-1" {
			t.Errorf("%s: %q", name, e.RequestID)
		}
	}
	if e := ParseError(400, nil, []byte(`{"error":{"message":"m"},"request_id":"in-body"}`), nil); e.RequestID != "in-body" {
		t.Errorf("in the body: %q", e.RequestID)
	}
}

func TestErrorMessagesAreBoundedAndHoldNoCredentials(t *testing.T) {
	for _, secret := range []string{
		"sk-proj-CANARY0123456789", "gsk_CANARY0123456789", "xai-CANARY0123456789", "AIzaSyCANARY0123456789abc",
		"Bearer CANARY0123456789", "key=CANARY0123456789", "0123456789abcdef0123456789abcdef.CANARYCANARY1234",
		"api_key: 'CANARY0123456789'", "eyJhbGciOi.CANARY0123.CANARY456",
	} {
		e := ParseError(401, nil, []byte(`{"error":{"message":"Incorrect API key provided: `+secret+`. See the page."}}`), nil)
		if strings.Contains(e.Message, "CANARY") {
			t.Errorf("%s came through: %s", secret, e.Message)
		}
	}
	e := ParseError(400, nil, []byte(`{"error":{"message":"`+strings.Repeat("长", 5000)+`"}}`), nil)
	if len(e.Message) > maxMessage || strings.Contains(e.Message, "\uFFFD") {
		t.Errorf("message of %d bytes", len(e.Message))
	}
	for _, leak := range []string{
		"password: hunter2", `"api_key": "canaryword"`, "token=abcdefghijklmnopqrstuvwxyz", "key: Canary0", "secret: CANARY", "access_token: abcd",
		"Authorization: Canary", "key-CANARY0123456789", "token: abcd********wxyz",
	} {
		if got := Scrub(leak); !strings.HasSuffix(strings.TrimRight(got, `"`), redacted) || Scrub(got) != got {
			t.Errorf("%q became %q", leak, got)
		}
	}
	for _, harmless := range []string{
		"task-specific limits apply", "max_tokens: 4096 is too large", "The model `gpt-4o` does not exist",
		"max_tokens: field required", "max_tokens: 64000 > 8192, which is the most", "token: required", "output token: 4000 of 8192",
		"messages.0.tool_use.key: extra inputs are not permitted", "unknown key: response_format", "api_key: field required",
		"the key-value-store is down", "key_points: expected a string", "weir-gateway is not known", "tool_choice.token=auto", "basic authentication is off",
	} {
		if Scrub(harmless) != harmless {
			t.Errorf("%q became %q", harmless, Scrub(harmless))
		}
	}
}

func TestRetryAfterIsReadInEveryForm(t *testing.T) {
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name, key, value string
		want             time.Duration
	}{
		{"milliseconds", "retry-after-ms", "1500", 1500 * time.Millisecond},
		{"seconds", "retry-after", "20", 20 * time.Second},
		{"fractions", "retry-after", "0.5", 500 * time.Millisecond},
		{"a date", "retry-after", now.Add(30 * time.Second).Format(http.TimeFormat), 30 * time.Second},
		{"a date that is over", "retry-after", now.Add(-time.Hour).Format(http.TimeFormat), 0},
		{"a negative number", "retry-after", "-3", 0},
		{"no number", "retry-after", "soon", 0},
		{"infinity", "retry-after", "1e999", 0},
		{"a day", "retry-after", "86400", time.Hour},
	} {
		h := http.Header{}
		h.Set(c.key, c.value)
		if got := RetryAfter(h, now); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestErrorsIn200AreFound(t *testing.T) { // E-02
	for _, c := range []struct {
		name, body string
		quirks     *Quirks
		is         bool
		status     int
	}{
		{"an answer", `{"id":"1","choices":[]}`, nil, false, 0},
		{"an answer with a null error", `{"choices":[],"error":null}`, nil, false, 0},
		{"an answer with an empty error", `{"choices":[],"error":{}}`, nil, false, 0},
		{"an envelope", `{"error":{"message":"no"}}`, nil, true, 200},
		{"an error inside a chunk", `{"choices":[{"index":0}],"error":{"code":502,"message":"no"}}`, nil, true, 502},
		{"FastAPI", `{"detail":"no"}`, nil, true, 200},
		{"object error", `{"object":"error","message":"no"}`, nil, true, 200},
		{"type error", `{"type":"error","error":{"type":"overloaded_error","message":"no"}}`, nil, true, 200},
		{"MiniMax without the quirk", `{"base_resp":{"status_code":1002,"status_msg":"no"}}`, nil, false, 0},
		{"MiniMax", `{"base_resp":{"status_code":1002,"status_msg":"no"}}`, &Quirks{ErrorIn200: []string{"base_resp"}}, true, 200},
		{"MiniMax that went well", `{"choices":[],"base_resp":{"status_code":0,"status_msg":""}}`, &Quirks{ErrorIn200: []string{"base_resp"}}, false, 0},
		{"Spark", `{"code":11200,"message":"no"}`, &Quirks{ErrorIn200: []string{"code"}}, true, 200},
		{"Spark that went well", `{"code":0,"message":"Success","choices":[]}`, &Quirks{ErrorIn200: []string{"code"}}, false, 0},
		{"Baidu", `{"error_code":18,"error_msg":"no"}`, &Quirks{ErrorIn200: []string{"error_code"}}, true, 200},
		{"no JSON", `hello`, nil, false, 0},
	} {
		e := ErrorIn200([]byte(c.body), c.quirks)
		if (e != nil) != c.is {
			t.Errorf("%s: %v", c.name, e)
		} else if e != nil && e.Status != c.status {
			t.Errorf("%s: status %d", c.name, e.Status)
		}
	}
}

func FuzzParseError(f *testing.F) {
	for _, seed := range []string{`{"error":{"message":"m","code":1}}`, `[{"error":"x"}]`, `{"detail":[{"loc":[1]}]}`, "<html><title>", `"`} {
		f.Add(429, []byte(seed))
	}
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		e := ParseError(status, http.Header{}, body, nil)
		if e.Message == "" || len(e.Message) > maxMessage || e.Status != status {
			t.Errorf("%+v", e)
		}
		ErrorIn200(body, &Quirks{ErrorIn200: []string{"code", "base_resp", "error_code"}})
	})
}
