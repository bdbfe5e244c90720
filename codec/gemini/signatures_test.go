package gemini_test

import (
	"strings"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/codec/openaichat"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// signedTurn is what a model says with parallel calls: only the first is signed
// (protocols.md §7.6).
const signedTurn = `{"text":"Let me see","thought":true},{"functionCall":{"id":"c1","name":"f","args":{"a":1}},"thoughtSignature":"U0lH"},{"functionCall":{"id":"c2","name":"g","args":{}}}`

// T-05: the signature of a call stays with the call, streamed and whole, and a
// client of any protocol that has a place for it brings it back.
func TestSignaturesOfCalls(t *testing.T) {
	for name, a := range map[string]*codec.Answer{
		"whole":  wholeAnswer(parts(signedTurn, `,"finishReason":"STOP"`)),
		"stream": streamAnswer(sse(parts(signedTurn), parts(`{"text":""}`, `,"finishReason":"STOP"`)), false),
	} {
		d := decode(a)
		if d.err != nil {
			t.Fatal(d.err)
		}
		c := d.completion()
		calls := c.ToolCalls()
		if len(calls) != 2 || calls[0].Signature != "U0lH" || calls[1].Signature != "" || c.Choices[0].Finish.Reason != weir.FinishToolCalls {
			t.Fatalf("%s: %+v", name, c.Choices)
		}
		history := append([]weir.Message{weir.UserText("q")}, c.Choices[0].Message, weir.ToolResultText("c1", "1"), weir.ToolResultText("c2", "2"))
		history[1].Role = weir.RoleAssistant
		out, losses := translated(t, &weir.Body{From: weir.OpenAIChat, Messages: history}, target("gemini-3-flash"))
		equalJSON(t, name, member(t, out, "contents", 1, "parts"), `[`+signedTurn+`]`)
		if losses != "" {
			t.Errorf("%s: losses %s", name, losses)
		}
	}
}

// T-05: the whole way through a client of Chat, which carries the signature in
// extra_content.google.thought_signature.
func TestSignaturesThroughChat(t *testing.T) {
	chatCodec := openaichat.New()
	asked, err := chatCodec.OpenRequest(weir.Generate, &weir.Wire{Body: []byte(`{"model":"m","messages":[{"role":"user","content":"q"}]}`)})
	if err != nil {
		t.Fatal(err)
	}
	e := chatCodec.NewEncoder(asked)
	var out []byte
	for _, ev := range decode(wholeAnswer(parts(signedTurn, `,"finishReason":"STOP"`))).events {
		out = e.Encode(out, ev)
	}
	said := member(t, string(e.Close(out, nil)), "choices", 0, "message")
	next := `{"model":"m","messages":[{"role":"user","content":"q"},` + said +
		`,{"role":"tool","tool_call_id":"c1","content":"1"},{"role":"tool","tool_call_id":"c2","content":"2"}]}`
	req, err := chatCodec.OpenRequest(weir.Generate, &weir.Wire{Body: []byte(next)})
	if err != nil {
		t.Fatal(err)
	}
	_, body := sent(t, req, target("gemini-3-flash"))
	if got := member(t, body, "contents", 1, "parts"); strings.Count(got, "U0lH") != 1 || !strings.Contains(got, `"args":{"a":1}},"thoughtSignature":"U0lH"`) {
		t.Errorf("%s became %s", said, got)
	}
}

// T-05: where a signature was lost the documented value stands in, on the first call
// of every step of the current turn and nowhere else, and the loss is told.
func TestLostSignatures(t *testing.T) {
	history := []weir.Message{
		weir.UserText("old"), calling(call("o", "f")), weir.ToolResultText("o", "0"), weir.AssistantText("done"),
		weir.UserText("new"), calling(call("a", "f"), call("b", "f")), weir.ToolResultText("a", "1"), weir.ToolResultText("b", "1"),
		calling(call("c", "f")), weir.ToolResultText("c", "2"),
	}
	out, losses := translated(t, chat(history...), target("gemini-3-flash"))
	const bypass = `"thoughtSignature":"skip_thought_signature_validator"`
	for i, want := range map[int]int{1: 0, 5: 1, 7: 1} {
		if got := strings.Count(member(t, out, "contents", i), bypass); got != want {
			t.Errorf("contents[%d] has %d: %s", i, got, out)
		}
	}
	if first := member(t, out, "contents", 5, "parts", 0, "thoughtSignature"); first == "" {
		t.Errorf("not on the first call: %s", out)
	}
	if losses != "approximated messages[8].content[0], approximated messages[5].content[0]" {
		t.Errorf("losses %q", losses)
	}
	if out, losses := translated(t, chat(history...), target("gemini-2.5-flash")); strings.Contains(out, "thoughtSignature") || losses != "" {
		t.Errorf("an older model got %s, losses %s", out, losses)
	}
}

// T-05: a client of this protocol that has lost a signature is helped too, and one
// that has not keeps its bytes.
func TestLostSignaturesOfOwnClients(t *testing.T) {
	const turn = `{"contents":[{"role":"user","parts":[{"text":"q"}]},{"role":"model","parts":[{"functionCall":{"name":"f","args":{}}SIG}]},` +
		`{"role":"user","parts":[{"functionResponse":{"name":"f","response":{"output":"1"}}}]}]}`
	const bypass = `,"thoughtSignature":"skip_thought_signature_validator"`
	for sig, want := range map[string]string{"": bypass, `,"thoughtSignature":"AA=="`: `,"thoughtSignature":"AA=="`, `,"thought_signature":"AA=="`: `,"thought_signature":"AA=="`} {
		body := strings.Replace(turn, "SIG", sig, 1)
		_, got := sent(t, open(t, weir.Generate, generatePath, body), target("gemini-3-flash"))
		equalJSON(t, sig, got, strings.Replace(turn, "SIG", want, 1))
		if want == sig && got != body {
			t.Errorf("the bytes changed: %s", got)
		}
		if _, got = sent(t, open(t, weir.Generate, generatePath, body), target("gemini-2.5-pro")); got != body {
			t.Errorf("an older model got %s", got)
		}
	}
}

// T-05: signatures on texts, in empty parts and on thoughts stay where they are when
// a client of this protocol edits something else.
func TestSignaturesKeepTheirPlace(t *testing.T) {
	const said = `[{"text":"a","thoughtSignature":"AA=="},{"text":"","thoughtSignature":"AQ=="},{"thoughtSignature":"Ag=="},{"text":"t","thought":true,"thoughtSignature":"Aw=="},` +
		`{"text":"","thought":true,"thoughtSignature":"BA=="},{"inlineData":{"mimeType":"image/png","data":"iVBORw0KGgo="},"thoughtSignature":"BQ=="},{"executableCode":{"code":"1"},"thoughtSignature":"Bg=="}]`
	body := `{"contents":[{"role":"user","parts":[{"text":"q"}]},{"role":"model","parts":` + said + `},{"role":"user","parts":[{"text":"r"}]}]}`
	_, got := sent(t, edited(t, open(t, weir.Generate, generatePath, body), func(b *weir.Body) { b.Messages[2].Blocks[0].Text = "s" }), target("gemini-3-flash"))
	equalJSON(t, "edited", got, strings.Replace(body, `"r"`, `"s"`, 1))

	// An answer that has them is written again with them, streamed and not.
	d := decode(wholeAnswer(parts(said[1:len(said)-1], `,"finishReason":"STOP"`)))
	if d.err != nil {
		t.Fatal(d.err)
	}
	whole := encoded(open(t, weir.Generate, generatePath, body), detached(d.events))
	for _, sig := range []string{"AA==", "AQ==", "Ag==", "Aw==", "BA==", "BQ==", "Bg=="} {
		if n := strings.Count(string(whole), sig); n != 1 {
			t.Errorf("%s stands %d times in %s", sig, n, whole)
		}
	}
	stream := encoded(open(t, weir.Generate, streamPath+"?alt=sse", body), detached(d.events))
	for _, sig := range []string{"AA==", "AQ==", "Ag==", "Aw==", "BA==", "BQ==", "Bg=="} {
		if n := strings.Count(string(stream), sig); n != 1 {
			t.Errorf("%s stands %d times in %s", sig, n, stream)
		}
	}
}

// T-04: state goes back to those only who made it.
func TestSignaturesOfOthers(t *testing.T) {
	thought := func(format string) weir.Message {
		return weir.Message{Role: weir.RoleAssistant, Blocks: []weir.Block{
			{Type: weir.BlockReasoning, Text: "hm", Reasoning: &weir.Reasoning{Format: format, Signature: "U0lH"}}, {Type: weir.BlockText, Text: "a"},
		}}
	}
	vertex := &codec.Target{Provider: "vertex", Model: "gemini-3-flash", Quirks: &codec.Quirks{}}
	for _, tt := range []struct {
		format string
		to     *codec.Target
		keeps  bool
	}{
		{"google-gemini-v1", target("gemini-3-flash"), true},
		{"google-gemini-v1", vertex, true}, // a client sent it, and nobody can tell where it has it from
		{"gemini.generate/vertex", vertex, true},
		{"gemini.generate/vertex", target("gemini-3-flash"), false},
		{"anthropic-claude-v1", target("gemini-3-flash"), false},
	} {
		out, losses := translated(t, chat(weir.UserText("q"), thought(tt.format), weir.UserText("r")), tt.to)
		if strings.Contains(out, "U0lH") != tt.keeps || (losses == "") != tt.keeps {
			t.Errorf("%s to %s: %s, losses %q", tt.format, tt.to.Provider, out, losses)
		}
		if member(t, out, "contents", 1, "parts", 0, "thought") != "true" {
			t.Errorf("the thinking is lost in %s", out)
		}
	}
	out, losses := translated(t, chat(weir.UserText("q"), thought("google-gemini-v1"), weir.UserText("r")), odd("gemini-3-flash", codec.Quirks{ReasoningReplay: "never"}))
	if strings.Contains(out, "hm") || losses != "dropped messages[1].content[0]" {
		t.Errorf("%s, losses %q", out, losses)
	}
	if d := decode(&codec.Answer{Body: strings.NewReader(parts(`{"text":"t","thought":true,"thoughtSignature":"AA=="}`, `,"finishReason":"STOP"`)), Target: vertex}); d.completion().Choices[0].Message.Blocks[0].Reasoning.Format != "gemini.generate/vertex" {
		t.Errorf("%+v", d.completion().Choices[0].Message.Blocks[0].Reasoning)
	}
}

// A target that takes no earlier thinking gets none from its own clients either.
func TestThinkingIsTakenOut(t *testing.T) {
	body := `{"contents":[{"role":"user","parts":[{"text":"q"}]},{"role":"model","parts":[{"text":"t","thought":true},{"text":"a"}]},{"role":"user","parts":[{"text":"r"}]}]}`
	_, got := sent(t, open(t, weir.Generate, generatePath, body), odd("gemini-3-flash", codec.Quirks{ReasoningReplay: "never"}))
	if want := strings.Replace(body, `{"text":"t","thought":true},`, "", 1); !jsonx.Equal([]byte(got), []byte(want)) {
		t.Errorf("%s", got)
	}
}
