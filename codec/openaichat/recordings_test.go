package openaichat

import (
	"bytes"
	"encoding/json"
	"io"
	"iter"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// exchange is one recorded exchange of this protocol.
type exchange struct {
	name     string
	provider string
	Protocol string   `json:"protocol"`
	Features []string `json:"features"`
	Elided   int      `json:"elided"`
	Request  *struct {
		Body json.RawMessage `json:"body"`
	} `json:"request"`
	Response struct {
		Status   int               `json:"status"`
		Headers  map[string]string `json:"headers"`
		Body     json.RawMessage   `json:"body"`
		BodyText *string           `json:"body_text"`
	} `json:"response"`
}

func (x *exchange) has(feature string) bool { return slices.Contains(x.Features, feature) }

// answer is the body of the answer, nil when there is none.
func (x *exchange) answer() []byte {
	if x.Response.BodyText != nil {
		return []byte(*x.Response.BodyText)
	}
	return x.Response.Body
}

func (x *exchange) header() http.Header {
	h := http.Header{}
	for k, v := range x.Response.Headers {
		h.Set(k, v)
	}
	return h
}

var loadOnce = sync.OnceValues(loadRecordings)

// recordings are all exchanges of this protocol; without the shared folder the
// test is skipped, loudly.
func recordings(t testing.TB) []*exchange {
	all, err := loadOnce()
	if err != nil {
		t.Fatal(err)
	}
	if len(all) == 0 {
		t.Skip("SKIPPED: NO RECORDINGS. Set WEIR_RECORDINGS to their folder; nothing was tested here.")
	}
	return all
}

func recordingsDir() string {
	if dir := os.Getenv("WEIR_RECORDINGS"); dir != "" {
		return dir
	}
	dir, _ := os.Getwd()
	for dir != filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return filepath.Join(dir, "..", "shared", "recordings")
		}
		dir = filepath.Dir(dir)
	}
	return ""
}

func loadRecordings() ([]*exchange, error) {
	files, err := filepath.Glob(filepath.Join(recordingsDir(), "*-chat", "*.json"))
	if err != nil {
		return nil, err
	}
	var all []*exchange
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		x := &exchange{name: filepath.Base(filepath.Dir(file)) + "/" + filepath.Base(file)}
		x.provider = strings.TrimSuffix(filepath.Base(filepath.Dir(file)), "-chat")
		if err := json.Unmarshal(raw, x); err != nil {
			return nil, err
		}
		if x.Protocol == "chat" {
			all = append(all, x)
		}
	}
	return all, nil
}

// neutral is a target that changes nothing but the model's name.
func neutral(model string) *codec.Target {
	return &codec.Target{Provider: "test", Model: model, Quirks: &codec.Quirks{}}
}

func openRecorded(x *exchange) (*weir.Request, bool) {
	if x.Request == nil || jsonx.KindOf(jsonx.Get(x.Request.Body, "model")) != jsonx.KindString {
		return nil, false // Azure has the model in its path
	}
	w := &weir.Wire{Protocol: protocol, Body: x.Request.Body}
	req, err := New().OpenRequest(weir.Generate, w)
	if err != nil {
		return nil, false
	}
	return req, true
}

// withoutOptions is a body without what a gateway may change.
func withoutOptions(t *testing.T, body []byte) []byte {
	t.Helper()
	var top jsonx.Top
	if err := top.Scan(body); err != nil {
		t.Fatal(err)
	}
	return bytes.Join(top.Splice(nil, body, []jsonx.Edit{{Key: "stream_options"}}), nil)
}

func TestRecordedRequestsAreRelayedByteForByte(t *testing.T) { // P-12, P-01
	tested := 0
	for _, x := range recordings(t) {
		req, ok := openRecorded(x)
		if !ok {
			continue
		}
		tested++
		call, err := New().EncodeRequest(req, neutral(req.Model))
		if err != nil {
			t.Errorf("%s: %v", x.name, err)
			continue
		}
		got := bytes.Join(call.Body, nil)
		usage, _ := jsonx.Bool(jsonx.GetPath(x.Request.Body, "stream_options", "include_usage"))
		if req.Stream == usage { // nothing to add, nothing to take away
			removed := !req.Stream && jsonx.Get(x.Request.Body, "stream_options") != nil
			if !removed && !bytes.Equal(got, x.Request.Body) {
				t.Errorf("%s: the body changed", x.name)
			}
			continue
		}
		if req.Stream && !jsonx.Equal(jsonx.GetPath(got, "stream_options", "include_usage"), []byte("true")) {
			t.Errorf("%s: usage is not asked for", x.name) // U-01
		}
		if !bytes.Equal(withoutOptions(t, got), withoutOptions(t, x.Request.Body)) {
			t.Errorf("%s: more than stream_options changed", x.name)
		}
	}
	t.Logf("%d requests", tested)
}

