package anthropic

import (
	"strings"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
	"github.com/weir-gateway/weir/internal/sse"
)

// The Events of an answer from another protocol, in short.

func start() weir.Event {
	return weir.Event{Type: weir.EventStart, Start: &weir.Start{ID: "chatcmpl-abc", Model: "gpt", From: weir.OpenAIChat}}
}

func begin(i int32, b weir.Block) weir.Event {
	return weir.Event{Type: weir.EventBlockStart, Index: i, Block: &b}
}

func text(i int32) weir.Event { return begin(i, weir.Block{Type: weir.BlockText}) }

func call(i int32, id string) weir.Event {
	return begin(i, weir.Block{Type: weir.BlockToolCall, Call: &weir.ToolCall{ID: id, Name: "f"}})
}

func thought(i int32, format string) weir.Event {
	return begin(i, weir.Block{Type: weir.BlockReasoning, Reasoning: &weir.Reasoning{Format: format}})
}

func add(i int32, part weir.Part, s string) weir.Event {
	return weir.Event{Type: weir.EventDelta, Index: i, Part: part, Text: s}
}

func end(i int32) weir.Event { return weir.Event{Type: weir.EventBlockEnd, Index: i} }

func finish(r weir.FinishReason) weir.Event {
	return weir.Event{Type: weir.EventFinish, Finish: &weir.Finish{Reason: r, Native: "x", From: weir.OpenAIChat}}
}

const (
	txt  = weir.PartText
	args = weir.PartArguments
	sig  = weir.PartSignature
)

// outline is a stream as one line for each event, in short.
func outline(t *testing.T, stream []byte) string {
	t.Helper()
	r := sse.NewReader(strings.NewReader(string(stream)), 0)
	defer r.Release()
	var out []string
	for {
		f, err := r.Next()
		if err != nil {
			return strings.Join(out, "\n")
		}
		var line strings.Builder
		line.Write(jsonx.Get(f.Data, "index"))
		switch string(f.Event) {
		case "content_block_start":
			line.WriteString(" start " + jsonx.StringOr(jsonx.GetPath(f.Data, "content_block", "type"), ""))
		case "content_block_delta":
			d := jsonx.Get(f.Data, "delta")
			for _, k := range []string{"text", "thinking", "partial_json", "signature"} {
				if v := jsonx.Get(d, k); v != nil {
					line.WriteString(" + " + jsonx.StringOr(v, ""))
				}
			}
		case "content_block_stop":
			line.WriteString(" stop")
		case "message_delta":
			line.WriteString(jsonx.StringOr(jsonx.GetPath(f.Data, "delta", "stop_reason"), ""))
		default:
			continue
		}
		out = append(out, line.String())
	}
}

