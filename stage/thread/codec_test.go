package thread_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/codec/anthropic"
	"github.com/weir-gateway/weir/codec/openaichat"
	"github.com/weir-gateway/weir/codec/openairesponses"
	"github.com/weir-gateway/weir/stage/thread"
)

// A provider answers with bytes of its protocol, one after the other, and keeps
// what it was sent.
type provider struct {
	codec   codec.Codec
	answers []string
	got     []map[string]any
	losses  []weir.Loss
}

func (p *provider) Handle(_ context.Context, req *weir.Request) iter.Seq2[weir.Event, error] {
	return func(yield func(weir.Event, error) bool) {
		target := &codec.Target{Provider: "p", Model: "up", Quirks: &codec.Quirks{}}
		call, err := p.codec.EncodeRequest(req, target)
		if err != nil {
			yield(weir.Event{}, err)
			return
		}
		var sent map[string]any
		if err := json.Unmarshal(bytes.Join(call.Body, nil), &sent); err != nil {
			yield(weir.Event{}, err)
			return
		}
		answer := p.answers[len(p.got)%len(p.answers)]
		p.got, p.losses = append(p.got, sent), append(p.losses, call.Losses...)
		for ev, err := range p.codec.Decode(&codec.Answer{
			Body: strings.NewReader(answer), Stream: req.Stream, Op: req.Op, Relay: req.Relay,
			Target: target, Names: call.Names, Custom: call.Custom,
		}) {
			if !yield(ev, err) {
				return
			}
		}
	}
}

var responses = openairesponses.New()

// post is the answer to a create request, as the client reads it.
func post(t *testing.T, h weir.Handler, body string) string {
	t.Helper()
	req, err := responses.OpenRequest(weir.Generate, &weir.Wire{Protocol: weir.OpenAIResponses, Body: []byte(body)})
	if err != nil {
		t.Fatal(err)
	}
	req.Relay, req.ID = true, "req_1"
	enc := responses.NewEncoder(req)
	var out []byte
	for ev, err := range h.Handle(t.Context(), req) {
		if err != nil {
			t.Fatalf("%s: %v", body, err)
		}
		out = enc.Encode(out, ev)
	}
	return string(enc.Close(out, nil))
}

// A response is what a client of the API takes from an answer.
type response struct {
	ID       string
	Status   string
	Previous string `json:"previous_response_id"`
	Store    *bool
	Output   []json.RawMessage
}

func parse(t *testing.T, answer string) response {
	t.Helper()
	if i := strings.LastIndex(answer, `"response":`); strings.HasPrefix(answer, "event:") && i >= 0 {
		answer = strings.TrimSpace(answer[i+len(`"response":`):])
		answer = strings.TrimSuffix(answer, "}")
	}
	var r response
	if err := json.Unmarshal([]byte(answer), &r); err != nil {
		t.Fatalf("%s: %v", answer, err)
	}
	return r
}

const chatAnswer = `{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"up","choices":[{"index":0,"finish_reason":"tool_calls","message":{"role":"assistant","reasoning_content":"hm","content":"let me look","tool_calls":[{"id":"call_1","type":"function","function":{"name":"look","arguments":"{\"a\":1}"}},{"id":"call_2","type":"function","function":{"name":"look","arguments":"{}"}}]}}],"usage":{"prompt_tokens":5,"completion_tokens":3,"total_tokens":8}}`

const messagesAnswer = `{"id":"msg_1","type":"message","role":"assistant","model":"up","content":[{"type":"thinking","thinking":"hm","signature":"c2lnbmVk"},{"type":"text","text":"let me look"},{"type":"tool_use","id":"call_1","name":"look","input":{"a":1}},{"type":"tool_use","id":"call_2","name":"look","input":{}}],"stop_reason":"tool_use","stop_sequence":null,"usage":{"input_tokens":5,"output_tokens":3}}`

const responsesAnswer = `{"id":"resp_up%d","object":"response","created_at":1,"status":"completed","model":"up","previous_response_id":null,"store":false,"output":[{"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"opaque"},{"type":"message","id":"msg_1","role":"assistant","status":"completed","phase":"commentary","content":[{"type":"output_text","text":"let me look","annotations":[]}]},{"type":"function_call","id":"fc_1","call_id":"call_1","name":"look","arguments":"{\"a\":1}","status":"completed"},{"type":"function_call","id":"fc_2","call_id":"call_2","name":"look","arguments":"{}","status":"completed"}],"usage":{"input_tokens":5,"output_tokens":3,"total_tokens":8}}`

const (
	asked   = `{"role":"user","content":"look at both"}`
	results = `{"type":"function_call_output","call_id":"call_1","output":"one"},{"type":"function_call_output","call_id":"call_2","output":"two"}`
	around  = `"model":"m","tools":[{"type":"function","name":"look","parameters":{"type":"object"},"strict":false}],"max_output_tokens":1000`
)

