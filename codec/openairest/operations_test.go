package openairest_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/codec/openairest"
)

// An exchange is a request as a client makes it and the answer of its upstream.
type exchange struct {
	name                string
	op                  weir.Operation
	method, path, query string
	typ, body           string
	to                  string // where it goes
	answerType, answer  string
	usage               string
}

const formType = `multipart/form-data; boundary="` + bound + `"`

// exchanges are the endpoints that are relayed, each in the forms that it has.
var exchanges = []exchange{
	{"an image is made", weir.Image, "POST", "/v1/images/generations", "", "application/json", `{"model":"m","prompt":"堰","n":1,"size":"1024x1024","output_format":"png"}`,
		"/images/generations", "application/json", `{"created":1,"data":[{"b64_json":"iVBORw0KGgo="}],"usage":{"input_tokens":14,"input_tokens_details":{"text_tokens":14,"image_tokens":0},"output_tokens":272,"total_tokens":286}}`,
		`in=14 out=272 input_tokens_details={"text_tokens":14,"image_tokens":0}`},
	{"an image comes piece by piece", weir.Image, "POST", "/v1/images/generations", "", "application/json", `{"model":"m","prompt":"a","stream":true,"partial_images":1}`,
		"/images/generations", "text/event-stream", "event: image_generation.partial_image\ndata: {\"type\":\"image_generation.partial_image\",\"b64_json\":\"iVBO\",\"partial_image_index\":0}\n\n" +
			"event: image_generation.completed\ndata: {\"type\":\"image_generation.completed\",\"b64_json\":\"iVBORw0K\",\"usage\":{\"input_tokens\":5,\"output_tokens\":6}}\n\n", "in=5 out=6"},
	{"an image is changed", weir.Image, "POST", "/v1/images/edits", "", formType, field("model", "m") + field("prompt", "a hat") +
		part("Content-Disposition: form-data; name=\"image[]\"; filename=\"a.png\"\r\nContent-Type: image/png", "\x89PNG\r\n\x1a\n\x00") +
		part("Content-Disposition: form-data; name=\"mask\"; filename=\"m.png\"\r\nContent-Type: image/png", "\x89PNG\r\n--X") + ending,
		"/images/edits", "application/json", `{"created":1,"data":[{"url":"https://example.org/a.png"}]}`, "none"},
	{"a text is read aloud", weir.Speech, "POST", "/v1/audio/speech", "", "application/json", `{"model":"m","input":"hi","voice":"alloy","response_format":"mp3"}`,
		"/audio/speech", "audio/mpeg", "ID3\x04\x00\xff\xfb\x90\x00" + strings.Repeat("\x00\r\n\r\n\xff", 9000), "none"},
	{"a text is read aloud in events", weir.Speech, "POST", "/v1/audio/speech", "", "application/json", `{"model":"m","input":"hi","voice":"alloy","stream_format":"sse"}`,
		"/audio/speech", "text/event-stream", "data: {\"type\":\"speech.audio.delta\",\"audio\":\"//uQ\"}\n\ndata: {\"type\":\"speech.audio.done\",\"usage\":{\"input_tokens\":14,\"output_tokens\":101,\"total_tokens\":115}}\n\n", "in=14 out=101"},
	{"a sound is written down", weir.Transcribe, "POST", "/v1/audio/transcriptions", "", formType, file + field("model", "m") + field("timestamp_granularities[]", "word") + ending,
		"/audio/transcriptions", "application/json", `{"text":"堰","usage":{"type":"tokens","input_tokens":14,"input_token_details":{"text_tokens":0,"audio_tokens":14},"output_tokens":45,"total_tokens":59}}`,
		`in=14 out=45 audio=14 type="tokens" input_token_details={"text_tokens":0,"audio_tokens":14}`},
	{"a sound that is paid by the second", weir.Transcribe, "POST", "/v1/audio/transcriptions", "", formType, file + field("model", "m") + ending,
		"/audio/transcriptions", "application/json", `{"text":"a","usage":{"type":"duration","seconds":3}}`, `type="duration" seconds=3`},
	{"a sound as subtitles", weir.Transcribe, "POST", "/v1/audio/translations", "", formType, field("model", "m") + field("response_format", "srt") + file + ending,
		"/audio/translations", "text/plain; charset=utf-8", "1\n00:00:00,000 --> 00:00:01,000\nhi\n\n", "none"},
	{"a sound while it is written down", weir.Transcribe, "POST", "/v1/audio/transcriptions", "", formType, field("model", "m") + field("stream", "true") + file + ending,
		"/audio/transcriptions", "text/event-stream", "data: {\"type\":\"transcript.text.delta\",\"delta\":\"a\"}\n\ndata: {\"type\":\"transcript.text.done\",\"text\":\"a\",\"usage\":{\"input_tokens\":1,\"output_tokens\":2}}\n\n", "in=1 out=2"},
	{"a judgement", weir.Moderate, "POST", "/v1/moderations", "", "application/json", `{"model":"m","input":[{"type":"text","text":"a"},{"type":"image_url","image_url":{"url":"https://example.org/a.png"}}]}`,
		"/moderations", "application/json", `{"id":"modr-1","model":"m","results":[{"flagged":false,"categories":{"hate/threatening":false},"category_scores":{"hate/threatening":1.5e-5}}]}`, "none"},
	{"an order of relevance, Cohere's", weir.Rerank, "POST", "/v2/rerank", "", "application/json", `{"model":"m","query":"q","documents":["a","b"],"top_n":1,"max_tokens_per_doc":512}`,
		"/rerank", "application/json", `{"id":"r","results":[{"index":1,"relevance_score":0.98}],"meta":{"api_version":{"version":"2"},"billed_units":{"search_units":1}}}`, "search_units=1"},
	{"an order of relevance, Jina's", weir.Rerank, "POST", "/v1/rerank", "", "application/json", `{"model":"m","query":"q","documents":[{"text":"a"}],"return_documents":true}`,
		"/rerank", "application/json", `{"model":"m","object":"list","usage":{"total_tokens":57},"results":[{"index":0,"relevance_score":0.5,"document":{"text":"a"}}]}`, "in=57"},
	{"a file goes up", weir.Files, "POST", "/v1/files", "", formType, field("purpose", "batch") + field("expires_after[anchor]", "created_at") + file + ending,
		"/files", "application/json", `{"id":"file-1","object":"file","bytes":11,"purpose":"batch"}`, "none"},
	{"files are listed", weir.Files, "GET", "/v1/files", "purpose=batch&limit=2", "", "", "/files", "application/json", `{"object":"list","data":[],"has_more":false}`, "none"},
	{"a file comes down", weir.Files, "GET", "/v1/files/file-1/content", "", "", "", "/files/file-1/content", "application/octet-stream", "{\"custom_id\":\"1\"}\n\x00\xff{\"usage\":{}}\n", "none"},
	{"a file goes away", weir.Files, "DELETE", "/v1/files/file-1", "", "", "", "/files/file-1", "application/json", `{"id":"file-1","object":"file","deleted":true}`, "none"},
	{"a batch is begun", weir.Batches, "POST", "/v1/batches", "", "application/json", `{"input_file_id":"file-1","endpoint":"/v1/chat/completions","completion_window":"24h","metadata":{"a":"b"}}`,
		"/batches", "application/json", `{"id":"batch_1","object":"batch","status":"validating","usage":{"input_tokens":9}}`, "none"},
	{"a batch is given up", weir.Batches, "POST", "/v1/batches/batch_1/cancel", "", "", "", "/batches/batch_1/cancel", "application/json", `{"id":"batch_1","object":"batch","status":"cancelling"}`, "none"},
	{"anything else", weir.Other, "POST", "/v1/ocr", "", "application/json", `{"model":"m","document":{"type":"document_url","document_url":"https://example.org/a.pdf"}}`,
		"/ocr", "application/json", `{"pages":[],"model":"m","usage_info":{"pages_processed":6}}`, "pages_processed=6"},
}

