// Package stand is what the tests of the Go clients share: where the gateway
// and its simulated upstream are, which models to ask for, what to ask, and
// what the upstream saw of it.
//
// Nothing here starts anything. run.sh starts the gateway and the simulator as
// the programs that users start, and passes their addresses in the environment.
// The scenarios are the same as those of python/stand.py and node/stand.mjs.
package stand

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// The providers that run.sh configures. Each speaks one protocol and nothing
// else.
const (
	OpenAI    = "oai" // openai.chat
	Anthropic = "ant" // anthropic.messages
	Responses = "res" // openai.responses
	Gemini    = "gem" // gemini.generate
	Ollama    = "oll" // ollama.chat
	Converse  = "con" // bedrock.converse
)

// conversations are the ends of the paths at which each upstream is called for
// an answer, and vectors for vectors.
var (
	conversations = map[string][]string{
		OpenAI:    {"/chat/completions"},
		Anthropic: {"/messages"},
		Responses: {"/responses"},
		Gemini:    {":generateContent", ":streamGenerateContent"},
		Ollama:    {"/api/chat"},
		Converse:  {"/converse", "/converse-stream"},
	}
	vectors = map[string][]string{
		OpenAI: {"/embeddings"},
		Gemini: {":embedContent", ":batchEmbedContents"},
		Ollama: {"/api/embed"},
	}
)

// SystemPlace is how the body of a request to each upstream says where its
// system prompt is.
var SystemPlace = map[string]string{
	OpenAI:    `"role":"system"`,
	Anthropic: `"system":`,
	Responses: `"input":[{"type":"message","role":"system",`,
	Gemini:    `"systemInstruction":{"parts":[`,
	Ollama:    `"messages":[{"role":"system","content":`,
	Converse:  `"system":[{"text":`,
}

// Listed is a model of each provider that GET /v1/models lists, and Alias a
// name of the configuration.
const (
	Listed = "listed-model"
	Alias  = "either"
)

// The prompts. The simulated model repeats the question, and calls the tools
// that it speaks of.
const (
	Question     = "How does a weir hold back the river?"
	Chinese      = "请用一句话解释堰坝是什么 🌊👩‍🔬"
	AskWeather   = "What is the weather in Paris?"
	AskBoth      = "Tell me the weather and the time in Paris."
	AskPing      = "Please use ping_server now."
	Weather      = "18 degrees and clear, 晴 ☀️"
	Time         = "half past nine"
	SystemPrompt = "You keep the weir, 堰. Answer in one sentence."
	Pixel        = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)

// Broken are the faults that end a stream before its end, in the words of the
// simulator, by what happens.
var Broken = map[string]string{
	"the body ends early":        "cut=after:6",
	"a frame is cut in two":      "cut=mid-frame",
	"the connection is closed":   "drop=after:6",
	"the connection is reset":    "reset=after:6",
	"an error event":             "error=after:6",
	"a frame that is not JSON":   "malformed=frame",
	"the upstream is overloaded": "error=after:2",
}

// Odd are the things that healthy upstreams put into streams (W-01, W-03, W-08).
var Odd = map[string]string{
	"comments before every frame":       "comments=1",
	"many comments before every frame":  "comments=9",
	"a frame without choices, or pings": "choices-empty=2",
	"one byte at a time":                "comments=1;trickle",
	"a line of 300 KB":                  "big-line=300k",
	"silence before the answer":         "delay=700ms",
}

func env(t testing.TB, name string) string {
	t.Helper()
	v := os.Getenv(name)
	if v == "" {
		t.Fatalf("%s is not set: run these tests with test/sdk/run.sh (make sdk)", name)
	}
	return v
}

// URL is the address of the gateway, without a path.
func URL(t testing.TB) string { return env(t, "WEIR_URL") }

// Keyed is the address of a gateway that wants a key, and the key.
func Keyed(t testing.TB) (url, key string) { return env(t, "WEIR_KEYED_URL"), env(t, "WEIR_KEY") }

// EachUpstream runs f for an upstream of every protocol.
func EachUpstream(t *testing.T, f func(t *testing.T, upstream string)) {
	each(t, []string{OpenAI, Anthropic, Responses, Gemini, Ollama, Converse}, f)
}

