package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"iter"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/sim"
)

// Every face answers out of the box, whole and streamed.
func TestEveryFaceAnswers(t *testing.T) { // P-04 P-14
	f := start(t, "", sim.New(sim.Options{}))
	for path, body := range map[string]string{
		"/v1/responses":                                    `{"model":"sim","input":"hi"}`,
		"/openai/v1/responses":                             `{"model":"sim","input":"hi","stream":true}`,
		"/v1/responses/input_tokens":                       `{"model":"sim","input":"hi"}`,
		"/v1/completions":                                  `{"model":"sim","prompt":"hi"}`,
		"/v1/embeddings":                                   `{"model":"sim","input":["a","b"]}`,
		"/v1beta/models/sim:generateContent":               `{"contents":[{"parts":[{"text":"hi"}]}]}`,
		"/gemini/v1beta/models/sim:countTokens":            `{"contents":[{"parts":[{"text":"hi"}]}]}`,
		"/v1beta/models/sim:streamGenerateContent?alt=sse": `{"contents":[{"parts":[{"text":"hi"}]}]}`,
		"/v1beta/models/sim:streamGenerateContent":         `{"contents":[{"parts":[{"text":"hi"}]}]}`,
		"/v1beta/sim/weir-sim:generateContent":             `{"contents":[{"parts":[{"text":"hi"}]}]}`,
		"/v1beta/models/sim:embedContent":                  `{"content":{"parts":[{"text":"hi"}]}}`,
		"/v1beta1/projects/p/locations/global/publishers/google/models/sim:generateContent": `{"contents":[{"parts":[{"text":"hi"}]}]}`,
		"/api/chat":        `{"model":"sim","messages":[{"role":"user","content":"hi"}]}`,
		"/api/generate":    `{"model":"sim","prompt":"hi","stream":false}`,
		"/ollama/api/chat": `{"model":"sim","messages":[{"role":"user","content":"hi"}],"stream":false}`,
		"/api/embed":       `{"model":"sim","input":"hi"}`,
		"/api/show":        `{"model":"sim"}`,
	} {
		if r := f.post(path, body); r.status != http.StatusOK || r.body == "" {
			t.Errorf("%s: %d %s", path, r.status, r.body)
		}
	}
	for _, path := range []string{"/api/tags", "/api/version", "/api/ps", "/v1beta/models", "/v1beta/models/sim", "/v1/capabilities"} {
		if r := f.get(path); r.status != http.StatusOK || !json.Valid([]byte(r.body)) {
			t.Errorf("%s: %d %s", path, r.status, r.body)
		}
	}
}

// Google's clients ask at /v1 too, with a header of their own.
func TestModelsAreListedForWhoAsks(t *testing.T) {
	f := start(t, "", sim.New(sim.Options{}))
	for _, path := range []string{"/v1/models", "/v1beta/models"} {
		if r := f.get(path, "X-Goog-Api-Key", "any"); !strings.Contains(r.body, `"models":[{"name":"models/sim/weir-sim"`) {
			t.Errorf("%s: %d %s", path, r.status, r.body)
		}
	}
	if r := f.get("/v1/models/sim", "X-Goog-Api-Key", "any"); !strings.Contains(r.body, `"supportedGenerationMethods":["generateContent"`) {
		t.Errorf("%d %s", r.status, r.body)
	}
}

func TestOllamaClientsFindTheirServer(t *testing.T) {
	f := start(t, "", sim.New(sim.Options{}))
	if r := f.get("/ollama/"); r.status != http.StatusOK || r.body != "Ollama is running" {
		t.Errorf("%d %s", r.status, r.body)
	}
	if r := f.get("/nowhere"); r.status != http.StatusNotFound || !strings.Contains(r.body, "GET / says") {
		t.Errorf("%d %s", r.status, r.body)
	}
	if r := f.get("/"); !strings.Contains(r.body, "Ollama clients") {
		t.Errorf("%d %s", r.status, r.body)
	}
}

