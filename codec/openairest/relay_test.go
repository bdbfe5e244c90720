package openairest_test

import (
	"errors"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec/openairest"
)

// An answer that is relayed is the upstream's byte for byte, of any kind, in any
// pieces, with its status and what describes it.
func TestRelayedAnswers(t *testing.T) {
	long := strings.Repeat("0123456789abcdef", 10<<10)
	cases := []struct {
		name  string
		op    weir.Operation
		typ   string
		body  string
		usage string
	}{
		{"JSON", weir.Image, "application/json", `{"created":1,"data":[{"b64_json":"` + long + `"}],"usage":{"input_tokens":1,"output_tokens":2}}`, "in=1 out=2"},
		{"a sound", weir.Speech, "audio/mpeg", "\xff\xfb\x90" + long, "none"},
		{"text", weir.Transcribe, "text/plain; charset=utf-8", "hello\n", "none"},
		{"events", weir.Speech, "text/event-stream", "data: {\"type\":\"speech.audio.delta\",\"audio\":\"" + long + "\"}\n\ndata: {\"type\":\"speech.audio.done\",\"usage\":{\"input_tokens\":5,\"output_tokens\":6}}\n\n", "in=5 out=6"},
		{"nothing", weir.Files, "", "", "none"},
		{"a file with a usage of others", weir.Files, "application/json", `{"usage":{"input_tokens":5}}`, "none"},
		{"a batch with a usage of its own", weir.Batches, "application/json", `{"usage":{"input_tokens":5}}`, "none"},
		{"what was an error", weir.Other, "application/json", `{"error":{"message":"the job failed"},"status":"failed"}`, "none"},
		{"moderations", weir.Moderate, "application/json; charset=utf-8", `{"id":"m","results":[{"flagged":false}]}`, "none"},
		{"another JSON", weir.Other, "application/problem+json", `{"usage":{"prompt_tokens":1}}`, "in=1"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			readers := map[string]io.Reader{
				"whole": strings.NewReader(c.body), "halves": iotest.HalfReader(strings.NewReader(c.body)),
				"early end": iotest.DataErrReader(strings.NewReader(c.body)),
			}
			if len(c.body) < 1<<10 {
				readers["bytes"] = iotest.OneByteReader(strings.NewReader(c.body))
			}
			for name, r := range readers {
				a := answer(c.op, c.typ, r)
				a.Status, a.Relay = 206, name == "whole"
				a.Header.Set("Content-Disposition", "attachment")
				a.Header.Set("Openai-Organization", "org")
				a.Header.Set("Set-Cookie", "x")
				events, err := decoded(t, a)
				if err != nil {
					t.Fatal(name, err)
				}
				req := &weir.Request{Op: c.op}
				if got, enc := written(req, events); got != c.body || c.typ != "" && enc.ContentType() != c.typ {
					t.Errorf("%s: %d bytes of %s", name, len(got), enc.ContentType())
				}
				head := events[0].Start.Head
				if head.Status != 206 || head.Header.Get("Content-Disposition") != "attachment" || len(head.Header) != 2 {
					t.Errorf("%s: head %+v", name, head)
				}
				if got := openairest.UsageText(usageOf(events)); got != c.usage {
					t.Errorf("%s: usage %s", name, got)
				}
				for _, ev := range events {
					if ev.Frame != nil && len(ev.Frame.Raw) > openairest.PieceSize {
						t.Errorf("%s: a piece of %d bytes", name, len(ev.Frame.Raw))
					}
				}
			}
		})
	}
}

// Looking something up costs nothing, whatever it tells of earlier calls. // U-03
func TestLookingUpHasNoUsage(t *testing.T) {
	const body = `{"object":"response","usage":{"input_tokens":5,"output_tokens":6}}`
	for method, want := range map[string]string{http.MethodGet: "none", http.MethodDelete: "none", http.MethodPost: "in=5 out=6", "": "in=5 out=6"} {
		a := answer(weir.Other, "application/json", strings.NewReader(body))
		a.Method = method
		events, err := decoded(t, a)
		if got := openairest.UsageText(usageOf(events)); err != nil || got != want || events[0].Start.Head.Status != 200 {
			t.Errorf("%s: %s, %v", method, got, err)
		}
	}
}

// broken gives a text and then an error.
type brokenReader struct {
	io.Reader
	err error
}

func (b *brokenReader) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if errors.Is(err, io.EOF) {
		err = b.err
	}
	return n, err
}

