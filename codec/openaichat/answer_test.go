package openaichat

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// sse makes a stream of data lines; a line that begins otherwise stays as it is.
func stream(lines ...string) string {
	var s strings.Builder
	for _, l := range lines {
		if strings.HasPrefix(l, "{") || l == "[DONE]" {
			l = "data: " + l + "\n\n"
		}
		s.WriteString(l)
	}
	return s.String()
}

// delta is a chunk of one choice.
func chunkOf(delta string) string {
	return `{"id":"c1","created":7,"model":"up","choices":[{"index":0,"delta":` + delta + `,"finish_reason":null}]}`
}

func finishOf(reason string) string {
	return `{"id":"c1","created":7,"model":"up","choices":[{"index":0,"delta":{},"finish_reason":` + reason + `}]}`
}

func decodeString(s string, a codec.Answer) decoded {
	a.Body = strings.NewReader(s)
	if a.Header == nil {
		a.Header = http.Header{}
	}
	if a.Target == nil {
		a.Target = neutral("m")
	}
	return decodeAll(New().Decode(&a))
}

// tell writes events in short: "start c1 | +0 text | text hi | -0 | stop".
func tell(d decoded) string {
	var s []string
	for _, ev := range d.events {
		at := ""
		if ev.Choice > 0 {
			at = fmt.Sprintf("%d:", ev.Choice)
		}
		switch ev.Type {
		case weir.EventStart:
			s = append(s, "start "+ev.Start.ID)
		case weir.EventBlockStart:
			what := string(ev.Block.Type)
			if c := ev.Block.Call; c != nil {
				what = "call " + c.ID + " " + c.Name
			}
			if r := ev.Block.Reasoning; r != nil && r.Format != "" {
				what += " " + r.Format
			}
			s = append(s, fmt.Sprintf("%s+%d %s", at, ev.Index, what))
		case weir.EventDelta:
			part := [...]string{"", "args ", "sig ", "enc ", "cite ", "audio ", "script ", "logprobs "}[ev.Part]
			s = append(s, fmt.Sprintf("%s%d %s%s", at, ev.Index, part, ev.Text))
		case weir.EventBlockEnd:
			s = append(s, fmt.Sprintf("%s-%d", at, ev.Index))
		case weir.EventFinish:
			s = append(s, at+"finish "+string(ev.Finish.Reason))
		case weir.EventUsage:
			s = append(s, fmt.Sprintf("usage %d/%d", ev.Usage.InputTokens, ev.Usage.OutputTokens))
		default:
			s = append(s, ev.Type.String())
		}
	}
	if d.err != nil {
		s = append(s, "ERROR "+weir.AsError(d.err).Kind.String())
	}
	return strings.Join(s, " | ")
}

