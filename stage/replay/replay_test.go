package replay_test

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/codec/anthropic"
	"github.com/weir-gateway/weir/codec/openaichat"
	"github.com/weir-gateway/weir/stage/replay"
	"github.com/weir-gateway/weir/weirtest"
)

const (
	id1 = "call_00_Ab3dEf6hIj"
	id2 = "call_01_Kl9mNo2pQr"
)

func TestKeepsTheContract(t *testing.T) {
	store := replay.NewMemory(replay.MemoryOptions{})
	req := asks("a", question(), assistant(calls(id1)), weir.ToolResultText(id1, "x"))
	u := &upstream{answer: answers(thinks("again"), text("so"), calls(id2))}
	weirtest.HandlerSuite{
		New:     func() weir.Handler { return stageOf(store, "p", replay.Text, u) },
		Request: req, Probe: u.calls.Load, Open: u.open.Load,
	}.Run(t)
	weirtest.TestHandler(t, func() weir.Handler { return stageOf(store, "p", 0, u) }, req)
}

// T-01, T-02, T-05: what a client cannot carry comes back.
func TestPutsBackWhatWasKept(t *testing.T) {
	result := weir.ToolResultText(id1, "found")
	tests := []struct {
		name  string
		needs replay.Needs
		said  []weir.Block
		sent  weir.Message
		want  []weir.Block
		note  *replay.Note
	}{
		{
			"the text of thoughts", replay.Text,
			[]weir.Block{thinks("hm"), calls(id1)}, assistant(calls(id1)),
			[]weir.Block{thinks("hm"), calls(id1)}, &replay.Note{Injected: 1},
		},
		{
			"in front of the text that came after them", replay.Text,
			[]weir.Block{thinks("hm"), text("so"), calls(id1)}, assistant(text("so"), calls(id1)),
			[]weir.Block{thinks("hm"), text("so"), calls(id1)}, &replay.Note{Injected: 1},
		},
		{
			"behind the text that came before them", replay.Text,
			[]weir.Block{text("so"), thinks("hm"), calls(id1)}, assistant(text("so"), calls(id1)),
			[]weir.Block{text("so"), thinks("hm"), calls(id1)}, &replay.Note{Injected: 1},
		},
		{
			"each thought to its own call", replay.State,
			[]weir.Block{signed("a", "s1"), calls(id1), signed("b", "s2"), calls(id2)}, assistant(calls(id1), calls(id2)),
			[]weir.Block{signed("a", "s1"), calls(id1), signed("b", "s2"), calls(id2)}, &replay.Note{Injected: 1},
		},
		{
			"signed thoughts byte for byte", replay.State,
			[]weir.Block{signed("hm", "EqQBCg=="), calls(id1)}, assistant(calls(id1)),
			[]weir.Block{signed("hm", "EqQBCg=="), calls(id1)}, &replay.Note{Injected: 1},
		},
		{
			"signed thoughts in place of the text that a client could carry", replay.State,
			[]weir.Block{signed("hm", "s"), calls(id1)}, assistant(thinks("hm"), calls(id1)),
			[]weir.Block{signed("hm", "s"), calls(id1)}, &replay.Note{Injected: 1},
		},
		{
			"encrypted thoughts", replay.State,
			[]weir.Block{encrypted("gAAAA"), calls(id1)}, assistant(calls(id1)),
			[]weir.Block{encrypted("gAAAA"), calls(id1)}, &replay.Note{Injected: 1},
		},
		{
			"no state where only text is wanted", replay.Text,
			[]weir.Block{signed("hm", "s"), encrypted("gAAAA"), calls(id1)}, assistant(calls(id1)),
			[]weir.Block{thinks("hm"), calls(id1)}, &replay.Note{Injected: 1},
		},
		{
			"no text without state where state is wanted", replay.State,
			[]weir.Block{thinks("hm"), calls(id1)}, assistant(calls(id1)),
			[]weir.Block{calls(id1)}, &replay.Note{Missing: 1},
		},
		{
			"the signature of a call", replay.Calls,
			[]weir.Block{callsWith(id1, "{}", "sig"), calls(id2)}, assistant(callsWith(id1, "{}", ""), calls(id2)),
			[]weir.Block{callsWith(id1, "{}", "sig"), calls(id2)}, &replay.Note{Injected: 1},
		},
		{
			"nothing where nothing is missing", replay.Text | replay.State | replay.Calls,
			[]weir.Block{signed("hm", "s"), callsWith(id1, "{}", "sig")}, assistant(signed("hm", "s"), callsWith(id1, "{}", "sig")),
			[]weir.Block{signed("hm", "s"), callsWith(id1, "{}", "sig")}, nil,
		},
		{
			"nothing that never was", replay.Text,
			[]weir.Block{calls(id1)}, assistant(calls(id1)),
			[]weir.Block{calls(id1)}, &replay.Note{Missing: 1},
		},
		{
			"nothing to a turn without calls", replay.Text,
			[]weir.Block{thinks("hm"), text("so")}, assistant(text("so")),
			[]weir.Block{text("so")}, nil,
		},
		{
			"the turn's text to a message that has only its second call", replay.Text,
			[]weir.Block{thinks("hm"), calls(id1), calls(id2)}, assistant(calls(id2)),
			[]weir.Block{thinks("hm"), calls(id2)}, &replay.Note{Injected: 1},
		},
		{
			"its own thoughts to a message that has only the second call", replay.State,
			[]weir.Block{signed("a", "s1"), calls(id1), signed("b", "s2"), calls(id2)}, assistant(calls(id2)),
			[]weir.Block{signed("b", "s2"), calls(id2)}, &replay.Note{Injected: 1},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			store := replay.NewMemory(replay.MemoryOptions{})
			says(t, store, "p", test.needs, asks("a", question()), test.said...)
			req := asks("a", question(), test.sent, result)
			messages, note := sends(t, store, "p", test.needs, req)
			if !reflect.DeepEqual(messages[1].Blocks, test.want) {
				t.Errorf("sent %+v", messages[1].Blocks)
			}
			if !reflect.DeepEqual(note, test.note) {
				t.Errorf("note %+v", note)
			}
			if body, _ := req.Body(); !reflect.DeepEqual(body.Messages[1], test.sent) {
				t.Error("the request was modified")
			}
		})
	}
}