// nobody manages models through the gateway.
func TestModelsAreNotManaged(t *testing.T) {
	called := false
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called = true }))
	t.Cleanup(srv.Close)
	f := start(t, "providers:\n  ollama: {base_url: "+srv.URL+"}\n", nil)
	for _, path := range []string{"/api/pull", "/api/push", "/api/create", "/api/copy", "/api/delete", "/ollama/api/pull", "/api/blobs/sha256:00"} {
		for _, method := range []string{http.MethodPost, http.MethodDelete, http.MethodHead, http.MethodPut} {
			r := f.do(f.request(t.Context(), method, path, strings.NewReader(`{"model":"x"}`)))
			if r.status != http.StatusNotImplemented {
				t.Errorf("%s %s: %d %s", method, path, r.status, r.body)
			}
		}
	}
	if called {
		t.Error("the server behind was asked")
	}
}

// mediaHandler answers with an image and a sound.
type mediaHandler struct{}

func (mediaHandler) Handle(context.Context, *weir.Request) iter.Seq2[weir.Event, error] {
	return func(yield func(weir.Event, error) bool) {
		blocks := slices.Concat(text(0, "look"),
			[]weir.Event{
				{Type: weir.EventBlockStart, Index: 1, Block: &weir.Block{Type: weir.BlockImage, Media: &weir.Media{MIME: "image/png", Data: pixel}}},
				{Type: weir.EventBlockEnd, Index: 1},
				{Type: weir.EventBlockStart, Index: 2, Block: &weir.Block{Type: weir.BlockAudio, Media: &weir.Media{MIME: "audio/wav", ID: "audio_1"}}},
				{Type: weir.EventDelta, Index: 2, Part: weir.PartAudio, Text: "UklG"},
				{Type: weir.EventDelta, Index: 2, Part: weir.PartAudio, Text: "Rg=="},
				{Type: weir.EventBlockEnd, Index: 2},
			})
		for _, ev := range finished(weir.FinishStop, blocks) {
			if !yield(ev, nil) {
				return
			}
		}
	}
}

// A client that accepts multipart/mixed gets images and sounds as parts.
func TestMultipartAnswers(t *testing.T) {
	f := start(t, "", mediaHandler{})
	for _, face := range faces {
		r := f.post(face.path, face.body("sim", false), "Accept", "multipart/mixed, application/json")
		kind, params, err := mime.ParseMediaType(r.header.Get("Content-Type"))
		if err != nil || kind != "multipart/mixed" || r.status != http.StatusOK {
			t.Fatalf("%s: %d %s %v: %s", face.name, r.status, r.header.Get("Content-Type"), err, r.body)
		}
		reader := multipart.NewReader(strings.NewReader(r.body), params["boundary"])
		var types, bodies []string
		for {
			p, err := reader.NextPart()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			b, err := io.ReadAll(p)
			if err != nil {
				t.Fatal(err)
			}
			types, bodies = append(types, p.Header.Get("Content-Type")), append(bodies, string(b))
		}
		if !slices.Equal(types, []string{"application/json", "image/png", "audio/wav"}) {
			t.Fatalf("%s: parts %v", face.name, types)
		}
		if !json.Valid([]byte(bodies[0])) || strings.Contains(bodies[0], pixel) || !strings.HasPrefix(bodies[1], "\x89PNG") || bodies[2] != "RIFF" {
			t.Errorf("%s: %q", face.name, bodies)
		}
		if whole := f.post(face.path, face.body("sim", false)); !strings.HasPrefix(whole.header.Get("Content-Type"), "application/json") {
			t.Errorf("%s: nobody asked for parts: %s", face.name, whole.header.Get("Content-Type"))
		}
	}
}