// The quirks are counted in wire-quirks.md; those marked "doc" have no recording
// and follow the vendors' documents.
func TestStreamsOfEveryDialectAreUnderstood(t *testing.T) {
	const role = `{"role":"assistant","content":""}`
	call := func(s string) string { return chunkOf(`{"tool_calls":[` + s + `]}`) }
	for _, c := range []struct {
		name   string
		lines  []string
		quirks codec.Quirks
		want   string
	}{
		{"text", []string{chunkOf(role), chunkOf(`{"content":"a"}`), chunkOf(`{"content":"b"}`), finishOf(`"stop"`), "[DONE]"}, codec.Quirks{},
			"start c1 | +0 text | 0 a | 0 b | -0 | finish stop | relay"},
		{"comments, event lines, empty data and stray blank lines", []string{": OPENROUTER PROCESSING\n\n", "event: ping\n\n", "data:\n\n", "\r\n", chunkOf(`{"content":"a"}`), ":\n", finishOf(`"stop"`)}, codec.Quirks{}, // W-01
			"ping | ping | ping | ping | ping | start c1 | +0 text | 0 a | ping | -0 | finish stop"},
		{"a finish without [DONE]", []string{chunkOf(`{"content":"a"}`), finishOf(`"length"`)}, codec.Quirks{}, "start c1 | +0 text | 0 a | -0 | finish length"}, // W-05
		{"neither finish nor [DONE]", []string{chunkOf(`{"content":"a"}`)}, codec.Quirks{}, "start c1 | +0 text | 0 a | ERROR upstream"},                         // W-05
		{"nothing at all", nil, codec.Quirks{}, "ERROR upstream"},
		{"[DONE] alone", []string{"[DONE]"}, codec.Quirks{}, "ERROR upstream"},
		{"Azure's first chunk", []string{`{"id":"","model":"","choices":[],"prompt_filter_results":[{}]}`, chunkOf(`{"content":"a"}`), finishOf(`"stop"`)}, codec.Quirks{}, // W-08
			"ping | start c1 | +0 text | 0 a | -0 | finish stop"},
		{"a choice without delta", []string{`{"id":"c1","choices":[{"index":0,"finish_reason":null}]}`, chunkOf(`{"content":null}`), finishOf(`"stop"`)}, codec.Quirks{}, // W-08
			"start c1 | ping | finish stop"},
		{"an empty finish reason is none", []string{strings.Replace(chunkOf(`{"content":"a"}`), "null", `""`, 1), "[DONE]"}, codec.Quirks{}, "start c1 | +0 text | 0 a | -0 | finish stop"},
		{"eos", []string{chunkOf(`{"content":"a"}`), finishOf(`"eos"`)}, codec.Quirks{}, "start c1 | +0 text | 0 a | -0 | finish stop"},
		{"an unknown reason", []string{chunkOf(`{"content":"a"}`), finishOf(`"odd"`)}, codec.Quirks{}, "start c1 | +0 text | 0 a | -0 | finish other"}, // P-11
		{"GLM's sensitive", []string{finishOf(`"sensitive"`)}, codec.Quirks{}, "start c1 | finish content_filter"},
		{"a reason of the quirks", []string{finishOf(`"odd"`)}, codec.Quirks{FinishReasons: map[string]string{"odd": "length"}}, "start c1 | finish length"},
		{"the upstream gives up", []string{chunkOf(`{"content":"a"}`), finishOf(`"insufficient_system_resource"`)}, codec.Quirks{}, "start c1 | +0 text | 0 a | ERROR upstream"},
		{"two finish chunks", []string{chunkOf(`{"content":"a"}`), finishOf(`"stop"`), finishOf(`"stop"`), "[DONE]"}, codec.Quirks{}, "start c1 | +0 text | 0 a | -0 | finish stop | relay | relay"},
		{"reasoning_content, with empty ones", []string{chunkOf(`{"reasoning_content":"r","content":null}`), chunkOf(`{"reasoning_content":"","content":"a"}`), finishOf(`"stop"`)}, codec.Quirks{}, // T-08, T-09
			"start c1 | +0 reasoning | 0 r | -0 | +1 text | 1 a | -1 | finish stop"},
		{"reasoning", []string{chunkOf(`{"reasoning":"r"}`), chunkOf(`{"content":"a"}`), finishOf(`"stop"`)}, codec.Quirks{}, "start c1 | +0 reasoning | 0 r | -0 | +1 text | 1 a | -1 | finish stop"},
		{"both names with the same text", []string{chunkOf(`{"reasoning":"r","reasoning_content":"r"}`), finishOf(`"stop"`)}, codec.Quirks{}, "start c1 | +0 reasoning | 0 r | -0 | finish stop"}, // T-13
		{"details with a signature", []string{
			chunkOf(`{"reasoning":"r","reasoning_details":[{"type":"reasoning.text","text":"r","format":"f","index":0}]}`),
			chunkOf(`{"reasoning_details":[{"type":"reasoning.text","signature":"s","format":"f","index":0}]}`),
			chunkOf(`{"reasoning_details":[{"type":"reasoning.encrypted","data":"d","format":"f","index":1}]}`), chunkOf(`{"content":"a"}`), finishOf(`"stop"`)}, codec.Quirks{},
			"start c1 | +0 reasoning f | 0 r | 0 sig s | -0 | +1 reasoning f | 1 enc d | -1 | +2 text | 2 a | -2 | finish stop"},
		{"Mistral's parts", []string{chunkOf(`{"content":[{"type":"thinking","thinking":[{"type":"text","text":"r"}]}]}`), chunkOf(`{"content":"a"}`), finishOf(`"stop"`)}, codec.Quirks{},
			"start c1 | +0 reasoning | 0 r | -0 | +1 text | 1 a | -1 | finish stop"},
		{"think tags, cut anywhere", []string{chunkOf(`{"content":"<thi"}`), chunkOf(`{"content":"nk>r</t"}`), chunkOf(`{"content":"hink>\n\na <b"}`), finishOf(`"stop"`)}, codec.Quirks{ThinkTags: true},
			"start c1 | +0 reasoning | 0 r | -0 | +1 text | 1 a <b | -1 | finish stop"},
		{"a refusal", []string{chunkOf(`{"refusal":"no"}`), finishOf(`"stop"`)}, codec.Quirks{}, "start c1 | +0 refusal | 0 no | -0 | finish stop"},
		{"two calls", []string{call(`{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":""}}`), call(`{"index":0,"function":{"arguments":"{\"x\""}}`), // S-01
			call(`{"index":0,"function":{"arguments":":1}"}}`), call(`{"index":1,"id":"b","type":"function","function":{"name":"g","arguments":"{}"}}`), finishOf(`"tool_calls"`)}, codec.Quirks{},
			`start c1 | +0 call a f | 0 args {"x" | 0 args :1} | +1 call b g | 1 args {} | -0 | -1 | finish tool_calls`},
		{"interleaved calls", []string{call(`{"index":0,"id":"a","function":{"name":"f","arguments":"{"}},{"index":1,"id":"b","function":{"name":"g","arguments":"{"}}`), // S-01
			call(`{"index":1,"function":{"arguments":"}"}}`), call(`{"index":0,"function":{"arguments":"}"}}`), finishOf(`"tool_calls"`)}, codec.Quirks{},
			`start c1 | +0 call a f | 0 args { | +1 call b g | 1 args { | 1 args } | 0 args } | -0 | -1 | finish tool_calls`},
		{"DashScope's empty ids and names", []string{call(`{"index":0,"id":"a","function":{"name":"f","arguments":""}}`), call(`{"index":0,"id":"","function":{"name":"","arguments":"{}"}}`), finishOf(`"tool_calls"`)}, codec.Quirks{},
			`start c1 | +0 call a f | ping-or-relay | 0 args {} | -0 | finish tool_calls`},
		{"repeated ids and names", []string{call(`{"index":0,"id":"a","function":{"name":"f","arguments":"{"}}`), call(`{"index":0,"id":"a","function":{"name":"f","arguments":"}"}}`), finishOf(`"tool_calls"`)}, codec.Quirks{},
			`start c1 | +0 call a f | 0 args { | 0 args } | -0 | finish tool_calls`},
		{"one index for several ids", []string{call(`{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\":1}"}}`), call(`{"index":0,"id":"b","function":{"name":"f","arguments":"{\"x\":2}"}}`), finishOf(`"stop"`)}, codec.Quirks{}, // S-03, S-05
			`start c1 | +0 call a f | 0 args {"x":1} | +1 call b f | 1 args {"x":2} | -0 | -1 | finish tool_calls`},
		{"arguments as an object", []string{call(`{"id":"a","function":{"name":"f","arguments":{"x": 1}}}`), finishOf(`"stop"`)}, codec.Quirks{},
			`start c1 | +0 call a f | 0 args {"x":1} | -0 | finish tool_calls`},
		{"an empty object ahead of the arguments", []string{call(`{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}}`), call(`{"index":0,"function":{"arguments":"{\"x\":1}"}}`), finishOf(`"tool_calls"`)}, codec.Quirks{}, // S-04
			`start c1 | +0 call a f | 0 args {"x":1} | -0 | finish tool_calls`},
		{"a name that comes late", []string{call(`{"index":0,"id":"a","function":{"arguments":"{"}}`), call(`{"index":0,"function":{"name":"f","arguments":"}"}}`), finishOf(`"tool_calls"`)}, codec.Quirks{},
			`start c1 | +0 call a f | 0 args { | 0 args } | -0 | finish tool_calls`},
		{"text around a call", []string{chunkOf(`{"content":"a"}`), call(`{"index":0,"id":"a","function":{"name":"f","arguments":"{"}}`), chunkOf(`{"content":"\n"}`), call(`{"index":0,"function":{"arguments":"}"}}`), finishOf(`"stop"`)}, codec.Quirks{}, // S-08
			"start c1 | +0 text | 0 a | -0 | +1 call a f | 1 args { | +2 text | 2 \n | 1 args } | -1 | -2 | finish tool_calls"},
		{"a call that is cut", []string{call(`{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x"}}`), finishOf(`"length"`)}, codec.Quirks{}, // S-06
			`start c1 | +0 call a f | 0 args {"x | -0 | finish length`},
		{"calls and finish in one chunk", []string{`{"id":"c1","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}}]},"finish_reason":"tool_calls"}]}`, "[DONE]"}, codec.Quirks{},
			`start c1 | +0 call a f | 0 args {} | -0 | finish tool_calls | relay`},
		{"the reason with every chunk", []string{ // OpenRouter, Together
			`{"id":"c1","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{"}}]},"finish_reason":"tool_calls"}]}`,
			`{"id":"c1","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"}"}}]},"finish_reason":"tool_calls"}]}`, "[DONE]"}, codec.Quirks{},
			`start c1 | +0 call a f | 0 args { | 0 args } | -0 | finish tool_calls | relay`},
		{"an old function call", []string{chunkOf(`{"function_call":{"name":"f","arguments":""}}`), chunkOf(`{"function_call":{"arguments":"{\"x\":1}"}}`), finishOf(`"function_call"`)}, codec.Quirks{},
			`start c1 | +0 call  f | 0 args {"x":1} | -0 | finish tool_calls`},
		{"two choices", []string{`{"id":"c1","choices":[{"index":0,"delta":{"content":"a"}},{"index":1,"delta":{"content":"b"}}]}`, `{"choices":[{"index":1,"delta":{},"finish_reason":"stop"},{"index":0,"delta":{},"finish_reason":"length"}]}`}, codec.Quirks{},
			"start c1 | +0 text | 0 a | 1:+0 text | 1:0 b | 1:-0 | 1:finish stop | -0 | finish length"},
		{"usage alone", []string{finishOf(`"stop"`), `{"id":"c1","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4}}`, "[DONE]"}, codec.Quirks{}, "start c1 | finish stop | usage 3/4 | relay"}, // U-01
		{"Groq's usage", []string{finishOf(`"stop"`), `{"id":"c1","choices":[],"x_groq":{"id":"r","usage":{"prompt_tokens":3,"completion_tokens":4}}}`}, codec.Quirks{}, "start c1 | finish stop | usage 3/4"},
		{"Kimi's usage", []string{`{"id":"c1","choices":[{"index":0,"delta":{},"finish_reason":"stop","usage":{"prompt_tokens":3,"completion_tokens":4}}]}`}, codec.Quirks{}, "start c1 | finish stop | usage 3/4"},
		{"an error event", []string{chunkOf(`{"content":"a"}`), "event: error\ndata: {\"error\":{\"message\":\"no\"}}\n\n"}, codec.Quirks{}, "start c1 | +0 text | 0 a | ERROR upstream"}, // E-02
		{"an error first", []string{`{"error":{"message":"busy","code":503}}`}, codec.Quirks{}, "ERROR overloaded"},                                                                       // E-02
		{"an error in a chunk", []string{chunkOf(`{"content":"a"}`), `{"choices":[{"index":0,"delta":{},"finish_reason":"error"}],"error":{"code":429,"message":"slow down"}}`}, codec.Quirks{},
			"start c1 | +0 text | 0 a | ERROR rate_limit"},
		{"an error in a choice", []string{`{"id":"c1","choices":[{"index":0,"delta":{"content":""},"error":{"code":502,"message":"no"},"finish_reason":"error"}]}`}, codec.Quirks{}, "start c1 | ERROR upstream"},
		{"malformed JSON", []string{chunkOf(`{"content":"a"}`), "data: {oops\n\n"}, codec.Quirks{}, "start c1 | +0 text | 0 a | ERROR upstream"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := stream(c.lines...)
			q := c.quirks
			a := codec.Answer{Stream: true, Target: &codec.Target{Quirks: &q}}
			d := decodeString(s, a)
			got, want := tell(d), strings.ReplaceAll(c.want, "ping-or-relay", "relay")
			if got != want {
				t.Errorf("\n got %s\nwant %s", got, want)
			}
			if d.err == nil && string(d.raw) != s {
				t.Errorf("frames are %q", d.raw)
			}
			for at := range len(s) { // W-03, W-04
				a.Body, a.Header = io.MultiReader(strings.NewReader(s[:at]), strings.NewReader(s[at:])), http.Header{}
				if diff := sameEvents(d, decodeAll(New().Decode(&a))); diff != "" {
					t.Fatalf("cut at %d: %s", at, diff)
				}
			}
		})
	}
}