// A run of messages of the assistant is one turn: reasoning of its own message
// in front of the one with the calls is there.
func TestSeesThoughtsInTheMessageBefore(t *testing.T) {
	store := replay.NewMemory(replay.MemoryOptions{})
	says(t, store, "p", replay.Text, asks("a", question()), thinks("hm"), calls(id1))
	req := asks("a", question(), assistant(thinks("hm")), assistant(calls(id1)), weir.ToolResultText(id1, "x"))
	u := &upstream{answer: answers(text("ok"))}
	collect(t, stageOf(store, "p", replay.Text, u), req)
	if u.got.Load() != req {
		t.Error("the request was edited")
	}
}

// T-04: state never goes to another provider; plain text does, where it is wanted.
func TestProvidersAndTenants(t *testing.T) {
	said := []weir.Block{signed("hm", "s"), callsWith(id1, "{}", "sig")}
	bare := assistant(callsWith(id1, "{}", ""))
	result := weir.ToolResultText(id1, "found")
	tests := []struct {
		name, tenant, provider string
		needs                  replay.Needs
		want                   []weir.Block
	}{
		{"the same provider gets all", "a", "p", replay.State | replay.Calls, said},
		{"another provider gets no state", "a", "q", replay.State | replay.Calls, bare.Blocks},
		{"another provider gets the text that it wants", "a", "q", replay.Text | replay.State, []weir.Block{thinks("hm"), bare.Blocks[0]}},
		{"another tenant gets nothing", "b", "p", replay.Text | replay.State | replay.Calls, bare.Blocks},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			store := replay.NewMemory(replay.MemoryOptions{})
			says(t, store, "p", replay.State, asks("a", question()), said...)
			messages, _ := sends(t, store, test.provider, test.needs, asks(test.tenant, question(), bare, result))
			if !reflect.DeepEqual(messages[1].Blocks, test.want) {
				t.Errorf("sent %+v", messages[1].Blocks)
			}
		})
	}
}

