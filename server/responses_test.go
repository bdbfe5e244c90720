package server_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/sim"
)

// thinking is a gateway before upstreams of all protocols, which think, call a
// tool, and remember nothing.
func thinking(t *testing.T) (*fixture, *matrixUpstream) {
	t.Helper()
	up := &matrixUpstream{}
	srv := httptest.NewServer(sim.NewServer(sim.ServerOptions{Handler: up}))
	t.Cleanup(srv.Close)
	up.begin(&feature{answer: finished(weir.FinishStop, thought(0, "hm", "c2ln"), text(1, "answer"))})
	return start(t, matrixYAML(srv.URL), nil), up
}

func (f *fixture) json(method, path, body string, want int) object {
	f.t.Helper()
	r := f.do(f.request(f.t.Context(), method, path, strings.NewReader(body)))
	var out object
	if err := json.Unmarshal([]byte(r.body), &out); err != nil || r.status != want {
		f.t.Fatalf("%s %s: %d %s", method, path, r.status, r.body)
	}
	return out
}

// P-08: what a provider does not keep is kept here, and continued by its id.
func TestResponsesAreContinuedEverywhere(t *testing.T) {
	f, up := thinking(t)
	for _, u := range matrixUpstreams {
		model := "up-" + u.name + "/m"
		first := f.json(http.MethodPost, "/v1/responses", `{"model":"`+model+`","input":"my name is 堰","instructions":"be brief"}`, http.StatusOK)
		id := first["id"].(string)
		second := f.json(http.MethodPost, "/v1/responses", `{"model":"`+model+`","input":"what is my name?","previous_response_id":"`+id+`"}`, http.StatusOK)
		asked := up.bodies()
		if got := asked[len(asked)-1]; !anyBlock(got, func(b *weir.Block) bool { return b.Text == "my name is 堰" }) ||
			!anyBlock(got, func(b *weir.Block) bool { return b.Text == "answer" }) || anyBlock(got, func(b *weir.Block) bool { return b.Text == "be brief" }) {
			t.Errorf("%s was asked %s", u.name, describe(got))
		}
		if second["previous_response_id"] != id {
			t.Errorf("%s: %v", u.name, second)
		}
		again := f.json(http.MethodGet, "/v1/responses/"+id, "", http.StatusOK)
		if again["id"] != id || again["status"] != "completed" {
			t.Errorf("%s: %v", u.name, again)
		}
		items := f.json(http.MethodGet, "/v1/responses/"+second["id"].(string)+"/input_items?order=asc", "", http.StatusOK)["data"].([]any)
		if len(items) != 1 || items[0].(object)["content"].([]any)[0].(object)["text"] != "what is my name?" {
			t.Errorf("%s: %v", u.name, items)
		}
		if gone := f.json(http.MethodDelete, "/v1/responses/"+id, "", http.StatusOK); gone["deleted"] != true {
			t.Errorf("%s: %v", u.name, gone)
		}
		lost := f.json(http.MethodPost, "/v1/responses", `{"model":"`+model+`","input":"?","previous_response_id":"`+id+`"}`, http.StatusBadRequest)
		if e := lost["error"].(object); e["code"] != "previous_response_not_found" || e["param"] != "previous_response_id" {
			t.Errorf("%s: %v", u.name, lost)
		}
	}
}

// P-08
func TestConversationsAreServed(t *testing.T) {
	f, up := thinking(t)
	made := f.json(http.MethodPost, "/v1/conversations", `{"metadata":{"topic":"a"},"items":[{"role":"user","content":"my name is 堰"}]}`, http.StatusOK)
	id := made["id"].(string)
	f.json(http.MethodPost, "/v1/responses", `{"model":"up-messages/m","input":"what is my name?","conversation":"`+id+`"}`, http.StatusOK)
	if asked := up.bodies(); !anyBlock(asked[0], func(b *weir.Block) bool { return b.Text == "my name is 堰" }) {
		t.Errorf("the upstream was asked %s", describe(asked[0]))
	}
	items := f.json(http.MethodGet, "/v1/conversations/"+id+"/items?order=asc", "", http.StatusOK)["data"].([]any)
	var types []string
	for _, it := range items {
		types = append(types, it.(object)["type"].(string))
	}
	// Of reasoning that another provider made, what people can read is listed.
	if got := strings.Join(types, " "); got != "message message reasoning message" || last(items)["role"] != "assistant" ||
		items[0].(object)["content"].([]any)[0].(object)["text"] != "my name is 堰" || items[2].(object)["summary"].([]any)[0].(object)["text"] != "hm" {
		t.Errorf("%s: %v", got, items)
	}
	if got := f.json(http.MethodGet, "/v1/conversations/"+id, "", http.StatusOK); got["metadata"].(object)["topic"] != "a" {
		t.Errorf("%v", got)
	}
	f.json(http.MethodDelete, "/v1/conversations/"+id, "", http.StatusOK)
	f.json(http.MethodGet, "/v1/conversations/"+id, "", http.StatusNotFound)
}

