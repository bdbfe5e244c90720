package degrade_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/weir-gateway/weir"
	protocols "github.com/weir-gateway/weir/codec/all"
	"github.com/weir-gateway/weir/stage/degrade"
	"github.com/weir-gateway/weir/weirtest"
)

func TestAnOutageIsAnsweredFromARule(t *testing.T) {
	events, err := collect(stage(t, sorry())(fails(weir.KindUnavailable)).Handle(t.Context(), asks("hi")))
	if err != nil {
		t.Fatal(err)
	}
	n, ok := events[0].Note.(*degrade.Note)
	if !ok || n.Rule != 1 || n.Name != "always" || n.Err.Kind != weir.KindUnavailable || n.NoteKind() != "degraded" {
		t.Fatalf("the first event is %+v", events[0])
	}
	if source, cause := n.AnswerSource(); source != "degraded" || cause != n.Err {
		t.Errorf("the source is %q because of %v", source, cause)
	}
	if err := weirtest.CheckEvents(events); err != nil {
		t.Error(err)
	}
	var c weir.Collector
	for _, ev := range events {
		c.Add(ev)
	}
	done := c.Completion()
	if done.Text() != "Sorry." || done.Choices[0].Finish.Reason != weir.FinishStop {
		t.Errorf("the answer is %+v", done.Choices)
	}
	if u := done.Usage; !u.Has(weir.UsageInput|weir.UsageOutput) || u.Total() != 0 || u.Estimated {
		t.Errorf("the usage is %+v", u)
	}
	if s := done.Start; s.Model != "gpt-5" || s.From != weir.OpenAIChat || string(s.Extra.Value(degrade.Mark)) != `{"source":"degraded"}` {
		t.Errorf("the start is %+v", s)
	}
}

// Every kind of error, and whether it is an outage.
func TestOnlyAnOutageIsAnswered(t *testing.T) {
	outage := map[weir.Kind]bool{
		weir.KindUpstream: true, weir.KindTimeout: true, weir.KindOverloaded: true, weir.KindUnavailable: true, weir.KindUpstreamAuth: true,
	}
	for k := weir.KindInternal; k <= weir.KindCanceled; k++ {
		e := weir.Errorf(k, "it is not to be")
		e.Status = k.Status(weir.OpenAIChat) // an upstream said so
		done, err := weir.Collect(stage(t, sorry())(call{err: e}).Handle(t.Context(), asks("hi")))
		if (err == nil) != outage[k] || err == nil != (note(done) != nil) {
			t.Errorf("%s: error %v, note %v", k, err, note(done))
		}
		if err != nil && err != error(e) {
			t.Errorf("%s: the error became %v", k, err)
		}
	}
}

