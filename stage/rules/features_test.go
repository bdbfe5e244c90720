package rules_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/stage/rules"
	"github.com/weir-gateway/weir/tokens"
)

// rich is a request with some of everything.
func rich() *weir.Request {
	picture := weir.Block{Type: weir.BlockImage, Media: &weir.Media{Data: "aaaa"}}
	req := weir.NewRequest("gpt-5", &weir.Body{
		From: weir.OpenAIResponses,
		Messages: []weir.Message{
			weir.SystemText("Be brief. 请简短。"),
			weir.UserText("one"),
			{Role: weir.RoleUser, Blocks: []weir.Block{
				picture,
				{Type: weir.BlockFile, Media: &weir.Media{Text: "a document"}},
				{Type: weir.BlockAudio, Media: &weir.Media{Data: "aaaa"}},
				{Type: weir.BlockText, Text: "请看"},
				{Type: weir.BlockText, Text: "这张图"},
			}},
			weir.AssistantText("I look."),
			{Role: weir.RoleUser, Blocks: []weir.Block{{Type: weir.BlockToolResult, Result: &weir.ToolResult{Content: []weir.Block{picture}}}}},
		},
		Tools:     []weir.Tool{{Name: "a"}, {Name: "b"}},
		MaxTokens: new(int64(77)),
		Format:    &weir.Format{Type: weir.FormatJSONSchema},
		Reasoning: &weir.ReasoningConfig{Budget: new(int64(1024))},
		Metadata:  []weir.Pair{{Key: "tier", Value: "gold"}},
	})
	req.Stream, req.Principal = true, &weir.Principal{Name: "ada"}
	req.Labels = map[string]string{"team": "search"}
	return req
}

func TestEveryVariableTellsItsFeature(t *testing.T) {
	said := map[string]bool{}
	for _, c := range []string{
		`model == "gpt-5"`, `principal == "ada"`, `labels.team == "search"`, `labels["team"] == "search"`,
		`protocol == "openai.responses"`, `op == "generate"`, `stream`, `tokens > 3000 && tokens < 6000`,
		`images == 2`, `files == 1`, `audio == 1`, `tools == 2`, `thinking`, `json`, `max_tokens == 77`,
		`metadata.tier == "gold"`, `turns == 2`, `prompt == "请看\n这张图"`, `prompt_chars == 5`, `language == "zh"`,
		`hour >= 0 && hour < 24`, `weekday >= 1 && weekday <= 7`, `utc_hour >= 0`, `utc_weekday >= 1`,
		// What else the language is for.
		`model in ["gpt-5", "gpt-4o"]`, `prompt.contains("图")`, `["gpt", "o3"].exists(p, model.startsWith(p))`,
		`tokens < 1e9`, `tools > 1 ? stream : false`, `prompt.matches("(?i)[图A-C]")`,
	} {
		if req, note := judged(t, compile(t, when(c)), rich()); req.Model != "chosen" {
			t.Errorf("%s does not hold: %+v", c, note)
		}
		for _, v := range rules.Variables() {
			if strings.Contains(c, v.Name) {
				said[v.Name] = true
			}
		}
	}
	for _, v := range rules.Variables() {
		if !said[v.Name] || v.Doc == "" {
			t.Errorf("%s is not tested, or not described", v.Name)
		}
	}
}

func TestNothingSaidIsNothing(t *testing.T) {
	for _, req := range []*weir.Request{
		{Model: "m"},
		weir.NewRequest("m", nil),
		weir.NewRequest("m", &weir.Body{Messages: []weir.Message{weir.AssistantText("hm")}}),
		weir.NewWireRequest(&weir.Wire{}, nil),
	} {
		for _, c := range []string{
			`principal == ""`, `labels == {}`, `size(metadata) == 0`, `labels.team == ""`, `protocol == ""`, `!stream`,
			`images + files + audio + tools + max_tokens + turns + prompt_chars == 0`,
			`!thinking && !json`, `prompt == "" && language == ""`, `tokens < 20`,
		} {
			if got, note := judged(t, compile(t, when(c)), req); got.Model != "chosen" {
				t.Errorf("%s does not hold: %+v", c, note)
			}
		}
	}
}

