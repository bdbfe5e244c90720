package structured_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/codec/anthropic"
	"github.com/weir-gateway/weir/codec/openaichat"
	"github.com/weir-gateway/weir/stage/structured"
	"github.com/weir-gateway/weir/weirtest"
)

func TestKeepsTheContract(t *testing.T) {
	streamed := asks(person())
	streamed.Stream = true
	for name, test := range map[string]struct {
		support structured.Support
		answers [][]step
		req     *weir.Request
	}{
		"prompt":        {structured.Prompt, [][]step{says(good)}, asks(person())},
		"tool":          {structured.Tool, [][]step{calls(good)}, asks(person())},
		"streamed tool": {structured.Tool, [][]step{calls(good)}, streamed},
		"native":        {structured.Native, [][]step{says(good)}, asks(person())},
	} {
		t.Run(name, func(t *testing.T) {
			u := &upstream{answers: test.answers}
			weirtest.HandlerSuite{
				New:     func() weir.Handler { return stage(structured.Options{Support: test.support}, u) },
				Request: test.req, Probe: u.calls.Load, Open: u.open.Load, Buffered: true,
			}.Run(t)
		})
	}
	u := &upstream{answers: [][]step{says("hi")}}
	weirtest.TestHandler(t, func() weir.Handler { return stage(structured.Options{}, u) }, asks(nil))
}

func TestWhatIsSent(t *testing.T) {
	object := &weir.Format{Type: weir.FormatJSONObject}
	list := &weir.Format{Type: weir.FormatJSONSchema, Schema: []byte(`{"type":"array"}`)}
	thinking := func(b *weir.Body) { b.Reasoning = &weir.ReasoningConfig{Effort: "high"} }
	tests := []struct {
		name    string
		options structured.Options
		format  *weir.Format
		change  func(*weir.Body)
		mode    structured.Mode // empty: sent as it is
		choice  weir.ToolMode
	}{
		{"a schema that the upstream takes", structured.Options{Support: structured.Schema}, person(), nil, "", ""},
		{"an object that the upstream takes", structured.Options{Support: structured.JSONObject}, object, nil, "", ""},
		{"text", structured.Options{}, &weir.Format{Type: weir.FormatText}, nil, "", ""},
		{"no format", structured.Options{}, nil, nil, "", ""},
		{"a schema as a tool", structured.Options{Support: structured.Tool | structured.JSONObject}, person(), nil, structured.ModeTool, weir.ToolModeNamed},
		{"a tool that cannot be named", structured.Options{Support: structured.Tool, Choice: weir.ToolModeRequired}, person(), nil, structured.ModeTool, weir.ToolModeRequired},
		{"a tool that cannot be forced", structured.Options{Support: structured.Tool, Choice: weir.ToolModeAuto}, person(), nil, structured.ModeTool, weir.ToolModeAuto},
		{"a tool for a model that thinks", structured.Options{Support: structured.Tool}, person(), thinking, structured.ModeTool, weir.ToolModeAuto},
		{"a schema beside json_object", structured.Options{Support: structured.JSONObject}, person(), nil, structured.ModeJSONObject, ""},
		{"a schema beside nothing", structured.Options{}, person(), nil, structured.ModePrompt, ""},
		{"an object beside nothing", structured.Options{Support: structured.Tool}, object, nil, structured.ModePrompt, ""},
		{"a schema of a list", structured.Options{Support: structured.Tool | structured.JSONObject}, list, nil, structured.ModePrompt, ""},
		{
			"a schema beside the client's own tools", structured.Options{Support: structured.Tool | structured.JSONObject}, person(),
			func(b *weir.Body) { b.Tools = []weir.Tool{{Type: weir.ToolFunction, Name: "search"}} }, structured.ModeJSONObject, "",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			u := gives(says(good))
			req := asks(test.format)
			if test.change != nil {
				body, _ := req.Body()
				test.change(body)
			}
			u.frameless = test.mode == ""
			o := consume(t, stage(test.options, u), req)
			sent := <-u.got
			if test.mode == "" {
				if sent != req || o.note != nil {
					t.Errorf("the request was edited, note %+v", o.note)
				}
				return
			}
			body, _ := sent.Body()
			if sent.Relay || o.note == nil || o.note.Mode != test.mode {
				t.Errorf("relay %t, note %+v", sent.Relay, o.note)
			}
			checkSent(t, body, test.mode, test.choice)
		})
	}
}

func checkSent(t *testing.T, body *weir.Body, mode structured.Mode, choice weir.ToolMode) {
	t.Helper()
	told := strings.Contains(body.Messages[0].Text(), "JSON")
	switch mode {
	case structured.ModeTool:
		tool := body.Tools[0]
		if len(body.Tools) != 1 || tool.Name != "person" || string(tool.Schema) != schema || body.Format != nil {
			t.Errorf("tools %+v, format %+v", body.Tools, body.Format)
		}
		if c := body.ToolChoice; c.Mode != choice || (choice == weir.ToolModeNamed) != reflect.DeepEqual(c.Names, []string{"person"}) {
			t.Errorf("choice %+v", body.ToolChoice)
		}
		if body.ParallelToolCalls == nil || *body.ParallelToolCalls {
			t.Error("parallel calls are allowed")
		}
		if (choice == weir.ToolModeAuto) != (body.Messages[0].Role == weir.RoleSystem) {
			t.Errorf("messages %+v", body.Messages)
		}
	case structured.ModeJSONObject:
		if body.Format == nil || body.Format.Type != weir.FormatJSONObject || !told || !strings.Contains(body.Messages[0].Text(), schema) {
			t.Errorf("format %+v, messages %+v", body.Format, body.Messages)
		}
	default:
		if body.Format != nil || !told {
			t.Errorf("format %+v, messages %+v", body.Format, body.Messages)
		}
	}
}