func TestAnswersOfOtherProtocolsBecomeOneLegalStream(t *testing.T) {
	tests := []struct {
		name   string
		events []weir.Event
		want   string
	}{
		{"a text", []weir.Event{text(0), add(0, txt, "hi"), end(0), finish(weir.FinishStop)},
			"0 start text\n0 + hi\n0 stop\nend_turn"},
		{"an answer without content", []weir.Event{finish(weir.FinishStop)}, "end_turn"},
		{"calls whose fragments interleave wait for each other", // S-01, S-02
			[]weir.Event{call(0, "a"), call(1, "b"), add(0, args, `{"x"`), add(1, args, `{"y":`), add(0, args, `:1}`), add(1, args, `2}`), end(0), end(1), finish(weir.FinishToolCalls)},
			"0 start tool_use\n0 + {\"x\"\n0 + :1}\n0 stop\n1 start tool_use\n1 + {\"y\":2}\n1 stop\ntool_use"},
		{"a call that is complete is closed for the next one",
			[]weir.Event{call(0, "a"), add(0, args, `{"x":1}`), call(1, "b"), add(1, args, `{}`), finish(weir.FinishToolCalls)},
			"0 start tool_use\n0 + {\"x\":1}\n0 stop\n1 start tool_use\n1 + {}\n1 stop\ntool_use"},
		{"a call without arguments has no delta", // S-04
			[]weir.Event{call(0, "a"), end(0), finish(weir.FinishStop)},
			"0 start tool_use\n0 stop\ntool_use"}, // S-05
		{"a cut call keeps the word of the cap", // S-06
			[]weir.Event{call(0, "a"), add(0, args, `{"x":`), finish(weir.FinishLength)},
			"0 start tool_use\n0 + {\"x\":\n0 stop\nmax_tokens"},
		{"text before, between and after calls", // S-08
			[]weir.Event{text(0), add(0, txt, "a"), call(1, "c"), add(0, txt, "b"), add(1, args, `{"x":1}`), add(0, txt, "c"), end(1), add(0, txt, "d"), end(0), finish(weir.FinishToolCalls)},
			"0 start text\n0 + a\n0 stop\n1 start tool_use\n1 + {\"x\":1}\n1 stop\n2 start text\n2 + bc\n2 + d\n2 stop\ntool_use"},
		{"white space before a call stays and hides no call", // S-08
			[]weir.Event{text(0), add(0, txt, "  "), call(1, "c"), end(0), end(1), finish(weir.FinishToolCalls)},
			"0 start text\n0 +   \n0 stop\n1 start tool_use\n1 stop\ntool_use"},
		{"white space between texts is text",
			[]weir.Event{text(0), add(0, txt, "green."), end(0), text(1), add(1, txt, " "), end(1), text(2), add(2, txt, "The sky"), end(2), finish(weir.FinishStop)},
			"0 start text\n0 + green.\n0 stop\n1 start text\n1 +  \n1 stop\n2 start text\n2 + The sky\n2 stop\nend_turn"},
		{"an empty text does not open a block", // T-09
			[]weir.Event{text(0), add(0, txt, ""), end(0), call(1, "c"), end(1), finish(weir.FinishToolCalls)},
			"0 start tool_use\n0 stop\ntool_use"},
		{"thinking of white space does not open a block", // T-09
			[]weir.Event{thought(0, ""), add(0, txt, "\n"), end(0), text(1), add(1, txt, "hi"), end(1), finish(weir.FinishStop)},
			"0 start text\n0 + hi\n0 stop\nend_turn"},
		{"signed thinking keeps its white space, which the signature covers", // T-03
			[]weir.Event{thought(0, reasoningFormat), add(0, txt, " "), add(0, sig, "S"), end(0), finish(weir.FinishStop)},
			"0 start thinking\n0 +  \n0 + S\n0 stop\nend_turn"},
		{"empty thinking does not open a block", // T-09
			[]weir.Event{thought(0, ""), add(0, txt, ""), text(1), add(1, txt, "hi"), end(0), end(1), finish(weir.FinishStop)},
			"0 start text\n0 + hi\n0 stop\nend_turn"},
		{"thinking closes before text, without another's signature", // T-03
			[]weir.Event{thought(0, "google-gemini-v1"), add(0, txt, "hm"), add(0, sig, "G"), text(1), add(1, txt, "hi"), finish(weir.FinishStop)},
			"0 start thinking\n0 + hm\n0 stop\n1 start text\n1 + hi\n1 stop\nend_turn"},
		{"an own signature comes once and last", // T-03
			[]weir.Event{thought(0, reasoningFormat), add(0, sig, "S1"), add(0, txt, "hm"), add(0, sig, "S2"), end(0), text(1), add(1, txt, "hi"), finish(weir.FinishStop)},
			"0 start thinking\n0 + hm\n0 + S1S2\n0 stop\n1 start text\n1 + hi\n1 stop\nend_turn"},
		{"thinking that is not shown has its signature only",
			[]weir.Event{thought(0, reasoningFormat), add(0, sig, "S"), end(0), finish(weir.FinishStop)},
			"0 start thinking\n0 + S\n0 stop\nend_turn"},
		{"a refusal is text, and said to be one", // P-11
			[]weir.Event{begin(0, weir.Block{Type: weir.BlockRefusal}), add(0, txt, "no"), end(0), finish(weir.FinishRefusal)},
			"0 start text\n0 + no\n0 stop\nrefusal"},
		{"only the first choice is sent",
			[]weir.Event{text(0), {Type: weir.EventBlockStart, Choice: 1, Block: &weir.Block{Type: weir.BlockText}}, {Type: weir.EventDelta, Choice: 1, Text: "x"}, add(0, txt, "a"), finish(weir.FinishStop)},
			"0 start text\n0 + a\n0 stop\nend_turn"},
		{"events for blocks that never began are ignored",
			[]weir.Event{add(7, txt, "x"), end(7), finish(weir.FinishStop)}, "end_turn"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			out := encode(&weir.Request{Model: "claude", Stream: true}, append([]weir.Event{start()}, tt.events...), nil)
			if err := wireRules(out); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			if got := outline(t, out); got != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
}

func TestUsageOfOtherProtocolsIsTakenApart(t *testing.T) { // C-06, U-05
	u := &weir.Usage{From: weir.OpenAIChat}
	for f, n := range map[weir.UsageField]int64{
		weir.UsageInput: 100, weir.UsageOutput: 7, weir.UsageCacheRead: 60, weir.UsageCacheCreation: 30,
		weir.UsageCacheCreation1h: 10, weir.UsageReasoning: 3,
	} {
		u.Set(f, n)
	}
	usage := weir.Event{Type: weir.EventUsage, Usage: u}
	want := `{"input_tokens":10,"cache_creation_input_tokens":30,"cache_read_input_tokens":60,` +
		`"cache_creation":{"ephemeral_5m_input_tokens":20,"ephemeral_1h_input_tokens":10},"output_tokens":7,"output_tokens_details":{"thinking_tokens":3}}`
	for _, stream := range []bool{true, false} {
		out := encode(&weir.Request{Stream: stream}, []weir.Event{start(), usage, text(0), add(0, txt, "a"), end(0), finish(weir.FinishStop)}, nil)
		if n := strings.Count(string(out), want); n < 1 || stream && n != 2 {
			t.Errorf("stream %v: %d times in %s", stream, n, out)
		}
	}
	out := string(encode(&weir.Request{Stream: true}, []weir.Event{start(), finish(weir.FinishStop)}, nil))
	if !strings.Contains(out, `"usage":{"input_tokens":0,"output_tokens":0}`) || !strings.Contains(out, `"usage":{"output_tokens":0}`) {
		t.Errorf("unknown usage must leave what the SDKs need: %s", out) // U-03
	}
}

func TestTheModelAndIDAreInTheClientsWords(t *testing.T) {
	out := string(encode(&weir.Request{Model: "claude-x"}, []weir.Event{start(), finish(weir.FinishStop)}, nil))
	want := `{"id":"msg_abc","type":"message","role":"assistant","model":"claude-x","content":[],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":0,"output_tokens":0}}`
	if out != want {
		t.Errorf("got  %s\nwant %s", out, want)
	}
}

func TestAnErrorInAStreamIsAnErrorEvent(t *testing.T) { // E-03, R-04
	out := string(encode(&weir.Request{Stream: true}, []weir.Event{start(), text(0), add(0, txt, "a")},
		weir.Errorf(weir.KindOverloaded, "busy")))
	want := "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"busy\"}}\n\n"
	if !strings.HasSuffix(out, want) || strings.Contains(out, "message_stop") {
		t.Errorf("got %s", out)
	}
}

func TestAnAnswerThatIsNotStreamedHasCallsAsObjects(t *testing.T) {
	tests := []struct{ name, arguments, reason, want string }{
		{"arguments", `{"a":1}`, "tool_calls", `"input":{"a":1}`},
		{"none", ``, "tool_calls", `"input":{}`},                          // S-04
		{"a comma too many", `{"a":1,}`, "tool_calls", `"input":{"a":1}`}, // §13.2
		{"cut by the cap", `{"a":`, "length", `"content":[],"stop_reason":"max_tokens"`},
		{"no JSON", `{"a":`, "tool_calls", `"type":"api_error"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			out := string(encode(&weir.Request{}, []weir.Event{start(), call(0, "c"), add(0, args, tt.arguments), end(0), finish(weir.FinishReason(tt.reason))}, nil))
			if !strings.Contains(out, tt.want) {
				t.Errorf("%s is not in %s", tt.want, out)
			}
		})
	}
}

func TestNothingIsSentOfAnAnswerThatFailedBeforeItBegan(t *testing.T) { // E-01
	if out := encode(&weir.Request{}, nil, weir.Errorf(weir.KindUpstream, "x")); len(out) > 0 {
		t.Errorf("got %s", out)
	}
}

func TestKeepAliveIsAPing(t *testing.T) { // W-06
	e := New().NewEncoder(&weir.Request{Stream: true})
	if got := string(e.KeepAlive(nil)); got != pingEvent {
		t.Errorf("got %q", got)
	}
	e.Close(nil, nil)
	if got := e.KeepAlive(nil); got != nil {
		t.Errorf("after the end: %q", got)
	}
	if got := New().NewEncoder(&weir.Request{}).KeepAlive(nil); got != nil {
		t.Errorf("not streamed: %q", got)
	}
}
