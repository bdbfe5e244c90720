package openaichat

import (
	"net/http"
	"strings"
	"testing"

	"github.com/weir-gateway/weir/codec"
)

// An upstream that answers in the other form than it was asked for loses nothing,
// even where nobody needs content.
func TestTheOtherFormThanAskedFor(t *testing.T) {
	const streamed = "data: {\"id\":\"x\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"hel\"}}]}\n\n" +
		"data: {\"id\":\"x\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"lo\"}}]}\n\n" +
		"data: {\"id\":\"x\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n"
	const whole = `{"id":"x","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"hello"},"finish_reason":"stop"}]}`
	for _, c := range []struct {
		wire, typ, want string
		stream          bool
	}{{streamed, "text/event-stream", `"content":"hello"`, false}, {whole, "application/json", `"content":"hello"`, true}} {
		req := open(t, `{"model":"m","messages":[{"role":"user","content":"q"}]}`)
		req.Stream = c.stream
		enc := New().NewEncoder(req)
		var out []byte
		for ev, err := range New().Decode(&codec.Answer{Header: http.Header{"Content-Type": {c.typ}}, Body: strings.NewReader(c.wire),
			Stream: c.stream, Relay: true, Target: &codec.Target{Provider: "p", Model: "m", Quirks: &codec.Quirks{}}}) {
			if err != nil {
				t.Fatal(err)
			}
			out = enc.Encode(out, ev)
		}
		if out = enc.Close(out, nil); !strings.Contains(string(out), c.want) {
			t.Errorf("stream=%v: %s", c.stream, out)
		}
	}
}