func TestRecordedRequestsSurviveTheCanonicalForm(t *testing.T) { // P-01
	tested := 0
	for _, x := range recordings(t) {
		req, ok := openRecorded(x)
		if !ok {
			continue
		}
		body, err := req.Body()
		if err != nil {
			if x.Response.Status >= 400 {
				continue // the upstream refused it too
			}
			t.Errorf("%s: %v", x.name, err)
			continue
		}
		tested++
		got, err := newWriter(body, neutral(req.Model)).body()
		if err != nil {
			t.Errorf("%s: %v", x.name, err)
			continue
		}
		var top jsonx.Top
		if err := top.Scan(got); err != nil {
			t.Errorf("%s: %v in %s", x.name, err, got)
			continue
		}
		var edits []jsonx.Edit
		if stream := jsonx.Get(x.Request.Body, "stream"); stream != nil {
			edits = append(edits, jsonx.Edit{Key: "stream", Value: stream})
		}
		if got = bytes.Join(top.Splice(nil, got, edits), nil); !jsonx.Equal(got, x.Request.Body) {
			t.Errorf("%s:\n got %s\nwant %s", x.name, clipped(got), clipped(x.Request.Body))
		}
	}
	t.Logf("%d requests", tested)
}

func clipped(b []byte) []byte { return b[:min(len(b), 3000)] }

// decoded is what an answer decodes to.
type decoded struct {
	events []weir.Event
	raw    []byte
	err    error
}

func decodeAll(seq iter.Seq2[weir.Event, error]) decoded {
	var d decoded
	for ev, err := range seq {
		if err != nil {
			d.err = err
			return d
		}
		if ev.Frame != nil && ev.FrameSeq == ev.Frame.Events-1 {
			d.raw = append(d.raw, ev.Frame.Raw...)
		}
		ev.Frame, ev.More = nil, false
		d.events = append(d.events, ev)
	}
	return d
}

func answerOf(x *exchange, src io.Reader, relay bool) *codec.Answer {
	stream := x.Response.BodyText != nil && bytes.Contains(x.answer(), []byte("data:"))
	return &codec.Answer{Header: x.header(), Body: src, Stream: stream, Relay: relay, Target: neutral("m")}
}

// good are the recorded answers that are answers.
func good(t testing.TB) []*exchange {
	var out []*exchange
	for _, x := range recordings(t) {
		if x.Response.Status == 200 && len(x.answer()) > 0 {
			out = append(out, x)
		}
	}
	return out
}

// mayFail are the features of recordings that are rightly reported as failed.
func mayFail(x *exchange) bool {
	return x.has("truncated-stream") || x.has("stream-error") ||
		bytes.Contains(x.answer(), []byte(`"error":{`)) || bytes.Contains(x.answer(), []byte(`"error": {`))
}

func TestFramesOfRecordedAnswersAreTheAnswerByteForByte(t *testing.T) {
	n := 0
	for _, x := range good(t) {
		for _, relay := range []bool{false, true} {
			d := decodeAll(New().Decode(answerOf(x, bytes.NewReader(x.answer()), relay)))
			if d.err != nil {
				if !mayFail(x) {
					t.Errorf("%s: %v", x.name, d.err)
				}
				continue
			}
			n++
			if !bytes.Equal(d.raw, x.answer()) {
				t.Errorf("%s (relay %v): frames differ from the answer", x.name, relay)
			}
		}
	}
	t.Logf("%d answers", n)
}

// encodeAll runs an answer through an encoder.
func encodeAll(req *weir.Request, seq iter.Seq2[weir.Event, error]) ([]byte, error) {
	e := New().NewEncoder(req)
	var out []byte
	for ev, err := range seq {
		if err != nil {
			return e.Close(out, weir.AsError(err)), err
		}
		out = e.Encode(out, ev)
	}
	return e.Close(out, nil), nil
}

func clientAsking(stream bool) *weir.Request {
	yes := true
	req := weir.NewRequest("m", &weir.Body{StreamUsage: &yes})
	req.Stream = stream
	return req
}

