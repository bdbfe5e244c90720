package rules_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/stage/rules"
	"github.com/weir-gateway/weir/weirtest"
)

// auto is the usual arrangement: short prompts to a fast model, long or hard
// ones to a large one.
func auto() rules.Options {
	return rules.Options{Lists: []rules.List{{
		Model: "auto", Default: "middling",
		Rules: []rules.Rule{
			{When: "images > 0", Use: "seeing"},
			{Name: "long", When: "tokens > 32000 || thinking", Use: "large"},
			{When: "tokens < 500 && tools == 0", Use: "fast"},
		},
	}}}
}

func TestAutoChoosesByTheRequest(t *testing.T) {
	picture := weir.Block{Type: weir.BlockImage, Media: &weir.Media{URL: "https://example.org/a.png"}}
	thinking := &weir.ReasoningConfig{Effort: "high"}
	for _, c := range []struct {
		name, use, reason string
		body              weir.Body
	}{
		{"short", "fast", "auto: rule 3: tokens < 500 && tools == 0", weir.Body{Messages: []weir.Message{weir.UserText("hi")}}},
		{"long", "large", "auto: rule 2 (long): tokens > 32000 || thinking", weir.Body{Messages: []weir.Message{weir.UserText(strings.Repeat("word ", 40_000))}}},
		{"hard", "large", "auto: rule 2 (long): tokens > 32000 || thinking", weir.Body{Messages: []weir.Message{weir.UserText("hi")}, Reasoning: thinking}},
		{"with a picture", "seeing", "auto: rule 1: images > 0", weir.Body{Messages: []weir.Message{{Role: weir.RoleUser, Blocks: []weir.Block{picture}}}}},
		{"with tools", "middling", "auto: no rule holds", weir.Body{Messages: []weir.Message{weir.UserText("hi")}, Tools: []weir.Tool{{Name: "f"}}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			req, note := judged(t, compile(t, auto()), weir.NewRequest("auto", &c.body))
			if req.Model != c.use {
				t.Errorf("the model is %q, want %q", req.Model, c.use)
			}
			if note == nil || note.Asked != "auto" || note.Model != c.use || note.Reason != c.reason {
				t.Errorf("the note is %+v", note)
			}
		})
	}
}

func TestAModelWithoutAListIsLeftAlone(t *testing.T) {
	asked := asks("gpt-5", "hi")
	req, note := judged(t, compile(t, auto()), asked)
	if req != asked || note != nil {
		t.Errorf("the request became %+v, note %+v", req, note)
	}
}

func TestTheGeneralListComesFirst(t *testing.T) {
	o := auto()
	o.Lists = append(o.Lists, rules.List{Rules: []rules.Rule{
		{When: `labels.region == "eu"`, Use: "local"},
		{When: `model == "gpt-4o"`, Use: "auto"},
	}})
	r := compile(t, o)
	eu := asks("auto", "hi")
	eu.Labels = map[string]string{"region": "eu"}
	if req, note := judged(t, r, eu); req.Model != "local" || note.Reason != `rule 1: labels.region == "eu"` {
		t.Errorf("in the EU: %q because %q", req.Model, note.Reason)
	}
	req, note := judged(t, r, asks("gpt-4o", "hi"))
	if req.Model != "fast" || note.Reason != `rule 2: model == "gpt-4o"; auto: rule 3: tokens < 500 && tools == 0` {
		t.Errorf("what leads to a list: %q because %q", req.Model, note.Reason)
	}
}

func TestTheBytesStay(t *testing.T) { // verbatim relay goes on
	asked, decoded := received(&weir.Body{}, chatOf("hi"))
	asked.Model, asked.Relay = "m", true
	req, _ := judged(t, compile(t, when("tokens > 0")), asked)
	if req.Model != "chosen" || asked.Model != "m" {
		t.Errorf("the models are %q and %q", req.Model, asked.Model)
	}
	if req.Wire != asked.Wire || !req.Relay || decoded.Load() != 0 {
		t.Errorf("wire kept: %v, relay %v, decoded %d times", req.Wire == asked.Wire, req.Relay, decoded.Load())
	}
}

