package openairest_test

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec/openairest"
	"github.com/weir-gateway/weir/internal/jsonx"
	"github.com/weir-gateway/weir/weirtest"
)

// recordedAs are the protocols of the recordings that are shaped like OpenAI's API,
// and as which operation each is served.
var recordedAs = map[string]weir.Operation{
	"embeddings": weir.Embed, "rerank": weir.Rerank, "moderations": weir.Moderate, "images": weir.Image,
	"audio": weir.Transcribe, "files": weir.Files, "batches": weir.Batches, "vector-stores": weir.Other,
	"models": weir.Other, "video": weir.Other, "ocr": weir.Other, "agents": weir.Other, "conversations": weir.Other,
	"responses-retrieve": weir.Other, "responses-compact": weir.Other, "skills": weir.Other,
}

// foreign are providers whose API of that name has another shape.
var foreign = map[string]bool{"gemini": true, "anthropic": true, "vertex": true, "ollama": true, "bedrock": true}

// operation is as what a recorded exchange is served.
func operation(rec *weirtest.Recording) weir.Operation {
	op := recordedAs[rec.Protocol]
	if rec.Request == nil {
		return op
	}
	switch path := rec.Request.Path; {
	case rec.Protocol == "audio" && strings.HasSuffix(path, "/speech"):
		return weir.Speech
	case rec.Protocol == "audio" && !strings.Contains(path, "/audio/"):
		return weir.Other
	}
	return op
}

func eachRecording(t *testing.T, fn func(rec *weirtest.Recording, op weir.Operation)) {
	t.Helper()
	n := 0
	for _, rec := range weirtest.Recordings(t, "") {
		if _, ok := recordedAs[rec.Protocol]; !ok || foreign[rec.Provider] {
			continue
		}
		n++
		fn(rec, operation(rec))
	}
	t.Logf("%d exchanges", n)
}

// Every recorded answer is sent on byte for byte in any pieces, and its events are
// well-formed.
func TestRecordedAnswers(t *testing.T) {
	eachRecording(t, func(rec *weirtest.Recording, op weir.Operation) {
		if rec.Response.Status >= 300 {
			return
		}
		body := string(rec.Response.Body)
		if op == weir.Embed && jsonx.Get(rec.Response.Body, "data") == nil {
			op = weir.Other // of another shape
		}
		req := &weir.Request{Op: op, Wire: recordedWire(rec)}
		want := ""
		for _, r := range []io.Reader{strings.NewReader(body), iotest.HalfReader(strings.NewReader(body)), iotest.OneByteReader(strings.NewReader(body))} {
			a := answer(op, "", r)
			a.Header, a.Status = rec.Response.Headers, rec.Response.Status
			events, err := decoded(t, a)
			if err != nil {
				t.Errorf("%s: %v", rec.Path, err)
				return
			}
			if got, _ := written(req, events); got != body {
				t.Errorf("%s: %d bytes became %d", rec.Path, len(body), len(got))
			}
			usage := openairest.UsageText(usageOf(events))
			if want == "" {
				want = usage
			}
			if usage != want {
				t.Errorf("%s: usage %s became %s when split", rec.Path, want, usage)
			}
			if told := jsonx.Get(rec.Response.Body, "usage"); jsonx.KindOf(told) == jsonx.KindObject && usage == "none" && openairest.CountsUsage(a) {
				t.Errorf("%s: usage %s is not seen", rec.Path, told)
			}
		}
	})
}

// recordedWire is a recorded request as it was received, nil where there was none.
func recordedWire(rec *weirtest.Recording) *weir.Wire {
	if rec.Request == nil {
		return nil
	}
	path, query, _ := strings.Cut(rec.Request.Path, "?")
	return &weir.Wire{Protocol: weir.OpenAIREST, Method: rec.Request.Method, Path: path, Query: query,
		ContentType: rec.Request.Headers.Get("Content-Type"), Body: rec.Request.Body}
}

// Every recorded request goes up byte for byte when its model is called the same, and
// with the new name alone when not.
func TestRecordedRequests(t *testing.T) {
	forms := 0
	eachRecording(t, func(rec *weirtest.Recording, op weir.Operation) {
		w := recordedWire(rec)
		if w == nil || rec.Response.Status >= 300 || len(w.Body) == 0 && openairest.NeedsModel(op) {
			return
		}
		if openairest.IsForm(w) && !wholeForm(w) {
			return // the recorder has taken it apart, or cut it
		}
		if op == weir.Embed && jsonx.Get(w.Body, "model") == nil {
			return // the deployment stands in the path
		}
		req, err := openairest.New().OpenRequest(op, w)
		if err != nil {
			t.Errorf("%s: %v", rec.Path, err)
			return
		}
		if openairest.IsForm(w) {
			forms++
		}
		got, call := sent(t, req, neutral(req.Model))
		if got != string(w.Body) || call.Method != w.Method || strings.HasPrefix(call.Path, "/v1") {
			t.Errorf("%s: %s %s, %d bytes became %d", rec.Path, call.Method, call.Path, len(w.Body), len(got))
		}
		if req.Model == "" {
			return
		}
		other, _ := sent(t, req, neutral("another/model"))
		if len(other) != len(got)+len("another/model")-len(req.Model) || !strings.Contains(other, "another/model") {
			t.Errorf("%s: %d bytes became %d for another model", rec.Path, len(got), len(other))
		}
	})
	t.Logf("%d forms", forms)
}

// wholeForm reports whether a form is there from its boundary to its last.
func wholeForm(w *weir.Wire) bool {
	_, boundary, _ := strings.Cut(w.ContentType, "boundary=")
	return boundary != "" && bytes.Contains(w.Body, []byte("--"+strings.Trim(boundary, `"`)+"--"))
}

// Every recorded error is understood.
func TestRecordedErrors(t *testing.T) {
	eachRecording(t, func(rec *weirtest.Recording, _ weir.Operation) {
		if rec.Response.Status < 400 {
			return
		}
		e := openairest.New().DecodeError(rec.Response.Status, rec.Response.Headers, rec.Response.Body, neutral("m"))
		if e.Message == "" || e.Kind == weir.KindInternal || e.Status != rec.Response.Status {
			t.Errorf("%s: %+v", rec.Path, e)
		}
		if out := openairest.New().AppendError(nil, e); jsonx.Valid(out) != nil || jsonx.Get(out, "error") == nil {
			t.Errorf("%s: written as %s", rec.Path, out)
		}
	})
	e := weir.Errorf(weir.KindNotFound, "no such file")
	if back := openairest.New().DecodeError(404, http.Header{}, openairest.New().AppendError(nil, e), neutral("m")); back.Kind != weir.KindNotFound {
		t.Errorf("a 404 came back as %s", back.Kind)
	}
}
