package converse

import (
	"bytes"
	"strings"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
)

// asked is a request of a client of this protocol that says much.
const asked = `{"messages": [{"role":"user","content":[{"text":"hi"}]}], "inferenceConfig": {"temperature":1.5,"topP":0.9,"stopSequences":["a","b","c"],"new":1},
 "toolConfig": {"tools":[],"toolChoice":{"any":{}}}, "additionalModelRequestFields": {"thinking":{"type":"enabled","budget_tokens":2000,"display":"omitted"},"top_k":5},
 "outputConfig": {"effort":"max"}, "novel": null}`

// quirked is asked as it goes to a target with quirks q.
func quirked(t *testing.T, body string, q *codec.Quirks) (string, []weir.Loss) {
	t.Helper()
	req := open(t, weir.Generate, "/model/m/converse", body)
	call, err := New().EncodeRequest(req, &codec.Target{Model: "m", Quirks: q, MaxOutput: 4096})
	if err != nil {
		t.Fatal(err)
	}
	return string(bytes.Join(call.Body, nil)), call.Losses
}

// What the target's quirks demand is changed in the client's bytes, and nothing
// else is; losses are in the client's words. // P-03
func TestQuirks(t *testing.T) {
	for name, v := range map[string]struct {
		q      codec.Quirks
		old    string
		now    string
		losses string
	}{
		"none":            {},
		"no cap":          {codec.Quirks{MaxTokensRequired: true}, `"new":1}`, `"new":1,"maxTokens":4096}`, ""},
		"a cap":           {codec.Quirks{MaxTokensRequired: true, MaxTokensDefault: 7}, `"new":1}`, `"new":1,"maxTokens":7}`, ""},
		"temperature":     {codec.Quirks{TemperatureMax: new(1.0)}, `"temperature":1.5`, `"temperature":1`, "inferenceConfig.temperature clamped"},
		"not both":        {codec.Quirks{TemperatureOrTopP: true}, `"topP":0.9,`, ``, "inferenceConfig.topP dropped"},
		"stop":            {codec.Quirks{MaxStop: 2}, `["a","b","c"]`, `["a","b"]`, "inferenceConfig.stopSequences dropped"},
		"no forced calls": {codec.Quirks{ToolChoices: []string{"auto"}}, `,"toolChoice":{"any":{}}`, ``, "toolConfig.toolChoice approximated"},
		"forced calls":    {codec.Quirks{ToolChoices: []string{"required"}}, ``, ``, ""},
		"drop":            {codec.Quirks{DropParams: []string{"temperature", "top_k"}}, `"temperature":1.5,`, ``, "inferenceConfig.temperature dropped, additionalModelRequestFields.top_k dropped"},
		"drop a switch":   {codec.Quirks{DropParams: []string{"enable_thinking"}}, `"thinking":{"type":"enabled","budget_tokens":2000,"display":"omitted"},`, ``, "additionalModelRequestFields.thinking dropped"},
		"rename":          {codec.Quirks{RenameParams: map[string]string{"novelty": "x", "top_k": "additionalModelRequestFields.k"}}, `"top_k":5`, `"k":5`, "additionalModelRequestFields.top_k renamed"},
		"set":             {codec.Quirks{SetParams: map[string]any{"performanceConfig": map[string]any{"latency": "optimized"}, "temperature": 0.1}}, `"novel": null}`, `"novel": null,"performanceConfig":{"latency":"optimized"}}`, ""},
		"efforts":         {codec.Quirks{Efforts: []string{"low", "high"}}, `"effort":"max"`, `"effort":"high"`, "outputConfig.effort clamped"},
	} {
		got, losses := quirked(t, asked, &v.q)
		want := strings.Replace(asked, v.old, v.now, 1)
		if name == "drop" {
			want = strings.Replace(want, `,"top_k":5`, ``, 1)
		}
		if name == "none" || name == "forced calls" {
			if got != asked {
				t.Errorf("%s: %s", name, got)
			}
		}
		equalJSON(t, name, got, want)
		if lossText(losses) != v.losses {
			t.Errorf("%s: losses %s", name, lossText(losses))
		}
		if !strings.HasPrefix(got, `{"messages": [{"role":"user","content":[{"text":"hi"}]}], `) {
			t.Errorf("%s: the messages were touched: %s", name, got)
		}
	}
	got, losses := quirked(t, asked, &codec.Quirks{ThinkingModes: []string{"adaptive", "disabled"}}) // T-12
	if !strings.Contains(got, `"thinking":{"type":"adaptive","display":"omitted"}`) || !strings.Contains(lossText(losses), "approximated") {
		t.Errorf("%s, %v", got, losses)
	}
	got, _ = quirked(t, asked, &codec.Quirks{DropParams: []string{"temperature", "top_p", "stop", "novel"}, ThinkingModes: []string{"none"}})
	equalJSON(t, "taken out", got, `{"messages":[{"role":"user","content":[{"text":"hi"}]}],"inferenceConfig":{"new":1},"toolConfig":{"tools":[],"toolChoice":{"any":{}}},"additionalModelRequestFields":{"top_k":5},"outputConfig":{"effort":"max"},"novel":null}`)
}

// Quirks that reach into the messages have the body written anew; everything else
// in it stays.
func TestQuirksOfMessages(t *testing.T) {
	const body = `{"messages":[{"role":"user","content":[{"text":"a"}]},{"role":"user","content":[{"text":"b"}],"x":1},
	 {"role":"assistant","content":[{"reasoningContent":{"reasoningText":{"text":"hm","signature":"c2ln"}}},{"text":"c"}]},
	 {"role":"system","content":[{"text":"late"}]},{"role":"user","content":[{"text":"d"}]}],"new":{"y":2}}`
	got, _ := quirked(t, body, &codec.Quirks{StrictAlternation: true})
	if !strings.Contains(got, `{"role":"user","content":[{"text":"a"},{"text":"b"}],"x":1}`) || !strings.Contains(got, `"new":{"y":2}`) {
		t.Errorf("alternation: %s", got)
	}
	got, losses := quirked(t, body, &codec.Quirks{ReasoningReplay: replayNever})
	if strings.Contains(got, "reasoningContent") || lossText(losses) != "messages[2].content[0] dropped" {
		t.Errorf("replay: %s, %v", got, losses)
	}
	got, losses = quirked(t, body, &codec.Quirks{SystemFirst: true})
	if strings.Contains(got, `"role":"system"`) || !strings.Contains(got, "late") || len(losses) == 0 {
		t.Errorf("system first: %s, %v", got, losses)
	}
	const plain = `{"messages": [{"role":"user","content":[{"text":"a"}]}]}`
	if got, _ := quirked(t, plain, &codec.Quirks{StrictAlternation: true, SystemFirst: true, ReasoningReplay: replayNever}); got != plain {
		t.Errorf("what needs no change keeps its bytes: %s", got)
	}
}