func TestARequestWithDeploymentsPasses(t *testing.T) {
	asked := asks("m", "hi")
	asked.Deployments = []weir.Deployment{{Name: "p/m"}}
	if req, note := judged(t, compile(t, when("true")), asked); req != asked || note != nil {
		t.Errorf("the request became %+v", req)
	}
}

func TestOtherOperationsAreOnlyForRulesThatMentionThem(t *testing.T) {
	for _, op := range []weir.Operation{weir.Generate, weir.CountTokens, weir.Embed, weir.Rerank, weir.Files} {
		chat := op == weir.Generate || op == weir.CountTokens
		asked := asks("m", "hi")
		asked.Op = op
		req, _ := judged(t, compile(t, when("tokens >= 0")), asked)
		if (req.Model == "chosen") != chat {
			t.Errorf("%s: a rule without op led to %q", op, req.Model)
		}
		req, _ = judged(t, compile(t, when(`op == "`+op.String()+`"`)), asked)
		if req.Model != "chosen" {
			t.Errorf("%s: a rule with op led to %q", op, req.Model)
		}
	}
}

func TestARuleThatCannotBeEvaluatedIsPassedOverAndTold(t *testing.T) {
	for _, c := range []struct{ when, reason string }{
		{`10 / images > 1`, "division by zero"},
		{`10 % images > 1`, "modulus by zero"},
		{`int(labels.level) > 3`, "it cannot be evaluated"},
		{`[1, 2][turns + 5] == 1`, "index out of bounds"},
		{`{"a": 1}[labels.secret] == 1`, "no such key"},
		{`9223372036854775807 + turns > 0`, "integer overflow"},
	} {
		asked := asks("m", "a secret prompt")
		asked.Labels = map[string]string{"level": "a secret level", "secret": "a secret key"}
		req, note := judged(t, compile(t, when(c.when, "turns == 1")), asked)
		if req.Model != "chosen" || note.Reason != "rule 2: turns == 1" {
			t.Errorf("%s: the next rule was not asked: %+v", c.when, note)
		}
		want := []rules.Skip{{Rule: 1, Reason: c.reason}}
		if !slices.Equal(note.Skipped, want) {
			t.Errorf("%s: skipped %+v, want %+v", c.when, note.Skipped, want)
		}
		if strings.Contains(fmt.Sprintf("%+v", note), "a secret") {
			t.Errorf("%s: the note quotes the request: %+v", c.when, note)
		}
	}
}

func TestABodyThatCannotBeDecodedIsToldOnce(t *testing.T) {
	asked, decoded := received(nil, chatOf("hi"))
	req, note := judged(t, compile(t, when("images > 0", "turns > 0")), asked)
	want := []rules.Skip{{Rule: 1, Reason: "the request cannot be decoded"}, {Rule: 2, Reason: "the request cannot be decoded"}}
	if req != asked || note == nil || note.Model != asked.Model || !slices.Equal(note.Skipped, want) {
		t.Errorf("the request became %+v, note %+v", req, note)
	}
	if decoded.Load() != 1 {
		t.Errorf("decoded %d times", decoded.Load())
	}
}

func TestWhoMayUseTheNameMayUseWhatARuleChooses(t *testing.T) {
	exact := func(p *weir.Principal, model string) bool { return slices.Contains(p.Models, model) }
	for _, c := range []struct {
		name    string
		may     []string
		allowed func(*weir.Principal, string) bool
		want    []string
	}{
		{"granted", []string{"auto"}, exact, []string{"auto", "fast"}},
		{"not granted", []string{"other"}, exact, []string{"other"}},
		{"all", nil, exact, nil},
		{"nobody says", []string{"auto"}, nil, []string{"auto"}},
	} {
		o := auto()
		o.Allowed = c.allowed
		asked := asks("auto", "hi")
		asked.Principal = &weir.Principal{Name: "k", Models: c.may}
		req, _ := judged(t, compile(t, o), asked)
		if !slices.Equal(req.Principal.Models, c.want) || req.Principal.Name != "k" {
			t.Errorf("%s: the principal is %+v, want %q", c.name, req.Principal, c.want)
		}
		if !slices.Equal(asked.Principal.Models, c.may) {
			t.Errorf("%s: the principal that asked was changed: %q", c.name, asked.Principal.Models)
		}
	}
}

