package attempt_test

import (
	"context"
	"fmt"
	"io"
	"iter"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/codec/anthropic"
	"github.com/weir-gateway/weir/codec/openaichat"
	"github.com/weir-gateway/weir/stage/attempt"
	"github.com/weir-gateway/weir/weirtest"
)

// A speaker answers with bytes of its protocol.
type speaker struct {
	codec  codec.Codec
	answer string
	cut    bool // the connection breaks behind them
	sent   string
}

func (s *speaker) Handle(_ context.Context, req *weir.Request) iter.Seq2[weir.Event, error] {
	return func(yield func(weir.Event, error) bool) {
		target := &codec.Target{Provider: "p", Model: "up", Quirks: &codec.Quirks{}, MaxOutput: 1000}
		call, err := s.codec.EncodeRequest(req, target)
		if err != nil {
			yield(weir.Event{}, err)
			return
		}
		for _, piece := range call.Body {
			s.sent += string(piece)
		}
		body := io.Reader(strings.NewReader(s.answer))
		if s.cut {
			body = io.MultiReader(body, iotest.ErrReader(io.ErrUnexpectedEOF))
		}
		for ev, err := range s.codec.Decode(&codec.Answer{Body: body, Stream: true, Op: req.Op, Relay: req.Relay, Target: target}) {
			if !yield(ev, err) {
				return
			}
		}
	}
}

func chunks(texts ...string) string {
	var b strings.Builder
	b.WriteString(`data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"up","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}` + "\n\n")
	for _, s := range texts {
		fmt.Fprintf(&b, `data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"up","choices":[{"index":0,"delta":{"content":%q},"finish_reason":null}]}`+"\n\n", s)
	}
	return b.String()
}

const (
	chatEnd = `data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"up","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}` + "\n\n" +
		`data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"up","choices":[],"usage":{"prompt_tokens":9,"completion_tokens":4,"total_tokens":13}}` + "\n\ndata: [DONE]\n\n"
	messagesEnd = "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n" +
		"event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\",\"stop_sequence\":null},\"usage\":{\"output_tokens\":4}}\n\n" +
		"event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"
)

func messages(texts ...string) string {
	var b strings.Builder
	b.WriteString("event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"m1\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"up\",\"content\":[],\"stop_reason\":null,\"stop_sequence\":null,\"usage\":{\"input_tokens\":9,\"output_tokens\":1}}}\n\n" +
		"event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n")
	for _, s := range texts {
		fmt.Fprintf(&b, "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":%q}}\n\n", s)
	}
	return b.String()
}

// What a client reads of an answer that was continued is one well-formed answer
// of its protocol, whatever the two upstreams speak, and its first part is as
// the upstream wrote it.
func TestAContinuedAnswerIsOneAnswerOnTheWire(t *testing.T) {
	type half struct {
		codec       codec.Codec
		first, next string
	}
	halves := []half{
		{openaichat.New(), chunks("Once upon ", "a time"), chunks(" there", " was") + chatEnd},
		{anthropic.New(), messages("Once upon ", "a time"), messages(" there", " was") + messagesEnd},
	}
	for _, client := range halves {
		for _, first := range halves {
			for _, second := range halves {
				name := fmt.Sprintf("%s from %s and %s", client.codec.Protocol(), first.codec.Protocol(), second.codec.Protocol())
				t.Run(name, func(t *testing.T) {
					a := &speaker{codec: first.codec, answer: first.first, cut: true}
					b := &speaker{codec: second.codec, answer: second.next}
					body := `{"model":"m","max_tokens":500,"stream":true,"messages":[{"role":"user","content":"q"}]}`
					req, err := client.codec.OpenRequest(weir.Generate, &weir.Wire{Protocol: client.codec.Protocol(), Body: []byte(body)})
					if err != nil {
						t.Fatal(err)
					}
					req.Relay = true
					req.Deployments = []weir.Deployment{{Name: "a", Handler: a}, {Name: "b", Handler: b}}
					enc := client.codec.NewEncoder(req)
					var wire []byte
					var events []weir.Event
					var frames weir.FrameCloner
					for ev, err := range continuing().Handle(t.Context(), req) {
						if err != nil {
							t.Fatal(err)
						}
						wire = enc.Encode(wire, ev)
						events = append(events, frames.Clone(ev))
					}
					wire = enc.Close(wire, nil)
					if err := weirtest.CheckEvents(events); err != nil {
						t.Error(err)
					}
					if client.codec.Protocol() == first.codec.Protocol() && !strings.HasPrefix(string(wire), first.first) {
						t.Errorf("the first part is not as it was written:\n%s", wire)
					}
					if !strings.Contains(b.sent, `"Once upon a time"`) {
						t.Errorf("the second upstream was sent %s", b.sent)
					}
					// The client reads it as it would read any other.
					done, err := weir.Collect(client.codec.Decode(&codec.Answer{
						Body: strings.NewReader(string(wire)), Stream: true, Target: &codec.Target{Quirks: &codec.Quirks{}},
					}))
					if err != nil || done.Text() != "Once upon a time there was" || done.Choices[0].Finish.Reason != weir.FinishStop {
						t.Errorf("text %q, error %v of\n%s", done.Text(), err, wire)
					}
					if u := done.Usage; client.codec.Protocol() == weir.AnthropicMessages && (u == nil || u.OutputTokens < 8) {
						t.Errorf("usage %+v", u)
					}
				})
			}
		}
	}
}

func TestTheOriginalErrorSurfacesOnTheWire(t *testing.T) {
	a := &speaker{codec: openaichat.New(), answer: chunks("half"), cut: true}
	refuses := scripts([]step{fails(status(weir.KindInvalid, 400))})
	req := weir.NewRequest("m", &weir.Body{Messages: []weir.Message{weir.UserText("q")}})
	req.Stream = true
	req.Deployments = []weir.Deployment{{Name: "a", Handler: a}, {Name: "b", Handler: refuses}}
	out := consume(t.Context(), continuing(func(o *attempt.ContinueOptions) { o.Times = 3 }), req)
	if out.err == nil || out.err.Kind != weir.KindUpstream || out.text() != "half" || refuses.calls.Load() != 1 {
		t.Errorf("text %q, error %v after %d calls", out.text(), out.err, refuses.calls.Load())
	}
}