// EachFraming runs f for upstreams whose streams are framed in three ways:
// server-sent events without names, with names, and lines.
func EachFraming(t *testing.T, f func(t *testing.T, upstream string)) {
	each(t, []string{OpenAI, Anthropic, Ollama}, f)
}

// EachVectors runs f for the upstreams that compute vectors.
func EachVectors(t *testing.T, f func(t *testing.T, upstream string)) {
	each(t, []string{OpenAI, Gemini, Ollama}, f)
}

func each(t *testing.T, upstreams []string, f func(t *testing.T, upstream string)) {
	for _, up := range upstreams {
		t.Run("upstream "+up, func(t *testing.T) { f(t, up) })
	}
}

// Model is a model at upstream that no other test asks for, which answers with
// the fault given: the simulator reads it behind the @ of a name that begins with
// "sim".
func Model(t testing.TB, upstream, fault string) string {
	m := upstream + "/sim-" + unique(t)
	if fault != "" {
		m += "@" + fault
	}
	return m
}

func unique(t testing.TB) string {
	var b strings.Builder
	for _, r := range t.Name() {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
			b.WriteRune(r)
		default:
			b.WriteByte('-')
		}
	}
	return fmt.Sprintf("%s-%x", b.String(), time.Now().UnixNano())
}

// Seen is a request as the upstream received it.
type Seen struct {
	Path  string          `json:"path"`
	Model string          `json:"model"`
	Body  json.RawMessage `json:"body"`
}

// Stats are what the simulated upstream counts.
type Stats struct {
	Requests int    `json:"requests"`
	InFlight int    `json:"in_flight"`
	Canceled int    `json:"canceled"`
	Last     []Seen `json:"last"`
}

// ReadStats asks the simulated upstream.
func ReadStats(t testing.TB) Stats {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, env(t, "WEIR_SIM_URL")+"/_sim/stats", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var s Stats
	if err := json.NewDecoder(resp.Body).Decode(&s); err != nil {
		t.Fatal(err)
	}
	return s
}

// Upstream is the last request that the upstream received for model, a name
// that Model gave. It checks that the request went there in the protocol of
// that upstream.
func Upstream(t testing.TB, model string) Seen {
	t.Helper()
	return seen(t, model, conversations)
}

// UpstreamVectors is Upstream for a request for vectors.
func UpstreamVectors(t testing.TB, model string) Seen {
	t.Helper()
	return seen(t, model, vectors)
}

func seen(t testing.TB, model string, paths map[string][]string) Seen {
	t.Helper()
	provider, name, _ := strings.Cut(model, "/")
	for _, seen := range slices.Backward(ReadStats(t).Last) {
		if seen.Model != name {
			continue
		}
		if !slices.ContainsFunc(paths[provider], func(end string) bool { return strings.HasSuffix(seen.Path, end) }) {
			t.Errorf("the upstream was called at %s, want %v", seen.Path, paths[provider])
		}
		return seen
	}
	t.Fatalf("the upstream has not seen the model %q", name)
	return Seen{}
}

// Canceled waits until an upstream call has been cancelled since before.
func Canceled(t testing.TB, before Stats) {
	t.Helper()
	for deadline := time.Now().Add(15 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if now := ReadStats(t); now.Canceled > before.Canceled && now.InFlight <= before.InFlight {
			return
		}
	}
	t.Error("the client left, and the upstream call was not cancelled")
}

// Has fails the test unless text has every part.
func Has(t testing.TB, text string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(text, p) {
			t.Errorf("no %q in %.600q", p, text)
		}
	}
}

// LongPrompt is a text of 200 KB, not all of it ASCII.
func LongPrompt() string {
	const line = "The river runs over the weir, 河水流过堰坝 🌊. "
	return strings.Repeat(line, 200<<10/len(line)+1)
}

// SameJSON fails the test unless got and want are the same JSON value.
func SameJSON(t testing.TB, got, want string) {
	t.Helper()
	var g, w any
	if err := json.Unmarshal([]byte(got), &g); err != nil {
		t.Errorf("%q is not JSON: %v", got, err)
		return
	}
	_ = json.Unmarshal([]byte(want), &w)
	if a, b := fmt.Sprint(g), fmt.Sprint(w); a != b {
		t.Errorf("got %s, want %s", got, want)
	}
}