func TestThinkingIsWhatIsAskedFor(t *testing.T) {
	for _, c := range []struct {
		config *weir.ReasoningConfig
		want   bool
	}{
		{nil, false},
		{&weir.ReasoningConfig{}, false},
		{&weir.ReasoningConfig{Display: "omitted"}, false},
		{&weir.ReasoningConfig{Mode: "disabled"}, false},
		{&weir.ReasoningConfig{Effort: "none"}, false},
		{&weir.ReasoningConfig{Budget: new(int64(0))}, false},
		{&weir.ReasoningConfig{Mode: "adaptive"}, true},
		{&weir.ReasoningConfig{Mode: "enabled", Budget: new(int64(2048))}, true},
		{&weir.ReasoningConfig{Effort: "low"}, true},
	} {
		req, _ := judged(t, compile(t, when("thinking")), weir.NewRequest("m", &weir.Body{Reasoning: c.config}))
		if got := req.Model == "chosen"; got != c.want {
			t.Errorf("%+v: thinking is %v", c.config, got)
		}
	}
}

func TestAMissingLabelIsEmpty(t *testing.T) {
	for c, want := range map[string]bool{
		`labels.team == "search"`:                    true,
		`labels.region == "eu"`:                      false,
		`labels.region != "eu"`:                      true,
		`has(labels.team)`:                           true,
		`has(labels.region)`:                         false,
		`"team" in labels`:                           true,
		`size(labels) == 2`:                          true,
		`labels.exists(k, labels[k] == "x")`:         true,
		`labels == {"team": "search", "empty": "x"}`: true,
		`{"team": "search", "empty": "x"} == labels`: true,
		`labels == metadata`:                         false,
		`labels == labels`:                           true,
		`labels[principal] == ""`:                    true,
		`type(labels) == map`:                        true,
	} {
		req := asks("m", "hi")
		req.Labels = map[string]string{"team": "search", "empty": "x"}
		got, note := judged(t, compile(t, when(c)), req)
		if (got.Model == "chosen") != want || note != nil && note.Skipped != nil {
			t.Errorf("%s: %+v, want %v", c, note, want)
		}
	}
}

// Nothing is decoded that no rule asks for, and nothing twice.
func TestOnlyWhatARuleAsksForIsDecoded(t *testing.T) {
	for _, v := range rules.Variables() {
		condition := map[string]string{"int": v.Name + " == -1", "bool": v.Name + " && false", "string": v.Name + ` == "?"`, "map": v.Name + `.x == "?"`}[v.Type]
		body := &weir.Body{Messages: []weir.Message{weir.UserText("hi")}}
		req, decoded := received(body, chatOf("hi"))
		judged(t, compile(t, when(condition, condition)), req)
		if got := decoded.Load() > 0; got != v.Decodes {
			t.Errorf("%s decodes: %v, the table says %v", v.Name, got, v.Decodes)
		}
	}
}

func TestShortCircuitsSaveTheDecoding(t *testing.T) {
	req, decoded := received(&weir.Body{}, chatOf("hi"))
	judged(t, compile(t, when(`principal == "ada" && images > 0`, `stream && turns > 3`)), req)
	if decoded.Load() != 0 {
		t.Error("the body was decoded for a condition that could not hold")
	}
}

func TestWhatARequestLacksIsNotLookedFor(t *testing.T) {
	req, decoded := received(&weir.Body{}, chatOf("hi"))
	var asked []string
	o := when(`images + files + audio + tools + max_tokens > 0 || thinking || json || metadata.x != ""`, "turns > 5")
	o.Lacks = func(_ *weir.Request, variable string) bool {
		asked = append(asked, variable)
		return true
	}
	judged(t, compile(t, o), req)
	want := []string{"images", "files", "audio", "tools", "max_tokens", "thinking", "json", "metadata"}
	if !slices.Equal(asked, want) {
		t.Errorf("asked for %q", asked)
	}
	if decoded.Load() != 1 { // by turns alone
		t.Errorf("decoded %d times", decoded.Load())
	}
}