func TestCallsWithoutIDsGetStableOnes(t *testing.T) { // S-03
	s := stream(chunkOf(`{"tool_calls":[{"id":"","function":{"name":"f","arguments":"{\"x\":1}"}}]}`), chunkOf(`{"tool_calls":[{"function":{"name":"f","arguments":"{\"x\":2}"}}]}`), finishOf(`"stop"`))
	one, two := decodeString(s, codec.Answer{Stream: true}), decodeString(s, codec.Answer{Stream: true})
	if tell(one) != tell(two) || one.err != nil {
		t.Fatal(tell(one))
	}
	seen := map[string]bool{}
	for _, ev := range one.events {
		if ev.Type == weir.EventBlockStart {
			if ev.Block.Call.ID == "" || seen[ev.Block.Call.ID] {
				t.Errorf("id %q", ev.Block.Call.ID)
			}
			seen[ev.Block.Call.ID] = true
		}
	}
	if len(seen) != 2 {
		t.Errorf("%d calls", len(seen))
	}
}

func TestContentFlowsByWhenNobodyReadsIt(t *testing.T) {
	s := stream(chunkOf(`{"role":"assistant"}`), chunkOf(`{"content":"\"finish_reason\":1"}`), ": ping\n", chunkOf(`{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}}]}`),
		finishOf(`"stop"`), `{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2}}`, "[DONE]")
	d := decodeString(s, codec.Answer{Stream: true, Relay: true})
	if got := tell(d); got != "start c1 | relay | ping | relay | finish tool_calls | usage 1/2 | relay" || string(d.raw) != s {
		t.Errorf("%s\n%q", got, d.raw)
	}
}

