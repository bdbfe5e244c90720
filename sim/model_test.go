package sim_test

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
	"github.com/weir-gateway/weir/sim"
	"github.com/weir-gateway/weir/weirtest"
)

const weatherSchema = `{"type":"object","properties":{"city":{"type":"string"},"unit":{"type":"string","enum":["celsius","fahrenheit"]}},"required":["city","unit"]}`

func weather() weir.Tool {
	return weir.Tool{Type: weir.ToolFunction, Name: "get_weather", Schema: []byte(weatherSchema)}
}

func clock() weir.Tool {
	return weir.Tool{Type: weir.ToolFunction, Name: "get_time", Schema: []byte(`{"type":"object","properties":{"zone":{"type":"string"}}}`)}
}

func ask(t *testing.T, o sim.Options, body *weir.Body) *weir.Completion {
	t.Helper()
	var events []weir.Event
	var c weir.Collector
	for ev, err := range sim.New(o).Handle(t.Context(), weir.NewRequest("sim", body)) {
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, ev)
		c.Add(ev)
	}
	if err := weirtest.CheckEvents(events); err != nil {
		t.Fatal(err)
	}
	return c.Completion()
}

func say(text string) *weir.Body {
	return &weir.Body{Messages: []weir.Message{weir.UserText(text)}}
}

func TestModelKeepsTheHandlerContract(t *testing.T) {
	body := say("both Paris and Tokyo: weather?")
	body.Tools = []weir.Tool{weather()}
	body.Reasoning = &weir.ReasoningConfig{Effort: "low"}
	weirtest.TestHandler(t, func() weir.Handler { return sim.New(sim.Options{}) }, weir.NewRequest("sim", body))
}

func TestModelAnswersInTheLanguageOfTheQuestion(t *testing.T) {
	for name, c := range map[string]struct{ question, want string }{
		"English":                       {"Why is the sky blue?", "This is Weir's simulated model"},
		"Chinese":                       {"天空为什么是蓝色的？", "我是 Weir 的模拟模型"},
		"Chinese with English words":    {"用 Go 写一个 HTTP server", "我是 Weir 的模拟模型"},
		"English that quotes Chinese":   {"What does 你好 mean in English, please?", "This is Weir's simulated model"},
		"Japanese":                      {"空はなぜ青いのですか", "シミュレーション"},
		"nothing at all is kindly met":  {"", "did not ask anything"},
		"a long question is cut in two": {strings.Repeat("long ", 500), "…"},
	} {
		t.Run(name, func(t *testing.T) {
			got := ask(t, sim.Options{}, say(c.question)).Text()
			if !strings.Contains(got, c.want) {
				t.Errorf("answer %q has no %q", got, c.want)
			}
			if c.question != "" && !strings.Contains(got, c.question[:min(9, len(c.question))]) {
				t.Errorf("answer %q does not repeat the question", got)
			}
		})
	}
}

func TestModelAnswersTheUserAndNotTheAgent(t *testing.T) {
	context := "<environment_context>\n<cwd>/a</cwd>\n</environment_context>\n<system-reminder>be kind</system-reminder>\n"
	for name, c := range map[string]struct{ question, want string }{
		"context in front":     {context + "Why is the sky blue?", "“Why is the sky blue?”"},
		"nothing but context":  {"<a>b</a>", "“<a>b</a>”"},
		"an element not ended": {"<a>b", "“<a>b”"},
		"a comparison":         {"<3 is > you", "“<3 is > you”"},
		"an element behind":    {"Why <b>this</b>?", "“Why <b>this</b>?”"},
		"no name":              {"<>x</>y", "“<>x</>y”"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := ask(t, sim.Options{}, say(c.question)).Text(); !strings.Contains(got, c.want) {
				t.Errorf("answer %q has no %q", got, c.want)
			}
		})
	}
}

func TestModelIsDeterministic(t *testing.T) {
	body := say("tell me about the weather in Paris")
	body.Tools = []weir.Tool{weather()}
	synctest.Test(t, func(t *testing.T) {
		if a, b := ask(t, sim.Options{}, body), ask(t, sim.Options{}, body); !reflect.DeepEqual(a, b) {
			t.Errorf("two answers differ:\n%+v\n%+v", a, b)
		}
	})
}

func TestModelEndsAtTheTokenCap(t *testing.T) {
	body := say("hi")
	body.MaxTokens = new(int64(3))
	c := ask(t, sim.Options{}, body)
	if got := c.Choices[0].Finish.Reason; got != weir.FinishLength || c.Usage.OutputTokens != 3 {
		t.Errorf("finish %s after %d tokens", got, c.Usage.OutputTokens)
	}
}

func TestModelEndsAtAStopSequence(t *testing.T) {
	body := say("hi")
	body.Stop = []string{"billed", "provider"}
	c := ask(t, sim.Options{}, body)
	f := c.Choices[0].Finish
	if f.Reason != weir.FinishStopSequence || f.StopSequence != "provider" || !strings.HasSuffix(c.Text(), "no ") {
		t.Errorf("finish %+v of %q", f, c.Text())
	}
}

