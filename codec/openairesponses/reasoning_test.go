package openairesponses_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/codec/anthropic"
	"github.com/weir-gateway/weir/codec/openaichat"
	"github.com/weir-gateway/weir/internal/jsonx"
)

const anthropicFormat = "anthropic-claude-v1"

// claude is an answer of Messages with a thought, one that only its maker can read,
// and a call.
func claude() *script {
	return say(weir.AnthropicMessages).
		block(weir.Block{Type: weir.BlockReasoning, Reasoning: &weir.Reasoning{Format: anthropicFormat}},
			weir.Event{Text: "I "}, weir.Event{Text: "look"}, weir.Event{Part: weir.PartSignature, Text: "SIG=="}).
		block(weir.Block{Type: weir.BlockReasoning, Reasoning: &weir.Reasoning{Format: anthropicFormat, Encrypted: "REDACTED"}}).
		text("let me look").
		call("c1", "look", `{"a":1}`)
}

// nextTurn is a request that sends an answer's items back with the call's result.
func nextTurn(t *testing.T, answer string) *weir.Request {
	t.Helper()
	output := jsonx.Get([]byte(answer), "output")
	items := strings.TrimSuffix(strings.TrimPrefix(string(output), "["), "]")
	return open(t, `{"model":"m","max_output_tokens":9000,"include":["reasoning.encrypted_content"],"reasoning":{"effort":"high"},"tools":[{"type":"function","name":"look","strict":false,"parameters":{"type":"object"}}],`+
		`"input":[{"role":"user","content":"look"},`+items+`,{"type":"function_call_output","call_id":"c1","output":"a river"}]}`)
}

// The reasoning of Claude comes back to Claude byte for byte through a client of
// this protocol, streamed or not. // T-03, T-07
func TestForeignReasoningComesBackToItsMaker(t *testing.T) {
	for _, stream := range []bool{true, false} {
		answer, _ := written(client(t, stream), claude().done(weir.FinishToolCalls), nil)
		if stream {
			if err := checkStream(answer); err != nil {
				t.Fatalf("%v\n%s", err, answer)
			}
			answer = string(jsonx.Get([]byte(answer[strings.LastIndex(answer, "data: ")+6:]), "response"))
		}
		call, err := anthropic.New().EncodeRequest(nextTurn(t, answer), &codec.Target{Provider: "anthropic", Model: "claude", Quirks: &codec.Quirks{}})
		if err != nil {
			t.Fatal(err)
		}
		turn := jsonx.GetPath(join(call.Body), "messages")
		var content []byte
		_ = jsonx.EachElement(turn, func(i int, m []byte) error {
			if i == 1 {
				content = jsonx.Get(m, "content")
			}
			return nil
		})
		same(t, string(content), `[{"type":"thinking","thinking":"I look","signature":"SIG=="},{"type":"redacted_thinking","data":"REDACTED"},{"type":"text","text":"let me look"},{"type":"tool_use","id":"c1","name":"look","input":{"a":1}}]`)
		for _, l := range call.Losses {
			if strings.HasPrefix(l.Field, "input") {
				t.Errorf("%+v", l)
			}
		}
	}
}

func join(pieces [][]byte) []byte {
	var out []byte
	for _, p := range pieces {
		out = append(out, p...)
	}
	return out
}