func TestFamilyReadsItsOwnState(t *testing.T) {
	store := replay.NewMemory(replay.MemoryOptions{})
	u := &upstream{answer: answers(signed("hm", "s"), calls(id1))}
	of := func(provider string) weir.Handler {
		return replay.New(replay.Options{Provider: provider, Family: "claude", Needs: replay.State, Store: store})(u)
	}
	collect(t, of("anthropic"), asks("a", question()))
	collect(t, of("bedrock"), asks("a", question(), assistant(calls(id1)), weir.ToolResultText(id1, "x")))
	if got := u.messages(t)[1].Blocks; len(got) != 2 || got[0].Reasoning.Signature != "s" {
		t.Errorf("sent %+v", got)
	}
}

// T-04: what another provider is known to have made is taken out.
func TestStripsForeignState(t *testing.T) {
	tests := []struct {
		name     string
		maker    string // of the state; empty: nobody knows
		sent     []weir.Block
		want     []weir.Block
		stripped int
	}{
		{"another provider's", "q", []weir.Block{signed("hm", "s"), text("so")}, []weir.Block{thinks("hm"), text("so")}, 1},
		{"its own", "p", []weir.Block{signed("hm", "s"), text("so")}, []weir.Block{signed("hm", "s"), text("so")}, 0},
		{"of unknown origin", "", []weir.Block{signed("hm", "s"), text("so")}, []weir.Block{signed("hm", "s"), text("so")}, 0},
		{"a block of nothing else", "q", []weir.Block{encrypted("e"), text("so")}, []weir.Block{text("so")}, 1},
		{"a message of nothing else", "q", []weir.Block{encrypted("e")}, nil, 1},
		{"a call's", "q", []weir.Block{callsWith(id1, "{}", "c")}, []weir.Block{callsWith(id1, "{}", "")}, 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			store := replay.NewMemory(replay.MemoryOptions{})
			if test.maker != "" {
				says(t, store, test.maker, replay.State, asks("a", question()), signed("x", "s"), encrypted("e"), callsWith("call_zzzzzzzz", "{}", "c"))
			}
			req := asks("a", question(), assistant(test.sent...), weir.UserText("go on"))
			u := &upstream{answer: answers(text("ok"))}
			done := collect(t, stageOf(store, "p", replay.State, u), req)
			messages := u.messages(t)
			if test.want == nil {
				if len(messages) != 2 {
					t.Errorf("sent %+v", messages)
				}
			} else if !reflect.DeepEqual(messages[1].Blocks, test.want) {
				t.Errorf("sent %+v", messages[1].Blocks)
			}
			note, losses := noteOf(done), 0
			for _, n := range done.Notes {
				if _, ok := n.(*weir.Loss); ok {
					losses++
				}
			}
			if (note != nil && note.Stripped > 0) != (test.stripped > 0) || losses != test.stripped {
				t.Errorf("note %+v, %d losses", note, losses)
			}
			if test.stripped == 0 && note == nil && u.got.Load() != req {
				t.Error("the request was edited for nothing")
			}
		})
	}
}

func TestStrictRequestIsNotStripped(t *testing.T) {
	store := replay.NewMemory(replay.MemoryOptions{})
	says(t, store, "q", replay.State, asks("a", question()), signed("x", "s"), calls(id1))
	req := asks("a", question(), assistant(signed("x", "s"), text("so")), weir.UserText("go on"))
	req.Strict = true
	u := &upstream{answer: answers(text("ok"))}
	_, err := weir.Collect(stageOf(store, "p", replay.State, u).Handle(t.Context(), req))
	if weir.AsError(err).Kind != weir.KindUnsupported || weir.AsError(err).Param != "messages" || u.calls.Load() != 0 {
		t.Errorf("error %v after %d calls", err, u.calls.Load())
	}
}