func TestTheStageIsAHandler(t *testing.T) {
	req, _ := received(&weir.Body{Messages: []weir.Message{weir.UserText("hi")}}, chatOf("hi"))
	req.Model = "auto"
	inner := weir.HandlerFunc(func(ctx context.Context, _ *weir.Request) iter.Seq2[weir.Event, error] {
		return func(yield func(weir.Event, error) bool) {
			for _, ev := range []weir.Event{
				{Type: weir.EventStart, Start: &weir.Start{}},
				{Type: weir.EventFinish, Finish: &weir.Finish{Reason: weir.FinishStop}},
			} {
				if err := ctx.Err(); err != nil {
					yield(weir.Event{}, err)
					return
				}
				if !yield(ev, nil) {
					return
				}
			}
			if err := ctx.Err(); err != nil {
				yield(weir.Event{}, err)
			}
		}
	})
	r := compile(t, auto())
	weirtest.TestHandler(t, func() weir.Handler { return r.Middleware()(inner) }, req)
}

// Mistakes are told all at once, each with its place.
func TestMistakesAreToldWithTheirPlaces(t *testing.T) {
	for _, c := range []struct {
		name string
		list rules.List
		want []string
	}{
		{
			"unknown names", rules.List{Model: "auto", Default: "m", Rules: []rules.Rule{
				{When: "true", Use: "m"},
				{Name: "long", When: "images > 0 && tokns > 3", Use: "m"},
				{When: "size(lables) > 0", Use: "m"},
			}},
			[]string{
				`"auto": rule 2 (long), column 15: there is no variable or function "tokns"; did you mean tokens?`,
				`"auto": rule 3, column 6: there is no variable or function "lables"; did you mean labels?`,
			},
		},
		{"types that do not fit", rules.List{Rules: []rules.Rule{{When: `tokens > "many"`, Use: "m"}}}, []string{`rule 1, column 8: found no matching overload for '>' applied to '(int, string)'`}},
		{"no condition", rules.List{Rules: []rules.Rule{{When: `tokens + 1`, Use: "m"}}}, []string{`rule 1, column 1: the condition is of type int, and must be true or false; compare it with something`}},
		{"syntax", rules.List{Rules: []rules.Rule{{When: "tokens >", Use: "m"}}}, []string{`rule 1, column 9: mismatched input '<EOF>'`}},
		{"the second line", rules.List{Rules: []rules.Rule{{When: "tokens > 1 &&\n  nothing", Use: "m"}}}, []string{`rule 1, line 2, column 3: there is no variable or function "nothing"`}},
		{"a bad regular expression", rules.List{Rules: []rules.Rule{{When: `prompt.matches("(")`, Use: "m"}}}, []string{"rule 1, column 16: invalid matches argument"}},
		{"nothing said", rules.List{Rules: []rules.Rule{{}}}, []string{"rule 1: use is missing: the model to be used", `rule 1: when is missing: the condition; "true" always holds`}},
		{"no default", rules.List{Model: "auto"}, []string{`"auto": a default is missing: the model that is used when no rule holds`}},
		{"a general default", rules.List{Default: "m"}, []string{"the general list has no default: what no rule is about keeps its model"}},
		{"a circle", rules.List{Model: "auto", Default: "auto", Rules: []rules.Rule{{When: "true", Use: "auto"}}}, []string{
			`"auto": rule 1: "auto" is a list of rules itself: only the general list may lead to one`,
		}},
		{"too long", rules.List{Rules: []rules.Rule{{When: strings.Repeat("true || ", 600) + "true", Use: "m"}}}, []string{"rule 1: the condition is longer than 4096 characters"}},
		{"too costly whatever comes", rules.List{Rules: []rules.Rule{{When: huge, Use: "m"}}}, []string{"rule 1: the condition costs more than it may, whatever the request is"}},
		{"has of no member", rules.List{Rules: []rules.Rule{{When: "has(labels)", Use: "m"}}}, []string{"rule 1, column 5: has() takes a member: has(labels.team)"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := rules.New(rules.Options{Lists: []rules.List{c.list}})
			if err == nil {
				t.Fatal("accepted")
			}
			got := strings.Split(err.Error(), "\n")
			if len(got) != len(c.want) {
				t.Fatalf("got %d mistakes:\n%v", len(got), err)
			}
			for i := range got {
				if !strings.HasPrefix(got[i], c.want[i]) {
					t.Errorf("got  %s\nwant %s", got[i], c.want[i])
				}
			}
			if e, ok := errors.AsType[*rules.Error](err); !ok || e.Model != c.list.Model {
				t.Errorf("the error is %#v", e)
			}
		})
	}
}