// It goes to nobody else, and never as text of the answer: OpenAI is not sent the
// envelope, and hears of the loss. // T-04, T-07
func TestForeignReasoningGoesToNobodyElse(t *testing.T) {
	answer, _ := written(client(t, false), claude().done(weir.FinishToolCalls), nil)
	req := nextTurn(t, answer)
	got, call := send(t, req, codec.Quirks{})
	if strings.Contains(got, "weir.v1") || strings.Contains(got, "SIG") || strings.Contains(got, "I look") {
		t.Errorf("%s", got)
	}
	if want := "input[1] dropped, input[2] dropped"; losses(call.Losses) != want {
		t.Errorf("losses %s, want %s", losses(call.Losses), want)
	}
	chat, err := openaichat.New().EncodeRequest(req, &codec.Target{Provider: "deepseek", Model: "d", Quirks: &codec.Quirks{ReasoningReplay: "tool_turns"}})
	if err != nil {
		t.Fatal(err)
	}
	wire := string(join(chat.Body))
	if strings.Contains(wire, "SIG") || strings.Contains(wire, "weir.v1") || !strings.Contains(wire, `"reasoning_content":"I look"`) || !strings.Contains(wire, `"content":"let me look"`) {
		t.Errorf("%s", wire)
	}
	strict := req.Clone()
	strict.Strict = true
	if e := refused(t, strict, codec.Quirks{}); e.Kind != weir.KindUnsupported || e.Param != "input[1]" {
		t.Errorf("%+v", e)
	}
}

// The signature of a call, which Gemini makes, comes back on the call. // T-05
func TestSignaturesOfCallsComeBack(t *testing.T) {
	for name, s := range map[string]*script{
		"a call by itself": say(weir.GeminiGenerate),
		"behind a thought": say(weir.GeminiGenerate).block(weir.Block{Type: weir.BlockReasoning, Reasoning: &weir.Reasoning{Format: "google-gemini-v1"}}, texts("hm")...),
	} {
		s.block(weir.Block{Type: weir.BlockToolCall, Call: &weir.ToolCall{ID: "c1", Name: "look", Type: weir.ToolFunction, Signature: "GSIG"}}, weir.Event{Part: weir.PartArguments, Text: "{}"})
		answer, _ := written(client(t, false), s.done(weir.FinishToolCalls), nil)
		body, err := nextTurn(t, answer).Body()
		if err != nil {
			t.Fatal(err)
		}
		calls := body.Messages[1].ToolCalls()
		if len(calls) != 1 || calls[0].Signature != "GSIG" {
			t.Errorf("%s: %+v", name, calls)
		}
		if got, call := send(t, nextTurn(t, answer), codec.Quirks{}); strings.Contains(got, "GSIG") || !strings.Contains(losses(call.Losses), "signature dropped") {
			t.Errorf("%s: %s, %s", name, got, losses(call.Losses))
		}
	}
}

// An envelope that was damaged on the way is refused by nobody and sent to nobody.
func TestDamagedEnvelopesAreLeftOut(t *testing.T) {
	for _, encrypted := range []string{"weir.v1:!!", "weir.v1:", "weir.v1:AAAA", "weir.v1:W10="} {
		req := open(t, `{"model":"m","input":[{"role":"user","content":"q"},{"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"`+encrypted+`"},{"role":"user","content":"r"}]}`)
		got, call := send(t, req, codec.Quirks{})
		if strings.Contains(got, "weir.v1") || losses(call.Losses) != "input[1] dropped" {
			t.Errorf("%s: %s, %s", encrypted, got, losses(call.Losses))
		}
	}
}

// Reasoning that this protocol's upstream made goes back as it came, and an item
// that is made here has the summary that the API requires, if only an empty one.
// // T-07, protocols.md §4.3
func TestOwnReasoningIsSentBackWithASummary(t *testing.T) {
	d := decodeText(wholeOf("completed", "null", "null", `{"id":"rs_1","type":"reasoning","summary":[],"encrypted_content":"gAAA"}`, callDone), false)
	c := d.completion(t)
	body := weir.Body{From: weir.OpenAIResponses, Messages: []weir.Message{weir.UserText("q"), c.Choices[0].Message, weir.ToolResultText("call_1", "r")}}
	got, call := send(t, weir.NewRequest("m", &body), codec.Quirks{})
	same(t, string(jsonx.Get([]byte(got), "input")), `[{"role":"user","content":"q"},{"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"gAAA"},`+
		`{"type":"function_call","id":"fc_1","call_id":"call_1","name":"look","arguments":"{\"a\":1}"},{"type":"function_call_output","call_id":"call_1","output":"r"}]`)
	if len(call.Losses) > 0 {
		t.Error(call.Losses)
	}
	// The same through a client of another protocol that sends it back.
	body.From = weir.AnthropicMessages
	for i := range body.Messages {
		for k := range body.Messages[i].Blocks {
			if c := body.Messages[i].Blocks[k].Call; c != nil {
				c.Extra = nil
			}
		}
	}
	got, _ = send(t, weir.NewRequest("m", &body), codec.Quirks{})
	if !strings.Contains(got, `{"type":"reasoning","id":"rs_1","encrypted_content":"gAAA","summary":[]}`) {
		t.Errorf("%s", got)
	}
}