func TestModelGivesSeveralChoices(t *testing.T) {
	body := say("hi")
	body.N = new(int64(3))
	c := ask(t, sim.Options{}, body)
	if len(c.Choices) != 3 || c.Choices[0].Message.Text() == c.Choices[2].Message.Text() {
		t.Errorf("%d choices", len(c.Choices))
	}
}

func TestModelCallsTools(t *testing.T) {
	both := []weir.Tool{weather(), clock()}
	for name, c := range map[string]struct {
		text    string
		options sim.Options
		change  func(*weir.Body)
		want    []string // names and arguments
	}{
		"when the text is about a tool": {text: "How is the weather in Paris in fahrenheit?",
			want: []string{`get_weather {"city":"Paris","unit":"fahrenheit"}`}},
		"when the text is about a tool, in Chinese": {text: "北京天气怎么样", want: []string{`get_weather {"city":"北京","unit":"celsius"}`}},
		"when a tool is named":                      {text: "run get_time now", want: []string{`get_time {"zone":"run get_time now"}`}},
		"when any tool is wanted":                   {text: "Please call a tool", want: []string{`get_weather {"city":"Paris","unit":"celsius"}`}},
		"not when nothing asks for it":              {text: "hello there"},
		"several when several are named":            {text: "weather and time in Rome", want: []string{`get_weather {"city":"Rome","unit":"celsius"}`, `get_time {"zone":"weather and time in Rome"}`}},
		"one for each place when both are wanted": {text: "What is the weather in both Rome and Oslo?",
			want: []string{`get_weather {"city":"Rome","unit":"celsius"}`, `get_weather {"city":"Oslo","unit":"celsius"}`}},
		"one only when parallel calls are forbidden": {text: "weather in both Rome and Oslo",
			change: func(b *weir.Body) { b.ParallelToolCalls = new(false) },
			want:   []string{`get_weather {"city":"Rome","unit":"celsius"}`}},
		"when forced by name": {text: "hello", change: func(b *weir.Body) {
			b.ToolChoice = &weir.ToolChoice{Mode: weir.ToolModeNamed, Names: []string{"get_time"}}
		}, want: []string{`get_time {"zone":"hello"}`}},
		"when one is required": {text: "hello", change: func(b *weir.Body) { b.ToolChoice = &weir.ToolChoice{Mode: weir.ToolModeRequired} },
			want: []string{`get_weather {"city":"Paris","unit":"celsius"}`}},
		"not when they are forbidden": {text: "weather in Rome", change: func(b *weir.Body) { b.ToolChoice = &weir.ToolChoice{Mode: weir.ToolModeNone} }},
		"always when told so":         {text: "hello", options: sim.Options{ToolCalls: sim.ToolCallsAlways}, want: []string{`get_weather {"city":"Paris","unit":"celsius"}`}},
		"never when told so":          {text: "weather", options: sim.Options{ToolCalls: sim.ToolCallsNever}},
	} {
		t.Run(name, func(t *testing.T) {
			body := say(c.text)
			body.Tools = both
			if c.change != nil {
				c.change(body)
			}
			done := ask(t, c.options, body)
			var got []string
			for _, call := range done.ToolCalls() {
				got = append(got, call.Name+" "+call.Arguments)
			}
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("calls\n%q, want\n%q", got, c.want)
			}
			if calls := done.Choices[0].Finish.Reason == weir.FinishToolCalls; calls != (len(c.want) > 0) {
				t.Errorf("finish %s", done.Choices[0].Finish.Reason)
			}
		})
	}
}

func TestModelAnswersWithToolResults(t *testing.T) {
	body := say("天气怎么样？")
	body.Tools = []weir.Tool{weather()}
	body.Messages = append(body.Messages,
		weir.Message{Role: weir.RoleAssistant, Blocks: []weir.Block{{Type: weir.BlockToolCall, Call: &weir.ToolCall{ID: "a", Name: "get_weather"}}}},
		weir.ToolResultText("a", "晴，21 度"))
	got := ask(t, sim.Options{}, body).Text()
	if !strings.Contains(got, "get_weather 返回：晴，21 度") {
		t.Errorf("answer %q", got)
	}
}

func TestModelThinksWhenAsked(t *testing.T) {
	for name, c := range map[string]struct {
		config *weir.ReasoningConfig
		want   bool
	}{
		"not when nothing is said":  {nil, false},
		"with an effort":            {&weir.ReasoningConfig{Effort: "high"}, true},
		"with a budget":             {&weir.ReasoningConfig{Mode: "enabled", Budget: new(int64(4))}, true},
		"not with the effort none":  {&weir.ReasoningConfig{Effort: "none"}, false},
		"not when it is turned off": {&weir.ReasoningConfig{Mode: "disabled"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			body := say("hi")
			body.Reasoning = c.config
			done := ask(t, sim.Options{}, body)
			b := done.Choices[0].Message.Blocks[0]
			if thought := b.Type == weir.BlockReasoning; thought != c.want {
				t.Fatalf("first block is %s", b.Type)
			}
			if !c.want {
				return
			}
			if b.Reasoning.Format != sim.ReasoningFormat || b.Reasoning.Signature == "" || done.Usage.ReasoningTokens == 0 {
				t.Errorf("reasoning %+v, usage %+v", b.Reasoning, done.Usage)
			}
			if c.config.Budget != nil && done.Usage.ReasoningTokens != 4 {
				t.Errorf("%d reasoning tokens with a budget of 4", done.Usage.ReasoningTokens)
			}
		})
	}
}

