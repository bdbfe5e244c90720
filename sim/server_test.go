package sim_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/codec/all"
	"github.com/weir-gateway/weir/internal/jsonx"
	"github.com/weir-gateway/weir/sim"
)

// A dialect is how the tests speak one protocol.
type dialect struct {
	protocol weir.Protocol
	path     string
	body     string // %MODEL% and %STREAM% are replaced
}

var dialects = map[string]dialect{
	"chat": {weir.OpenAIChat, "/v1/chat/completions",
		`{"model":"%MODEL%","stream":%STREAM%,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"hi"}]}`},
	"messages": {weir.AnthropicMessages, "/v1/messages",
		`{"model":"%MODEL%","stream":%STREAM%,"max_tokens":1000,"messages":[{"role":"user","content":"hi"}]}`},
}

func (d dialect) request(model string, stream bool) string {
	s := strings.ReplaceAll(d.body, "%MODEL%", model)
	if !stream {
		s = strings.ReplaceAll(s, `"stream_options":{"include_usage":true},`, "")
		return strings.ReplaceAll(s, "%STREAM%", "false")
	}
	return strings.ReplaceAll(s, "%STREAM%", "true")
}

// start runs a Server on a socket of its own.
func start(t *testing.T, o sim.ServerOptions) (*sim.Server, *httptest.Server) {
	t.Helper()
	s := sim.NewServer(o)
	h := httptest.NewServer(s)
	t.Cleanup(func() {
		h.Client().CloseIdleConnections()
		h.CloseClientConnections()
		h.Close()
	})
	return s, h
}

func post(t *testing.T, h *httptest.Server, path, body string, headers ...string) (*http.Response, []byte, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := h.Client().Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	out, err := io.ReadAll(resp.Body)
	return resp, out, err
}

// read decodes an answer as a client would.
func (d dialect) read(resp *http.Response, body []byte, stream bool) (*weir.Completion, error) {
	a := &codec.Answer{Header: resp.Header, Body: bytes.NewReader(body), Stream: stream,
		Target: &codec.Target{Provider: "sim", Model: "sim", Quirks: &codec.Quirks{}}}
	return weir.Collect(all.For(d.protocol).Decode(a))
}

func TestServerSpeaksEveryProtocol(t *testing.T) {
	_, h := start(t, sim.ServerOptions{})
	for name, d := range dialects {
		for _, stream := range []bool{true, false} {
			for _, prefix := range []string{"", "/any/prefix"} {
				t.Run(name+prefix, func(t *testing.T) {
					resp, body, err := post(t, h, prefix+d.path, d.request("m", stream))
					if err != nil || resp.StatusCode != http.StatusOK {
						t.Fatalf("%v %v %s", resp, err, body)
					}
					c, err := d.read(resp, body, stream)
					if err != nil {
						t.Fatalf("%v in %s", err, body)
					}
					if !strings.Contains(c.Text(), "“hi”") || c.Choices[0].Finish.Reason != weir.FinishStop ||
						!c.Usage.Has(weir.UsageInput|weir.UsageOutput) || c.Start.Model != "m" {
						t.Errorf("%+v of %s", c, body)
					}
				})
			}
		}
	}
}

func TestServerCountsTokens(t *testing.T) {
	_, h := start(t, sim.ServerOptions{})
	resp, body, err := post(t, h, "/v1/messages/count_tokens", `{"model":"m","messages":[{"role":"user","content":"one two"}]}`)
	n, ok := jsonx.Int64(jsonx.Get(body, "input_tokens"))
	if err != nil || resp.StatusCode != http.StatusOK || !ok || n != 5 {
		t.Errorf("%v %s", err, body)
	}
}

func TestServerListsModels(t *testing.T) {
	_, h := start(t, sim.ServerOptions{Models: []string{"a", "b"}})
	for header, want := range map[string]string{"": `{"object":"list"}`, "2023-06-01": `{"has_more":false,"first_id":"a","last_id":"b"}`} {
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, h.URL+"/v1/models", nil)
		if header != "" {
			req.Header.Set("Anthropic-Version", header)
		}
		resp, err := h.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		n := 0
		_ = jsonx.EachElement(jsonx.Get(body, "data"), func(int, []byte) error { n++; return nil })
		if n != 2 {
			t.Errorf("%d models in %s", n, body)
		}
		_ = jsonx.EachMember([]byte(want), func(key, value []byte) error {
			if !jsonx.Equal(jsonx.Get(body, string(key)), value) {
				t.Errorf("%s is not %s in %s", key, value, body)
			}
			return nil
		})
	}
}