// huge is a million steps in one line.
const huge = `[1,2,3,4,5,6,7,8,9,0].map(a, [1,2,3,4,5,6,7,8,9,0].map(b, [1,2,3,4,5,6,7,8,9,0].map(c, ` +
	`[1,2,3,4,5,6,7,8,9,0].map(d, [1,2,3,4,5,6,7,8,9,0].map(e, [1,2,3,4,5,6,7,8,9,0].map(f, a+b+c+d+e+f)))))).size() > 0`

func TestAnEvaluationIsBounded(t *testing.T) {
	asked := asks("m", strings.Repeat("x", 40_000))
	asked.Labels = map[string]string{}
	for i := range 2_000 {
		asked.Labels[fmt.Sprint("label", i)] = strings.Repeat("y", 100)
	}
	for _, condition := range []string{
		`labels.all(a, labels.all(b, labels.all(c, a + b + c != "")))`,
		`labels.map(k, prompt + k).size() < 0`,
		`labels.all(k, !prompt.matches(k + "(x+x+)+y"))`,
	} {
		req, note := judged(t, compile(t, when(condition)), asked)
		if req != asked || note == nil || len(note.Skipped) != 1 || note.Skipped[0].Reason != "its evaluation costs too much" {
			t.Errorf("%s: %+v", condition, note)
		}
	}
}

func TestTheLimitIsConfigured(t *testing.T) {
	o := when(`prompt.contains("zzz") || true`)
	o.CostLimit = 10
	if _, note := judged(t, compile(t, o), asks("m", strings.Repeat("x", 4000))); len(note.Skipped) != 1 {
		t.Errorf("a small limit let it pass: %+v", note)
	}
	if _, note := judged(t, compile(t, when(`prompt.contains("zzz") || true`)), asks("m", strings.Repeat("x", 4000))); note.Model != "chosen" {
		t.Errorf("the default limit is too small: %+v", note)
	}
}

func TestNamesAreChecked(t *testing.T) {
	o := auto()
	o.Lists = append(o.Lists, rules.List{Rules: []rules.Rule{{When: "false", Use: "auto"}}})
	o.Known = func(model string) error {
		if model == "large" {
			return errors.New(`"large" is not a model`)
		}
		return nil
	}
	_, err := rules.New(o)
	if err == nil || err.Error() != `"auto": rule 2 (long): "large" is not a model` {
		t.Errorf("the error is %v", err)
	}
}

func TestAModelHasOneList(t *testing.T) {
	_, err := rules.New(rules.Options{Lists: []rules.List{{Model: "a", Default: "x"}, {Model: "a", Default: "x"}, {}, {}}})
	want := "\"a\": the model has a list already\nthere is a general list already: only one list may be without a model"
	if err == nil || err.Error() != want {
		t.Errorf("the error is %v", err)
	}
}

func TestModels(t *testing.T) {
	r := compile(t, auto())
	if got := r.Models(); !slices.Equal(got, []string{"auto"}) || r.Empty() {
		t.Errorf("models %q, empty %v", got, r.Empty())
	}
	if !compile(t, rules.Options{}).Empty() {
		t.Error("no rules are not empty")
	}
}

