package gemini_test

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/codec/all"
	"github.com/weir-gateway/weir/internal/jsonx"
)

const (
	asked      = `{"role":"user","parts":[{"text":"q"}]}`
	called     = `{"role":"model","parts":[{"functionCall":{"id":"abc","name":"f","args":{}}}]}`
	nothingNew = `{"role":"model","parts":[{"text":""}]}`
)

func result(name, value string) string {
	return fmt.Sprintf(`{"functionResponse":{"name":%q,"response":{"result":%q}}}`, name, value)
}

func contents(list ...string) string { return `{"contents":[` + strings.Join(list, ",") + `]}` }

// P-06, S-03, S-10: contents of one role are one turn for every target, whichever
// content a call or its result stands in.
func TestContentsOfOneRoleReachEveryTarget(t *testing.T) {
	user := func(parts string) string { return `{"role":"user","parts":[` + parts + `]}` }
	for name, tt := range map[string]struct {
		body string
		want []string // calls and results in order, by their ids
	}{
		"the client for Python calls the tool": {contents(asked, called, nothingNew, user(result("f", "1"))), []string{"abc", "=abc 1"}},
		"results in several contents": {
			contents(asked, `{"role":"model","parts":[{"functionCall":{"name":"f"}},{"functionCall":{"name":"g"}}]}`,
				`{"role":"model","parts":[{"functionCall":{"name":"f"}}]}`, user(result("g", "1")), user(result("f", "2")), user(`{"text":""}`), user(result("f", "3"))),
			[]string{"call_1_0", "call_1_1", "call_1_2", "=call_1_1 1", "=call_1_0 2", "=call_1_2 3"},
		},
		"words between results of the role function": {
			contents(asked, called, `{"role":"model"}`, `{"role":"model","parts":[{"functionCall":{"name":"f"}}]}`,
				`{"role":"function","parts":[`+result("f", "1")+`]}`, user(`{"text":"and"}`), `{"role":"function","parts":[`+result("f", "2")+`]}`),
			[]string{"abc", "call_1_1", "=abc 1", "=call_1_1 2"},
		},
		"a turn of the model with an unknown member": {
			contents(asked, called, `{"role":"model","parts":[{"text":""}],"more":1}`, user(result("f", "1"))), []string{"abc", "=abc 1"},
		},
	} {
		req := open(t, weir.Generate, generatePath, tt.body)
		body, err := req.Body()
		if err != nil {
			t.Fatal(err)
		}
		if got := callsOf(body.Messages); !slices.Equal(got, tt.want) {
			t.Errorf("%s: read as %q", name, got)
		}
		if _, out := sent(t, edited(t, req, nothing), target("gemini-2.5-flash")); !jsonx.Equal([]byte(out), []byte(tt.body)) {
			t.Errorf("%s: written anew as %s", name, out)
		}
		if strings.Contains(tt.body, "more") {
			continue // what is apart is not promised to every target
		}
		for _, c := range all.List() {
			if c.Protocol() == weir.GeminiGenerate || c.Protocol() == weir.OpenAICompletions || c.Protocol() == weir.OpenAIREST {
				continue
			}
			call, err := c.EncodeRequest(req, target("m"))
			if err != nil {
				t.Errorf("%s, %s: %v", name, c.Protocol(), err)
				continue
			}
			if out := bytes.Join(call.Body, nil); bytes.Contains(out, []byte(`"text":""`)) {
				t.Errorf("%s, %s: an empty text in %s", name, c.Protocol(), out)
			}
		}
	}
}

// callsOf are calls and results in words: "a" for a call, "=a text" for its result.
func callsOf(msgs []weir.Message) []string {
	var out []string
	for i := range msgs {
		for k := range msgs[i].Blocks {
			switch b := &msgs[i].Blocks[k]; {
			case b.Call != nil:
				out = append(out, b.Call.ID)
			case b.Result != nil:
				out = append(out, "="+b.Result.CallID+" "+b.Result.Content[0].Text)
			}
		}
	}
	return out
}

// Places are told as the client knows them, however contents are put together.
func TestPathsOfContentsOfOneRole(t *testing.T) {
	signed := `{"text":"a","thought":true,"thoughtSignature":"c2ln"}`
	body := contents(asked, asked, `{"role":"model","parts":[{"text":"b"}]}`, `{"role":"model","parts":[{"text":""},{"text":"c"},`+signed+`]}`, asked,
		`{"role":"model","parts":[`+signed+`]}`, asked)
	call, err := all.For(weir.AnthropicMessages).EncodeRequest(open(t, weir.Generate, generatePath, body), target("m"))
	if err != nil {
		t.Fatal(err)
	}
	if got := lossText(call.Losses); got != "dropped contents[3].parts[2], dropped contents[5].parts[0]" {
		t.Errorf("losses %q", got)
	}
}