func TestInstructionJoinsTheSystemText(t *testing.T) { // C-03
	u := gives(says(good))
	body := &weir.Body{Format: person(), From: weir.OpenAIChat, Messages: []weir.Message{
		weir.SystemText("be kind"), weir.UserText("who?"), weir.SystemText("later"),
	}}
	consume(t, stage(structured.Options{}, u), weir.NewRequest("m", body))
	got := u.asked(t).Messages
	if len(got) != 3 || len(got[0].Blocks) != 2 || got[0].Plain || got[0].Blocks[0].Text != "be kind" || !reflect.DeepEqual(got[1:], body.Messages[1:]) {
		t.Errorf("messages %+v", got)
	}
	consume(t, stage(structured.Options{}, u), asks(person()))
	if got := u.asked(t).Messages; got[0].Role != weir.RoleSystem || got[1].At != "messages[0]" {
		t.Errorf("messages %+v", got)
	}
}

// P-08: the answer is the JSON, as text, streamed or not, whichever way it came.
func TestWhatIsGiven(t *testing.T) {
	tool := structured.Options{Support: structured.Tool}
	tests := []struct {
		name    string
		options structured.Options
		answer  []step
		want    string
		blocks  []weir.BlockType
		finish  weir.FinishReason
		note    structured.Note
	}{
		{"pure JSON", structured.Options{}, says(good), good, nil, weir.FinishStop, structured.Note{Checked: true, Valid: true}},
		{"with thoughts", structured.Options{}, answer(weir.FinishStop, thinks("hm"), text(good)), good, []weir.BlockType{weir.BlockReasoning, weir.BlockText}, weir.FinishStop, structured.Note{Checked: true, Valid: true}},
		{"in two blocks", structured.Options{}, answer(weir.FinishStop, text(good[:5]), text(good[5:])), good, nil, weir.FinishStop, structured.Note{Checked: true, Valid: true}},
		{"in code fences", structured.Options{}, says("```json\n" + good + "\n```"), good, nil, weir.FinishStop, structured.Note{Checked: true, Valid: true, Cleaned: true}},
		{"among words", structured.Options{}, says("Here: " + good + " Bye!"), good, nil, weir.FinishStop, structured.Note{Checked: true, Valid: true, Cleaned: true}},
		{"cut", structured.Options{}, answer(weir.FinishLength, text(good[:5])), good[:5], nil, weir.FinishLength, structured.Note{}},
		{"held back by the provider", structured.Options{}, answer(weir.FinishContentFilter), "", []weir.BlockType{}, weir.FinishContentFilter, structured.Note{}},
		{"declined", structured.Options{}, answer(weir.FinishStop, weir.Block{Type: weir.BlockRefusal, Text: "no"}), "", []weir.BlockType{weir.BlockRefusal}, weir.FinishStop, structured.Note{}},
		{"a call of the client's tool", structured.Options{}, answer(weir.FinishToolCalls, text("let me see"), call("search", "{}")), "let me see", []weir.BlockType{weir.BlockText, weir.BlockToolCall}, weir.FinishToolCalls, structured.Note{}},
		{"a call of the tool", tool, calls(good), good, nil, weir.FinishStop, structured.Note{Checked: true, Valid: true}},
		{"a call that is called a stop", tool, answer(weir.FinishStop, call("person", good)), good, nil, weir.FinishStop, structured.Note{Checked: true, Valid: true}},
		{"a call with thoughts and words", tool, answer(weir.FinishToolCalls, thinks("hm"), text("Sure."), call("person", good)), good, []weir.BlockType{weir.BlockReasoning, weir.BlockText}, weir.FinishStop, structured.Note{Checked: true, Valid: true, Dropped: 1}},
		{"a call that comes twice", tool, answer(weir.FinishToolCalls, call("person", good), call("person", "{}"), text("Done.")), good, nil, weir.FinishStop, structured.Note{Checked: true, Valid: true, Dropped: 2}},
		{"thoughts behind the call", tool, answer(weir.FinishToolCalls, call("person", good), thinks("hm")), good, []weir.BlockType{weir.BlockText, weir.BlockReasoning}, weir.FinishStop, structured.Note{Checked: true, Valid: true}},
		{"a call that is cut", tool, answer(weir.FinishLength, call("person", good[:5])), good[:5], nil, weir.FinishLength, structured.Note{}},
		{"text where a call was wanted", tool, says("```\n" + good + "\n```"), good, nil, weir.FinishStop, structured.Note{Checked: true, Valid: true, Cleaned: true}},
	}
	for _, test := range tests {
		for _, stream := range []bool{false, true} {
			t.Run(test.name+map[bool]string{true: ", streamed"}[stream], func(t *testing.T) {
				u := gives(test.answer)
				req := asks(strictly())
				req.Stream = stream
				o := consume(t, stage(test.options, u), req)
				if o.err != nil || o.done.Text() != test.want || o.finish() != test.finish || u.calls.Load() != 1 { // W-12
					t.Errorf("text %q, finish %s, %d asks, error %v", o.done.Text(), o.finish(), u.calls.Load(), o.err)
				}
				want := test.note
				if want.Asks, want.Mode = 1, structured.ModePrompt; test.options.Support == structured.Tool {
					want.Mode = structured.ModeTool
				}
				if o.note == nil || *o.note != want {
					t.Errorf("note %+v", o.note)
				}
				if test.blocks == nil {
					test.blocks = []weir.BlockType{weir.BlockText}
				}
				for i, b := range o.done.Choices[0].Message.Blocks {
					if i >= len(test.blocks) || b.Type != test.blocks[i] {
						t.Errorf("block %d is %s", i, b.Type)
					}
				}
				if o.done.Start.ID != "id" || o.pings != 1 || len(o.losses) != 0 || len(o.attempts) != 1 || o.attempts[0].Err != nil {
					t.Errorf("start %+v, %d pings, losses %v, attempts %v", o.done.Start, o.pings, o.losses, o.attempts)
				}
				if u := o.done.Usage; u == nil || u.InputTokens != 10 || u.OutputTokens != 5 || u.Extra.Value("cost") == nil {
					t.Errorf("usage %+v", u)
				}
			})
		}
	}
}