// Ids that upstreams count anew in every conversation do not mix conversations up.
func TestCountedIDs(t *testing.T) {
	const id = "functions.search:0"
	store := replay.NewMemory(replay.MemoryOptions{})
	says(t, store, "p", replay.Text, asks("a", weir.UserText("one")), thinks("of one"), callsWith(id, `{"a":1,"b":[1.0]}`, ""))
	says(t, store, "p", replay.Text, asks("a", weir.UserText("two")), thinks("of two"), callsWith(id, `{"a":1,"b":[1.0]}`, ""))
	tests := []struct {
		name, words, arguments, want string
	}{
		{"the first conversation", "one", `{"a":1,"b":[1.0]}`, "of one"},
		{"the second, its arguments written anew", "two", `{"b": [1], "a": 1}`, "of two"},
		{"a third one", "three", `{"a":1,"b":[1.0]}`, ""},
		{"another call", "one", `{"a":2,"b":[1.0]}`, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			messages, note := sends(t, store, "p", replay.Text,
				asks("a", weir.UserText(test.words), assistant(callsWith(id, test.arguments, "")), weir.ToolResultText(id, "x")))
			if got := messages[1].Blocks[0].Text; got != test.want || note.Injected == 1 != (test.want != "") {
				t.Errorf("thoughts %q, note %+v", got, note)
			}
		})
	}
}

// T-05, W-12: each choice is kept for itself.
func TestKeepsEveryChoice(t *testing.T) {
	store := replay.NewMemory(replay.MemoryOptions{})
	var both []weir.Event
	for n, id := range []string{id1, id2} {
		for _, ev := range answers(thinks("of "+id), calls(id)) {
			if ev.Choice = int32(n); n == 0 || ev.Type != weir.EventStart {
				both = append(both, ev)
			}
		}
	}
	collect(t, stageOf(store, "p", replay.Text, &upstream{answer: both}), asks("a", question()))
	for _, id := range []string{id1, id2} {
		messages, _ := sends(t, store, "p", replay.Text, asks("a", question(), assistant(calls(id)), weir.ToolResultText(id, "x")))
		if got := messages[1].Blocks[0].Text; got != "of "+id {
			t.Errorf("%s: %q", id, got)
		}
	}
}

func TestDecodesOnlyWhatItReads(t *testing.T) {
	tests := []struct {
		name           string
		tools, history bool
		op             weir.Operation
		needs          replay.Needs
		relay, decoded bool // as the upstream sees it
	}{
		{"neither tools nor history", false, false, weir.Generate, replay.Text, true, false},
		{"tools", true, false, weir.Generate, replay.Text, false, false},
		{"history", false, true, weir.Generate, replay.Text, true, true},
		{"another operation", true, true, weir.CountTokens, replay.Text, true, false},
		{"no needs", true, true, weir.Generate, 0, true, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			decoded := false
			req := weir.NewWireRequest(&weir.Wire{}, func() (*weir.Body, error) { decoded = true; return &weir.Body{}, nil })
			req.Relay, req.Op = true, test.op
			u := &upstream{answer: answers(text("ok"))}
			h := replay.New(replay.Options{
				Provider: "p", Needs: test.needs, Store: replay.NewMemory(replay.MemoryOptions{}),
				HasTools:   func(*weir.Request) bool { return test.tools },
				HasHistory: func(*weir.Request) bool { return test.history },
			})(u)
			collect(t, h, req)
			if got := u.got.Load(); got.Relay != test.relay || decoded != test.decoded || got.Wire != req.Wire {
				t.Errorf("relay %t, decoded %t, the same bytes %t", got.Relay, decoded, got.Wire == req.Wire)
			}
			if !req.Relay {
				t.Error("the request was modified")
			}
		})
	}
}

func TestABodyThatCannotBeReadIsRefused(t *testing.T) {
	broken := weir.Invalid("messages", "no")
	req := weir.NewWireRequest(&weir.Wire{}, func() (*weir.Body, error) { return nil, broken })
	u := &upstream{answer: answers(text("ok"))}
	_, err := weir.Collect(stageOf(replay.NewMemory(replay.MemoryOptions{}), "p", replay.Text, u).Handle(t.Context(), req))
	if !errors.Is(err, weir.KindInvalid) || u.calls.Load() != 0 {
		t.Errorf("error %v after %d calls", err, u.calls.Load())
	}
}

