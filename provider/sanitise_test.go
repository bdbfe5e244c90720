package provider

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec/anthropic"
)

const thinkingTurn = `{"model":"m","max_tokens":2048,"thinking":{"type":"enabled","budget_tokens":1024},"messages":[
{"role":"user","content":"weather?"},
{"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":"of another account"},{"type":"tool_use","id":"t1","name":"w","input":{}}]},
{"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":"sunny"}]}]}`

// strictAboutSignatures is a provider that refuses thinking of others.
func strictAboutSignatures(t *testing.T, calls *atomic.Int32) *httptest.Server {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "application/json")
		if strings.Contains(string(body), `"signature"`) {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = fmt.Fprint(w, "{\"type\":\"error\",\"error\":{\"type\":\"invalid_request_error\",\"message\":\"messages.1.content.0: Invalid `signature` in `thinking` block\"}}")
			return
		}
		if strings.Contains(string(body), "budget_tokens") {
			t.Error("manual thinking was left on in the middle of a tool loop")
		}
		_, _ = io.WriteString(w, `{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"sunny"}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":1,"output_tokens":1}}`)
	}))
	t.Cleanup(srv.Close)
	return srv
}

func TestARefusedSignatureIsTriedOnceWithoutReasoning(t *testing.T) { // T-04
	for name, tt := range map[string]struct {
		strict  bool
		allowed int
		calls   int32
		fails   bool
	}{
		"the reasoning is left out":   {allowed: 3, calls: 2},
		"no attempt is left":          {allowed: 0, calls: 1, fails: true},
		"strict requests are refused": {strict: true, allowed: 3, calls: 1, fails: true},
	} {
		t.Run(name, func(t *testing.T) {
			var calls atomic.Int32
			srv := strictAboutSignatures(t, &calls)
			tr := NewTransport(TransportOptions{})
			defer tr.CloseIdleConnections()
			h, err := New(Options{Provider: "p", Model: "m", Transport: tr, Endpoints: []Endpoint{{Codec: anthropic.New(), BaseURL: srv.URL, Auth: NoAuth()}}})
			if err != nil {
				t.Fatal(err)
			}
			req, err := anthropic.New().OpenRequest(weir.Generate, &weir.Wire{Protocol: weir.AnthropicMessages, Body: []byte(thinkingTurn)})
			if err != nil {
				t.Fatal(err)
			}
			req.Strict, req.Relay, req.Allowance = tt.strict, true, weir.NewAllowance(max(tt.allowed, 1))
			if tt.allowed == 0 {
				req.Allowance.Take()
			}
			answer, err := weir.Collect(h.Handle(t.Context(), req))
			if (err != nil) != tt.fails || calls.Load() != tt.calls {
				t.Fatalf("%d calls, %v", calls.Load(), err)
			}
			if !tt.fails && answer.Text() != "sunny" {
				t.Errorf("the answer is %q", answer.Text())
			}
		})
	}
}