func TestCallFlowsAsItComes(t *testing.T) {
	req := asks(person())
	req.Stream = true
	o := consume(t, stage(structured.Options{Support: structured.Tool}, gives(calls(good))), req)
	var deltas []string
	for _, ev := range o.events {
		if ev.Type == weir.EventDelta {
			deltas = append(deltas, ev.Text)
		}
	}
	if !reflect.DeepEqual(deltas, halves(good)) {
		t.Errorf("deltas %q", deltas)
	}
	o = consume(t, stage(structured.Options{Support: structured.Tool}, gives(calls(""))), req)
	if o.done.Text() != "{}" || o.note.Valid || len(o.losses) != 1 {
		t.Errorf("a call of nothing gives %q, note %+v, losses %v", o.done.Text(), o.note, o.losses)
	}
}

func TestNothingIsYieldedBeforeItIsValid(t *testing.T) {
	u := gives(says(bad), says(good))
	seen := 0
	for ev, err := range stage(structured.Options{}, u).Handle(t.Context(), asks(person())) {
		if err != nil {
			t.Fatal(err)
		}
		a, _ := ev.Note.(*weir.Attempt)
		if ev.IsContent() || ev.Type == weir.EventStart || a != nil && a.Err == nil {
			if seen++; u.calls.Load() != 2 || u.open.Load() != 0 {
				t.Errorf("a %s event came while ask %d was under way", ev.Type, u.calls.Load())
			}
		}
	}
	if seen == 0 {
		t.Error("nothing came at all")
	}
}

func TestAsksAgain(t *testing.T) {
	for name, test := range map[string]struct {
		support   structured.Support
		answers   [][]step
		stream    bool
		assistant string
	}{
		"what does not match":            {structured.Prompt, [][]step{says(bad), says(good)}, false, bad},
		"what is no JSON":                {structured.JSONObject, [][]step{says("Ada"), says(good)}, true, "Ada"},
		"nothing":                        {structured.Prompt, [][]step{says(" "), says(good)}, false, ""},
		"a call that does not match":     {structured.Tool, [][]step{calls(bad), calls(good)}, false, bad},
		"words where a call was wanted":  {structured.Tool, [][]step{says("Ada"), calls(good)}, true, "Ada"},
		"words, and text the next time":  {structured.Tool, [][]step{says("Ada"), says(good)}, true, "Ada"},
		"a call, then text":              {structured.Tool, [][]step{calls(bad), says(good)}, false, bad},
		"a call without what it demands": {structured.Tool, [][]step{calls("{}"), calls(good)}, false, "{}"},
	} {
		t.Run(name, func(t *testing.T) {
			u := gives(test.answers...)
			req := asks(strictly())
			req.Stream = test.stream
			o := consume(t, stage(structured.Options{Support: test.support}, u), req)
			if o.err != nil || o.done.Text() != good || o.finish() != weir.FinishStop || !o.note.Valid || o.note.Asks != 2 {
				t.Fatalf("text %q, note %+v, error %v", o.done.Text(), o.note, o.err)
			}
			first, second := u.asked(t).Messages, u.asked(t).Messages
			added := second[len(first):]
			if test.assistant != "" {
				if added[0].Role != weir.RoleAssistant || added[0].Text() != test.assistant {
					t.Errorf("the answer goes back as %+v", added[0])
				}
				added = added[1:]
			}
			if len(added) != 1 || added[0].Role != weir.RoleUser || strings.Contains(added[0].Text(), "secret") {
				t.Errorf("added %+v", added)
			}
			if u := o.done.Usage; u.InputTokens != 20 || u.OutputTokens != 10 || u.Extra != nil || u.Estimated {
				t.Errorf("usage %+v", u)
			}
			if len(o.attempts) != 2 || o.attempts[0].Err == nil || o.attempts[0].Err.Kind != weir.KindUpstream || o.attempts[1].Err != nil {
				t.Errorf("attempts %+v", o.attempts)
			}
			if o.spent != nil || o.pings != 2 {
				t.Errorf("spent %+v, %d pings", o.spent, o.pings)
			}
		})
	}
}