// broken is a Store that is down.
type broken struct{}

func (broken) Get(context.Context, []string) ([][]byte, error) { return nil, errors.New("down") }
func (broken) Put(context.Context, map[string][]byte) error    { return errors.New("down") }

func TestAStoreThatIsDownCostsNoAnswer(t *testing.T) {
	req := asks("a", question(), assistant(calls(id1)), weir.ToolResultText(id1, "x"))
	u := &upstream{answer: answers(thinks("hm"), calls(id2))}
	done := collect(t, stageOf(broken{}, "p", replay.Text, u), req)
	var notes []replay.Note
	for _, n := range done.Notes {
		if n, ok := n.(*replay.Note); ok {
			notes = append(notes, *n)
		}
	}
	if want := []replay.Note{{Missing: 1, StoreFailed: true}, {StoreFailed: true}}; !reflect.DeepEqual(notes, want) {
		t.Errorf("notes %+v", notes)
	}
	if u.got.Load() != req || len(done.ToolCalls()) != 1 {
		t.Error("the call was not as it would have been without the stage")
	}
	if d, ok := replay.Origin(t.Context(), broken{}, req); ok {
		t.Errorf("origin %q", d)
	}
}

func TestATurnThatIsTooLongIsNotKept(t *testing.T) {
	store := replay.NewMemory(replay.MemoryOptions{})
	says(t, store, "p", replay.Text, asks("a", question()), thinks(strings.Repeat("hm ", 1<<19)), calls(id1))
	if store.Len() != 0 {
		t.Errorf("%d values", store.Len())
	}
}

// of an answer, only what the package says is kept.
func TestKeepsNothingElse(t *testing.T) {
	store := &spy{Memory: replay.NewMemory(replay.MemoryOptions{})}
	says(t, store, "p", replay.Text, asks("tenant", weir.UserText("the prompt")),
		thinks("a thought"), text("the answer"), callsWith(id1, `{"secret":"argument"}`, ""), callsWith("functions.x:0", `{"secret":"other"}`, "sig"))
	kept := store.all.String()
	for _, word := range []string{"the prompt", "the answer", "argument", "other", "tenant"} {
		if strings.Contains(kept, word) {
			t.Errorf("%q is kept: %s", word, kept)
		}
	}
	if !strings.Contains(kept, "a thought") || !strings.Contains(kept, "sig") {
		t.Errorf("kept %s", kept)
	}
}

// spy shows what is put into a Memory.
type spy struct {
	*replay.Memory
	all strings.Builder
}

func (s *spy) Put(ctx context.Context, values map[string][]byte) error {
	for key, value := range values {
		s.all.WriteString(key + "=" + string(value) + "\n")
	}
	return s.Memory.Put(ctx, values)
}

// A plain OpenAI client, a thinking model and a tool, byte for byte (T-01, T-02).
func TestChatClientWithoutReasoning(t *testing.T) {
	store := replay.NewMemory(replay.MemoryOptions{})
	says(t, store, "deepseek", replay.Text, asks("", question()), thinks("I must search"), calls(id1))
	body := `{"model":"m","tools":[{"type":"function","function":{"name":"search"}}],"messages":[{"role":"user","content":"find it"},` +
		`{"role":"assistant","content":null,"tool_calls":[{"id":"` + id1 + `","type":"function","function":{"name":"search","arguments":"{\"q\":1}"}}]},` +
		`{"role":"tool","tool_call_id":"` + id1 + `","content":"x"}]}`
	req := open(t, openaichat.New(), body)
	u := &upstream{answer: answers(text("ok"))}
	collect(t, stageOf(store, "deepseek", replay.Text, u), req)
	wire := written(t, openaichat.New(), u.got.Load(), "deepseek", &codec.Quirks{ReasoningReplay: "tool_turns"})
	if !strings.Contains(wire, `"reasoning_content":"I must search"`) || !strings.Contains(wire, `"tool_calls":[{"id":"`+id1) {
		t.Errorf("sent %s", wire)
	}
	// An id that nobody knows: the codec's placeholder.
	req = open(t, openaichat.New(), strings.ReplaceAll(body, id1, id2))
	collect(t, stageOf(store, "deepseek", replay.Text, u), req)
	if u.got.Load() != req {
		t.Error("the request was edited")
	}
	wire = written(t, openaichat.New(), u.got.Load(), "deepseek", &codec.Quirks{ReasoningReplay: "tool_turns"})
	if !strings.Contains(wire, `"reasoning_content":""`) {
		t.Errorf("sent %s", wire)
	}
}