func TestModelFillsInASchema(t *testing.T) {
	body := say("Give me 3 facts")
	body.Format = &weir.Format{Type: weir.FormatJSONSchema, Schema: []byte(`{"$defs":{"tree":{"type":"object","properties":{"next":{"$ref":"#/$defs/tree"}},"required":["next"]}},
		"type":"object","required":["answer","n","kind","when","list","loop","maybe"],"properties":{
		"answer":{"type":"string"},"n":{"type":"integer","minimum":5,"multipleOf":4},"kind":{"enum":["x","y"]},"when":{"type":"string","format":"date"},
		"list":{"type":"array","minItems":2,"items":{"type":"boolean"}},"loop":{"$ref":"#/$defs/tree"},"maybe":{"anyOf":[{"type":"null"},{"const":7}]}}}`)}
	text := []byte(ask(t, sim.Options{}, body).Text())
	if err := jsonx.Valid(text); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	for key, want := range map[string]string{"n": "8", "kind": `"x"`, "when": `"2026-01-02"`, "list": "[true,true]", "maybe": "7"} {
		if got := jsonx.Get(text, key); !jsonx.Equal(got, []byte(want)) {
			t.Errorf("%s is %s, want %s", key, got, want)
		}
	}
	if !strings.Contains(jsonx.StringOr(jsonx.Get(text, "answer"), ""), "simulated") {
		t.Errorf("answer is %s", jsonx.Get(text, "answer"))
	}
}

func TestModelAnswersJSONModeWithAnObject(t *testing.T) {
	body := say("hi")
	body.Format = &weir.Format{Type: weir.FormatJSONObject}
	if text := ask(t, sim.Options{}, body).Text(); jsonx.Get([]byte(text), "answer") == nil {
		t.Errorf("answer %s", text)
	}
}

func TestModelCountsTokens(t *testing.T) {
	body := say("one two three")
	req := weir.NewRequest("sim", body)
	req.Op = weir.CountTokens
	c, err := weir.Collect(sim.New(sim.Options{}).Handle(t.Context(), req))
	if err != nil || !c.Usage.Has(weir.UsageInput) || c.Usage.Has(weir.UsageOutput) {
		t.Fatalf("%+v, %v", c.Usage, err)
	}
	if c.Usage.InputTokens != ask(t, sim.Options{}, body).Usage.InputTokens {
		t.Error("counting and answering disagree about the input")
	}
}

func TestModelAcknowledgesImages(t *testing.T) {
	body := &weir.Body{Messages: []weir.Message{{Role: weir.RoleUser, Blocks: []weir.Block{
		{Type: weir.BlockText, Text: "what is this?"}, {Type: weir.BlockImage, Media: &weir.Media{URL: "https://example.com/a.png"}}}}}}
	if got := ask(t, sim.Options{}, body).Text(); !strings.Contains(got, "1 image") {
		t.Errorf("answer %q", got)
	}
}

func TestModelKeepsItsPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		var first time.Duration
		o := sim.Options{TokensPerSecond: 10, FirstToken: 2 * time.Second, Reply: "one two three four"}
		for ev, err := range sim.New(o).Handle(t.Context(), weir.NewRequest("sim", say("hi"))) {
			if err != nil {
				t.Fatal(err)
			}
			if ev.Type == weir.EventDelta && first == 0 {
				first = time.Since(begin)
			}
		}
		if total := time.Since(begin); first != 2*time.Second || total != 2300*time.Millisecond {
			t.Errorf("first token after %v, end after %v", first, total)
		}
	})
}

func TestModelJitterStaysInItsShare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := sim.Options{TokensPerSecond: 10, Jitter: 0.5, Reply: "a b c d e f g h i j k"}
		run := func() time.Duration {
			begin := time.Now()
			if _, err := weir.Collect(sim.New(o).Handle(t.Context(), weir.NewRequest("sim", say("hi")))); err != nil {
				t.Fatal(err)
			}
			return time.Since(begin)
		}
		first := run()
		if first == time.Second || first < 500*time.Millisecond || first > 1500*time.Millisecond {
			t.Errorf("ten pauses of 100ms with jitter took %v", first)
		}
		if again := run(); again != first {
			t.Errorf("the same seed took %v and %v", first, again)
		}
	})
}

func TestModelStopsWaitingWhenTheCallerLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := weir.Collect(sim.New(sim.Options{FirstToken: time.Hour}).Handle(ctx, weir.NewRequest("sim", say("hi"))))
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
	})
}

func TestModelLengthensAnswers(t *testing.T) {
	c := ask(t, sim.Options{Tokens: 500}, say("hi"))
	if n := c.Usage.OutputTokens; n < 500 || n > 540 {
		t.Errorf("%d tokens", n)
	}
}