func TestWhatAnOutageIsCanBeSaid(t *testing.T) {
	o := sorry()
	o.Kinds = []weir.Kind{weir.KindRateLimit, weir.KindQuota, weir.KindInternal}
	ours := weir.Errorf(weir.KindRateLimit, "the key has made enough calls")
	theirs := weir.Errorf(weir.KindRateLimit, "slow down")
	theirs.Status = 429
	several := weir.Errorf(weir.KindQuota, "2 deployments failed")
	several.Attempts = []*weir.Attempt{{Deployment: "a", Err: theirs}}
	for _, c := range []struct {
		name string
		err  *weir.Error
		want bool
	}{
		{"a limit of the gateway", ours, false},
		{"a limit of the provider", theirs, true},
		{"limits of several", several, true},
		{"a failure of the gateway", weir.Errorf(weir.KindInternal, "oh"), true},
		{"what is not named any more", weir.Errorf(weir.KindUpstream, "oh"), false},
	} {
		_, err := weir.Collect(stage(t, o)(call{err: c.err}).Handle(t.Context(), asks("hi")))
		if (err == nil) != c.want {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestARefusalForSafetyIsNeverHidden(t *testing.T) {
	refused := &weir.Attempt{Deployment: "a", Err: weir.Errorf(weir.KindContentFilter, "no")}
	down := &weir.Attempt{Deployment: "b", Err: weir.Errorf(weir.KindUpstream, "down")}
	listed := weir.Errorf(weir.KindUpstream, "2 deployments failed")
	listed.Attempts = []*weir.Attempt{refused, down}
	for name, c := range map[string]call{
		"the error":              fails(weir.KindContentFilter),
		"a listed attempt":       {err: listed},
		"an attempt that passed": {events: []weir.Event{weir.NoteEvent(refused), weir.NoteEvent(down)}, err: down.Err},
	} {
		done, err := weir.Collect(stage(t, sorry())(c).Handle(t.Context(), asks("hi")))
		if err == nil || note(done) != nil {
			t.Errorf("%s: it was answered", name)
		}
	}
}

func TestTheErrorAndTheAttemptsAreTold(t *testing.T) { // E-05, O-16
	a := &weir.Attempt{Number: 1, Deployment: "a", Err: weir.Errorf(weir.KindTimeout, "slow")}
	b := &weir.Attempt{Number: 2, Deployment: "b", Err: weir.Errorf(weir.KindUpstream, "down")}
	verdict := weir.Errorf(weir.KindTimeout, "2 deployments failed: a timeout, b upstream")
	verdict.Attempts = []*weir.Attempt{a, b}
	for name, c := range map[string]call{
		"as the error lists them":   {err: verdict},
		"as the notes told of them": {events: []weir.Event{weir.NoteEvent(&weir.Route{}), weir.NoteEvent(a), weir.NoteEvent(b)}, err: b.Err},
	} {
		done, err := weir.Collect(stage(t, sorry())(c).Handle(t.Context(), asks("hi")))
		if err != nil {
			t.Fatal(name, err)
		}
		if n := note(done); !slices.Equal(n.Attempts, []*weir.Attempt{a, b}) || error(n.Err) != c.err {
			t.Errorf("%s: %+v", name, n)
		}
	}
}

func TestWhoCouldBeMisledGetsTheError(t *testing.T) {
	strict := asks("hi")
	strict.Strict = true
	vectors := asks("hi")
	vectors.Op = weir.Embed
	for name, req := range map[string]*weir.Request{
		"strict": strict, "vectors": vectors,
		"a forced tool":  with(func(b *weir.Body) { b.ToolChoice = &weir.ToolChoice{Mode: weir.ToolModeRequired} }),
		"a named tool":   with(func(b *weir.Body) { b.ToolChoice = &weir.ToolChoice{Mode: weir.ToolModeNamed} }),
		"a JSON object":  with(func(b *weir.Body) { b.Format = &weir.Format{Type: weir.FormatJSONObject} }),
		"a JSON schema":  with(func(b *weir.Body) { b.Format = &weir.Format{Type: weir.FormatJSONSchema} }),
		"broken":         weir.NewWireRequest(&weir.Wire{}, func() (*weir.Body, error) { return nil, errors.New("no") }),
		"without a body": weir.NewWireRequest(&weir.Wire{}, nil),
	} {
		_, err := weir.Collect(stage(t, sorry())(fails(weir.KindUpstream)).Handle(t.Context(), req))
		if !errors.Is(err, weir.KindUpstream) {
			t.Errorf("%s: the error is %v", name, err)
		}
	}
	for name, req := range map[string]*weir.Request{
		"a free choice": with(func(b *weir.Body) { b.ToolChoice = &weir.ToolChoice{Mode: weir.ToolModeAuto} }),
		"text":          with(func(b *weir.Body) { b.Format = &weir.Format{Type: weir.FormatText} }),
	} {
		if _, err := weir.Collect(stage(t, sorry())(fails(weir.KindUpstream)).Handle(t.Context(), req)); err != nil {
			t.Errorf("%s: the error is %v", name, err)
		}
	}
}

// with is a request whose body has been changed.
func with(change func(*weir.Body)) *weir.Request {
	b := &weir.Body{Messages: []weir.Message{weir.UserText("hi")}}
	change(b)
	return weir.NewRequest("m", b)
}

// Whatever a call yields before its error, an answer is made up only as long as
// nothing but notes has passed; everything that passed is untouched.
func TestNothingIsAnsweredAfterTheFirstEvent(t *testing.T) {
	menu := slices.Concat(answers("text").events, []weir.Event{weir.NoteEvent(&weir.Route{}), {Type: weir.EventPing}, {Type: weir.EventUsage, Usage: &weir.Usage{}}, weir.NoteEvent(&weir.Loss{})})
	rapid.Check(t, func(rt *rapid.T) {
		c := call{events: rapid.SliceOfN(rapid.SampledFrom(menu), 0, 6).Draw(rt, "events")}
		if rapid.Bool().Draw(rt, "fails") {
			c.err = weir.Errorf(weir.KindUpstream, "down")
		}
		begun := slices.ContainsFunc(c.events, func(ev weir.Event) bool { return ev.Type != weir.EventNote })
		got, err := collect(stage(t, sorry())(c).Handle(t.Context(), asks("hi")))
		if len(got) < len(c.events) || !reflect.DeepEqual(got[:len(c.events)], c.events) && len(c.events) > 0 {
			rt.Fatalf("%d events became %+v", len(c.events), got)
		}
		if made := len(got) > len(c.events); made != (c.err != nil && !begun) {
			rt.Fatalf("an answer was made up: %v (begun %v, error %v)", made, begun, c.err)
		}
		if (err != nil) != (c.err != nil && begun) {
			rt.Fatalf("the error is %v", err)
		}
	})
}

func TestAClientThatLeftGetsNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	h := stage(t, sorry())(call{events: []weir.Event{weir.NoteEvent(&weir.Route{})}, err: weir.Errorf(weir.KindTimeout, "late")})
	var got []error
	for _, err := range h.Handle(ctx, asks("hi")) {
		cancel()
		got = append(got, err)
	}
	if len(got) != 2 || !errors.Is(got[1], context.Canceled) {
		t.Errorf("it got %v", got)
	}
}

func TestTheRuleIsChosenByTheLastWords(t *testing.T) {
	o := degrade.Options{MaxText: 60, Rules: []degrade.Rule{
		{Models: []string{"medical"}, Answer: "Call a doctor."},
		{Keywords: []string{"Refund", "退款"}, Answer: "Refunds: {{model}}."},
		{Keywords: []string{"bill"}, Pattern: `(?i)order\s+#?(?P<order>\d+)`, Answer: "Order {{match.order|unknown}}."},
		{Pattern: `\p{Han}`, Answer: "抱歉，{{model}} 暂时无法使用。"},
		{Pattern: `^json$`, Answer: `{"error": "{{kind}}", "model": "{{model}}"}`},
	}}
	body := func(m ...weir.Message) *weir.Request { return weir.NewRequest("gpt-5", &weir.Body{Messages: m}) }
	medical := asks("my refund")
	medical.Model = "medical"
	wantsJSON := with(func(b *weir.Body) {
		b.Messages = []weir.Message{weir.UserText("json")}
		b.Format = &weir.Format{Type: weir.FormatJSONObject}
	})
	wantsJSON.Model = `a "model"`
	for _, c := range []struct {
		name string
		req  *weir.Request
		want string // empty: the error
	}{
		{"a keyword", asks("I want a REFUND now"), "Refunds: gpt-5."},
		{"a Chinese keyword", asks("我要退款"), "Refunds: gpt-5."},
		{"a pattern", asks("where is Order #1234?"), "Order 1234."},
		{"a keyword beside a pattern", asks("my bill"), "Order unknown."},
		{"a script", asks("你好"), "抱歉，gpt-5 暂时无法使用。"},
		{"a model", medical, "Call a doctor."},
		{"nothing fits", asks("hello"), ""},
		{"nothing said", body(), ""},
		{"earlier words", body(weir.UserText("refund"), weir.AssistantText("refund"), weir.UserText("thanks")), ""},
		{"the last words of the user", body(weir.UserText("refund"), weir.AssistantText("hm"), weir.ToolResultText("c", "x")), "Refunds: gpt-5."},
		{"what is beyond the bound", asks(strings.Repeat("x", 60) + "refund"), ""},
		{"two blocks", body(weir.Message{Role: weir.RoleUser, Blocks: []weir.Block{{Type: weir.BlockText, Text: "a"}, {Type: weir.BlockText, Text: "refund"}}}), "Refunds: gpt-5."},
		{"JSON in vain", with(func(b *weir.Body) {
			b.Messages, b.Format = []weir.Message{weir.UserText("refund")}, &weir.Format{Type: weir.FormatJSONSchema}
		}), ""},
		{"JSON", wantsJSON, `{"error": "overloaded", "model": "a \"model\""}`},
	} {
		done, err := weir.Collect(stage(t, o)(fails(weir.KindOverloaded)).Handle(t.Context(), c.req))
		if (err != nil) != (c.want == "") || done.Text() != c.want {
			t.Errorf("%s: %q, %v", c.name, done.Text(), err)
		}
	}
}

func TestAnAnswerIsFilledIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // it is Saturday, 2000-01-01, at midnight UTC
		late := weir.Errorf(weir.KindOverloaded, "busy")
		late.RetryAfter = 1500 * time.Millisecond
		long := strings.Repeat("好", 300)
		for _, c := range []struct {
			answer, want string
			err          *weir.Error
			prompt       string
			zone         *time.Location
		}{
			{"{{model}}/{{ id }}: {{kind}}", "gpt-5/r1: overloaded", late, "hi", nil},
			{"in {{retry_after}} s", "in 2 s", late, "hi", nil},
			{"in {{retry_after|a few}} s", "in a few s", weir.Errorf(weir.KindTimeout, "x"), "hi", nil},
			{"{{date}} {{time}}", "2000-01-01 00:00", late, "hi", nil},
			{"{{date}} {{time}}", "2000-01-01 08:00", late, "hi", time.FixedZone("CST", 8*3600)},
			{`{{"{{"}}model}} }}`, "{{model}} }}", late, "hi", nil},
			{"{{match.all}}", strings.Repeat("好", 85), late, long, nil}, // 256 bytes
			{`["{{match.all}}", {{retry_after|0}}]`, `["a \"quoted\"\nline", 2]`, late, "a \"quoted\"\nline", nil},
		} {
			o := degrade.Options{Zone: c.zone, Rules: []degrade.Rule{{Pattern: `(?s)(?P<all>.*)`, Answer: c.answer}}}
			done, err := weir.Collect(stage(t, o)(call{err: c.err}).Handle(t.Context(), asks(c.prompt)))
			if err != nil || done.Text() != c.want {
				t.Errorf("%s: %q, %v", c.answer, done.Text(), err)
			}
			if strings.HasPrefix(c.answer, "[") && !json.Valid([]byte(done.Text())) {
				t.Errorf("%s: %q is no JSON", c.answer, done.Text())
			}
			if done.Start.Created != time.Now().Unix() {
				t.Errorf("created at %d", done.Start.Created)
			}
		}
	})
}

