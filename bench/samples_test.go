package bench

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/codec/anthropic"
	"github.com/weir-gateway/weir/codec/openaichat"
)

// A dialect is a protocol and what is said in it here.
type dialect struct {
	name   string
	codec  codec.Codec
	path   string
	model  string // as in the gateway's configuration below
	answer string // a small answer that is not streamed
	head   string // the events of a stream before the content
	chunk  string // one event of content
	tail   string // the events after it
}

var chat = &dialect{
	name: "chat", codec: openaichat.New(), path: "/v1/chat/completions", model: "bench-chat",
	answer: `{"id":"chatcmpl-bench0000000000000000000000","object":"chat.completion","created":1790000000,"model":"gpt-4o-mini-2024-07-18","choices":[{"index":0,"message":{"role":"assistant","content":"A weir is a low barrier across a river that raises the water on one side and lets it flow over on the other.","refusal":null,"annotations":[]},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":19,"completion_tokens":24,"total_tokens":43,"prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}},"service_tier":"default","system_fingerprint":"fp_bench"}`,
	head:   chatEvent(`{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":null}`, ""),
	chunk:  chatEvent(`{"index":0,"delta":{"content":" water over stone"},"logprobs":null,"finish_reason":null}`, ""),
	tail: chatEvent(`{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}`, "") +
		chatEvent("", `,"usage":{"prompt_tokens":19,"completion_tokens":200,"total_tokens":219}`) + "data: [DONE]\n\n",
}

func chatEvent(choice, more string) string {
	return `data: {"id":"chatcmpl-bench0000000000000000000000","object":"chat.completion.chunk","created":1790000000,"model":"gpt-4o-mini-2024-07-18","service_tier":"default","system_fingerprint":"fp_bench","choices":[` + choice + `]` + more + "}\n\n"
}

var messages = &dialect{
	name: "messages", codec: anthropic.New(), path: "/v1/messages", model: "bench-messages",
	answer: `{"id":"msg_bench000000000000000000","type":"message","role":"assistant","model":"claude-sonnet-4-5-20250929","content":[{"type":"text","text":"A weir is a low barrier across a river that raises the water on one side and lets it flow over on the other."}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":19,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":24,"service_tier":"standard"}}`,
	head: messagesEvent("message_start", `,"message":{"id":"msg_bench000000000000000000","type":"message","role":"assistant","model":"claude-sonnet-4-5-20250929","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":19,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":1}}`) +
		messagesEvent("content_block_start", `,"index":0,"content_block":{"type":"text","text":""}`),
	chunk: messagesEvent("content_block_delta", `,"index":0,"delta":{"type":"text_delta","text":" water over stone"}`),
	tail: messagesEvent("content_block_stop", `,"index":0`) +
		messagesEvent("message_delta", `,"delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":200}`) +
		messagesEvent("message_stop", ""),
}

func messagesEvent(name, more string) string {
	return "event: " + name + "\ndata: {\"type\":\"" + name + "\"" + more + "}\n\n"
}

// A way is from a client's protocol to an upstream's.
type way struct{ client, upstream *dialect }

var ways = []way{{chat, chat}, {messages, messages}, {chat, messages}, {messages, chat}}

func (w way) String() string { return w.client.name + "-to-" + w.upstream.name }

// same tells that nothing has to be translated.
func (w way) same() bool { return w.client == w.upstream }

// body is a request with a prompt of about size bytes, of the kinds of text
// that agents send: prose, code, quotes, other scripts.
func (d *dialect) body(size int, stream bool) []byte {
	piece := "The river runs over the weir; func main() { println(\"ok\") }\n\t日本語 naïve https://example.org/a?b=c\\n "
	content := strings.Repeat(piece, size/len(piece)+1)
	request := map[string]any{
		"model": d.model, "max_tokens": 1000, "stream": stream,
		"messages": []any{map[string]any{"role": "user", "content": content}},
	}
	if d.name == chat.name && stream {
		request["stream_options"] = map[string]any{"include_usage": true}
	}
	raw, err := json.Marshal(request)
	if err != nil {
		panic(fmt.Sprintf("the sample cannot be written: %v", err))
	}
	return raw
}

// open is the request as the server would have it.
func (d *dialect) open(body []byte) (*weir.Request, error) {
	req, err := d.codec.OpenRequest(weir.Generate, &weir.Wire{Protocol: d.codec.Protocol(), Body: body})
	if err == nil {
		req.Relay = true
	}
	return req, err
}

var target = &codec.Target{Provider: "bench", Model: "upstream-model", MaxOutput: 16384, Quirks: &codec.Quirks{}}

// A stream is the body of a streamed answer with n chunks, one a read, as they
// come when a model thinks between them.
type stream struct {
	d     *dialect
	left  int
	stage int
	rest  []byte
}

func (d *dialect) stream(n int) *stream { return &stream{d: d, left: n, rest: []byte(d.head)} }

// Read implements io.Reader.
func (s *stream) Read(p []byte) (int, error) {
	if len(s.rest) == 0 {
		switch {
		case s.left > 0:
			s.left--
			if len(p) >= len(s.d.chunk) {
				return copy(p, s.d.chunk), nil
			}
			s.rest = []byte(s.d.chunk)
		case s.stage == 0:
			s.stage++
			s.rest = []byte(s.d.tail)
		default:
			return 0, io.EOF
		}
	}
	n := copy(p, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

// Close implements io.Closer.
func (s *stream) Close() error { return nil }

// whole is the body of an answer that is not streamed.
func (d *dialect) whole() io.ReadCloser { return io.NopCloser(bytes.NewReader([]byte(d.answer))) }