// relayed is an upstream for what Weir has no canonical form of.
func relayed(t *testing.T) string {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		switch r.URL.Path {
		case "/v1/audio/speech":
			w.Header().Set("Content-Type", "audio/mpeg")
			_, _ = w.Write([]byte("\xff\xfbsound"))
		case "/v1/files/f-1":
			w.WriteHeader(http.StatusNoContent)
		case "/v1/files":
			w.WriteHeader(http.StatusCreated)
			_, _ = w.Write(body)
		case "/v1/images/generations":
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte(`{"created":1,"data":[{"b64_json":"` + pixel + `"}],"usage":{"input_tokens":5,"output_tokens":7,"total_tokens":12}}`))
		default:
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte(`{"path":"` + r.Method + " " + r.URL.RequestURI() + `","body":` + string(body) + `}`))
		}
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}

// What Weir does not model goes through the same chain, bytes and status kept.
func TestOtherEndpointsAreRelayed(t *testing.T) {
	f := start(t, "providers:\n  oai: {base_url: "+relayed(t)+", protocol: openai.chat}\n", nil)
	if r := f.post("/v1/audio/speech", `{"model":"oai/tts","input":"hi","voice":"x"}`); r.body != "\xff\xfbsound" || r.header.Get("Content-Type") != "audio/mpeg" || r.header.Get("X-Weir-Deployment") != "oai/tts" {
		t.Errorf("speech: %d %q %v", r.status, r.body, r.header)
	}
	if r := f.post("/v1/moderations", `{"model":"oai/mod","input":"hi"}`); r.body != `{"path":"POST /v1/moderations","body":{"model":"mod","input":"hi"}}` {
		t.Errorf("moderations: %d %s", r.status, r.body)
	}
	if r := f.post("/v1/rerank", `{"model":"oai/rr","query":"q","documents":["a"]}`); r.status != 200 || !strings.Contains(r.body, `"model":"rr"`) {
		t.Errorf("rerank: %d %s", r.status, r.body)
	}
	if r := f.do(f.request(t.Context(), http.MethodDelete, "/v1/files/f-1", nil)); r.status != http.StatusNoContent || r.body != "" {
		t.Errorf("delete a file: %d %q", r.status, r.body)
	}
	form := "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n\x00\x01\r\n--b--\r\n"
	if r := f.post("/v1/files", form, "Content-Type", "multipart/form-data; boundary=b"); r.status != http.StatusCreated || r.body != form {
		t.Errorf("upload: %d %q", r.status, r.body)
	}
	if r := f.get("/v1/vector_stores/vs_1/files?limit=2"); !strings.Contains(r.body, "GET /v1/vector_stores/vs_1/files?limit=2") && r.status != 200 {
		t.Errorf("vector stores: %d %s", r.status, r.body)
	}
	if r := f.get("/v1/organization/admin_api_keys"); r.status != http.StatusNotFound {
		t.Errorf("an organisation's keys: %d %s", r.status, r.body)
	}
	f.post("/v1/images/generations", `{"model":"oai/img","prompt":"x"}`)
	entries := f.entries.wait(t, 7)
	last := entries[len(entries)-1]
	if last.Op != weir.Image || last.Usage == nil || last.Usage.OutputTokens != 7 {
		t.Errorf("the ledger says of an image %+v", last)
	}
}

// what all keys would share is not shared unless the operator says so.
func TestAccountResourcesNeedConsent(t *testing.T) {
	url := relayed(t)
	const hash = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08" // of "test"
	yaml := "providers:\n  oai: {base_url: " + url + ", protocol: openai.chat}\nkeys:\n  - {name: a, hash: " + hash + "}\n"
	f := start(t, yaml, nil)
	if r := f.get("/v1/files/x", "Authorization", "Bearer test"); r.status != http.StatusForbidden || !strings.Contains(r.body, "account_resources") {
		t.Errorf("%d %s", r.status, r.body)
	}
	f = start(t, yaml+"account_resources: true\n", nil)
	if r := f.get("/v1/batches/x", "Authorization", "Bearer test"); r.status != http.StatusOK {
		t.Errorf("%d %s", r.status, r.body)
	}
	if r := f.get("/v1/batches/x"); r.status != http.StatusUnauthorized {
		t.Errorf("without a key: %d %s", r.status, r.body)
	}
}