// Against a simple model of the same rules: the first that holds decides, and
// Explain says what the stage does.
func TestTheFirstRuleThatHoldsDecides(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		bounds := rapid.SliceOfN(rapid.IntRange(0, 20), 0, 6).Draw(rt, "bounds")
		o := rules.Options{Lists: []rules.List{{Model: "auto", Default: "default"}}}
		for i, bound := range bounds {
			o.Lists[0].Rules = append(o.Lists[0].Rules, rules.Rule{When: fmt.Sprintf("prompt_chars > %d", bound), Use: fmt.Sprint("m", i)})
		}
		n := rapid.IntRange(0, 20).Draw(rt, "characters")
		want := "default"
		if i := slices.IndexFunc(bounds, func(bound int) bool { return n > bound }); i >= 0 {
			want = fmt.Sprint("m", i)
		}
		r := compile(t, o)
		req, note := judged(t, r, asks("auto", strings.Repeat("好", n)))
		if req.Model != want || note.Model != want {
			rt.Fatalf("%d characters over %v led to %q, want %q", n, bounds, req.Model, want)
		}
		e := r.Explain(asks("auto", strings.Repeat("好", n)))
		if e.Model != note.Model || e.Reason != note.Reason || e.Asked != note.Asked {
			rt.Fatalf("explained %+v, told %+v", e, note)
		}
		if len(e.Results) != len(bounds)+1 {
			rt.Fatalf("%d results for %d rules", len(e.Results), len(bounds))
		}
		decides := 0
		for _, result := range e.Results {
			if result.Decides {
				decides++
				if result.Use != want {
					rt.Fatalf("%+v decides, want %q", result, want)
				}
			}
		}
		if decides != 1 {
			rt.Fatalf("%d rules decide: %+v", decides, e.Results)
		}
	})
}

func TestExplain(t *testing.T) {
	o := auto()
	o.Lists = append(o.Lists, rules.List{Rules: []rules.Rule{
		{Name: "broken", When: "1 / images > 0", Use: "never"},
		{When: `model.startsWith("gpt") && prompt != "" && has(labels.team)`, Use: "auto"},
		{When: `op == "embed"`, Use: "vectors"},
	}})
	asked := asks("gpt-4o", "what is this?")
	asked.Labels = map[string]string{"team": "search"}
	e := compile(t, o).Explain(asked)
	var got strings.Builder
	for _, r := range e.Results {
		fmt.Fprintf(&got, "%s/%d %s -> %s %s decides=%v\n", r.Model, r.Rule, r.Outcome, r.Use, r.Reason, r.Decides)
	}
	want := `/1 cannot be evaluated -> never division by zero decides=false
/2 holds -> auto  decides=true
/3 does not hold -> vectors  decides=false
auto/1 does not hold -> seeing  decides=false
auto/2 does not hold -> large  decides=false
auto/3 holds -> fast  decides=true
auto/0 holds -> middling  decides=false
`
	if got.String() != want {
		t.Errorf("got\n%s\nwant\n%s", got.String(), want)
	}
	if e.Model != "fast" || e.Asked != "gpt-4o" {
		t.Errorf("explained %+v", e)
	}
	wantFeatures := []rules.Feature{
		{"images", "0"}, {"labels", `map["team":"search"]`}, {"model", "gpt-4o"}, {"op", "generate"},
		{"prompt", "(13 characters)"}, {"thinking", "false"}, {"tokens", "14"}, {"tools", "0"},
	}
	if !slices.Equal(e.Features, wantFeatures) {
		t.Errorf("features %v", e.Features)
	}
}

func TestExplainOfAnotherOperation(t *testing.T) {
	asked, _ := received(nil, "{}")
	asked.Op, asked.Model = weir.Embed, "m"
	e := compile(t, when("images > 0", `op == "embed" && tools > 0`)).Explain(asked)
	if e.Results[0].Outcome != rules.NotAsked || e.Results[1].Outcome != rules.Skipped || e.Model != "m" {
		t.Errorf("explained %+v", e)
	}
	if !slices.Contains(e.Features, rules.Feature{"images", "? (the request cannot be decoded)"}) {
		t.Errorf("features %v", e.Features)
	}
}

func TestRulesAreSafeForConcurrentUse(t *testing.T) {
	r := compile(t, auto())
	var wrong atomic.Int32
	done := make(chan struct{})
	for range 8 {
		go func() {
			defer func() { done <- struct{}{} }()
			for range 50 {
				if r.Explain(asks("auto", "hi")).Model != "fast" {
					wrong.Add(1)
				}
			}
		}()
	}
	for range 8 {
		<-done
	}
	if wrong.Load() > 0 {
		t.Errorf("%d wrong answers", wrong.Load())
	}
}