func TestNamesWhatIsWrong(t *testing.T) {
	u := gives(says(bad), says(good))
	consume(t, stage(structured.Options{}, u), asks(person()))
	u.asked(t)
	messages := u.asked(t).Messages
	if got := messages[len(messages)-1].Text(); !strings.Contains(got, "- at /age: must be integer\n") {
		t.Errorf("the model is told %q", got)
	}
}

func TestAnswersThatNeverMatch(t *testing.T) {
	tests := []struct {
		name   string
		format *weir.Format
		strict bool // of the request
		fails  bool
	}{
		{"are given as they are", person(), false, false},
		{"are refused for a strict schema", strictly(), false, true},
		{"are refused for a strict request", person(), true, true},
	}
	for _, test := range tests {
		for _, support := range []structured.Support{structured.Prompt, structured.Tool} {
			t.Run(test.name, func(t *testing.T) {
				answers := [][]step{says(`{"first":1}`), says(bad)}
				if support == structured.Tool {
					answers = [][]step{calls(`{"first":1}`), calls(bad)}
				}
				u := gives(answers...)
				req := asks(test.format)
				req.Strict = test.strict
				o := consume(t, stage(structured.Options{Support: support}, u), req)
				if u.calls.Load() != 2 || o.note.Valid || !o.note.Checked || o.note.Asks != 2 {
					t.Errorf("%d asks, note %+v", u.calls.Load(), o.note)
				}
				if test.fails {
					checkRefused(t, o)
					return
				}
				if o.err != nil || o.done.Text() != bad || o.done.Usage.InputTokens != 20 || o.spent != nil {
					t.Errorf("text %q, usage %+v, error %v", o.done.Text(), o.done.Usage, o.err)
				}
				if len(o.losses) != 1 || o.losses[0].Field != "response_format" || o.losses[0].Action != weir.LossApproximated {
					t.Errorf("losses %+v", o.losses)
				}
				if len(o.attempts) != 2 || o.attempts[0].Err == nil || o.attempts[1].Err != nil {
					t.Errorf("attempts %+v", o.attempts)
				}
			})
		}
	}
}

// checkRefused checks that nothing was yielded of an answer that failed, so that
// another deployment may be tried, and that it is paid for.
func checkRefused(t *testing.T, o *outcome) {
	t.Helper()
	if o.err == nil || o.err.Kind != weir.KindUpstream || o.err.Deployment != "p/m" || !strings.Contains(o.err.Message, "#/properties/age/type") {
		t.Errorf("error %v", o.err)
	}
	if o.err != nil && strings.Contains(o.err.Message, "secret") {
		t.Errorf("the error repeats the answer: %v", o.err)
	}
	if len(o.events) != 0 {
		t.Errorf("events %v", o.events)
	}
	if o.spent == nil || o.spent.Usage.InputTokens != 20 || o.spent.Usage.OutputTokens != 10 {
		t.Errorf("spent %+v", o.spent)
	} else if u, d, p, m := o.spent.SpentUsage(); u != o.spent.Usage || d != "p/m" || p != "p" || m != "m" {
		t.Errorf("spent at %s %s %s", d, p, m)
	}
	for _, a := range o.attempts {
		if a.Err == nil {
			t.Errorf("attempt %+v is said to answer", a)
		}
	}
}

func TestStreamedCallThatDoesNotMatch(t *testing.T) {
	for _, f := range []*weir.Format{person(), strictly()} {
		req := asks(f)
		req.Stream = true
		o := consume(t, stage(structured.Options{Support: structured.Tool}, gives(calls(bad))), req)
		if o.done.Text() != bad || o.note.Valid || !o.note.Checked || o.done.Usage.InputTokens != 10 {
			t.Errorf("text %q, note %+v, usage %+v", o.done.Text(), o.note, o.done.Usage)
		}
		if f.Strict != nil && (o.err == nil || o.finish() != "") {
			t.Errorf("finish %q, error %v", o.finish(), o.err)
		}
		if f.Strict == nil && (o.err != nil || o.finish() != weir.FinishStop || len(o.losses) != 1) {
			t.Errorf("finish %q, losses %v, error %v", o.finish(), o.losses, o.err)
		}
	}
}