func TestRecordedAnswersAreRelayedByteForByte(t *testing.T) { // P-12
	for _, x := range good(t) {
		for _, relay := range []bool{false, true} {
			a := answerOf(x, bytes.NewReader(x.answer()), relay)
			stream := a.Stream
			got, err := encodeAll(clientAsking(stream), New().Decode(a))
			if err != nil {
				continue
			}
			if want := x.answer(); !bytes.Equal(got, want) {
				t.Errorf("%s (relay %v): %d bytes became %d", x.name, relay, len(want), len(got))
			}
		}
	}
}

func TestRecordedReasonsThatHideCallsAreCorrected(t *testing.T) { // S-05
	fixed := map[string]int{}
	for _, x := range good(t) {
		for _, relay := range []bool{false, true} {
			a := answerOf(x, bytes.NewReader(x.answer()), relay)
			a.Target = &codec.Target{Provider: "test", Model: "m", Quirks: &codec.Quirks{FinishToolCalls: true}}
			got, err := encodeAll(clientAsking(a.Stream), New().Decode(a))
			if err != nil || bytes.Equal(got, x.answer()) {
				continue
			}
			fixed[x.provider]++
			again := decodeAll(New().Decode(answerOf(x, bytes.NewReader(got), false)))
			for _, ev := range again.events {
				if ev.Type == weir.EventFinish && ev.Finish.Reason == weir.FinishToolCalls && finishReasons[ev.Finish.Native] != weir.FinishToolCalls {
					t.Errorf("%s (relay %v): the reason is still %q", x.name, relay, ev.Finish.Native)
				}
			}
		}
	}
	if fixed["gemini-openai"] == 0 || fixed["ollama"] == 0 {
		t.Errorf("the vendors with the quirk: %v", fixed)
	}
	t.Logf("answers by vendor: %v", fixed)
}

// completionOf collects what clients are told.
func completionOf(t *testing.T, name string, seq iter.Seq2[weir.Event, error]) *weir.Completion {
	t.Helper()
	c, err := weir.Collect(seq)
	if err != nil {
		t.Errorf("%s: %v", name, err)
	}
	return c
}

func TestRecordedAnswersMeanTheSameStreamedAndNot(t *testing.T) { // W-12
	for _, x := range good(t) {
		events := decodeAll(New().Decode(answerOf(x, bytes.NewReader(x.answer()), false)))
		if events.err != nil {
			continue
		}
		replay := func(yield func(weir.Event, error) bool) {
			for _, ev := range events.events {
				if !yield(ev.Detach(), nil) {
					return
				}
			}
		}
		whole, err := encodeAll(clientAsking(false), replay)
		if err != nil {
			t.Fatal(err)
		}
		stream, err := encodeAll(clientAsking(true), replay)
		if err != nil {
			t.Fatal(err)
		}
		if err := jsonx.Valid(whole); err != nil {
			t.Errorf("%s: %v in %s", x.name, err, clipped(whole))
			continue
		}
		a := &codec.Answer{Header: http.Header{}, Body: bytes.NewReader(whole), Target: neutral("m")}
		b := &codec.Answer{Header: http.Header{}, Body: bytes.NewReader(stream), Stream: true, Target: neutral("m")}
		one, two := completionOf(t, x.name, New().Decode(a)), completionOf(t, x.name, New().Decode(b))
		if diff := differ(one, two); diff != "" {
			t.Errorf("%s: %s", x.name, diff)
		}
		if diff := differ(one, completionOf(t, x.name, replay)); diff != "" {
			t.Errorf("%s: against the original: %s", x.name, diff)
		}
	}
}

func TestRecordedStreamsMeanTheSameHoweverTheyAreCut(t *testing.T) { // W-03, W-04
	for i, x := range good(t) {
		if testing.Short() && i%5 != 0 {
			continue
		}
		body := x.answer()
		whole := decodeAll(New().Decode(answerOf(x, bytes.NewReader(body), false)))
		cut := decodeAll(New().Decode(answerOf(x, iotest.OneByteReader(bytes.NewReader(body)), false)))
		if diff := sameEvents(whole, cut); diff != "" {
			t.Errorf("%s, byte by byte: %s", x.name, diff)
		}
		step := 1
		if len(body) > 2000 {
			step = len(body)/7 + 1
		}
		if i%23 != 0 {
			step = len(body)/3 + 1
		}
		for at := 1; at < len(body); at += step {
			src := io.MultiReader(bytes.NewReader(body[:at]), bytes.NewReader(body[at:]))
			if diff := sameEvents(whole, decodeAll(New().Decode(answerOf(x, src, false)))); diff != "" {
				t.Errorf("%s, cut at %d: %s", x.name, at, diff)
				break
			}
		}
	}
}