// A summary and the thinking itself are one item again, with their state.
func TestSummaryAndThinkingAreOneItemAgain(t *testing.T) {
	item := `{"id":"rs_1","type":"reasoning","summary":[{"type":"summary_text","text":"short"}],"content":[{"type":"reasoning_text","text":"long"}],"encrypted_content":"gAAA"}`
	d := decodeText(wholeOf("completed", "null", "null", item), false)
	for _, stream := range []bool{true, false} {
		wire, _ := written(client(t, stream), byValue(d.events), nil)
		again := decodeText(wire, false)
		a, b := d.completion(t).Choices[0].Message, again.completion(t).Choices[0].Message
		if fmt.Sprint(len(a.Blocks), a.Blocks[0].Text, a.Blocks[1].Text, a.Blocks[1].Reasoning.Encrypted) != fmt.Sprint(len(b.Blocks), b.Blocks[0].Text, b.Blocks[1].Text, b.Blocks[1].Reasoning.Encrypted) {
			t.Errorf("%+v became %+v", a, b)
		}
		if !strings.Contains(wire, item) {
			t.Errorf("%s", wire)
		}
	}
}

// A client of another protocol is sent reasoning that it can send back, and nothing
// of it is stored at the provider. // T-07, protocols.md §4.7
func TestForeignRequestsAskForEncryptedReasoning(t *testing.T) {
	got, _ := send(t, foreign(weir.AnthropicMessages, weir.Body{Messages: []weir.Message{weir.UserText("q")}}), codec.Quirks{})
	same(t, got, `{"model":"up","input":[{"type":"message","role":"user","content":"q"}],"store":false,"include":["reasoning.encrypted_content"]}`)
	got, call := send(t, foreign(weir.AnthropicMessages, weir.Body{Messages: []weir.Message{weir.UserText("q")}}), codec.Quirks{DropParams: []string{"store", "include"}})
	same(t, got, `{"model":"up","input":[{"type":"message","role":"user","content":"q"}]}`)
	if len(call.Losses) > 0 {
		t.Error(call.Losses)
	}
}

// Upstreams that want thinking back in tool turns get its text, those that refuse
// it none. // T-01
func TestReplayQuirks(t *testing.T) {
	body := weir.Body{Messages: []weir.Message{weir.UserText("q"), {Role: weir.RoleAssistant, Blocks: []weir.Block{
		{Type: weir.BlockReasoning, Text: "hm", Reasoning: &weir.Reasoning{Format: anthropicFormat, Signature: "S"}},
		{Type: weir.BlockToolCall, Call: &weir.ToolCall{ID: "c", Name: "f", Arguments: "{}"}}}}, weir.ToolResultText("c", "r")}}
	for replay, want := range map[string]string{
		"":           "messages[1].content[0] dropped",
		"never":      "messages[1].content[0] dropped",
		"tool_turns": "messages[1].content[0].signature dropped",
	} {
		got, call := send(t, foreign(weir.AnthropicMessages, body), codec.Quirks{ReasoningReplay: replay})
		if has := strings.Contains(got, `{"type":"reasoning","summary":[],"content":[{"type":"reasoning_text","text":"hm"}]}`); losses(call.Losses) != want || has != (replay == "tool_turns") {
			t.Errorf("%q: %s, %s", replay, got, losses(call.Losses))
		}
	}
	native := open(t, `{"model":"m","input":[{"role":"user","content":"q"},{"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"g"},{"role":"user","content":"r"}]}`)
	if got, call := send(t, native, codec.Quirks{ReasoningReplay: "never"}); strings.Contains(got, "rs_1") || losses(call.Losses) != "input[1] dropped" {
		t.Errorf("%s, %s", got, losses(call.Losses))
	}
}