func TestAsksAreBounded(t *testing.T) {
	tests := []struct {
		name      string
		reasks    int
		allowance *weir.Allowance
		others    int // deployments
		n         int64
		want      int64
	}{
		{"once more by default", 0, nil, 1, 1, 2},
		{"as often as told", 3, nil, 1, 1, 4},
		{"never when told", -1, nil, 1, 1, 1},
		{"by the allowance", 9, weir.NewAllowance(3), 1, 1, 3},
		{"by what other deployments need", 9, weir.NewAllowance(3), 3, 1, 1},
		{"never for several choices", 9, nil, 1, 2, 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			u := gives(says(bad))
			req := asks(person())
			body, _ := req.Body()
			body.N = &test.n
			if req.Allowance = test.allowance; req.Allowance != nil && test.others > 1 {
				req.Allowance.Take() // as the retry inside would have
			}
			req.Deployments = make([]weir.Deployment, test.others)
			o := consume(t, stage(structured.Options{Reasks: test.reasks}, u), req)
			if u.calls.Load() != test.want || o.note.Asks != int(test.want) || o.err != nil {
				t.Errorf("%d asks, note %+v, error %v", u.calls.Load(), o.note, o.err)
			}
			if a := req.Allowance; a != nil && test.others == 1 && a.Used() != int(test.want) {
				t.Errorf("%d attempts are counted", a.Used())
			}
		})
	}
}

func TestAnAskThatFails(t *testing.T) {
	down := &weir.Error{Kind: weir.KindOverloaded, Status: 503}
	tests := []struct {
		name    string
		format  *weir.Format
		answers [][]step
		fails   bool
		text    string
		input   int64 // of the usage, or of what was spent
	}{
		{"the first", person(), [][]step{{{err: down}}}, true, "", 0},
		{"the first, in the middle", person(), [][]step{breaks(says(good), 5, down)}, true, "", 0},
		{"the first, at its end", person(), [][]step{append(says(good), step{err: down})}, true, "", 10},
		{"the second: the first answer is better than none", person(), [][]step{says(bad), {{err: down}}}, false, bad, 10},
		{"the second, for a strict client", strictly(), [][]step{says(bad), {{err: down}}}, true, "", 10},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			o := consume(t, stage(structured.Options{}, gives(test.answers...)), asks(test.format))
			if test.fails != errors.Is(asError(o.err), weir.KindOverloaded) || o.done.Text() != test.text {
				t.Errorf("text %q, error %v", o.done.Text(), o.err)
			}
			usage := o.done.Usage
			if test.fails {
				if usage = nil; o.spent != nil {
					usage = o.spent.Usage
				}
				if len(o.events) != 0 {
					t.Errorf("events %v", o.events)
				}
				for _, a := range o.attempts {
					if a.Err == nil {
						t.Errorf("attempt %+v is said to answer", a)
					}
				}
			}
			if got := inputOf(usage); got != test.input {
				t.Errorf("%d tokens", got)
			}
		})
	}
}

func asError(e *weir.Error) error {
	if e == nil {
		return nil
	}
	return e
}

func inputOf(u *weir.Usage) int64 {
	if u == nil {
		return 0
	}
	return u.InputTokens
}

func TestStreamedCallThatBreaks(t *testing.T) {
	down := &weir.Error{Kind: weir.KindUpstream}
	req := asks(person())
	req.Stream = true
	u := gives(breaks(calls(good), 6, down), calls(good))
	o := consume(t, stage(structured.Options{Support: structured.Tool}, u), req)
	if o.err == nil || u.calls.Load() != 1 || o.done.Text() == "" {
		t.Errorf("text %q after %d asks, error %v", o.done.Text(), u.calls.Load(), o.err)
	}
}

func TestUsageThatIsNotToldOfEveryAsk(t *testing.T) { // U-03
	silent := says(bad)
	silent = silent[:len(silent)-1]
	o := consume(t, stage(structured.Options{}, gives(silent, says(good))), asks(person()))
	if u := o.done.Usage; u == nil || !u.Estimated || u.InputTokens != 10 {
		t.Errorf("usage %+v", u)
	}
	silentGood := says(good)
	o = consume(t, stage(structured.Options{}, gives(silentGood[:len(silentGood)-1])), asks(person()))
	if o.done.Usage != nil {
		t.Errorf("usage %+v out of nothing", o.done.Usage)
	}
}

func TestAnswerThatIsTooLong(t *testing.T) {
	o := consume(t, stage(structured.Options{MaxBytes: 10}, gives(says(good))), asks(person()))
	if o.err == nil || o.err.Kind != weir.KindUpstream || len(o.events) != 0 {
		t.Errorf("events %v, error %v", o.events, o.err)
	}
	req := asks(person())
	req.Stream = true
	o = consume(t, stage(structured.Options{Support: structured.Tool, MaxBytes: 10}, gives(calls(good))), req)
	if o.err != nil || o.done.Text() != good || o.note.Checked {
		t.Errorf("text %q, note %+v, error %v", o.done.Text(), o.note, o.err)
	}
}