// P-16: an answer that is made in the background ends, can be fetched, streamed
// from any event on, and cancelled.
func TestBackgroundResponses(t *testing.T) {
	f := start(t, "", sim.New(sim.Options{}))
	made := f.json(http.MethodPost, "/v1/responses", `{"model":"sim","input":"hi","background":true}`, http.StatusOK)
	if made["status"] != "queued" && made["status"] != "in_progress" && made["status"] != "completed" {
		t.Errorf("%v", made)
	}
	path := "/v1/responses/" + made["id"].(string)
	stream := f.get(path + "?stream=true&starting_after=1")
	if stream.status != http.StatusOK || strings.Contains(stream.body, `"sequence_number":1,`) || !strings.Contains(stream.body, "event: response.completed") {
		t.Errorf("%d %s", stream.status, stream.body)
	}
	r := f.do(f.request(t.Context(), http.MethodGet, path, strings.NewReader(`{"stream":true}`)))
	if r.status != http.StatusOK || !strings.Contains(r.body, "event: response.completed") {
		t.Errorf("%d %s", r.status, r.body)
	}
	if done := f.json(http.MethodGet, path, "", http.StatusOK); done["status"] != "completed" || done["background"] != true || done["usage"] == nil {
		t.Errorf("%v", done)
	}
	late := f.json(http.MethodPost, path+"/cancel", "", http.StatusOK) // too late is no error
	if late["status"] != "completed" {
		t.Errorf("%v", late)
	}
	f.json(http.MethodPost, "/v1/responses/resp_none/cancel", "", http.StatusNotFound)
}

// C-07: what one key has made no other may see.
func TestKeptResponsesBelongToTheirKey(t *testing.T) {
	keys := "keys:\n  - {name: a, hash: sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08}\n" + // of "test"
		"  - {name: b, hash: sha256:60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752}\n" // of "test2"
	f := start(t, keys, sim.New(sim.Options{}))
	r := f.post("/v1/responses", `{"model":"sim","input":"hi"}`, "Authorization", "Bearer test")
	var made object
	if err := json.Unmarshal([]byte(r.body), &made); err != nil || r.status != http.StatusOK {
		t.Fatalf("%d %s", r.status, r.body)
	}
	path := "/v1/responses/" + made["id"].(string)
	for key, want := range map[string]int{"test": http.StatusOK, "test2": http.StatusNotFound, "": http.StatusUnauthorized} {
		if r := f.get(path, "Authorization", "Bearer "+key); r.status != want {
			t.Errorf("%q: %d %s", key, r.status, r.body)
		}
	}
}

func TestNothingIsKeptWhenNothingMayBe(t *testing.T) {
	f := start(t, "state: {responses: {keep: false}}\n", sim.New(sim.Options{}))
	made := f.json(http.MethodPost, "/v1/responses", `{"model":"sim","input":"hi"}`, http.StatusOK)
	f.json(http.MethodGet, "/v1/responses/"+made["id"].(string), "", http.StatusNotFound)
	refused := f.json(http.MethodPost, "/v1/responses", `{"model":"sim","input":"hi","background":true}`, http.StatusBadRequest)
	if !strings.Contains(refused["error"].(object)["message"].(string), "state.responses.keep") {
		t.Errorf("%v", refused)
	}
}

// P-17: the WebSocket mode continues the response before without sending it.
func TestResponsesOverAWebSocket(t *testing.T) {
	f, up := thinking(t)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	conn, res, err := websocket.Dial(ctx, f.url+"/v1/responses", nil)
	if err != nil {
		t.Fatal(err, res)
	}
	defer func() { _ = conn.CloseNow() }()
	conn.SetReadLimit(1 << 20)
	ask := func(body string) object {
		if err := conn.Write(ctx, websocket.MessageText, []byte(body)); err != nil {
			t.Fatal(err)
		}
		for {
			_, message, err := conn.Read(ctx)
			if err != nil {
				t.Fatal(err)
			}
			var ev object
			if err := json.Unmarshal(message, &ev); err != nil {
				t.Fatal(err)
			}
			switch ev["type"] {
			case "response.completed", "response.failed", "error":
				return ev
			}
		}
	}
	for _, u := range matrixUpstreams {
		up.begin(&feature{answer: finished(weir.FinishStop, text(0, "answer"))})
		model := `"model":"up-` + u.name + `/m"`
		first := ask(`{"type":"response.create",` + model + `,"store":false,"input":"my name is 堰"}`)
		if first["type"] != "response.completed" {
			t.Fatalf("%s: %v", u.name, first)
		}
		id := first["response"].(object)["id"].(string)
		ask(`{"type":"response.create",` + model + `,"store":false,"input":"what is my name?","previous_response_id":"` + id + `"}`)
		asked := up.bodies()
		if got := asked[len(asked)-1]; !anyBlock(got, func(b *weir.Block) bool { return b.Text == "my name is 堰" }) {
			t.Errorf("%s was asked %s", u.name, describe(got))
		}
	}
	if wrong := ask(`{"type":"response.create","model":"up-chat/m","input":7}`); wrong["type"] != "error" {
		t.Errorf("%v", wrong)
	}
	if odd := ask(`{"type":"no.such"}`); odd["type"] != "error" {
		t.Errorf("%v", odd)
	}
}
