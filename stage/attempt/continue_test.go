package attempt_test

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/stage/attempt"
	"github.com/weir-gateway/weir/weirtest"
)

func always(*weir.Request) bool      { return true }
func prefills(*weir.Deployment) bool { return true }

func continuing(change ...func(*attempt.ContinueOptions)) weir.Handler {
	o := attempt.ContinueOptions{Enabled: always, Prefill: prefills}
	for _, c := range change {
		c(&o)
	}
	return weir.Chain(attempt.Fallback(attempt.FallbackOptions{}), attempt.Continue(o))
}

func blockStart(i int32, b weir.Block) step {
	return emits(weir.Event{Type: weir.EventBlockStart, Index: i, Block: &b})
}

func blockEnd(i int32) step { return emits(weir.Event{Type: weir.EventBlockEnd, Index: i}) }

func textDelta(i int32, s string) step {
	return emits(weir.Event{Type: weir.EventDelta, Index: i, Text: s})
}

func textBlock() step { return blockStart(0, weir.Block{Type: weir.BlockText}) }

var broken = fails(&weir.Error{Kind: weir.KindUpstream, Message: "cut"})

// cut is an answer that breaks behind a text.
func cut(texts ...string) []step {
	out := []step{emits(startEvent()), textBlock()}
	for _, s := range texts {
		out = append(out, textDelta(0, s))
	}
	return append(out, broken)
}

// prefillOf is the assistant's message that ends a conversation.
func prefillOf(t interface{ Fatal(...any) }, req *weir.Request) string {
	body, err := req.Body()
	if err != nil {
		t.Fatal(err)
	}
	n := len(body.Messages)
	if n == 0 || body.Messages[n-1].Role != weir.RoleAssistant {
		return ""
	}
	return body.Messages[n-1].Text()
}

func TestContinueKeepsTheContract(t *testing.T) {
	a, b := scripts(cut("half ")), scripts(answer("done"))
	weirtest.HandlerSuite{
		New: func() weir.Handler { return continuing() }, Request: over(a, b),
		Probe: func() int64 { return a.calls.Load() + b.calls.Load() },
		Open:  func() int64 { return a.open.Load() + b.open.Load() },
	}.Run(t)
}

func TestContinueGoesOnWhereAnAnswerBroke(t *testing.T) {
	a := scripts([]step{emits(startEvent()), emits(usage(10, 1)), textBlock(), textDelta(0, "Once upon "), textDelta(0, "a time"), broken})
	b := scripts(answer(" there was")) // usage 3, 1
	var notes []*attempt.Continued
	var events []weir.Event
	for ev, err := range continuing().Handle(t.Context(), over(a, b)) {
		if err != nil {
			t.Fatal(err)
		}
		if n, ok := ev.Note.(*attempt.Continued); ok {
			notes = append(notes, n)
		}
		events = append(events, ev)
	}
	if err := weirtest.CheckEvents(events); err != nil {
		t.Error(err)
	}
	out := outcome{events: events}
	if out.text() != "Once upon a time there was" || out.count(weir.EventStart) != 1 || out.count(weir.EventBlockStart) != 1 {
		t.Errorf("text %q, %d starts, %d blocks", out.text(), out.count(weir.EventStart), out.count(weir.EventBlockStart))
	}
	if got := prefillOf(t, b.got.Load()); got != "Once upon a time" {
		t.Errorf("prefill %q", got)
	}
	if len(notes) != 1 || notes[0].Deployment != "a" || notes[0].To != "b" || notes[0].Bytes != 16 || notes[0].Err.Message != "cut" {
		t.Fatalf("notes %+v", notes)
	}
	// What the first call cost is its input, and an estimate of what it wrote.
	u, deployment, _, _ := notes[0].PartUsage()
	if deployment != "a" || u.InputTokens != 10 || u.OutputTokens < 2 || !u.Estimated {
		t.Errorf("the first call cost %+v", u)
	}
	last := events[len(events)-1]
	if last.Type != weir.EventUsage || last.Usage.InputTokens != 13 || last.Usage.OutputTokens != u.OutputTokens+1 || !last.Usage.Estimated {
		t.Errorf("usage %+v", last.Usage)
	}
}