func TestTokensAreThoseOfTheTokensPackage(t *testing.T) {
	body := &weir.Body{Messages: []weir.Message{weir.UserText(strings.Repeat("a few words ", 300))}}
	raw := chatOf(strings.Repeat("a few words ", 300))
	received, _ := received(body, raw)
	form := weir.NewWireRequest(&weir.Wire{Body: []byte(raw), ContentType: "multipart/form-data; boundary=x"}, nil)
	for _, c := range []struct {
		req  *weir.Request
		want int64
	}{
		{received, tokens.EstimateBytes([]byte(raw))},
		{weir.NewRequest("m", body), tokens.EstimateBody(body)},
		{form, 0}, // a sound is no text
	} {
		if req, note := judged(t, compile(t, when(fmt.Sprintf("tokens == %d", c.want))), c.req); req.Model != "chosen" {
			t.Errorf("tokens are not %d: %+v", c.want, note)
		}
	}
}

func TestTheClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // it begins on Saturday, 2000-01-01, at midnight UTC
		shanghai := time.FixedZone("Asia/Shanghai", 8*3600)
		holds := func(zone *time.Location, c string) {
			t.Helper()
			o := when(c)
			o.Zone = zone
			if req, _ := judged(t, compile(t, o), asks("m", "hi")); req.Model != "chosen" {
				t.Errorf("%s does not hold at %s", c, time.Now().UTC())
			}
		}
		holds(nil, "hour == 0 && weekday == 6 && utc_hour == 0 && utc_weekday == 6")
		holds(shanghai, "hour == 8 && weekday == 6 && utc_hour == 0")
		time.Sleep(17 * time.Hour)
		holds(shanghai, "hour == 1 && weekday == 7 && utc_hour == 17 && utc_weekday == 6")
		time.Sleep(24 * time.Hour)
		holds(shanghai, "weekday == 1 && utc_weekday == 7")
	})
}

func TestTheLanguageOfAText(t *testing.T) {
	for text, want := range map[string]string{
		"":                            "",
		"12 + 30 = ?":                 "",
		"What is a weir?":             "en",
		"Qu’est-ce qu’un déversoir ?": "en",
		"请解释一下什么是堰。":                  "zh",
		"帮我写一个 Python function 来 parse JSON 文件":   "zh",
		"Translate 你好 into English for me please": "en",
		"堰とは何ですか。":                                "ja",
		"カタカナ":                                    "ja",
		"의 뜻은 무엇입니까?":                             "ko",
		"Что такое водослив?":                     "ru",
		"ما هو السد":                              "ar",
		"बाँध क्या है":                            "hi",
		"ฝายคืออะไร":                              "th",
		"Τι είναι φράγμα;":                        "el",
		"מה זה סכר?":                              "he",
		"这段代码为什么不工作？\n```python\n" + strings.Repeat("print('hello world')\n", 50) + "```": "zh",
		"```\nonly code\n```": "",
		"\xff\xfe":            "",
	} {
		if req, note := judged(t, compile(t, when(fmt.Sprintf("language == %q", want))), asks("m", text)); req.Model != "chosen" {
			t.Errorf("%q is not %q: %+v", text, want, note)
		}
	}
}

func TestTheLastTextOfTheUserCounts(t *testing.T) {
	body := &weir.Body{Messages: []weir.Message{
		weir.UserText("first"), weir.AssistantText("hm"), weir.UserText("last"), weir.AssistantText("answer"),
		weir.ToolResultText("c", "a result"), {Role: weir.RoleUser, Blocks: []weir.Block{{Type: weir.BlockText}}},
	}}
	if req, _ := judged(t, compile(t, when(`prompt == "last"`)), weir.NewRequest("m", body)); req.Model != "chosen" {
		t.Error("it is another text")
	}
}

