package anthropic

import (
	"strings"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
)

// signedBy decodes a signed thought that provider answered, streamed or not.
func signedBy(t *testing.T, provider string, stream bool) []weir.Event {
	t.Helper()
	body := `{"type":"message","role":"assistant","model":"m","content":[{"type":"thinking","thinking":"hm","signature":"S"},{"type":"redacted_thinking","data":"E"}],"stop_reason":"end_turn","usage":{}}`
	if stream {
		block := strings.Replace(frameText, `{"type":"text","text":""}`, `{"type":"thinking","thinking":"hm","signature":"S"}`, 1)
		hidden := strings.NewReplacer(`"index":0`, `"index":1`, `{"type":"text","text":""}`, `{"type":"redacted_thinking","data":"E"}`)
		body = frameStart + block + frameEnd + hidden.Replace(frameText+frameEnd) + frameDelta + frameStop
	}
	d := decode(t, &codec.Answer{Body: strings.NewReader(body), Stream: stream,
		Target: &codec.Target{Provider: provider, Model: "m", Quirks: &codec.Quirks{}}})
	if d.err != nil {
		t.Fatal(d.err)
	}
	return byValue(d.events)
}

func TestASignatureGoesBackToItsMakerOnly(t *testing.T) { // T-04
	tests := []struct {
		from, to string
		sent     bool
	}{
		{"anthropic", "anthropic", true},
		{"deepseek", "deepseek", true},
		{"deepseek", "anthropic", false},
		{"deepseek", "moonshot", false},
		{"anthropic", "deepseek", true}, // as of a client of the protocol: nobody but the target can tell
		{"", "anthropic", true},
	}
	for _, tt := range tests {
		for _, stream := range []bool{true, false} {
			answer := collect(signedBy(t, tt.from, stream)).Choices[0].Message
			answer.Blocks = append(answer.Blocks, weir.Block{Type: weir.BlockText, Text: "hi"})
			req := foreign(&weir.Body{MaxTokens: new(int64(5)), Messages: []weir.Message{weir.UserText("a"), answer, weir.UserText("b")}})
			call, err := New().EncodeRequest(req, &codec.Target{Provider: tt.to, Model: "m", Quirks: &codec.Quirks{}})
			if err != nil {
				t.Fatal(err)
			}
			got := string(call.Body[len(call.Body)-1])
			for _, part := range call.Body[:len(call.Body)-1] {
				got = string(part) + got
			}
			if strings.Contains(got, `"signature":"S"`) != tt.sent || strings.Contains(got, `"data":"E"`) != tt.sent || (len(call.Losses) == 0) != tt.sent {
				t.Errorf("from %q to %q: %s, losses %v", tt.from, tt.to, got, call.Losses)
			}
		}
	}
}

func TestAClientOfTheProtocolGetsEverySignature(t *testing.T) { // T-03
	for _, provider := range []string{"anthropic", "deepseek"} {
		for _, stream := range []bool{true, false} {
			e := New().NewEncoder(&weir.Request{Stream: stream})
			var out []byte
			for _, ev := range signedBy(t, provider, stream) {
				out = e.Encode(out, ev)
			}
			out = e.Close(out, nil)
			if !strings.Contains(string(out), `"signature":"S"`) || !strings.Contains(string(out), `"data":"E"`) || len(e.Losses()) > 0 {
				t.Errorf("%s, stream %v: %s", provider, stream, out)
			}
		}
	}
}