func TestServerAsksForAKey(t *testing.T) {
	s, h := start(t, sim.ServerOptions{Keys: []string{"good"}})
	for name, d := range dialects {
		for _, c := range []struct {
			header, value string
			want          int
		}{{"X", "y", 401}, {"Authorization", "Bearer bad", 401}, {"Authorization", "Bearer good", 200}, {"X-Api-Key", "good", 200}, {"Api-Key", "good", 200}} {
			resp, body, err := post(t, h, d.path, d.request("m", false), c.header, c.value)
			if err != nil || resp.StatusCode != c.want {
				t.Errorf("%s, %s %s: %v %s", name, c.header, c.value, err, body)
			}
			if c.want == 401 && jsonx.Get(body, "error") == nil {
				t.Errorf("%s: %s", name, body)
			}
		}
	}
	for _, seen := range s.Stats().Last {
		if text, _ := json.Marshal(seen); bytes.Contains(text, []byte("good")) {
			t.Errorf("a credential is remembered: %s", text)
		}
	}
}

func TestServerAnswersBadCallsInTheProtocol(t *testing.T) {
	_, h := start(t, sim.ServerOptions{MaxBodyBytes: 1000})
	for name, d := range dialects {
		for body, want := range map[string]int{"": 400, "[]": 400, `{"model":`: 400, `{"x":"` + strings.Repeat("x", 2000) + `"}`: 413} {
			resp, out, err := post(t, h, d.path, body)
			if err != nil || resp.StatusCode != want || jsonx.Get(out, "error") == nil {
				t.Errorf("%s %.20q: %v %d %s", name, body, err, resp.StatusCode, out)
			}
		}
	}
	for _, path := range []string{"/", "/v1/nothing"} {
		if resp, _, err := post(t, h, path, "{}"); err != nil || resp.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %v", path, err)
		}
	}
	resp, err := h.Client().Get(h.URL + "/v1/messages")
	if err != nil || resp.StatusCode != http.StatusMethodNotAllowed || resp.Header.Get("Allow") != "POST" {
		t.Errorf("%v %v", resp, err)
	}
	_ = resp.Body.Close()
}

func TestServerCountsWhatItSaw(t *testing.T) {
	s, h := start(t, sim.ServerOptions{Keep: 2})
	d := dialects["chat"]
	for _, model := range []string{"a", "b", "sim@500"} {
		if _, _, err := post(t, h, d.path+"?key=secret", d.request(model, false)); err != nil {
			t.Fatal(err)
		}
	}
	resp, err := h.Client().Get(h.URL + "/_sim/stats")
	if err != nil {
		t.Fatal(err)
	}
	var st sim.Stats
	err = json.NewDecoder(resp.Body).Decode(&st)
	_ = resp.Body.Close()
	if err != nil || st.Requests != 3 || st.Models["b"] != 1 || st.Paths[d.path] != 3 || st.Faults["500"] != 1 || st.InFlight != 0 {
		t.Errorf("%+v, %v", st, err)
	}
	if len(st.Last) != 2 || st.Last[1].Model != "sim@500" || !bytes.Contains(st.Last[0].Body, []byte(`"b"`)) || strings.Contains(st.Last[0].Query, "secret") {
		t.Errorf("last %+v", st.Last)
	}
	if s.Stats().Requests != 3 {
		t.Error("the control endpoint and Stats disagree")
	}
}

func TestServerCountsClientsThatLeave(t *testing.T) {
	s, h := start(t, sim.ServerOptions{})
	ctx, cancel := context.WithCancel(t.Context())
	d := dialects["messages"]
	req, _ := http.NewRequestWithContext(ctx, http.MethodPost, h.URL+d.path, strings.NewReader(d.request("sim@stall=after:2", true)))
	resp, err := h.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(resp.Body, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	cancel()
	_ = resp.Body.Close()
	await(t, func() bool { st := s.Stats(); return st.Canceled == 1 && st.InFlight == 0 })
}