func TestEveryChoiceIsAnswered(t *testing.T) {
	for n, want := range map[int64]int{-1: 1, 0: 1, 1: 1, 3: 3, 1 << 40: 16} {
		req := with(func(b *weir.Body) { b.N = new(n) })
		events, err := collect(stage(t, sorry())(fails(weir.KindUpstream)).Handle(t.Context(), req))
		if err != nil {
			t.Fatal(err)
		}
		if err := weirtest.CheckEvents(events); err != nil {
			t.Error(n, err)
		}
		finishes := 0
		for _, ev := range events {
			if ev.Type == weir.EventFinish {
				finishes++
			}
		}
		if finishes != want {
			t.Errorf("n = %d: %d choices", n, finishes)
		}
	}
}

// The client of every protocol reads the text, and that it is degraded where the
// protocol has a place for it. Converse has none: its answers are told by the
// header alone.
func TestEveryFaceShowsTheAnswer(t *testing.T) {
	const chat = `{"model":"m","stream":%v,"max_tokens":9,"messages":[{"role":"user","content":"hi"}]}`
	h := stage(t, sorry())(fails(weir.KindUpstream))
	for _, face := range []struct {
		protocol               weir.Protocol
		path, pathStream, body string
		marked                 bool
	}{
		{weir.OpenAIChat, "", "", chat, true},
		{weir.OpenAICompletions, "", "", `{"model":"m","stream":%v,"prompt":"hi"}`, true},
		{weir.OpenAIResponses, "", "", `{"model":"m","stream":%v,"input":"hi"}`, true},
		{weir.AnthropicMessages, "", "", chat, true},
		{weir.OllamaChat, "/api/chat", "/api/chat", chat, true},
		{weir.OllamaChat, "/api/generate", "/api/generate", `{"model":"m","stream":%v,"prompt":"hi"}`, true},
		{weir.GeminiGenerate, "/v1beta/models/m:generateContent", "/v1beta/models/m:streamGenerateContent", `{"contents":[{"role":"user","parts":[{"text":"hi"}]}]}`, true},
		{weir.BedrockConverse, "/model/m/converse", "/model/m/converse-stream", `{"messages":[{"role":"user","content":[{"text":"hi"}]}]}`, false},
	} {
		for _, stream := range []bool{false, true} {
			c, path, body := protocols.For(face.protocol), face.path, face.body
			if stream {
				path = face.pathStream
			}
			if strings.Contains(body, "%v") {
				body = fmt.Sprintf(body, stream)
			}
			req, err := c.OpenRequest(weir.Generate, &weir.Wire{Protocol: face.protocol, Path: path, Body: []byte(body)})
			if err != nil {
				t.Fatal(face.protocol, err)
			}
			enc := c.NewEncoder(req)
			var out []byte
			for ev, err := range h.Handle(t.Context(), req) {
				if err != nil {
					t.Fatal(face.protocol, err)
				}
				out = enc.Encode(out, ev)
			}
			out = enc.Close(out, nil)
			if !strings.Contains(string(out), `"Sorry."`) {
				t.Errorf("%s %s (stream %v) does not say so: %s", face.protocol, path, stream, out)
			}
			if got := strings.Contains(string(out), `"weir":{"source":"degraded"}`); got != face.marked {
				t.Errorf("%s %s (stream %v) is marked: %v: %s", face.protocol, path, stream, got, out)
			}
			if l := enc.Losses(); len(l) > 0 {
				t.Errorf("%s %s (stream %v) loses %v", face.protocol, path, stream, l)
			}
		}
	}
}