func TestSeveralChoices(t *testing.T) {
	u := gives(nil)
	for n, s := range []string{good, bad} {
		for _, st := range says(s) {
			if n > 0 && (st.ev.Type == weir.EventStart || st.ev.Type == weir.EventNote) {
				continue
			}
			st.ev.Choice = int32(n)
			u.answers[0] = append(u.answers[0], st)
		}
	}
	req := asks(person())
	body, _ := req.Body()
	body.N = new(int64(2))
	o := consume(t, stage(structured.Options{}, u), req)
	if len(o.done.Choices) != 2 || o.done.Choices[1].Message.Text() != bad || o.note.Valid || len(o.losses) != 1 || o.err != nil {
		t.Errorf("choices %+v, note %+v, error %v", o.done.Choices, o.note, o.err)
	}
}

func TestSchemasThatCannotBeUsed(t *testing.T) {
	for name, test := range map[string]struct {
		schema string
		from   weir.Protocol
		kind   weir.Kind
		param  string
	}{
		"no JSON":               {`{`, weir.OpenAIChat, weir.KindInvalid, "response_format"},
		"no schema":             {`{"type":7}`, weir.AnthropicMessages, weir.KindInvalid, "output_config.format"},
		"a local file":          {`{"$ref":"file:///etc/passwd"}`, weir.OpenAIResponses, weir.KindInvalid, "text.format"},
		"another document":      {`{"$ref":"https://example.com/s"}`, weir.OpenAIChat, weir.KindInvalid, "response_format"},
		"a reference to naught": {`{"$ref":"#/nowhere"}`, weir.OpenAIChat, weir.KindInvalid, "response_format"},
		"too deep":              {strings.Repeat(`{"items":`, 200) + `{}` + strings.Repeat(`}`, 200), weir.OpenAIChat, weir.KindInvalid, "response_format"},
		"too large":             {`{"title":"` + strings.Repeat("x", 300<<10) + `"}`, weir.OpenAIChat, weir.KindInvalid, "response_format"},
		"too many objects":      {`{"enum":[` + strings.Repeat(`{},`, 6000) + `{}]}`, weir.OpenAIChat, weir.KindInvalid, "response_format"},
		"a huge number":         {`{"minimum":1e999999999}`, weir.OpenAIChat, weir.KindInvalid, "response_format"},
		"a name with a look":    {`{"patternProperties":{"(?=a)":{}}}`, weir.OpenAIChat, weir.KindUnsupported, "response_format"},
	} {
		t.Run(name, func(t *testing.T) {
			u := gives(says(good))
			body := &weir.Body{From: test.from, Format: &weir.Format{Type: weir.FormatJSONSchema, Schema: []byte(test.schema)}}
			o := consume(t, stage(structured.Options{}, u), weir.NewRequest("m", body))
			if o.err == nil || o.err.Kind != test.kind || o.err.Param != test.param || u.calls.Load() != 0 {
				t.Errorf("after %d asks: %v", u.calls.Load(), o.err)
			}
		})
	}
}

// A schema that costs too much to compare with is not asked for again.
func TestCostIsBounded(t *testing.T) {
	fork := map[string]any{"a60": map[string]any{"type": "null"}}
	for i := range 60 {
		next := map[string]any{"$ref": fmt.Sprintf("#/$defs/a%d", i+1)}
		fork[fmt.Sprintf("a%d", i)] = map[string]any{"anyOf": []any{next, next}}
	}
	schema, err := json.Marshal(map[string]any{"$ref": "#/$defs/a0", "$defs": fork})
	if err != nil {
		t.Fatal(err)
	}
	u := gives(says(good))
	body := &weir.Body{Format: &weir.Format{Type: weir.FormatJSONSchema, Schema: schema}}
	o := consume(t, stage(structured.Options{}, u), weir.NewRequest("m", body))
	if o.err != nil || o.done.Text() != good || o.note.Valid || u.calls.Load() != 1 {
		t.Errorf("%d asks, note %+v, error %v", u.calls.Load(), o.note, o.err)
	}
}

func TestPatternsThatCannotBeChecked(t *testing.T) {
	f := &weir.Format{Type: weir.FormatJSONSchema, Schema: []byte(
		`{"type":"object","properties":{"price":{"type":"string","pattern":"^(?!^[-+.]*$)[+-]?0*\\d*\\.?\\d*$"}}}`)}
	o := consume(t, stage(structured.Options{}, gives(says(`{"price":"1.5"}`))), asks(f))
	if o.err != nil || !o.note.Valid || o.note.Unchecked == 0 {
		t.Errorf("note %+v, error %v", o.note, o.err)
	}
}

// An answer in JSON, however it is wrapped and cut into pieces, is given as it is.
func TestJSONComesThrough(t *testing.T) {
	wraps := []string{"%", " \n%\n", "```json\n%\n```", "```\n%```", "Sure:\n\n```json\n%\n```\nAnything else?", "Here you are: %", "\ufeff%"}
	rapid.Check(t, func(rt *rapid.T) {
		name := rapid.StringMatching(`[a-zA-Z0-9 {}\[\]é堰]{0,20}`).Draw(rt, "name")
		want := `{"name":"` + name + `"}`
		said := strings.Replace(rapid.SampledFrom(wraps).Draw(rt, "wrap"), "%", want, 1)
		req := asks(strictly())
		req.Stream = rapid.Bool().Draw(rt, "stream")
		done, err := weir.Collect(stage(structured.Options{}, &upstream{answers: [][]step{says(said)}}).Handle(t.Context(), req))
		if err != nil || done.Text() != want {
			rt.Fatalf("%q became %q, %v", said, done.Text(), err)
		}
	})
}