// P-06: into however many contents a turn is split, it means the same, and comes
// back as it was written.
func TestSplitTurnsMeanTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var whole, split []string
		var open []string // names of calls that wait for results
		for range rapid.IntRange(1, 4).Draw(t, "rounds") {
			parts := append(resultsOf(open), drawnTexts(t)...)
			whole, split = drawSplit(t, whole, split, rapid.SampledFrom([]string{"user", "function"}).Draw(t, "role"), parts)
			parts, open = drawnTexts(t), nil
			for _, name := range rapid.SliceOfN(rapid.SampledFrom([]string{"f", "g"}), 0, 3).Draw(t, "calls") {
				parts, open = append(parts, fmt.Sprintf(`{"functionCall":{"name":%q,"args":{}}}`, name)), append(open, name)
			}
			whole, split = drawSplit(t, whole, split, "model", parts)
		}
		whole, split = drawSplit(t, whole, split, "user", append(resultsOf(open), `{"text":"z"}`))
		want, got := meaning(t, contents(whole...)), meaning(t, contents(split...))
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("%s\nmeans %+v\n%s\nmeans %+v", contents(split...), got, contents(whole...), want)
		}
		for _, body := range []string{contents(whole...), contents(split...)} {
			if again := writtenAnew(t, body); !jsonx.Equal(again, []byte(body)) {
				t.Fatalf("%s\nbecame %s", body, again)
			}
		}
	})
}

func resultsOf(names []string) []string {
	var out []string
	for i, name := range names {
		out = append(out, result(name, strconv.Itoa(i)))
	}
	return out
}

func drawnTexts(t *rapid.T) []string {
	return rapid.SliceOfN(rapid.SampledFrom([]string{
		`{"text":""}`, `{"text":"a"}`, `{"text":"","thought":false}`, `{"text":"b","thoughtSignature":"c2ln"}`, `{"text":"c","thought":true}`, `{"other":1}`,
	}), 1, 3).Draw(t, "texts")
}

// drawSplit adds a turn to a conversation in which it is whole and to one in which
// it is split.
func drawSplit(t *rapid.T, whole, split []string, role string, parts []string) (wholeNow, splitNow []string) {
	content := func(parts []string) string {
		switch {
		case len(parts) == 0:
			return fmt.Sprintf(`{"role":%q}`, role)
		case len(parts) == 1 && rapid.Bool().Draw(t, "without a list"):
			return fmt.Sprintf(`{"role":%q,"parts":%s}`, role, parts[0])
		}
		return fmt.Sprintf(`{"role":%q,"parts":[%s]}`, role, strings.Join(parts, ","))
	}
	whole = append(whole, content(parts))
	for len(parts) > 0 {
		n := rapid.IntRange(0, len(parts)).Draw(t, "length")
		split, parts = append(split, content(parts[:n])), parts[n:]
	}
	return whole, split
}

// meaning is what a body says, without how it was written.
func meaning(t *rapid.T, body string) []weir.Message {
	req, err := all.For(weir.GeminiGenerate).OpenRequest(weir.Generate, wire(generatePath, body))
	if err != nil {
		t.Fatal(err)
	}
	b, err := req.Body()
	if err != nil {
		t.Fatal(err)
	}
	out := b.Clone().Messages
	for i := range out {
		m := &out[i]
		m.At, m.Extra = "", nil
		for k := range m.Blocks {
			b := &m.Blocks[k]
			b.At, b.Extra = "", slices.DeleteFunc(b.Extra, func(f weir.Field) bool { return f.Spelling })
			if len(b.Extra) == 0 {
				b.Extra = nil
			}
		}
	}
	return out
}

func writtenAnew(t *rapid.T, body string) []byte {
	req, err := all.For(weir.GeminiGenerate).OpenRequest(weir.Generate, wire(generatePath, body))
	if err != nil {
		t.Fatal(err)
	}
	req, err = req.Edit(func(*weir.Body) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	call, err := all.For(weir.GeminiGenerate).EncodeRequest(req, &codec.Target{Provider: "gemini", Model: "m", Quirks: &codec.Quirks{}})
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Join(call.Body, nil)
}

// An answer of another protocol has an id, the same in all of its chunks, and the
// model's name; one of this protocol is left as it came (W-10).
func TestAnswersHaveAnID(t *testing.T) {
	for _, request := range []string{"req-1", ""} {
		for _, stream := range []bool{false, true} {
			req := weir.NewRequest("oll/m", chat(weir.UserText("q")))
			req.ID, req.Stream = request, stream
			block := &weir.Block{Type: weir.BlockText}
			out := encoded(req, []weir.Event{
				{Type: weir.EventStart, Start: &weir.Start{From: weir.OllamaChat}},
				{Type: weir.EventBlockStart, Block: block},
				{Type: weir.EventDelta, Part: weir.PartText, Text: "a"},
				{Type: weir.EventDelta, Part: weir.PartText, Text: "b"},
				{Type: weir.EventBlockEnd},
				{Type: weir.EventFinish, Finish: &weir.Finish{Reason: weir.FinishStop}},
			})
			chunks := []string{string(out)}
			if stream {
				chunks = dataOf(t, out)
			}
			ids := map[string]bool{}
			for _, c := range chunks {
				ids[member(t, c, "responseId")] = true
				if v := member(t, c, "modelVersion"); v != `"oll/m"` {
					t.Errorf("the model is %s", v)
				}
			}
			if len(ids) != 1 || ids[""] || ids[`""`] || request != "" && !ids[`"`+request+`"`] {
				t.Errorf("request %q, stream %v: ids %v", request, stream, ids)
			}
		}
	}
	own := detached(decode(wholeAnswer(`{"candidates":[{"content":{"parts":[{"text":"a"}],"role":"model"},"finishReason":"STOP","index":0}]}`)).events)
	if out := encoded(weir.NewRequest("m", chat()), own); bytes.Contains(out, []byte("responseId")) {
		t.Errorf("it became %s", out)
	}
}
