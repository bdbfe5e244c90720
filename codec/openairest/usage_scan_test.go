package openairest

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/weir-gateway/weir/internal/jsonx"
)

// scanned is what a scan finds of text that comes in pieces of at most n bytes.
func scanned(text string, n int) string {
	var s jsonScan
	for len(text) > 0 {
		k := min(n, len(text))
		s.write([]byte(text[:k]))
		text = text[k:]
	}
	return usageText(s.told.read(false))
}

func TestUsageOfJSON(t *testing.T) {
	cases := []struct{ name, text, want string }{
		{"images", `{"created":1,"data":[{"b64_json":"AAAA\"usage\":{\"input_tokens\":9}"}],"usage":{"input_tokens":14,"input_tokens_details":{"image_tokens":0,"text_tokens":14},"output_tokens":272,"total_tokens":286}}`,
			`in=14 out=272 input_tokens_details={"image_tokens":0,"text_tokens":14}`},
		{"usage first", `{"usage":{"prompt_tokens":3,"total_tokens":3},"data":[{"usage":{"prompt_tokens":9}}]}`, "in=3"},
		{"a total alone", `{"object":"list","results":[],"usage":{"total_tokens":57}}`, "in=57"},
		{"Cohere", `{"id":"x","results":[{"index":0,"relevance_score":0.9}],"meta":{"api_version":{"version":"2"},"billed_units":{"search_units":1}}}`, "search_units=1"},
		{"SiliconFlow", `{"results":[],"meta":{"billed_units":{"input_tokens":15,"output_tokens":0},"tokens":{"input_tokens":99,"output_tokens":0}}}`, "in=15 out=0"},
		{"tokens", `{"results":[],"tokens":{"input_tokens":4,"output_tokens":1}}`, "in=4 out=1"},
		{"tokens of a tokenizer", `{"tokens":[1,2,3],"meta":{"api_version":{"version":"1"}}}`, "none"},
		{"seconds", `{"text":"a","usage":{"type":"duration","seconds":317}}`, `type="duration" seconds=317`},
		{"sound", `{"text":"a","usage":{"type":"tokens","input_tokens":37,"input_token_details":{"text_tokens":0,"audio_tokens":37},"output_tokens":145}}`,
			`in=37 out=145 audio=37 type="tokens" input_token_details={"text_tokens":0,"audio_tokens":37}`},
		{"pages", `{"pages":[],"usage_info":{"pages_processed":6}}`, "pages_processed=6"},
		{"last and white space", "{ \"a\" : [ 1 , 2 ] , \"usage\" :\n { \"prompt_tokens\" : 3 } }\n", "in=3"},
		{"null", `{"usage":null}`, "none"}, {"a number", `{"usage":7,"x":1}`, "none"}, {"empty", `{"usage":{}}`, "none"},
		{"not at the top", `{"a":{"usage":{"prompt_tokens":3}}}`, "none"}, {"a list", `[{"usage":{"prompt_tokens":3}}]`, "none"},
		{"a value that is a name", `{"a":"usage","b":{"prompt_tokens":3}}`, "none"},
		{"escapes", `{"a\"usage\"":{"prompt_tokens":9},"b":"\\","c":"\\\"","usage":{"prompt_tokens":3}}`, "in=3"},
		{"text with brackets", `{"a":"}]{[","usage":{"x":"}","prompt_tokens":3}}`, `in=3 x="}"`},
		{"twice", `{"usage":{"prompt_tokens":3},"usage":{"prompt_tokens":4}}`, "in=4"},
		{"cut", `{"usage":{"prompt_tokens":3`, "none"}, {"no JSON", `}]}"usage":{`, "none"}, {"nothing", "", "none"},
		{"a very long one", `{"usage":{"x":"` + strings.Repeat("y", maxTold) + `"}}`, "none"},
		{"a long name", `{"` + strings.Repeat("usage", 9) + `":1,"usage":{"prompt_tokens":3}}`, "in=3"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			for _, n := range []int{1 << 20, 1, 2, 3, 7} {
				if got := scanned(c.text, n); got != c.want {
					t.Errorf("in pieces of %d: %s, want %s", n, got, c.want)
				}
			}
		})
	}
}