func TestJSONAndStreamsAreToldApartByWhatTheyAre(t *testing.T) {
	whole := `{"id":"c1","choices":[{"index":0,"message":{"role":"assistant","content":"a","reasoning_content":""},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":0}}`
	want := "start c1 | +0 text | 0 a | -0 | finish stop | usage 1/0"
	if got := tell(decodeString("\n\n "+whole, codec.Answer{Stream: true, Header: http.Header{"Content-Type": {"text/event-stream"}}})); got != want {
		t.Errorf("JSON for a stream: %s", got)
	}
	s := stream(chunkOf(`{"content":"a"}`), finishOf(`"stop"`), `{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":0}}`)
	if got := tell(decodeString(s, codec.Answer{Header: http.Header{"Content-Type": {"application/json"}}})); got != want {
		t.Errorf("a stream for JSON: %s", got)
	}
	if got := tell(decodeString("<html><title>Sign in</title></html>", codec.Answer{})); got != "ERROR upstream" {
		t.Errorf("a page: %s", got)
	}
	if got := tell(decodeString(`{"detail":"no"}`, codec.Answer{})); got != "ERROR upstream" { // E-02
		t.Errorf("an error: %s", got)
	}
	if got := tell(decodeString(`{"id":"c1","choices":[{"message":{"content":"a"},"finish_reason":null}]}`, codec.Answer{})); got != "start c1 | +0 text | 0 a | -0 | finish stop" {
		t.Errorf("no reason: %s", got)
	}
	for _, body := range []string{"", "{}", `{"choices":[]}`, `{"choices":`, "null"} {
		if got := decodeString(body, codec.Answer{}); !errors.Is(got.err, weir.KindUpstream) {
			t.Errorf("%q: %v", body, got.err)
		}
	}
}