// A prompt is cut between characters, and its length is not cut.
func TestALongPromptIsCut(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		lead := rapid.IntRange(0, 3).Draw(rt, "lead")
		n := rapid.IntRange(10_000, 12_000).Draw(rt, "characters")
		req := asks("m", strings.Repeat("a", lead)+strings.Repeat("好", n))
		cut := (32<<10 - lead) / 3
		c := fmt.Sprintf("prompt_chars == %d && size(prompt) == %d", lead+n, lead+min(n, cut))
		if got, note := judged(t, compile(t, when(c)), req); got.Model != "chosen" {
			rt.Fatalf("%s does not hold: %+v", c, note)
		}
	})
}

// FuzzCondition: whatever is written as a condition, New answers with an error
// that has a place in it, or with rules that judge every request in bounds.
func FuzzCondition(f *testing.F) {
	for _, c := range []string{
		"true", "tokens > 1", `labels.x == "y"`, `prompt.matches(labels.x)`, `[1,2].map(a, a * 2).size() > 1`, huge, `"\x00"`,
		`has(labels.x)`, `has(has(labels.x))`, `{"a": {"b": 1}}.a.b == 1`, `labels.filter(k, labels[k] != "")[0] != ""`, `prompt + prompt == ""`,
		`duration("1s") > duration("1h")`, `timestamp("2026-01-01T00:00:00Z").getHours() == 0`, "op", "(((((((", `size(metadata) / 0 == 1`,
	} {
		f.Add(c, "a prompt", "x", "y")
	}
	f.Fuzz(func(t *testing.T, condition, prompt, key, value string) {
		r, err := rules.New(when(condition))
		if err != nil {
			if e := err.(interface{ Unwrap() []error }).Unwrap(); len(e) == 0 || !strings.HasPrefix(e[0].Error(), "rule 1") {
				t.Fatalf("the error is %v", err)
			}
			return
		}
		req := asks("m", prompt)
		req.Labels = map[string]string{key: value}
		got, note := judged(t, r, req)
		if again, _ := judged(t, r, req); !strings.Contains(condition, "hour") && !strings.Contains(condition, "weekday") && got.Model != again.Model {
			t.Fatalf("%q once and %q once", got.Model, again.Model)
		}
		if note != nil && len(note.Skipped) > 0 && got.Model == "chosen" {
			t.Fatalf("skipped and chosen: %+v", note)
		}
		r.Explain(req)
	})
}

// FuzzFeatures: whatever a body holds, every feature has a value.
func FuzzFeatures(f *testing.F) {
	f.Add("hello", "user", "text", uint8(3))
	f.Add("你好```code", "user", "image", uint8(1))
	f.Add("\xff\xfe\x80", "tool", "tool_result", uint8(0))
	var all []string
	for _, v := range rules.Variables() {
		form := map[string]string{"int": "%[1]s >= 0", "bool": "(%[1]s || !%[1]s)", "string": "size(%[1]s) >= 0", "map": "size(%[1]s) >= 0"}[v.Type]
		all = append(all, fmt.Sprintf(form, v.Name))
	}
	r, err := rules.New(when(strings.Join(all, " && ") + ` && language in ["", "zh", "ja", "ko", "en", "ru", "ar", "hi", "th", "el", "he"] && size(prompt) <= 32768`))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text, role, kind string, n uint8) {
		block := weir.Block{Type: weir.BlockType(kind), Text: text}
		body := &weir.Body{}
		for range n % 8 {
			body.Messages = append(body.Messages, weir.Message{Role: weir.Role(role), Blocks: []weir.Block{block, {Type: weir.BlockText, Text: text}}})
		}
		raw, _ := json.Marshal(text)
		received, _ := received(body, string(raw))
		for _, req := range []*weir.Request{weir.NewRequest(text, body), received} {
			if got, note := judged(t, r, req); got.Model != "chosen" {
				t.Fatalf("a feature is out of its range: %+v, %+v", note, r.Explain(req).Features)
			}
		}
	})
}