func eventsScanned(text string, n int) string {
	var s eventScan
	for len(text) > 0 {
		k := min(n, len(text))
		s.write([]byte(text[:k]))
		text = text[k:]
	}
	s.end()
	s.end()
	return fmt.Sprint(s.events, " ", usageText(s.latest.read(false)))
}

func TestUsageOfEvents(t *testing.T) {
	const done = `{"type":"transcript.text.done","text":"\"usage\"","usage":{"type":"tokens","input_tokens":37,"output_tokens":12}}`
	const told = `in=37 out=12 type="tokens"`
	cases := []struct{ name, text, want string }{
		{"a transcript", "data: {\"type\":\"transcript.text.delta\",\"delta\":\"a\"}\n\ndata: " + done + "\n\ndata: [DONE]\n\n", "1 " + told},
		{"an event name and CRLF", "event: x\r\ndata: {\"a\":1}\r\n\r\nevent: y\r\ndata: " + done + "\r\n\r\n", "1 " + told},
		{"CR alone", "data: " + done + "\r\r", "1 " + told},
		{"two lines", "data: {\"usage\":\r\ndata:{\"input_tokens\":37,\"output_tokens\":12,\"type\":\"tokens\"}}\r\n\r\n", "1 " + told},
		{"cumulative", "data: {\"usage\":{\"input_tokens\":1}}\n\ndata: " + done + "\n\n", "2 " + told},
		{"comments and other fields", ": {\"usage\":{\"input_tokens\":9}}\nid: {\"usage\":{}}\ndata: " + done + "\n\n", "1 " + told},
		{"no blank line", "data: " + done, "1 " + told},
		{"no data", "event: a\n\n\n\ndatum: " + done + "\n\n", "0 none"},
		{"an open event", "data: {\"a\":\"\n\ndata: " + done + "\n\n", "1 " + told},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			for _, n := range []int{1 << 20, 1, 2, 3, 7} {
				if got := eventsScanned(c.text, n); got != c.want {
					t.Errorf("in pieces of %d: %s, want %s", n, got, c.want)
				}
			}
		})
	}
}

// FuzzUsage: of a JSON object a scan finds what a reader of the whole finds, and
// however any text is split, the same.
func FuzzUsage(f *testing.F) {
	for _, s := range []string{
		`{"a":"\\\"","usage":{"prompt_tokens":3,"x":[{"y":"}"}]},"b":[1,{}]}`, `{"meta":{"tokens":{"input_tokens":1}},"usage" : {"total_tokens":2}}`,
		"data: {\"usage\":{\"input_tokens\":1}}\r\n\r\n: x\n", `[{"usage":{}}]`,
	} {
		f.Add([]byte(s), uint64(1))
	}
	f.Fuzz(func(t *testing.T, text []byte, seed uint64) {
		random := rand.New(rand.NewPCG(seed, 1))
		var whole, split jsonScan
		var events, splitEvents eventScan
		whole.write(text)
		events.write(text)
		for rest := text; len(rest) > 0; {
			n := 1 + random.IntN(len(rest))
			split.write(rest[:n])
			splitEvents.write(rest[:n])
			rest = rest[n:]
		}
		if a, b := whole.told.read(false), split.told.read(false); usageText(a) != usageText(b) {
			t.Fatalf("%s became %s", usageText(a), usageText(b))
		}
		if a, b := events.latest.read(false), splitEvents.latest.read(false); usageText(a) != usageText(b) || events.events != splitEvents.events {
			t.Fatalf("%s became %s", usageText(a), usageText(b))
		}
		if jsonx.Valid(text) != nil || jsonx.KindOf(text) != jsonx.KindObject || bytes.ContainsRune(text, '\\') {
			return
		}
		var want told
		_ = jsonx.EachMember(text, func(key, value []byte) error {
			if p := want.member(string(key)); p != nil {
				if *p = nil; len(value) < maxTold/2 {
					*p = value
				}
			}
			return nil
		})
		if len(text) < maxTold/2 && usageText(want.read(false)) != usageText(whole.told.read(false)) {
			t.Fatalf("found %s, want %s", usageText(whole.told.read(false)), usageText(want.read(false)))
		}
	})
}
