package gemini_test

import (
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
)

// T-11, T-12: what a client of another protocol wants of thinking, in the terms of
// the model: levels from Gemini 3 on, a budget before.
func TestThinkingIsTranslated(t *testing.T) {
	budget := func(n int64) *weir.ReasoningConfig { return &weir.ReasoningConfig{Mode: "enabled", Budget: &n} }
	effort := func(e string) *weir.ReasoningConfig { return &weir.ReasoningConfig{Effort: e} }
	mode := func(m string) *weir.ReasoningConfig { return &weir.ReasoningConfig{Mode: m} }
	for _, tt := range []struct {
		name, model string
		wish        *weir.ReasoningConfig
		max         int64
		q           codec.Quirks
		want        string
		losses      string
	}{
		{"an effort is a level", "gemini-3-flash", effort("low"), 0, codec.Quirks{}, `{"thinkingLevel":"LOW","includeThoughts":true}`, ""},
		{"an effort above all levels", "gemini-3.1-pro", effort("xhigh"), 0, codec.Quirks{}, `{"thinkingLevel":"HIGH","includeThoughts":true}`, "clamped reasoning_effort"},
		{"a level that the model does not have", "gemini-3-pro", effort("minimal"), 0, codec.Quirks{Efforts: []string{"low", "high"}}, `{"thinkingLevel":"LOW","includeThoughts":true}`, "clamped reasoning_effort"},
		{"a budget is a level", "gemini-3-flash", budget(2048), 0, codec.Quirks{}, `{"thinkingLevel":"LOW","includeThoughts":true}`, "approximated thinking_budget"},
		{"off has no level", "gemini-3-flash", mode("disabled"), 0, codec.Quirks{}, `{"thinkingLevel":"MINIMAL"}`, "approximated reasoning"},
		{"off, with two levels", "gemini-3-pro", effort("none"), 0, codec.Quirks{Efforts: []string{"low", "high"}}, `{"thinkingLevel":"LOW"}`, "approximated reasoning_effort"},
		{"on, as the model likes", "gemini-3-flash", mode("enabled"), 0, codec.Quirks{}, `{"includeThoughts":true}`, ""},
		{"thoughts not shown", "gemini-3-flash", &weir.ReasoningConfig{Effort: "high", Display: "omitted"}, 0, codec.Quirks{}, `{"thinkingLevel":"HIGH","includeThoughts":false}`, ""},
		{"a budget stays one", "gemini-2.5-flash", budget(2048), 0, codec.Quirks{}, `{"thinkingBudget":2048,"includeThoughts":true}`, ""},
		{"an effort is a budget", "gemini-2.5-flash", effort("medium"), 0, codec.Quirks{}, `{"thinkingBudget":8192,"includeThoughts":true}`, ""},
		{"a budget under the model's limit", "gemini-2.5-flash", budget(100000), 0, codec.Quirks{}, `{"thinkingBudget":24576,"includeThoughts":true}`, "clamped thinking_budget"},
		{"a budget under the cap", "gemini-2.5-pro", budget(8192), 4096, codec.Quirks{}, `{"thinkingBudget":4095,"includeThoughts":true}`, "clamped thinking_budget"},
		{"no room to think", "gemini-2.5-flash", effort("high"), 512, codec.Quirks{}, `{"thinkingBudget":0,"includeThoughts":true}`, "approximated reasoning_effort"},
		{"off", "gemini-2.5-flash", mode("disabled"), 0, codec.Quirks{}, `{"thinkingBudget":0}`, ""},
		{"off, where it cannot be", "gemini-2.5-pro", mode("disabled"), 0, codec.Quirks{}, `{"thinkingBudget":128}`, "approximated reasoning"},
		{"adaptive", "gemini-2.5-flash", mode("adaptive"), 0, codec.Quirks{}, `{"thinkingBudget":-1,"includeThoughts":true}`, ""},
		{"an alias gets an effort as a level", "my-model", effort("low"), 0, codec.Quirks{}, `{"thinkingLevel":"LOW","includeThoughts":true}`, ""},
		{"an alias gets a budget as a budget", "my-model", budget(2048), 0, codec.Quirks{}, `{"thinkingBudget":2048,"includeThoughts":true}`, ""},
		{"no control", "gemini-2.0-flash", effort("low"), 0, codec.Quirks{Thinking: "none"}, ``, "dropped reasoning"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			body := chat(weir.UserText("a"))
			body.Reasoning = tt.wish
			if tt.max > 0 {
				body.MaxTokens = &tt.max
			}
			out, losses := translated(t, body, odd(tt.model, tt.q))
			if got := member(t, out, "generationConfig", "thinkingConfig"); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
			if losses != tt.losses {
				t.Errorf("losses %q, want %q", losses, tt.losses)
			}
		})
	}
}

// T-11: what a client of this protocol says means the same to every other.
func TestThinkingIsRead(t *testing.T) {
	for in, want := range map[string]weir.ReasoningConfig{
		`{"thinkingLevel":"HIGH","includeThoughts":true}`: {Effort: "high", Display: "summarized"},
		`{"thinking_level":"minimal"}`:                    {Effort: "minimal"},
		`{"thinkingLevel":"THINKING_LEVEL_UNSPECIFIED"}`:  {},
		`{"thinkingBudget":0,"includeThoughts":false}`:    {Mode: "disabled", Display: "omitted"},
		`{"thinkingBudget":-1}`:                           {Mode: "adaptive"},
		`{"thinkingBudget":"512","thinkingLevel":null}`:   {Mode: "enabled", Budget: new(int64(512))},
	} {
		got := canonical(t, weir.Generate, generatePath, `{"contents":[],"generationConfig":{"thinkingConfig":`+in+`}}`).Reasoning
		same := got.Effort == want.Effort && got.Mode == want.Mode && got.Display == want.Display && (got.Budget == nil) == (want.Budget == nil)
		if !same || want.Budget != nil && *got.Budget != *want.Budget {
			t.Errorf("%s is %+v", in, got)
		}
	}
}

// Edited by a stage, the wish of a client of this protocol stays in its own terms.
func TestThinkingIsEdited(t *testing.T) {
	req := open(t, weir.Generate, generatePath, `{"contents":[],"generationConfig":{"thinkingConfig":{"thinkingLevel":"HIGH","includeThoughts":true,"x":1}}}`)
	for want, edit := range map[string]func(*weir.Body){
		`{"thinkingLevel":"LOW","includeThoughts":true,"x":1}`: func(b *weir.Body) { b.Reasoning.Effort = "low" },
		`{"thinkingBudget":0,"includeThoughts":true,"x":1}`:    func(b *weir.Body) { b.Reasoning.Effort, b.Reasoning.Mode = "", "disabled" },
		`{"thinkingBudget":-1,"includeThoughts":false,"x":1}`: func(b *weir.Body) {
			b.Reasoning.Effort, b.Reasoning.Mode, b.Reasoning.Display = "", "adaptive", "omitted"
		},
		``: func(b *weir.Body) { b.Reasoning = nil },
	} {
		_, out := sent(t, edited(t, req, edit), target("gemini-3-flash"))
		got := member(t, out, "generationConfig", "thinkingConfig")
		if want == "" {
			if got != "" {
				t.Errorf("got %s", got)
			}
			continue
		}
		equalJSON(t, "thinkingConfig", got, want)
	}
}