// TestContinuingIsSendingTheWholeConversationOnTheWire: an upstream gets the same
// bytes' worth whether the client refers to what was said or says it again.
func TestContinuingIsSendingTheWholeConversationOnTheWire(t *testing.T) {
	for name, p := range map[string]*provider{
		"chat":      {codec: openaichat.New(), answers: []string{chatAnswer}},
		"messages":  {codec: anthropic.New(), answers: []string{messagesAnswer}},
		"responses": {codec: responses, answers: []string{fmt.Sprintf(responsesAnswer, 1), fmt.Sprintf(responsesAnswer, 2), fmt.Sprintf(responsesAnswer, 3)}},
	} {
		t.Run(name, func(t *testing.T) {
			k := newKeeper()
			native := p.codec == responses
			h := thread.New(thread.Options{Keeper: k, Deployment: "p/m", Provider: "p", Native: native, Keep: true})(p)
			whole := thread.New(thread.Options{Keeper: k, Deployment: "p/m", Provider: "p", Native: native})(p)
			one := parse(t, post(t, h, `{`+around+`,"instructions":"be brief","input":"look at both"}`))
			if one.Status != "completed" || len(one.Output) < 3 {
				t.Fatalf("answer %+v", one)
			}
			if rec, err := k.Response(t.Context(), "", one.ID); err != nil || rec.Status != thread.Completed {
				t.Fatalf("the id that the client knows is %s: %v", one.ID, err)
			}
			two := parse(t, post(t, h, `{`+around+`,"instructions":"be kind","previous_response_id":"`+one.ID+`","input":[`+results+`]}`))
			if two.Previous != one.ID || two.Store == nil || !*two.Store {
				t.Errorf("the client is told that its request was previous %q, store %v", two.Previous, two.Store)
			}
			items := []string{asked}
			for _, raw := range one.Output {
				items = append(items, string(raw))
			}
			items = append(items, results)
			post(t, whole, `{`+around+`,"instructions":"be kind","store":false,"input":[`+strings.Join(items, ",")+`]}`)
			continued, said := p.got[1], p.got[2]
			if !reflect.DeepEqual(words(continued), words(said)) {
				a, _ := json.Marshal(words(continued))
				b, _ := json.Marshal(words(said))
				t.Errorf("continued:\n%s\nsaid again:\n%s", a, b)
			}
			for _, l := range p.losses {
				if l.Field == "previous_response_id" || l.Field == "store" {
					t.Errorf("what the gateway does itself is called a loss: %+v", l)
				}
			}
		})
	}
}

// words is what a request says: texts that came as one string or as a list of one
// part are the same, and an empty list or that an item is complete says nothing.
func words(sent map[string]any) map[string]any {
	var flat func(v any) any
	flat = func(v any) any {
		switch v := v.(type) {
		case map[string]any:
			out := map[string]any{}
			for key, member := range v {
				if key == "content" {
					if text, ok := member.(string); ok {
						member = []any{map[string]any{"type": "text", "text": text}}
					}
				}
				if key == "type" && (member == "input_text" || member == "output_text" || member == "message") {
					continue
				}
				if list, ok := member.([]any); ok && len(list) == 0 || key == "type" && member == "text" || key == "status" {
					continue
				}
				out[key] = flat(member)
			}
			return out
		case []any:
			out := make([]any, len(v))
			for i := range v {
				out[i] = flat(v[i])
			}
			return out
		}
		return v
	}
	return flat(sent).(map[string]any)
}