// Whatever stands beside the answer is given as it came.
func TestTheRestComesThrough(t *testing.T) {
	thought := weir.Block{Type: weir.BlockReasoning, Reasoning: &weir.Reasoning{ID: "rs", Format: "f"}}
	parts := []step{}
	delta := func(i int32, part weir.Part, text string) {
		parts = append(parts, step{ev: weir.Event{Type: weir.EventDelta, Index: i, Part: part, Text: text}})
	}
	begin := func(i int32, b weir.Block) {
		parts = append(parts, step{ev: weir.Event{Type: weir.EventBlockStart, Index: i, Block: &b}})
	}
	end := func(i int32) { parts = append(parts, step{ev: weir.Event{Type: weir.EventBlockEnd, Index: i}}) }
	early := &weir.Usage{}
	early.Set(weir.UsageInput, 7)
	parts = append(parts,
		step{ev: weir.Event{Type: weir.EventStart, Start: &weir.Start{ID: "id"}}},
		step{ev: weir.Event{Type: weir.EventUsage, Usage: early}})
	begin(0, thought)
	delta(0, weir.PartText, "hm")
	begin(1, call("person", ""))
	delta(0, weir.PartSignature, "sig") // the thought goes on beside the call
	delta(0, weir.PartEncrypted, "enc")
	delta(1, weir.PartArguments, good)
	delta(1, weir.PartSignature, "of the call")
	delta(1, weir.PartLogprobs, "[]")
	end(0)
	begin(2, weir.Block{Type: weir.BlockOpaque, Opaque: &weir.Opaque{Type: "x", Raw: []byte("{}")}})
	end(1)
	end(2)
	parts = append(parts,
		step{ev: weir.Event{Type: weir.EventRelay, Frame: &weir.Frame{Raw: []byte(": x")}}},
		step{ev: weir.Event{Type: weir.EventFinish, Finish: &weir.Finish{Reason: weir.FinishToolCalls}}})
	want := []weir.Block{
		{Type: weir.BlockReasoning, Text: "hm", Reasoning: &weir.Reasoning{ID: "rs", Format: "f", Signature: "sig", Encrypted: "enc"}},
		text(good),
		{Type: weir.BlockOpaque, Opaque: &weir.Opaque{Type: "x", Raw: []byte("{}")}},
	}
	for _, stream := range []bool{false, true} { // W-12
		req := asks(person())
		req.Stream = stream
		o := consume(t, stage(structured.Options{Support: structured.Tool}, gives(parts)), req)
		if got := o.done.Choices[0].Message.Blocks; o.err != nil || !reflect.DeepEqual(got, want) || inputOf(o.done.Usage) != 7 {
			t.Errorf("streamed %t: %+v, usage %+v, error %v", stream, got, o.done.Usage, o.err)
		}
	}
}

func TestSpokenAndCitedAnswers(t *testing.T) {
	blocks := []weir.Block{
		{Type: weir.BlockAudio, Media: &weir.Media{MIME: "audio/wav", Data: "AAAA", Transcript: "hi"}},
		{Type: weir.BlockText, Text: good, Citations: []weir.Citation{{URL: "u"}}},
	}
	spoken := []step{{ev: weir.Event{Type: weir.EventStart, Start: &weir.Start{}}}}
	for i := range blocks {
		spoken = append(spoken, step{ev: weir.Event{Type: weir.EventBlockStart, Index: int32(i), Block: &blocks[i]}},
			step{ev: weir.Event{Type: weir.EventDelta, Index: int32(i), Part: weir.PartLogprobs, Text: "[1]"}},
			step{ev: weir.Event{Type: weir.EventBlockEnd, Index: int32(i)}})
	}
	spoken = append(spoken, step{ev: weir.Event{Type: weir.EventFinish, Finish: &weir.Finish{Reason: weir.FinishStop}}})
	o := consume(t, stage(structured.Options{}, gives(spoken)), asks(person()))
	if got := o.done.Choices[0]; !reflect.DeepEqual(got.Message.Blocks, blocks) || len(got.Logprobs) != 2 {
		t.Errorf("blocks %+v, logprobs %q", got.Message.Blocks, got.Logprobs)
	}
}

func TestNamesOfTools(t *testing.T) {
	for name, want := range map[string]string{"person": "person", "my schema.v2": "my_schema_v2", "": "answer", "堰": "answer", strings.Repeat("x", 80): strings.Repeat("x", 64)} {
		u := gives(says(good))
		f := person()
		f.Name, f.Description, f.Schema = name, "Who it is.", nil
		consume(t, stage(structured.Options{Support: structured.Tool}, u), asks(f))
		tool := u.asked(t).Tools[0]
		if tool.Name != want || !strings.HasSuffix(tool.Description, "Who it is.") || string(tool.Schema) != `{"type":"object"}` {
			t.Errorf("%q: %+v", name, tool)
		}
	}
}