// What breaks off is an error and never a success, and one that can be tried again
// when nothing has been sent on. // R-04, W-05
func TestBrokenAnswers(t *testing.T) {
	own := weir.Errorf(weir.KindTimeout, "too slow")
	causes := []struct {
		err  error
		kind weir.Kind
	}{
		{io.ErrUnexpectedEOF, weir.KindUpstream}, {errors.New("reset"), weir.KindUpstream}, {own, weir.KindTimeout},
	}
	for _, c := range causes {
		for _, body := range []string{"", `{"usage":{"input_tokens":5}}`, strings.Repeat("x", 3*openairest.PieceSize)} {
			for typ, op := range map[string]weir.Operation{"application/json": weir.Image, "audio/mpeg": weir.Speech} {
				events, err := decoded(t, answer(op, typ, &brokenReader{strings.NewReader(body), c.err}))
				if !errors.Is(err, c.kind) {
					t.Errorf("%d bytes of %s, %v: %v", len(body), typ, c.err, err)
				}
				if typ == "application/json" && len(body) < openairest.PieceSize && len(events) > 0 {
					t.Errorf("%d bytes of %s: %d events before the error", len(body), typ, len(events))
				}
			}
		}
	}
	if _, err := decoded(t, answer(weir.Speech, "audio/mpeg", iotest.ErrReader(nil))); !errors.Is(err, weir.KindUpstream) {
		t.Errorf("a reader that gives nothing: %v", err)
	}
}

// An error in the clothes of a success is an error, where an answer can be nothing
// else. // E-02
func TestErrorIn200(t *testing.T) {
	for _, c := range []struct{ typ, body string }{
		{"application/json", `{"error":{"message":"overloaded","code":503}}`},
		{"text/event-stream", "data: {\"type\":\"error\",\"error\":{\"message\":\"x\"}}\n\n"},
		{"text/event-stream", "event: error\ndata: {\"error\":{\"message\":\"x\"}}\n\ndata: {}\n\n"},
		{"application/json", `{"error":"no"}`},
	} {
		for _, op := range []weir.Operation{weir.Rerank, weir.Moderate, weir.Image, weir.Speech, weir.Transcribe} {
			events, err := decoded(t, answer(op, c.typ, strings.NewReader(c.body)))
			if e := weir.AsError(err); err == nil || len(events) > 0 || e.Provider != "test" || e.Wire == nil {
				t.Errorf("%s %s: %v", op, c.body, err)
			}
		}
	}
}

// A consumer may stop at every event.
func TestStopping(t *testing.T) {
	body := `{"data":"` + strings.Repeat("x", 3*openairest.PieceSize) + `","usage":{"input_tokens":1}}`
	for _, op := range []weir.Operation{weir.Image, weir.Embed} {
		text := body
		if op == weir.Embed {
			text = `{"data":[{"index":0,"embedding":[1]},{"index":1,"embedding":[2]}],"usage":{"prompt_tokens":1}}`
		}
		events, err := decoded(t, answer(op, "application/json", strings.NewReader(text)))
		if err != nil {
			t.Fatal(err)
		}
		for stop := range events {
			n := 0
			for _, err := range openairest.New().Decode(answer(op, "application/json", strings.NewReader(text))) {
				if err != nil {
					t.Fatal(err)
				}
				if n == stop {
					break
				}
				n++
			}
		}
	}
}

// endless gives n bytes of a picture in JSON.
type endless struct {
	head, tail string
	n          int
}

func (e *endless) Read(p []byte) (int, error) {
	switch {
	case e.head != "":
		n := copy(p, e.head)
		e.head = e.head[n:]
		return n, nil
	case e.n > 0:
		n := min(len(p), e.n)
		for i := range p[:n] {
			p[i] = 'A'
		}
		e.n -= n
		return n, nil
	case e.tail != "":
		n := copy(p, e.tail)
		e.tail = e.tail[n:]
		return n, nil
	}
	return 0, io.EOF
}

// An answer of 64 MiB takes no more memory than a short one.
func TestMemoryIsBounded(t *testing.T) {
	const size = 64 << 20
	for typ, r := range map[string]*endless{
		"application/json":  {`{"data":[{"b64_json":"`, `"}],"usage":{"input_tokens":1,"output_tokens":2}}`, size},
		"text/event-stream": {`data: {"b64_json":"`, "\",\"usage\":{\"input_tokens\":1,\"output_tokens\":2}}\n\n", size},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		total := 0
		var usage *weir.Usage
		enc := openairest.New().NewEncoder(&weir.Request{Op: weir.Image})
		var out []byte
		for ev, err := range openairest.New().Decode(answer(weir.Image, typ, r)) {
			if err != nil {
				t.Fatal(err)
			}
			if out = enc.Encode(out[:0], ev); ev.Type == weir.EventUsage {
				usage = ev.Usage
			}
			total += len(out)
		}
		runtime.ReadMemStats(&after)
		if used := after.TotalAlloc - before.TotalAlloc; total < size || openairest.UsageText(usage) != "in=1 out=2" || used > 1<<20 {
			t.Errorf("%s: %d bytes allocated for %d, usage %s", typ, used, total, openairest.UsageText(usage))
		}
	}
}

// The encoder puts nothing of its own between the pieces.
func TestEncoderAddsNothing(t *testing.T) {
	enc := openairest.New().NewEncoder(&weir.Request{Op: weir.Speech, Stream: true})
	out := enc.KeepAlive(nil)
	out = enc.Encode(out, weir.NoteEvent(&weir.Route{}))
	out = enc.Encode(out, weir.Event{Type: weir.EventRelay})
	out = enc.Close(out, weir.Errorf(weir.KindUpstream, "cut"))
	if len(out) > 0 || enc.ContentType() != "application/json" || len(enc.Losses()) > 0 {
		t.Errorf("%q of %s", out, enc.ContentType())
	}
}