// Every endpoint is relayed byte for byte both ways but for the model's name, and what
// it has used is counted. // P-01, P-02, U-07, U-09
func TestEveryEndpointIsRelayed(t *testing.T) {
	for _, x := range exchanges {
		t.Run(x.name, func(t *testing.T) {
			req := open(t, x.op, &weir.Wire{Protocol: weir.OpenAIREST, Method: x.method, Path: x.path, Query: x.query, ContentType: x.typ, Body: []byte(x.body)})
			got, call := sent(t, req, neutral("upstream/m2"))
			want := strings.Replace(strings.Replace(x.body, `"model":"m"`, `"model":"upstream/m2"`, 1), field("model", "m"), field("model", "upstream/m2"), 1)
			if got != want || call.Method != x.method || call.Path != x.to || call.Query != x.query || len(call.Losses) > 0 {
				t.Errorf("%s %s?%s: %q, losses %v", call.Method, call.Path, call.Query, got, call.Losses)
			}
			for name, r := range map[string]io.Reader{"whole": strings.NewReader(x.answer), "bytes": iotest.OneByteReader(strings.NewReader(x.answer))} {
				a := answer(x.op, x.answerType, r)
				a.Method, a.Stream = call.Method, call.Stream
				events, err := decoded(t, a)
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				if back, enc := written(req, events); back != x.answer || enc.ContentType() != x.answerType {
					t.Errorf("%s: the client gets %q as %s", name, back, enc.ContentType())
				}
				if usage := openairest.UsageText(usageOf(events)); usage != x.usage {
					t.Errorf("%s: usage %s, want %s", name, usage, x.usage)
				}
			}
		})
	}
}