func TestLimitsAreReportedAndNotSilentlyKept(t *testing.T) { // W-02
	long := chunkOf(`{"content":"` + strings.Repeat("x", 5<<20) + `"}`)
	d := decodeString(stream(long, finishOf(`"stop"`)), codec.Answer{Stream: true})
	if d.err != nil || len(d.events[2].Text) != 5<<20 {
		t.Errorf("5 MiB in a line: %v", d.err)
	}
	d = decodeString(stream(long), codec.Answer{Stream: true, MaxFrame: 1 << 20})
	if !errors.Is(d.err, weir.KindUpstream) || !strings.Contains(d.err.Error(), "1048576") {
		t.Errorf("frame: %v", d.err)
	}
	d = decodeString(`{"choices":[`+strings.Repeat(" ", 100), codec.Answer{MaxBody: 50})
	if !errors.Is(d.err, weir.KindUpstream) || !strings.Contains(d.err.Error(), "50 bytes") {
		t.Errorf("body: %v", d.err)
	}
}

func TestUsageArithmetic(t *testing.T) { // U-03, U-05, U-07, U-08
	for _, c := range []struct {
		name, raw                                     string
		onTop                                         bool
		in, out, cached, written, reasoning, audioOut int64 // -1 is unknown
	}{
		{"OpenAI", `{"prompt_tokens":10,"completion_tokens":5,"prompt_tokens_details":{"cached_tokens":4,"cache_write_tokens":2},"completion_tokens_details":{"reasoning_tokens":3,"audio_tokens":1}}`, false, 10, 5, 4, 2, 3, 1},
		{"DeepSeek", `{"prompt_tokens":10,"completion_tokens":5,"prompt_cache_hit_tokens":6,"prompt_cache_miss_tokens":4}`, false, 10, 5, 6, -1, -1, -1},
		{"Kimi", `{"prompt_tokens":10,"completion_tokens":5,"cached_tokens":6}`, false, 10, 5, 6, -1, -1, -1},
		{"Mistral", `{"prompt_tokens":10,"completion_tokens":5,"prompt_token_details":{"cached_tokens":6}}`, false, 10, 5, 6, -1, -1, -1},
		{"xAI counts reasoning beside", `{"prompt_tokens":10,"completion_tokens":5,"completion_tokens_details":{"reasoning_tokens":100}}`, true, 10, 105, -1, -1, 100, -1},
		{"cached beside the prompt", `{"prompt_tokens":10,"completion_tokens":5,"prompt_tokens_details":{"cached_tokens":90}}`, false, 100, 5, 90, -1, -1, -1},
		{"explicit zeros are known", `{"prompt_tokens":0,"completion_tokens":0,"prompt_tokens_details":{"cached_tokens":0}}`, false, 0, 0, 0, -1, -1, -1},
		{"negative, absurd and odd numbers are unknown", `{"prompt_tokens":-5,"completion_tokens":1e300,"prompt_tokens_details":{"cached_tokens":"7"}}`, false, -1, -1, -1, -1, -1, -1},
	} {
		u := readUsage([]byte(c.raw), c.onTop, true)
		for _, f := range []struct {
			field     weir.UsageField
			got, want int64
		}{{weir.UsageInput, u.InputTokens, c.in}, {weir.UsageOutput, u.OutputTokens, c.out}, {weir.UsageCacheRead, u.CacheReadTokens, c.cached},
			{weir.UsageCacheCreation, u.CacheCreationTokens, c.written}, {weir.UsageReasoning, u.ReasoningTokens, c.reasoning}, {weir.UsageAudioOutput, u.AudioOutputTokens, c.audioOut}} {
			if u.Has(f.field) != (f.want >= 0) || f.want >= 0 && f.got != f.want {
				t.Errorf("%s: field %d is %d (known %v), want %d", c.name, f.field, f.got, u.Has(f.field), f.want)
			}
		}
	}
}