// A client that asks for summaries shows nothing else: the thinking of a model of
// another protocol stands there, streamed or not, and goes back to its maker as it
// was. // T-03, T-07, W-12
func TestThinkingIsShownWhereSummariesAreAskedFor(t *testing.T) {
	for _, asked := range []string{`{"summary":"auto"}`, `{"effort":"high","summary":"detailed"}`, `{"generate_summary":"concise"}`} {
		for _, stream := range []bool{true, false} {
			req := open(t, `{"model":"m","input":"hi","reasoning":`+asked+`}`)
			req.Stream = stream
			answer, _ := written(req, claude().done(weir.FinishToolCalls), nil)
			if stream {
				if err := checkStream(answer); err != nil {
					t.Fatalf("%v\n%s", err, answer)
				}
				for event, n := range map[string]int{"reasoning_summary_part.added": 1, "reasoning_summary_text.delta": 2, "reasoning_summary_text.done": 1, "reasoning_summary_part.done": 1, "reasoning_text.delta": 0} {
					if got := strings.Count(answer, "event: response."+event+"\n"); got != n {
						t.Errorf("%s: %d of %s", asked, got, event)
					}
				}
				answer = string(jsonx.Get([]byte(answer[strings.LastIndex(answer, "data: ")+6:]), "response"))
			}
			if !strings.Contains(answer, `"summary":[{"type":"summary_text","text":"I look"}],"encrypted_content":"weir.v1:`) || strings.Contains(answer, "reasoning_text") {
				t.Errorf("%s", answer)
			}
			body, err := nextTurn(t, answer).Body()
			if err != nil {
				t.Fatal(err)
			}
			b := body.Messages[1].Blocks[0]
			if b.Text != "I look" || b.Reasoning.Summary || b.Reasoning.Signature != "SIG==" || b.Reasoning.Format != anthropicFormat {
				t.Errorf("%+v, %+v", b, b.Reasoning)
			}
			if again := decodeText(answer, false).block(t, 0); again.Text != "I look" || again.Reasoning.Summary || again.Reasoning.Signature != "SIG==" {
				t.Errorf("%+v, %+v", again, again.Reasoning)
			}
		}
	}
	for _, asked := range []string{`{"effort":"high"}`, `{"summary":null}`, `null`} {
		answer, _ := written(open(t, `{"model":"m","input":"hi","reasoning":`+asked+`}`), claude().done(weir.FinishToolCalls), nil)
		if strings.Contains(answer, "summary_text") || !strings.Contains(answer, `"content":[{"type":"reasoning_text","text":"I look"}]`) {
			t.Errorf("%s: %s", asked, answer)
		}
	}
}

// Thinking without a signature goes back to upstreams that want its text.
func TestShownThinkingGoesBackAsText(t *testing.T) {
	req := open(t, `{"model":"m","input":"hi","reasoning":{"summary":"auto"}}`)
	answer, _ := written(req, say(weir.OpenAIChat).block(weir.Block{Type: weir.BlockReasoning}, texts("hm")...).call("c1", "look", "{}").done(weir.FinishToolCalls), nil)
	call, err := openaichat.New().EncodeRequest(nextTurn(t, answer), &codec.Target{Provider: "deepseek", Model: "d", Quirks: &codec.Quirks{ReasoningReplay: "tool_turns"}})
	if err != nil {
		t.Fatal(err)
	}
	if wire := string(join(call.Body)); !strings.Contains(wire, `"reasoning_content":"hm"`) {
		t.Errorf("%s", wire)
	}
}