// Streams that end with an error, or break off, have used what they told. // U-04, W-05
func TestWhatFailedIsCounted(t *testing.T) {
	const delta = "data: {\"type\":\"transcript.text.delta\",\"delta\":\"a\"}\n\n"
	for _, c := range []struct {
		name, body string
		reset      bool
	}{
		{"an error event", delta + "data: {\"type\":\"error\",\"error\":{\"message\":\"worker died\"},\"usage\":{\"input_tokens\":5,\"output_tokens\":6}}\n\n", false},
		{"a broken connection", delta + "data: {\"usage\":{\"input_tokens\":5,\"output_tokens\":6}}\n\ndata: {\"type\":", true},
	} {
		var body io.Reader = strings.NewReader(c.body)
		if c.reset {
			body = &brokenReader{body, errors.New("reset")}
		}
		events, err := decoded(t, answer(weir.Transcribe, "text/event-stream", body))
		if (err != nil) != c.reset {
			t.Errorf("%s: %v", c.name, err)
		}
		if got := openairest.UsageText(usageOf(events)); got != "in=5 out=6" {
			t.Errorf("%s: usage %s", c.name, got)
		}
		if got, _ := written(&weir.Request{Op: weir.Transcribe}, events); got != c.body {
			t.Errorf("%s: the client gets %q", c.name, got)
		}
	}
}

// A strict request is relayed as any other: nothing of it is lost. // P-03
func TestStrictRequestsAreRelayed(t *testing.T) {
	for _, x := range exchanges {
		req := open(t, x.op, &weir.Wire{Protocol: weir.OpenAIREST, Method: x.method, Path: x.path, ContentType: x.typ, Body: []byte(x.body)})
		strict := req.Clone()
		strict.Strict = true
		if call, err := openairest.New().EncodeRequest(strict, neutral("m")); err != nil || !bytes.Equal(bytes.Join(call.Body, nil), []byte(x.body)) {
			t.Errorf("%s: %v", x.name, err)
		}
	}
	req := open(t, weir.Rerank, wire("/rerank", `{"model":"m","query":"q","documents":["a"],"top_n":1}`))
	req.Strict = true
	to := neutral("m")
	to.Quirks = &codec.Quirks{DropParams: []string{"top_n"}}
	if _, err := openairest.New().EncodeRequest(req, to); !errors.Is(err, weir.KindUnsupported) || weir.AsError(err).Param != "top_n" || weir.AsError(err).HTTPStatus(weir.OpenAIREST) != http.StatusBadRequest {
		t.Errorf("a member that the target refuses: %v", err)
	}
}