// An answer that ends with an error has used what it says. Of one that came whole
// nothing is shown, so that it can be tried again. // U-04
func TestWhatFailedIsCounted(t *testing.T) {
	const usage = `"usage":{"prompt_tokens":3,"completion_tokens":4}`
	for _, c := range []struct {
		name, wire string
		stream     bool
	}{
		{"an error in a stream", stream(chunkOf(`{"content":"a"}`), `{"error":{"message":"worker died"},`+usage+`}`), true},
		{"an end that is an error", stream(chunkOf(`{"content":"a"}`), `{"choices":[{"index":0,"delta":{},"finish_reason":"error"}],`+usage+`}`), true},
		{"an error in one body", `{"error":{"message":"worker died"},` + usage + `}`, false},
		{"a body that was given up", `{"choices":[{"index":0,"message":{"content":"a"},"finish_reason":"error"}],` + usage + `}`, false},
	} {
		for _, relay := range []bool{false, true} {
			d := decodeString(c.wire, codec.Answer{Stream: c.stream, Relay: relay})
			var all weir.Collector
			content := false
			for _, ev := range d.events {
				all.Add(ev)
				content = content || ev.IsContent()
			}
			if u := all.Completion().Usage; !errors.Is(d.err, weir.KindUpstream) || content != c.stream || !u.Has(weir.UsageInput|weir.UsageOutput) || u.Total() != 7 {
				t.Errorf("%s, relay=%v: %v, content %v, usage %+v", c.name, relay, d.err, content, u)
			}
		}
	}
	if d := decodeString(`{"error":{"message":"busy"}}`, codec.Answer{}); d.err == nil || len(d.events) > 0 {
		t.Errorf("nothing was used: %v, %d events", d.err, len(d.events))
	}
}