func TestMistakesAreTold(t *testing.T) {
	rule := func(r degrade.Rule) degrade.Options { return degrade.Options{Rules: []degrade.Rule{r}} }
	for want, o := range map[string]degrade.Options{
		`the error "content_filter" says something about the request, and is not an outage`:                                                {Kinds: []weir.Kind{weir.KindContentFilter}},
		`the error "invalid_request" says something about the request, and is not an outage`:                                               {Kinds: []weir.Kind{weir.KindInvalid}},
		`the error "canceled" says something about the request, and is not an outage`:                                                      {Kinds: []weir.Kind{weir.KindCanceled}},
		"rule 1: a keyword is empty, and would be part of every text":                                                                      rule(degrade.Rule{Keywords: []string{" "}, Answer: "x"}),
		"rule 1: the answer is missing":                                                                                                    rule(degrade.Rule{}),
		"rule 1: the pattern is wrong: error parsing regexp: missing closing ): `(`":                                                       rule(degrade.Rule{Pattern: "(", Answer: "x"}),
		"rule 1: the pattern is longer than 1000 bytes":                                                                                    rule(degrade.Rule{Pattern: strings.Repeat("x", 1001), Answer: "x"}),
		"rule 1: the answer is longer than 65536 bytes":                                                                                    rule(degrade.Rule{Answer: strings.Repeat("x", 65537)}),
		"rule 1: the answer: column 4: {{ is not closed":                                                                                   rule(degrade.Rule{Answer: "hi {{model}"}),
		`rule 1: the answer: column 1: there is nothing called "modle"; there are model, id, kind, retry_after, date, time and match.NAME`: rule(degrade.Rule{Answer: "{{modle}}"}),
		`rule 1: the answer: column 11: the pattern has no group "x"`:                                                                      rule(degrade.Rule{Answer: "{{model}} {{match.x}}", Pattern: "(?P<y>a)"}),
		`rule 1: the answer: column 1: the pattern has no group ""`:                                                                        rule(degrade.Rule{Answer: "{{match.}}", Pattern: "(a)"}),
	} {
		m, err := degrade.New(o)
		if err == nil || err.Error() != want || m != nil {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
	_, err := degrade.New(degrade.Options{Rules: []degrade.Rule{{}, {Answer: "x"}, {Answer: "{{"}}})
	if want := "rule 1: the answer is missing\nrule 3: the answer: column 1: {{ is not closed"; err == nil || err.Error() != want {
		t.Errorf("all at once: %v", err)
	}
}

func TestWithoutRulesThereIsNoStage(t *testing.T) {
	if m, err := degrade.New(degrade.Options{}); m != nil || err != nil {
		t.Errorf("got %v, %v", m, err)
	}
}

func TestTheStageIsAHandler(t *testing.T) {
	for name, inner := range map[string]call{"healthy": answers("yes"), "degraded": fails(weir.KindUpstream)} {
		t.Run(name, func(t *testing.T) {
			weirtest.HandlerSuite{
				New:     func() weir.Handler { return stage(t, sorry())(inner) },
				Request: asks("hi"), Buffered: true,
			}.Run(t)
		})
	}
}

// FuzzAnswer: whatever is written as an answer and whatever the client says, New
// refuses it or what comes out is bounded, and JSON where the answer is.
func FuzzAnswer(f *testing.F) {
	f.Add("Sorry, {{model}}: {{match.all|?}} {{date}}", "hi", "gpt-5")
	f.Add(`{"a": "{{model}}", "b": [{{retry_after|1}}]}`, "\"\\\n\xff", "\"m\"")
	f.Add(`[{{model}}]`, "x", "1,2")
	f.Add("{{{{}}}}", "", "")
	f.Add(`{{"}}`, "", "")
	f.Add(`{{"{{"}}`, "", "")
	f.Fuzz(func(t *testing.T, answer, prompt, model string) {
		m, err := degrade.New(degrade.Options{Rules: []degrade.Rule{{Pattern: `(?P<all>.*)`, Answer: answer}}})
		if err != nil {
			if !strings.HasPrefix(err.Error(), "rule 1: ") || m != nil {
				t.Fatalf("the error is %v", err)
			}
			return
		}
		req := asks(prompt)
		req.Model = model
		done, err := weir.Collect(m(fails(weir.KindUpstream)).Handle(t.Context(), req))
		if err != nil {
			t.Fatal(err)
		}
		if n := len(done.Text()); n > len(answer)+(strings.Count(answer, "{{")+1)*256*6 {
			t.Fatalf("%d bytes of %d", n, len(answer))
		}
		body, _ := req.Body()
		body.Format = &weir.Format{Type: weir.FormatJSONObject}
		if done, err := weir.Collect(m(fails(weir.KindUpstream)).Handle(t.Context(), req)); err == nil && !json.Valid([]byte(done.Text())) {
			t.Fatalf("%q became %q", answer, done.Text())
		}
	})
}