func TestContinueOrPassTheErrorOn(t *testing.T) {
	call := weir.Block{Type: weir.BlockToolCall, Call: &weir.ToolCall{ID: "1", Name: "f"}}
	args := emits(weir.Event{Type: weir.EventDelta, Index: 1, Part: weir.PartArguments, Text: `{"a`})
	think := weir.Block{Type: weir.BlockReasoning}
	body := func(change func(*weir.Body)) func(*weir.Request) *weir.Request {
		return func(r *weir.Request) *weir.Request {
			r, err := r.Edit(func(b *weir.Body) error { change(b); return nil })
			if err != nil {
				panic(err)
			}
			return r
		}
	}
	begun := []step{emits(startEvent()), textBlock(), textDelta(0, "so far")}
	tests := []struct {
		name   string
		first  []step
		second []step
		change func(*weir.Request) *weir.Request
		o      func(*attempt.ContinueOptions)
		want   bool
	}{
		{name: "text", first: append(begun, broken), want: true},
		{name: "text that is complete", first: append(begun, blockEnd(0), broken), want: true},
		{name: "a block that has only begun", first: []step{emits(startEvent()), textBlock(), broken}, want: true},
		{name: "a time-out", first: append(begun, fails(status(weir.KindTimeout, 0))), want: true},
		{name: "a tool call in progress", first: append(begun, blockEnd(0), blockStart(1, call), args, broken)},
		{name: "a tool call that is complete", first: append(begun, blockEnd(0), blockStart(1, call), args, blockEnd(1), broken)},
		{name: "reasoning", first: []step{emits(startEvent()), blockStart(0, think), blockEnd(0), blockStart(1, weir.Block{Type: weir.BlockText}), textDelta(1, "so far"), broken}},
		{name: "reasoning where that is allowed", first: []step{emits(startEvent()), blockStart(0, think), blockEnd(0), blockStart(1, weir.Block{Type: weir.BlockText}), textDelta(1, "so far"), broken},
			o: func(o *attempt.ContinueOptions) { o.Reasoning = true }, want: true},
		{name: "reasoning in progress", first: []step{emits(startEvent()), blockStart(0, think), textDelta(0, "hm"), broken},
			o: func(o *attempt.ContinueOptions) { o.Reasoning = true }},
		{name: "an answer that had finished", first: append(begun, blockEnd(0), emits(finish()), broken)},
		{name: "an error about the request", first: append(begun, fails(status(weir.KindInvalid, 400)))},
		{name: "a refusal of the content", first: append(begun, fails(status(weir.KindContentFilter, 400)))},
		{name: "logprobs", first: append(begun, emits(weir.Event{Type: weir.EventDelta, Part: weir.PartLogprobs, Text: "{}"}), broken)},
		{name: "a second choice", first: append(begun, emits(weir.Event{Type: weir.EventBlockStart, Choice: 1, Block: &weir.Block{Type: weir.BlockText}}), broken)},
		{name: "a form", first: append(begun, broken), change: body(func(b *weir.Body) { b.Format = &weir.Format{Type: weir.FormatJSONObject} })},
		{name: "a form where that is allowed", first: append(begun, broken), change: body(func(b *weir.Body) { b.Format = &weir.Format{Type: weir.FormatJSONObject} }),
			o: func(o *attempt.ContinueOptions) { o.Structured = true }, want: true},
		{name: "a response that is stored", first: append(begun, broken), change: body(func(b *weir.Body) { yes := true; b.Thread = &weir.Thread{Store: &yes} })},
		{name: "more text than is kept", first: append(begun, broken), o: func(o *attempt.ContinueOptions) { o.MaxText = 3 }},
		{name: "nobody prefills", first: append(begun, broken), o: func(o *attempt.ContinueOptions) { o.Prefill = func(*weir.Deployment) bool { return false } }},
		{name: "not asked for", first: append(begun, broken), o: func(o *attempt.ContinueOptions) { o.Enabled = func(*weir.Request) bool { return false } }},
		{name: "another operation", first: append(begun, broken), change: func(r *weir.Request) *weir.Request { r.Op = weir.Other; return r }},
		{name: "the next one refuses the prefill", first: append(begun, broken), second: []step{fails(status(weir.KindInvalid, 400))}},
		{name: "the allowance is used up", first: append(begun, broken), change: func(r *weir.Request) *weir.Request { r.Allowance = weir.NewAllowance(1); return r }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			second := test.second
			if second == nil {
				second = answer(" and on")
			}
			a, b := scripts(test.first), scripts(second)
			req := over(a, b)
			if test.change != nil {
				req = test.change(req)
			}
			h := continuing(func(o *attempt.ContinueOptions) {
				if test.o != nil {
					test.o(o)
				}
			})
			out := consume(t.Context(), h, req)
			if got := out.err == nil; got != test.want {
				t.Fatalf("continued: %t, error %v", got, out.err)
			}
			if want := test.first[len(test.first)-1].err.(*weir.Error); !test.want && (out.err.Kind != want.Kind || out.err.Message != want.Message) {
				t.Errorf("the error is %v, not the original %v", out.err, want)
			}
			if test.want && !strings.HasSuffix(out.text(), " and on") {
				t.Errorf("text %q", out.text())
			}
			if err := weirtest.CheckPartial(out.events); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestContinueAtTheNextDeploymentThatCan(t *testing.T) {
	name := func(names ...string) func(*attempt.ContinueOptions) {
		return func(o *attempt.ContinueOptions) {
			o.Prefill = func(d *weir.Deployment) bool { return strings.Contains(strings.Join(names, ""), d.Name) }
		}
	}
	same := func(o *attempt.ContinueOptions) { o.Same = true }
	tests := []struct {
		name  string
		o     []func(*attempt.ContinueOptions)
		calls [3]int64
	}{
		{"the next", nil, [3]int64{1, 1, 0}},
		{"the one behind it", []func(*attempt.ContinueOptions){name("a", "c")}, [3]int64{1, 0, 1}},
		{"none", []func(*attempt.ContinueOptions){name("a")}, [3]int64{1, 0, 0}},
		{"the same", []func(*attempt.ContinueOptions){name("a"), same}, [3]int64{2, 0, 0}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			a, b, c := scripts(cut("one"), answer(" two")), scripts(answer(" two")), scripts(answer(" two"))
			out := consume(t.Context(), continuing(test.o...), over(a, b, c))
			if got := [3]int64{a.calls.Load(), b.calls.Load(), c.calls.Load()}; got != test.calls {
				t.Errorf("calls %v, want %v; text %q, error %v", got, test.calls, out.text(), out.err)
			}
		})
	}
}

func TestContinueMoreThanOnce(t *testing.T) {
	a, b, c := scripts(cut("one")), scripts(cut(" two")), scripts(answer(" three"))
	out := consume(t.Context(), continuing(), over(a, b, c))
	if out.err != nil || out.text() != "one two three" || prefillOf(t, c.got.Load()) != "one two" {
		t.Errorf("text %q, prefill %q, error %v", out.text(), prefillOf(t, c.got.Load()), out.err)
	}
	if err := weirtest.CheckEvents(out.events); err != nil {
		t.Error(err)
	}
	a, b = scripts(cut("one")), scripts(cut(" two"))
	out = consume(t.Context(), continuing(func(o *attempt.ContinueOptions) { o.Times = 1 }), over(a, b, c))
	if out.err == nil || out.text() != "one two" || c.calls.Load() != 1 {
		t.Errorf("text %q, error %v", out.text(), out.err)
	}
}

func TestContinueKeepsToTheTokenCap(t *testing.T) {
	a, b := scripts([]step{emits(startEvent()), textBlock(), textDelta(0, "one"), emits(usage(3, 40)), broken}), scripts(answer(" two"))
	limit := int64(100)
	req := weir.NewRequest("m", &weir.Body{MaxTokens: &limit, Messages: []weir.Message{weir.UserText("q")}})
	req.Deployments = over(a, b).Deployments
	consume(t.Context(), continuing(), req)
	body, _ := b.got.Load().Body()
	if body.MaxTokens == nil || *body.MaxTokens != 60 || limit != 100 || len(body.Messages) != 2 {
		t.Errorf("the cap is %v", body.MaxTokens)
	}
}

func TestContinueGoesOnFromTheClientsOwnPrefill(t *testing.T) {
	a, b := scripts(cut("two")), scripts(answer(" three"))
	req := weir.NewRequest("m", &weir.Body{Messages: []weir.Message{weir.UserText("q"), weir.AssistantText("one ")}})
	req.Deployments = over(a, b).Deployments
	out := consume(t.Context(), continuing(), req)
	if got := prefillOf(t, b.got.Load()); got != "one two" || out.text() != "two three" {
		t.Errorf("prefill %q, text %q", got, out.text())
	}
	if body, _ := req.Body(); len(body.Messages) != 2 || body.Messages[1].Text() != "one " {
		t.Error("the request was modified")
	}
}

func TestContinueWithToolCallsAndReasoning(t *testing.T) {
	second := []step{
		emits(startEvent()),
		blockStart(0, weir.Block{Type: weir.BlockReasoning}), textDelta(0, "hm"), blockEnd(0),
		blockStart(1, weir.Block{Type: weir.BlockText}), textDelta(1, " and so"), blockEnd(1),
		blockStart(2, weir.Block{Type: weir.BlockToolCall, Call: &weir.ToolCall{ID: "1", Name: "f"}}),
		emits(weir.Event{Type: weir.EventDelta, Index: 2, Part: weir.PartArguments, Text: "{}"}), blockEnd(2), emits(finish()),
	}
	h := continuing()
	done, err := weir.Collect(h.Handle(t.Context(), over(scripts(cut("one")), scripts(second))))
	if err != nil {
		t.Fatal(err)
	}
	if len(done.ToolCalls()) != 1 || done.Text() != "one and so" || len(done.Choices[0].Message.Blocks) != 2 {
		t.Errorf("%+v", done.Choices[0])
	}
	losses := 0
	for _, n := range done.Notes {
		if _, ok := n.(*weir.Loss); ok {
			losses++
		}
	}
	if losses != 1 {
		t.Errorf("%d losses told for the reasoning that is not shown", losses)
	}
	if !done.Usage.Has(weir.UsageInput) || !done.Usage.Estimated { // neither call reported any
		t.Errorf("usage %+v", done.Usage)
	}
}

func TestContinueSeam(t *testing.T) {
	story := "In the middle of the night the old keeper climbed the tower again. "
	tests := []struct{ name, first, second, want string }{
		{"exactly", "The quick", " brown fox", "The quick brown fox"},
		{"within a word", "The qu", "ick fox", "The quick fox"},
		{"white space again", "The quick ", " brown", "The quick brown"},
		{"white space left out", "The quick ", "brown", "The quick brown"},
		{"lines again", "One.\n\n", "\n\nTwo.", "One.\n\nTwo."},
		{"a line break where a space was", "One. \n", "\nTwo.", "One. \nTwo."},
		{"more white space than before", "One.\n", "\n\nTwo.", "One.\n\nTwo."},
		{"the last words again", "The quick brown", "quick brown fox", "The quick brown fox"},
		{"the last words again, behind a space", "The quick brown ", "quick brown fox", "The quick brown fox"},
		{"the last sentence again", story + story[:40], story[:50], story + story[:50]},
		{"all of it again", story, story + "Nobody knew.", story + "Nobody knew."},
		{"all of a short text again", "Dear Mr Smith,", "Dear Mr Smith, thank you", "Dear Mr Smith, thank you"},
		{"words that people do repeat", "Row, row,", " row your boat", "Row, row, row your boat"},
		{"a rule of a table", "|---|---|---|", "---|---|---|", "|---|---|---|---|---|---|"},
		{"a laugh", "Haha", "hahaha", "Hahahahaha"},
		{"chinese", "今天天气", "很好", "今天天气很好"},
		{"chinese again", "很久很久以前，有一位老人住在海边的小屋里。", "有一位老人住在海边的小屋里。他每天", "很久很久以前，有一位老人住在海边的小屋里。他每天"},
		{"nothing more", "All.", "", "All."},
		{"only white space", " ", " Hello", " Hello"},
	}
	for _, test := range tests {
		for _, size := range []int{1, 3, 1000} {
			t.Run(fmt.Sprintf("%s by %d", test.name, size), func(t *testing.T) {
				b := scripts(spoken(test.second, size))
				out := consume(t.Context(), continuing(), over(scripts(cut(test.first)), b))
				if out.err != nil || out.text() != test.want {
					t.Errorf("text %q, want %q, error %v", out.text(), test.want, out.err)
				}
			})
		}
	}
}

// spoken is an answer in pieces of so many characters.
func spoken(text string, size int) []step {
	out := []step{emits(startEvent()), textBlock()}
	for runes := []rune(text); len(runes) > 0; {
		n := min(size, len(runes))
		out = append(out, textDelta(0, string(runes[:n])))
		runes = runes[n:]
	}
	return append(out, blockEnd(0), emits(finish()), emits(usage(3, 1)))
}

// exact goes on exactly where its prefill ends, in pieces of so many bytes.
func exact(text string, size int) weir.Handler {
	return weir.HandlerFunc(func(ctx context.Context, req *weir.Request) iter.Seq2[weir.Event, error] {
		return func(yield func(weir.Event, error) bool) {
			body, err := req.Body()
			if err != nil {
				yield(weir.Event{}, err)
				return
			}
			sent := ""
			if n := len(body.Messages); n > 0 {
				sent = body.Messages[n-1].Text()
			}
			rest, ok := strings.CutPrefix(text, sent)
			if !ok || !utf8.ValidString(sent) {
				yield(weir.Event{}, weir.Invalid("messages", "no prefill of this text"))
				return
			}
			scripts(pieces(rest, size)).Handle(ctx, req)(yield)
		}
	})
}

func pieces(text string, size int) []step {
	out := []step{emits(startEvent()), textBlock()}
	for len(text) > 0 {
		n := min(size, len(text))
		out = append(out, textDelta(0, text[:n]))
		text = text[n:]
	}
	return append(out, blockEnd(0), emits(finish()))
}

// texts are natural ones, and such as are not.
func texts() *rapid.Generator[string] {
	words := rapid.SliceOfN(rapid.SampledFrom([]string{
		"row", "the", "very", "Haus", "naïve", "你好", "谢谢", "😀", "👩‍👩‍👧", "foo()", "-----", "|---|", " ", "  ", "\n", "\n\n", "\t", "\u3000", ".", "end",
	}), 0, 40)
	return rapid.OneOf(
		rapid.String(), rapid.StringOfN(rapid.RuneFrom([]rune("ab \n")), 0, 200, -1),
		rapid.Map(words, func(w []string) string { return strings.Join(w, " ") }),
		rapid.Map(words, func(w []string) string { return strings.Join(w, "") }),
	)
}

func TestAnyCutGivesTheSameTextAsNone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := texts().Draw(t, "text")
		at := rapid.IntRange(0, len(text)).Draw(t, "cut") // within a character, too
		size := rapid.IntRange(1, 50).Draw(t, "size")
		steps := pieces(text[:at], size)
		a := scripts(append(steps[:len(steps)-2:len(steps)-2], broken))
		req := over(a)
		req.Deployments = append(req.Deployments, weir.Deployment{Name: "b", Handler: exact(text, size)})
		out := consume(context.Background(), continuing(), req)
		if out.err != nil || out.text() != text {
			t.Fatalf("cut at %d: %q, error %v", at, out.text(), out.err)
		}
		if err := weirtest.CheckEvents(out.events); err != nil {
			t.Fatal(err)
		}
	})
}

func TestWhatIsSentEndsWhereModelsGoOnWell(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := texts().Draw(t, "text")
		text = text[:rapid.IntRange(0, len(text)).Draw(t, "cut")]
		sent, rest := attempt.CutPrefill(text)
		if sent+rest != text || strings.TrimRightFunc(sent, unicode.IsSpace) != sent {
			t.Fatalf("%q and %q", sent, rest)
		}
		if utf8.ValidString(text) && !utf8.ValidString(sent) {
			t.Fatalf("%q is cut within a character", sent)
		}
	})
}

func TestContinueStopsWithTheClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		b := scripts(answer("b"))
		out := consume(ctx, continuing(), over(scripts([]step{emits(startEvent()), textBlock(), textDelta(0, "x"), wait(time.Hour)}), b))
		if b.calls.Load() != 0 || out.err == nil || out.err.Kind != weir.KindCanceled {
			t.Errorf("%d calls, error %v", b.calls.Load(), out.err)
		}
	})
}