func TestARequestThatCannotBeRead(t *testing.T) {
	req := weir.NewWireRequest(&weir.Wire{}, func() (*weir.Body, error) { return nil, weir.Invalid("messages", "no") })
	u := gives(says(good))
	o := consume(t, stage(structured.Options{}, u), req)
	if o.err == nil || o.err.Param != "messages" || u.calls.Load() != 0 {
		t.Errorf("error %v", o.err)
	}
	decoded := false
	req = weir.NewWireRequest(&weir.Wire{}, func() (*weir.Body, error) { decoded = true; return &weir.Body{}, nil })
	u.frameless = true
	consume(t, stage(structured.Options{HasFormat: func(*weir.Request) bool { return false }}, u), req)
	req.Op = weir.CountTokens
	consume(t, stage(structured.Options{}, u), req)
	if decoded || <-u.got == nil || (<-u.got).Op != weir.CountTokens {
		t.Error("a request without a format was decoded")
	}
}

// The client may leave at any event of a call that asks again.
func TestTheClientMayLeaveAtAnyEvent(t *testing.T) {
	for _, f := range []*weir.Format{person(), strictly()} {
		for stop := 0; ; stop++ {
			u := &upstream{answers: [][]step{says("Ada"), says(bad)}}
			n := 0
			for range stage(structured.Options{}, u).Handle(t.Context(), asks(f)) {
				if n++; n > stop {
					break
				}
			}
			if u.open.Load() != 0 {
				t.Fatalf("left at event %d, the ask is still open", stop)
			}
			if n <= stop {
				break
			}
		}
	}
}

func TestKindsOfNotes(t *testing.T) {
	if a, b := (&structured.Note{}).NoteKind(), (&structured.Spent{}).NoteKind(); a != "structured" || b != "spent" {
		t.Errorf("%s and %s", a, b)
	}
}

// Usage of several asks is the sum of what each reported (U-07).
func TestUsageIsSummed(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var want [8]int64
		ask := func(s string) []step {
			u := &weir.Usage{}
			for i := range want {
				if n := rapid.Int64Range(0, 1<<40).Draw(rt, "tokens"); i < 2 || rapid.Bool().Draw(rt, "known") {
					u.Set(weir.UsageField(1<<i), n)
					want[i] += n
				}
			}
			steps := says(s)
			steps[len(steps)-1].ev.Usage = u
			return steps
		}
		u := &upstream{answers: [][]step{ask(bad), ask(bad), ask(good)}}
		done, err := weir.Collect(stage(structured.Options{Reasks: 2}, u).Handle(t.Context(), asks(person())))
		if err != nil {
			rt.Fatal(err)
		}
		got := done.Usage
		counts := [8]int64{got.InputTokens, got.OutputTokens, got.CacheReadTokens, got.CacheCreationTokens,
			got.CacheCreation1h, got.ReasoningTokens, got.AudioInputTokens, got.AudioOutputTokens}
		if counts != want || got.Estimated {
			rt.Fatalf("%+v, not %v", got, want)
		}
	})
}

// Through a codec: a Chat client of an upstream that knows no schemas.
func TestThroughCodecs(t *testing.T) {
	chat := `{"model":"m","messages":[{"role":"user","content":"who?"}],"response_format":{"type":"json_schema",` +
		`"json_schema":{"name":"person","strict":true,"schema":` + schema + `}}}`
	tests := []struct {
		name    string
		codec   codec.Codec
		options structured.Options
		quirks  codec.Quirks
		want    []string
	}{
		{"to json_object", openaichat.New(), structured.Options{Support: structured.JSONObject}, codec.Quirks{Formats: []string{"text", "json_object"}}, []string{`"response_format":{"type":"json_object"}`, `"role":"system"`}},
		{"to a prompt", openaichat.New(), structured.Options{}, codec.Quirks{Formats: []string{"text"}}, []string{`"role":"system"`}},
		{"to a tool", anthropic.New(), structured.Options{Support: structured.Tool}, codec.Quirks{Formats: []string{"text"}}, []string{`"tool_choice":{"type":"tool","name":"person"`, `"disable_parallel_tool_use":true`, `"input_schema":` + schema}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			req, err := openaichat.New().OpenRequest(weir.Generate, &weir.Wire{Protocol: weir.OpenAIChat, Body: []byte(chat)})
			if err != nil {
				t.Fatal(err)
			}
			req.Strict = true // nothing of this is a loss
			u := gives(says(good))
			consume(t, stage(test.options, u), req)
			out, err := test.codec.EncodeRequest(<-u.got, &codec.Target{Provider: "p", Model: "m", Quirks: &test.quirks})
			if err != nil {
				t.Fatal(err)
			}
			var wire strings.Builder
			for _, piece := range out.Body {
				wire.Write(piece)
			}
			for _, want := range test.want {
				if !strings.Contains(wire.String(), want) {
					t.Errorf("no %s in %s", want, wire.String())
				}
			}
			if strings.Contains(wire.String(), `"json_schema"`) || len(out.Losses) != 0 {
				t.Errorf("losses %+v, sent %s", out.Losses, wire.String())
			}
		})
	}
}