// A plain OpenAI client of Anthropic: the signature comes back (T-03).
func TestChatClientOfAnthropic(t *testing.T) {
	store := replay.NewMemory(replay.MemoryOptions{})
	says(t, store, "anthropic", replay.State, asks("", question()), signed("I must search", "EqQBCg=="), calls(id1))
	req := open(t, openaichat.New(), `{"model":"m","tools":[{"type":"function","function":{"name":"search"}}],"messages":[{"role":"user","content":"find it"},`+
		`{"role":"assistant","content":"","reasoning_content":"I must search","tool_calls":[{"id":"`+id1+`","type":"function","function":{"name":"search","arguments":"{}"}}]},`+
		`{"role":"tool","tool_call_id":"`+id1+`","content":"x"}]}`)
	u := &upstream{answer: answers(text("ok"))}
	collect(t, stageOf(store, "anthropic", replay.State, u), req)
	wire := written(t, anthropic.New(), u.got.Load(), "anthropic", &codec.Quirks{})
	if !strings.Contains(wire, `{"type":"thinking","thinking":"I must search","signature":"EqQBCg=="}`) {
		t.Errorf("sent %s", wire)
	}
}

func open(t *testing.T, c codec.Codec, body string) *weir.Request {
	t.Helper()
	req, err := c.OpenRequest(weir.Generate, &weir.Wire{Protocol: c.Protocol(), Body: []byte(body)})
	if err != nil {
		t.Fatal(err)
	}
	return req
}

func written(t *testing.T, c codec.Codec, req *weir.Request, provider string, q *codec.Quirks) string {
	t.Helper()
	call, err := c.EncodeRequest(req, &codec.Target{Provider: provider, Model: "m", MaxOutput: 8192, Quirks: q})
	if err != nil {
		t.Fatal(err)
	}
	var s strings.Builder
	for _, piece := range call.Body {
		s.Write(piece)
	}
	return s.String()
}

// Whatever a turn is made of: said, kept, cut down to what a plain client
// carries and completed, it is what was said.
func TestTurnsComeBackWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var said []weir.Block
		for i := range rapid.IntRange(1, 4).Draw(t, "calls") {
			if rapid.Bool().Draw(t, "text first") {
				said = append(said, text("t"))
			}
			for j := range rapid.IntRange(0, 2).Draw(t, "thoughts") {
				sig := rapid.StringMatching(`[A-Za-z0-9+/]{4,20}`).Draw(t, "signature") + string(rune('a'+i)) + string(rune('a'+j))
				said = append(said, signed(rapid.String().Draw(t, "thought"), sig))
			}
			said = append(said, callsWith(rapid.StringMatching(`[a-z0-9]{10}`).Draw(t, "id")+string(rune('a'+i)), "{}", ""))
		}
		var plain []weir.Block
		thoughts := 0
		for _, b := range said {
			if b.Type != weir.BlockReasoning {
				plain = append(plain, b)
			} else {
				thoughts++
			}
		}
		store := replay.NewMemory(replay.MemoryOptions{})
		u := &upstream{answer: answers(said...)}
		h := stageOf(store, "p", replay.State, u)
		if _, err := weir.Collect(h.Handle(context.Background(), asks("a", question()))); err != nil {
			t.Fatal(err)
		}
		if _, err := weir.Collect(h.Handle(context.Background(), asks("a", question(), assistant(plain...), question()))); err != nil {
			t.Fatal(err)
		}
		body, _ := u.got.Load().Body()
		if got := body.Messages[1].Blocks; !reflect.DeepEqual(got, said) {
			t.Fatalf("said %+v\nsent %+v", said, got)
		}
	})
}