// realtimeUpstream echoes, and tells usage twice.
func realtimeUpstream(t *testing.T) string {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("model") != "gpt-realtime" || r.Header.Get("Authorization") != "Bearer k" {
			http.Error(w, `{"error":{"message":"bad key","code":"invalid_api_key"}}`, http.StatusUnauthorized)
			return
		}
		conn, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer func() { _ = conn.CloseNow() }()
		conn.SetReadLimit(1 << 20)
		for {
			kind, message, err := conn.Read(r.Context())
			if err != nil {
				return
			}
			if string(message) == `"die"` {
				_ = conn.Close(4001, "session expired")
				return
			}
			_ = conn.Write(r.Context(), kind, message)
			_ = conn.Write(r.Context(), websocket.MessageText, []byte(`{"type":"response.done","response":{"usage":{"input_tokens":10,"output_tokens":4,"input_token_details":{"audio_tokens":6,"cached_tokens":2}}}}`))
		}
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}

// U-09: a conversation over a WebSocket is relayed, counted and recorded.
func TestRealtimeIsRelayedAndCounted(t *testing.T) {
	f := start(t, "providers:\n  oai: {base_url: "+realtimeUpstream(t)+", protocol: openai.chat, key: k}\n", nil)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	conn, _, err := websocket.Dial(ctx, f.url+"/v1/realtime?model=oai/gpt-realtime", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, said := range []string{`{"type":"session.update"}`, `{"type":"input_audio_buffer.append","audio":"` + strings.Repeat("A", 100<<10) + `"}`} {
		if err := conn.Write(ctx, websocket.MessageText, []byte(said)); err != nil {
			t.Fatal(err)
		}
		conn.SetReadLimit(1 << 20)
		if _, got, err := conn.Read(ctx); err != nil || !bytes.Equal(got, []byte(said)) {
			t.Fatalf("%d bytes came back, %v", len(got), err)
		}
		if _, got, err := conn.Read(ctx); err != nil || !bytes.Contains(got, []byte("response.done")) {
			t.Fatalf("%s %v", got, err)
		}
	}
	if err := conn.Close(websocket.StatusNormalClosure, ""); err != nil {
		t.Error(err)
	}
	e := f.entries.wait(t, 1)[0]
	if e.Op != weir.Realtime || e.Usage == nil || e.Usage.InputTokens != 20 || e.Usage.OutputTokens != 8 || e.Usage.AudioInputTokens != 12 || e.Usage.CacheReadTokens != 4 {
		t.Errorf("the ledger says %+v of %+v", e, e.Usage)
	}
}

func TestRealtimeEndsAsTheProviderEndsIt(t *testing.T) {
	f := start(t, "providers:\n  oai: {base_url: "+realtimeUpstream(t)+", protocol: openai.chat, key: k}\nretry: {attempts: 1}\n", nil)
	conn, _, err := websocket.Dial(t.Context(), f.url+"/v1/realtime?model=oai/gpt-realtime", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.Write(t.Context(), websocket.MessageText, []byte(`"die"`)); err != nil {
		t.Fatal(err)
	}
	if _, _, err := conn.Read(t.Context()); websocket.CloseStatus(err) != 4001 {
		t.Errorf("closed with %v", err)
	}
	for url, want := range map[string]int{"/v1/realtime?model=oai/other": http.StatusBadGateway, "/v1/realtime": http.StatusBadRequest} {
		_, res, err := websocket.Dial(t.Context(), f.url+url, nil)
		if err == nil || res == nil || res.StatusCode != want {
			t.Errorf("%s: %v %v, want %d", url, res, err, want)
		}
	}
	if r := f.get("/v1/realtime?model=oai/gpt-realtime"); r.status != http.StatusUpgradeRequired {
		t.Errorf("without an upgrade: %d %s", r.status, r.body)
	}
}
