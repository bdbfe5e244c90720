package openairest_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/codec/openairest"
)

// What stands in front of the resource is the endpoint's business. // P-14
func TestPaths(t *testing.T) {
	cases := []struct {
		op         weir.Operation
		path, want string
	}{
		{weir.Embed, "/v1/embeddings", "/embeddings"}, {weir.Embed, "", "/embeddings"}, {weir.Embed, "/v1/", "/embeddings"},
		{weir.Rerank, "/v2/rerank", "/rerank"}, {weir.Rerank, "/rerank", "/rerank"}, {weir.Rerank, "/v1/v1/rerank", "/rerank"},
		{weir.Files, "/openai/v1/files/f-1/content", "/files/f-1/content"}, {weir.Files, "/v1/files/", "/files/"},
		{weir.Other, "/v1beta2/voices/voice%201", "/voices/voice%201"}, {weir.Other, "/v1/vector_stores/v1/files", "/vector_stores/v1/files"},
		{weir.Image, "/v1/images/edits", "/images/edits"}, {weir.Batches, "", "/batches"}, {weir.Speech, "", "/audio/speech"},
		{weir.Transcribe, "/v1/audio/translations", "/audio/translations"}, {weir.Moderate, "", "/moderations"},
	}
	for _, c := range cases {
		if got, err := openairest.Resource(c.op, c.path); err != nil || got != c.want {
			t.Errorf("%s %s: %s, %v", c.op, c.path, got, err)
		}
	}
	for _, path := range []string{"", "/v1", "/v1/files/../admin", "/v1/files/%2e%2e/admin", "/v1/files/%2E%2e%2fadmin", `/v1/files/..\admin`, "/v1/./files", "/v1/files/%zz"} {
		if got, err := openairest.Resource(weir.Other, path); !errors.Is(err, weir.KindInvalid) {
			t.Errorf("%q: %q, %v", path, got, err)
		}
	}
}

// Of a request that is relayed the model's name changes and nothing else. // P-01, P-02
func TestRelayedRequests(t *testing.T) {
	cases := []struct {
		name string
		op   weir.Operation
		w    *weir.Wire
		want string
	}{
		{"JSON", weir.Moderate, wire("/v1/moderations", `{ "input" : "x","model":"a/m", "future":[1.0] }`), `{ "input" : "x","model":"up", "future":[1.0] }`},
		{"no model", weir.Moderate, wire("/v1/moderations", `{"input":"x"}`), `{"input":"x"}`},
		{"null for a model", weir.Image, wire("/v1/images/generations", `{"prompt":"x","model":null}`), `{"prompt":"x","model":null}`},
		{"a stream", weir.Speech, wire("/v1/audio/speech", `{"model":"m","input":"x","stream_format":"sse","stream":true}`), `{"model":"up","input":"x","stream_format":"sse","stream":true}`},
		{"a list", weir.Other, wire("/v1/embed", `[1,2]`), `[1,2]`},
		{"rerank", weir.Rerank, wire("/v2/rerank", `{"model":"m","query":"q","documents":["a","b"],"top_n":1}`), `{"model":"up","query":"q","documents":["a","b"],"top_n":1}`},
		{"nothing", weir.Files, &weir.Wire{Protocol: weir.OpenAIREST, Method: http.MethodGet, Path: "/v1/files", Query: "purpose=batch&limit=3"}, ""},
		{"JSON of curl", weir.Embed, &weir.Wire{Protocol: weir.OpenAIREST, Method: http.MethodPost, Path: "/v1/embeddings", ContentType: "application/x-www-form-urlencoded", Body: []byte(`{"model":"m","input":"x"}`)}, `{"model":"up","input":"x"}`},
		{"text of no type", weir.Other, &weir.Wire{Protocol: weir.OpenAIREST, Path: "/v1/x", Body: []byte("a=b")}, "a=b"},
		{"bytes", weir.Files, &weir.Wire{Protocol: weir.OpenAIREST, Path: "/v1/uploads/u/parts", ContentType: "application/octet-stream", Body: []byte{0, 1, 2}}, "\x00\x01\x02"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, call := sent(t, open(t, c.op, c.w), neutral("up"))
			if got != c.want || call.Method != c.w.Method || call.Query != c.w.Query || len(call.Losses) > 0 {
				t.Errorf("%s %s?%s: %q, losses %v", call.Method, call.Path, call.Query, got, call.Losses)
			}
			if want := c.w.ContentType; len(c.w.Body) > 0 && !strings.HasSuffix(want, "urlencoded") && call.Header.Get("Content-Type") != want {
				t.Errorf("header %v", call.Header)
			}
		})
	}
	if req := open(t, weir.Speech, cases[3].w); !req.Stream || req.Model != "m" {
		t.Errorf("stream %v of model %q", req.Stream, req.Model)
	}
	if got, _ := sent(t, open(t, weir.Moderate, wire("", `{"model":"m","input":"x"}`)), neutral("")); got != `{"model":"m","input":"x"}` {
		t.Errorf("without a name for the model %s", got)
	}
}