const nativeStream = "event: response.created\ndata: {\"type\":\"response.created\",\"sequence_number\":0,\"response\":{\"id\":\"resp_s1\",\"object\":\"response\",\"status\":\"in_progress\",\"model\":\"up\",\"output\":[],\"previous_response_id\":null}}\n\n" +
	"event: response.in_progress\ndata: {\"type\":\"response.in_progress\",\"sequence_number\":1,\"response\":{\"id\":\"resp_s1\",\"object\":\"response\",\"status\":\"in_progress\",\"model\":\"up\",\"output\":[],\"previous_response_id\":null}}\n\n" +
	"event: response.output_item.added\ndata: {\"type\":\"response.output_item.added\",\"sequence_number\":2,\"output_index\":0,\"item\":{\"id\":\"msg_1\",\"type\":\"message\",\"status\":\"in_progress\",\"role\":\"assistant\",\"content\":[]}}\n\n" +
	"event: response.content_part.added\ndata: {\"type\":\"response.content_part.added\",\"sequence_number\":3,\"item_id\":\"msg_1\",\"output_index\":0,\"content_index\":0,\"part\":{\"type\":\"output_text\",\"text\":\"\",\"annotations\":[]}}\n\n" +
	"event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"sequence_number\":4,\"item_id\":\"msg_1\",\"output_index\":0,\"content_index\":0,\"delta\":\"hello\"}\n\n" +
	"event: response.output_text.done\ndata: {\"type\":\"response.output_text.done\",\"sequence_number\":5,\"item_id\":\"msg_1\",\"output_index\":0,\"content_index\":0,\"text\":\"hello\"}\n\n" +
	"event: response.content_part.done\ndata: {\"type\":\"response.content_part.done\",\"sequence_number\":6,\"item_id\":\"msg_1\",\"output_index\":0,\"content_index\":0,\"part\":{\"type\":\"output_text\",\"text\":\"hello\",\"annotations\":[]}}\n\n" +
	"event: response.output_item.done\ndata: {\"type\":\"response.output_item.done\",\"sequence_number\":7,\"output_index\":0,\"item\":{\"id\":\"msg_1\",\"type\":\"message\",\"status\":\"completed\",\"role\":\"assistant\",\"content\":[{\"type\":\"output_text\",\"text\":\"hello\",\"annotations\":[]}]}}\n\n" +
	"event: response.completed\ndata: {\"type\":\"response.completed\",\"sequence_number\":8,\"response\":{\"id\":\"resp_s1\",\"object\":\"response\",\"status\":\"completed\",\"model\":\"up\",\"output\":[{\"id\":\"msg_1\",\"type\":\"message\",\"status\":\"completed\",\"role\":\"assistant\",\"content\":[{\"type\":\"output_text\",\"text\":\"hello\",\"annotations\":[]}]}],\"previous_response_id\":null,\"usage\":{\"input_tokens\":1,\"output_tokens\":1,\"total_tokens\":2}}}\n\n" +
	"data: [DONE]\n\n"

func TestNativeStreamIsSentOnByteForByte(t *testing.T) {
	k := newKeeper()
	p := &provider{codec: responses, answers: []string{nativeStream}}
	h := thread.New(thread.Options{Keeper: k, Deployment: "p/m", Native: true, NativeStore: true, Keep: true})(p)
	if got := post(t, h, `{"model":"m","stream":true,"input":"hi"}`); got != nativeStream {
		t.Errorf("the client reads\n%s", got)
	}
	rec, err := k.Response(t.Context(), "", "resp_s1")
	if err != nil || rec.Output[0].Text() != "hello" || rec.Usage.Total() != 2 || !rec.Native {
		t.Errorf("record %+v, %v", rec, err)
	}
	foreign := mustAnswer(t, stand(k, &model{}), says("before")).Start.ID
	got := post(t, h, `{"model":"m","stream":true,"input":"hi","previous_response_id":"`+foreign+`"}`)
	if !strings.Contains(got, `"previous_response_id":"`+foreign+`"`) || strings.Contains(got, `"previous_response_id":null`) {
		t.Errorf("of the client's own request it reads\n%s", got)
	}
	if r := parse(t, got); r.ID != "resp_s1" || r.Status != "completed" || len(r.Output) != 1 {
		t.Errorf("response %+v", r)
	}
}

func TestBackgroundOnTheWire(t *testing.T) {
	background(t, thread.RunnerOptions{}, func(t *testing.T, r *thread.Runner, k *thread.Keeper) {
		for name, p := range map[string]*provider{
			"chat":      {codec: openaichat.New(), answers: []string{"data: " + strings.NewReplacer(`"chat.completion"`, `"chat.completion.chunk"`, `"message":`, `"delta":`, `"type":"function","function"`, `"index":0,"type":"function","function"`).Replace(chatAnswer) + "\n\ndata: [DONE]\n\n"}},
			"responses": {codec: responses, answers: []string{nativeStream}},
		} {
			h := thread.New(thread.Options{Keeper: k, Deployment: "p/m", Native: p.codec == responses, Keep: true})(p)
			req, err := responses.OpenRequest(weir.Generate, &weir.Wire{Protocol: weir.OpenAIResponses, Body: []byte(`{"model":"m","background":true,"stream":true,"input":"hi"}`)})
			if err != nil {
				t.Fatal(err)
			}
			rec := mustStart(t, r, thread.Job{Handler: h, Request: req, Encoder: responses.NewEncoder(req)})
			time.Sleep(time.Minute)
			s, err := stream(t, r.Events(t.Context(), "", rec.ID, -1))
			if err != nil || !strings.HasPrefix(s, "event: response.created") || strings.Contains(s, "resp_s1") || !strings.Contains(s, rec.ID) {
				t.Errorf("%s: the stream is %s, %v", name, s, err)
			}
			if got := parse(t, body(t, r, rec.ID)); got.ID != rec.ID || got.Status != "completed" || len(got.Output) == 0 {
				t.Errorf("%s: response %+v", name, got)
			}
			if p.got[0]["background"] != nil {
				t.Errorf("%s: the upstream is asked for background too", name)
			}
		}
	})
}