func TestShortenedToolNamesComeBack(t *testing.T) { // S-09
	s := stream(chunkOf(`{"tool_calls":[{"index":0,"id":"a","function":{"name":"short","arguments":"{}"}}]}`), finishOf(`"tool_calls"`), "[DONE]")
	a := &codec.Answer{Header: http.Header{}, Body: strings.NewReader(s), Stream: true, Relay: true, Target: neutral("m"), Names: map[string]string{"short": "the.long.name"}}
	out, err := encodeAll(clientAsking(true), New().Decode(a))
	if err != nil || bytes.Contains(out, []byte(`"short"`)) || !bytes.Contains(out, []byte("the.long.name")) {
		t.Errorf("%v\n%s", err, out)
	}
}

func FuzzStream(f *testing.F) {
	f.Add([]byte(stream(chunkOf(`{"content":"a"}`), finishOf(`"stop"`), "[DONE]")), true)
	f.Add([]byte(stream(chunkOf(`{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}}]}`), finishOf(`"stop"`))), false)
	f.Add([]byte(`{"id":"c1","choices":[{"message":{"content":[{"type":"text","text":"a"}],"reasoning_details":[{"type":"reasoning.text","text":"x","index":0}]},"finish_reason":"stop"}]}`), false)
	f.Fuzz(func(t *testing.T, body []byte, relay bool) {
		a := codec.Answer{Stream: true, Relay: relay, MaxFrame: 1 << 20, Target: &codec.Target{Quirks: &codec.Quirks{ThinkTags: true}}}
		d := decodeString(string(body), a)
		if d.err == nil && !bytes.Equal(d.raw, body) {
			t.Errorf("frames are %q", d.raw)
		}
		checkOrder(t, d.events)
		a.Body, a.Header = bytes.NewReader(body), http.Header{}
		for _, streamed := range []bool{true, false} {
			a.Body = bytes.NewReader(body)
			detached := func(yield func(weir.Event, error) bool) {
				for ev, err := range New().Decode(&a) {
					if !yield(ev.Detach(), err) {
						return
					}
				}
			}
			out, err := encodeAll(clientAsking(streamed), detached)
			if !streamed && err == nil && jsonx.Valid(out) != nil {
				t.Errorf("%q", out)
			}
		}
	})
}

// checkOrder asserts the rules of weir.Event.
func checkOrder(t *testing.T, events []weir.Event) {
	t.Helper()
	type key struct{ choice, index int32 }
	open, finished, started := map[key]bool{}, map[int32]bool{}, false
	for _, ev := range events {
		k := key{ev.Choice, ev.Index}
		if ev.IsContent() && !started {
			t.Errorf("%v before the start", ev.Type)
		}
		switch ev.Type {
		case weir.EventStart:
			started = true
		case weir.EventBlockStart:
			if open[k] || finished[ev.Choice] {
				t.Errorf("block %v starts wrongly", k)
			}
			open[k] = true
		case weir.EventDelta:
			if !open[k] && ev.Part != weir.PartLogprobs {
				t.Errorf("delta outside of block %v", k)
			}
		case weir.EventBlockEnd:
			if !open[k] {
				t.Errorf("block %v ends twice", k)
			}
			delete(open, k)
		case weir.EventFinish:
			if finished[ev.Choice] {
				t.Errorf("choice %d ends twice", ev.Choice)
			}
			finished[ev.Choice] = true
		}
	}
}