func TestRefusedAtTheDoor(t *testing.T) {
	text := func(typ string) *weir.Wire { return &weir.Wire{ContentType: typ, Body: []byte("hello"), Path: "/v1/x"} }
	cases := []struct {
		name  string
		op    weir.Operation
		w     *weir.Wire
		param string
	}{
		{"a key twice", weir.Rerank, wire("", `{"model":"a","model":"b"}`), "model"},
		{"no JSON", weir.Image, wire("", `{"model":"a"`), ""},
		{"a number for a model", weir.Speech, wire("", `{"model":7}`), "model"},
		{"an empty model", weir.Moderate, wire("", `{"model":""}`), "model"},
		{"no model", weir.Embed, wire("", `{"input":"a"}`), "model"},
		{"no model to read aloud", weir.Speech, wire("", `{"input":"a"}`), "model"},
		{"a word for stream", weir.Image, wire("", `{"stream":"yes"}`), "stream"},
		{"no body", weir.Transcribe, wire("", ""), ""},
		{"bytes for a sound", weir.Transcribe, text("audio/wav"), ""},
		{"a form of embeddings", weir.Embed, text("multipart/form-data; boundary=x"), ""},
		{"a list of embeddings", weir.Embed, wire("", `[]`), ""},
		{"a path out of it", weir.Files, &weir.Wire{Path: "/v1/files/%2e%2e/x"}, "path"},
		{"another operation", weir.Generate, wire("", `{"model":"m"}`), ""},
		{"a conversation", weir.Realtime, wire("", `{"model":"m"}`), ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := openairest.New().OpenRequest(c.op, c.w)
			if !errors.Is(err, weir.KindInvalid) || weir.AsError(err).Param != c.param {
				t.Errorf("got %v", err)
			}
		})
	}
}

// What another protocol has asked cannot be relayed here. // P-04
func TestForeignRequestsAreRefused(t *testing.T) {
	foreign := weir.NewWireRequest(&weir.Wire{Protocol: weir.OpenAIChat, Body: []byte(`{"model":"m"}`)}, nil)
	foreign.Op = weir.Moderate
	made := weir.NewRequest("m", &weir.Body{})
	made.Op = weir.Files
	for _, req := range []*weir.Request{foreign, made, {Op: weir.Generate}, {Op: weir.CountTokens}} {
		if _, err := openairest.New().EncodeRequest(req, neutral("up")); !errors.Is(err, weir.KindUnsupported) {
			t.Errorf("%s: %v", req.Op, err)
		}
	}
}

// Quirks reach into JSON; what they take out is told, and refused when strict. // P-03
func TestQuirks(t *testing.T) {
	to := neutral("up")
	to.Quirks = &codec.Quirks{DropParams: []string{"style"}, RenameParams: map[string]string{"size": "image_size"}, SetParams: map[string]any{"steps": 4}}
	req := open(t, weir.Image, wire("/v1/images/generations", `{"model":"m","prompt":"p","style":"vivid","size":"1x1"}`))
	got, call := sent(t, req, to)
	if got != `{"model":"up","prompt":"p","image_size":"1x1","steps":4}` || len(call.Losses) != 2 {
		t.Errorf("%s, losses %v", got, call.Losses)
	}
	strict := req.Clone()
	strict.Strict = true
	if _, err := openairest.New().EncodeRequest(strict, to); !errors.Is(err, weir.KindUnsupported) || weir.AsError(err).Param != "style" {
		t.Errorf("strict: %v", err)
	}
}

func TestHeadersOfTheProtocolGoOn(t *testing.T) {
	w := wire("/v1/vector_stores", `{"name":"n"}`)
	w.Header = http.Header{"Openai-Beta": {"assistants=v2"}, "Openai-Organization": {"org"}, "Accept": {"audio/mpeg"}}
	_, call := sent(t, open(t, weir.Other, w), neutral("up"))
	if len(call.Header) != 3 || call.Header.Get("OpenAI-Beta") != "assistants=v2" || call.Header.Get("Accept") != "audio/mpeg" {
		t.Errorf("header %v", call.Header)
	}
	body, err := open(t, weir.Other, w).Body()
	if err != nil || body.From != weir.OpenAIREST || len(body.Messages) > 0 {
		t.Errorf("body %+v, %v", body, err)
	}
	for _, name := range openairest.New().RequestHeaders() {
		if name != http.CanonicalHeaderKey(name) || strings.Contains(strings.ToLower(name), "auth") {
			t.Errorf("header %s", name)
		}
	}
}
