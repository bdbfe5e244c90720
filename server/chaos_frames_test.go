package server_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/weir-gateway/weir/sim"
	"github.com/weir-gateway/weir/stage/ledger"
)

// lifecycles is how answers begin at the vendors, frame by frame, before the
// first word is said.
var lifecycles = map[string]string{
	"openai.chat": `data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"x","choices":[{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":null}],"usage":null}

`,
	"openai.responses": `event: response.created
data: {"type":"response.created","sequence_number":0,"response":{"id":"resp_1","object":"response","created_at":1,"status":"in_progress","model":"x","output":[]}}

event: response.in_progress
data: {"type":"response.in_progress","sequence_number":1,"response":{"id":"resp_1","object":"response","created_at":1,"status":"in_progress","model":"x","output":[]}}

event: response.output_item.added
data: {"type":"response.output_item.added","sequence_number":2,"output_index":0,"item":{"id":"msg_1","type":"message","status":"in_progress","role":"assistant","content":[]}}

event: response.content_part.added
data: {"type":"response.content_part.added","sequence_number":3,"item_id":"msg_1","output_index":0,"content_index":0,"part":{"type":"output_text","text":"","annotations":[]}}

`,
	"anthropic.messages": `event: message_start
data: {"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"x","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":4,"output_tokens":1}}}

event: content_block_start
data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}

event: ping
data: {"type":"ping"}

`,
}

// an upstream that says no more than that its answer begins has said
// nothing, and another one answers, once.
func TestFramesThatSayNothingCommitNothing(t *testing.T) {
	for protocol, frames := range lifecycles {
		t.Run(protocol, func(t *testing.T) {
			first := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "text/event-stream")
				_, _ = w.Write([]byte(frames))
				_ = http.NewResponseController(w).Flush()
				panic(http.ErrAbortHandler)
			}))
			t.Cleanup(first.Close)
			second, _ := upstream(t, sim.ServerOptions{Options: sim.Options{Reply: chaosReply}})
			version := "/v1"
			if strings.HasPrefix(protocol, "anthropic") {
				version = ""
			}
			f := start(t, fmt.Sprintf(`
providers:
  a: {base_url: "%s", key: k, protocol: %[2]s}
  b: {base_url: "%[3]s", key: k, protocol: %[2]s}
models: {m: [a/x, b/x]}
retry: {per_deployment: 1}
`, first.URL+version, protocol, second+version), nil)
			for _, face := range clientFaces {
				if face.name == "completions" {
					continue
				}
				c := &chaosCall{face: face.name, model: "m", stream: true}
				c.path, c.body = face.call(c.model, c.stream)
				f.entries.list = nil
				f.all([]*chaosCall{c})
				if c.err != nil || c.entry == nil || c.reply.status != http.StatusOK {
					t.Errorf("%s: %d %s %v", c, c.reply.status, c.reply.body, c.err)
					continue
				}
				if h := hear(c.face, c.stream, c.reply.body); !h.whole || h.failed != "" || h.text != chaosReply || h.starts > 1 {
					t.Errorf("%s: %+v", c, h)
				}
				c.expect(t, ledger.Answered, 2, "b/x")
			}
		})
	}
}
