package anthropic

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// recording is one recorded exchange (recordings/INDEX.md).
type recording struct {
	name     string
	Features []string
	Elided   int
	Request  *struct {
		Path          string
		Body          json.RawMessage
		BodyTruncated bool `json:"body_truncated"`
	}
	Response struct {
		Status   int
		Headers  map[string]string
		Body     json.RawMessage
		BodyText *string `json:"body_text"`
	}
}

func (r *recording) op() weir.Operation {
	if r.Request != nil && strings.Contains(r.Request.Path, "count_tokens") ||
		r.Request == nil && strings.Contains(r.name, "count-tokens") {
		return weir.CountTokens
	}
	return weir.Generate
}

func (r *recording) stream() bool {
	return strings.HasPrefix(r.Response.Headers["content-type"], "text/event-stream") ||
		r.Response.BodyText != nil && strings.Contains(*r.Response.BodyText, "data:")
}

func (r *recording) bytes() []byte {
	if r.Response.BodyText != nil {
		return []byte(*r.Response.BodyText)
	}
	return r.Response.Body
}

func recordingsDir(t testing.TB) string {
	t.Helper()
	if dir := os.Getenv("WEIR_RECORDINGS"); dir != "" {
		return dir
	}
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return filepath.Join(dir, "..", "shared", "recordings")
		}
		dir = filepath.Dir(dir)
	}
}

// recordings are all exchanges of the protocol.
func recordings(t testing.TB) []*recording {
	t.Helper()
	var files []string
	for _, pattern := range []string{"*-messages/*.json", "anthropic-count-tokens/*.json"} {
		found, err := filepath.Glob(filepath.Join(recordingsDir(t), pattern))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	if len(files) == 0 {
		t.Skip("NO RECORDINGS: set WEIR_RECORDINGS to the folder of recorded traffic; nothing was checked")
	}
	var out []*recording
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		r := &recording{name: filepath.Base(filepath.Dir(f)) + "/" + strings.TrimSuffix(filepath.Base(f), ".json")}
		if err := json.Unmarshal(raw, r); err != nil {
			t.Fatalf("%s: %v", f, err)
		}
		out = append(out, r)
	}
	return out
}

// requests are the recordings with a request that this codec should take: those
// that the provider took, and that a recorder kept whole. Bodies for Vertex name
// no model, their path does.
func requests(t testing.TB) []*recording {
	return slices.DeleteFunc(recordings(t), func(r *recording) bool {
		return r.Request == nil || r.Request.BodyTruncated || r.Response.Status >= 400 ||
			jsonx.Get(r.Request.Body, "model") == nil || jsonx.Get(r.Request.Body, "messages") == nil ||
			r.op() == weir.Generate && jsonx.Get(r.Request.Body, "max_tokens") == nil
	})
}

// answers are the recordings with an answer of status 200.
func answers(t testing.TB) []*recording {
	return slices.DeleteFunc(recordings(t), func(r *recording) bool {
		return r.Response.Status != 200 || len(r.bytes()) == 0
	})
}

func openRecorded(t *testing.T, r *recording) *weir.Request {
	t.Helper()
	req, err := New().OpenRequest(r.op(), &weir.Wire{Protocol: protocol, Body: r.Request.Body, Header: http.Header{}})
	if err != nil {
		t.Fatal(err)
	}
	return req
}

func plainTarget(model string) *codec.Target {
	return &codec.Target{Provider: "anthropic", Model: model, Quirks: &codec.Quirks{}}
}

func TestRecordedRequestsAreRelayedByteForByte(t *testing.T) { // P-12, T-03
	for _, r := range requests(t) {
		t.Run(r.name, func(t *testing.T) {
			req := openRecorded(t, r)
			call, err := New().EncodeRequest(req, plainTarget(req.Model))
			if err != nil {
				t.Fatal(err)
			}
			if got := bytes.Join(call.Body, nil); !bytes.Equal(got, r.Request.Body) {
				t.Errorf("got  %s\nwant %s", got, r.Request.Body)
			}
			if len(call.Losses) > 0 {
				t.Errorf("losses: %v", call.Losses)
			}
		})
	}
}

func TestRecordedRequestsKeepTheirValueWhenEdited(t *testing.T) { // P-01, C-02
	for _, r := range requests(t) {
		t.Run(r.name, func(t *testing.T) {
			req, err := openRecorded(t, r).Edit(func(*weir.Body) error { return nil })
			if err != nil {
				t.Fatal(err)
			}
			call, err := New().EncodeRequest(req, plainTarget(req.Model))
			if err != nil {
				t.Fatal(err)
			}
			got, want := bytes.Join(call.Body, nil), []byte(r.Request.Body)
			if !jsonx.Equal(got, want) {
				t.Errorf("got  %s\nwant %s", got, want)
			}
			again, err := New().EncodeRequest(req, plainTarget(req.Model))
			if err != nil || !bytes.Equal(bytes.Join(call.Body, nil), bytes.Join(again.Body, nil)) {
				t.Errorf("equal requests gave different bytes, %v", err) // C-03
			}
			if len(call.Losses) > 0 {
				t.Errorf("losses: %v", call.Losses)
			}
		})
	}
}

func answerOf(r *recording, body io.Reader, relay bool) *codec.Answer {
	return &codec.Answer{
		Header: http.Header{"Content-Type": {r.Response.Headers["content-type"]}},
		Body:   body, Stream: r.stream(), Op: r.op(), Relay: relay, Target: plainTarget("m"),
	}
}

type decoded struct {
	events []weir.Event
	raw    []byte // all frames together
	err    error
}

// decode reads an answer and keeps everything.
func decode(t testing.TB, a *codec.Answer) decoded {
	t.Helper()
	var d decoded
	var cloner weir.FrameCloner
	for ev, err := range New().Decode(a) {
		if err != nil {
			d.err = err
			continue
		}
		if d.err != nil {
			t.Fatal("an event came after the error")
		}
		if ev.Frame != nil && ev.FrameSeq == 0 {
			d.raw = append(d.raw, ev.Frame.Raw...)
		}
		d.events = append(d.events, cloner.Clone(ev))
	}
	return d
}

// encode writes events as an answer.
func encode(req *weir.Request, events []weir.Event, err *weir.Error) []byte {
	e := New().NewEncoder(req)
	var out []byte
	for _, ev := range events {
		out = e.Encode(out, ev)
	}
	return e.Close(out, err)
}

func requestFor(r *recording) *weir.Request {
	return &weir.Request{Op: r.op(), Model: "m", Stream: r.stream()}
}

func TestRecordedAnswersAreRelayedByteForByte(t *testing.T) { // P-12, W-12
	for _, r := range answers(t) {
		for _, relay := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/relay=%v", r.name, relay), func(t *testing.T) {
				d := decode(t, answerOf(r, bytes.NewReader(r.bytes()), relay))
				if spliced(r) {
					if d.err == nil {
						t.Error("a second answer inside the first is no error")
					}
					return
				}
				if d.err != nil && !slices.Contains(r.Features, "truncated-stream") {
					t.Fatal(d.err)
				}
				if !bytes.Equal(d.raw, r.bytes()) {
					t.Fatalf("frames:\n%s\nwant\n%s", d.raw, r.bytes())
				}
				if d.err != nil {
					return
				}
				if got := encode(requestFor(r), d.events, nil); !bytes.Equal(got, r.bytes()) {
					t.Errorf("got\n%s\nwant\n%s", got, r.bytes())
				}
				checkOrder(t, d.events)
			})
		}
	}
}

// spliced reports whether a gateway began again in the middle of the answer.
func spliced(r *recording) bool {
	return bytes.Count(r.bytes(), []byte("event: message_start")) > 1
}

// checkOrder checks the rules of weir.Event.
func checkOrder(t *testing.T, events []weir.Event) {
	t.Helper()
	open, begun, finishes, next := map[int32]bool{}, false, 0, int32(0)
	for _, ev := range events {
		switch ev.Type {
		case weir.EventStart:
			begun = true
		case weir.EventBlockStart:
			if !begun || ev.Index != next {
				t.Errorf("block %d starts out of order", ev.Index)
			}
			next++
			open[ev.Index] = true
		case weir.EventDelta, weir.EventBlockEnd:
			if !open[ev.Index] {
				t.Errorf("%s for block %d, which is not open", ev.Type, ev.Index)
			}
			open[ev.Index] = ev.Type == weir.EventDelta
		case weir.EventFinish:
			finishes++
		}
	}
	for i, is := range open {
		if is {
			t.Errorf("block %d has no end", i)
		}
	}
	if finishes != 1 {
		t.Errorf("%d finishes", finishes)
	}
}

func collect(events []weir.Event) *weir.Completion {
	var c weir.Collector
	for _, ev := range events {
		c.Add(ev)
	}
	return c.Completion()
}

// cutCall reports whether a call's arguments are no object.
func cutCall(events []weir.Event) bool {
	done := collect(events)
	return len(done.Choices) > 0 && slices.ContainsFunc(done.ToolCalls(), func(c *weir.ToolCall) bool {
		_, ok := codec.RepairArguments(c.Arguments)
		return !ok
	})
}

// byValue are events without their frames.
func byValue(events []weir.Event) []weir.Event {
	out := slices.Clone(events)
	for i := range out {
		out[i] = out[i].Detach()
	}
	return out
}

// dump is a completion as comparable text: empty texts do not count, since they
// must not be written (T-09).
func dump(c *weir.Completion) string {
	v := *c
	v.Choices = slices.Clone(c.Choices)
	for i := range v.Choices {
		m := &v.Choices[i].Message
		v.Choices[i].Finish.Extra = said(v.Choices[i].Finish.Extra)
		m.Blocks = slices.DeleteFunc(slices.Clone(m.Blocks), func(b weir.Block) bool {
			return b.Type == weir.BlockText && b.Text == ""
		})
		m.Blocks = append([]weir.Block(nil), m.Blocks...)
		for k := range m.Blocks {
			m.Blocks[k].Extra = said(m.Blocks[k].Extra)
			if call := m.Blocks[k].Call; call != nil {
				args := *call
				args.Extra = said(call.Extra)
				args.Arguments = string(jsonx.Compact(nil, []byte(call.Arguments)))
				m.Blocks[k].Call = &args
			}
			if o := m.Blocks[k].Opaque; o != nil {
				m.Blocks[k].Opaque = &weir.Opaque{Protocol: o.Protocol, Type: o.Type, Raw: sorted(o.Raw)}
			}
			for j := range m.Blocks[k].Citations {
				m.Blocks[k].Citations[j].Raw = sorted(m.Blocks[k].Citations[j].Raw)
			}
		}
	}
	if v.Usage != nil {
		u := *v.Usage
		u.Extra = slices.Clone(u.Extra)
		slices.SortFunc(u.Extra, func(a, b weir.Field) int { return strings.Compare(a.Name, b.Name) })
		v.Usage = &u
	}
	out, _ := json.MarshalIndent(v, "", " ")
	return string(out)
}

// difference is the place at which two dumps part.
func difference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			from, to := max(0, i-8), i+3
			return fmt.Sprintf("got\n%s\nwant\n%s", strings.Join(g[from:min(to, len(g))], "\n"), strings.Join(w[from:min(to, len(w))], "\n"))
		}
	}
	return fmt.Sprintf("%d lines, want %d", len(g), len(w))
}

// said are the fields that are no mere spelling, which answers do not keep.
func said(f weir.Fields) weir.Fields {
	return append(weir.Fields(nil), slices.DeleteFunc(slices.Clone(f), func(f weir.Field) bool { return f.Spelling })...)
}

func sorted(raw []byte) []byte {
	var v any
	if json.Unmarshal(raw, &v) != nil {
		return raw
	}
	out, _ := json.Marshal(v)
	return out
}

func TestRecordedAnswersKeepTheirValueWhenWrittenAnew(t *testing.T) { // W-12, S-04, U-02
	for _, r := range answers(t) {
		d := decode(t, answerOf(r, bytes.NewReader(r.bytes()), false))
		if d.err != nil {
			continue
		}
		for _, stream := range []bool{true, false} {
			if !stream && cutCall(d.events) {
				continue // a call that is cut is not written as a finished one (S-06)
			}
			t.Run(fmt.Sprintf("%s/stream=%v", r.name, stream), func(t *testing.T) {
				req := &weir.Request{Op: r.op(), Model: "m", Stream: stream}
				out := encode(req, byValue(d.events), nil)
				again := decode(t, &codec.Answer{Body: bytes.NewReader(out), Stream: stream, Op: r.op(), Target: plainTarget("m")})
				if again.err != nil {
					t.Fatalf("%v\n%s", again.err, out)
				}
				if err := wireRules(out); stream && r.op() == weir.Generate && err != nil {
					t.Error(err)
				}
				checkOrderOf(t, r, again.events)
				want, got := dump(collect(d.events)), dump(collect(again.events))
				if want != got {
					t.Errorf("%s\nbytes %s", difference(got, want), out)
				}
			})
		}
	}
}

func checkOrderOf(t *testing.T, r *recording, events []weir.Event) {
	if r.op() == weir.Generate {
		checkOrder(t, events)
	}
}

func TestRecordedStreamsMeanTheSameHoweverTheyAreSplit(t *testing.T) { // W-03, W-04
	for i, r := range answers(t) {
		if !r.stream() || testing.Short() && i%8 != 0 {
			continue
		}
		t.Run(r.name, func(t *testing.T) {
			whole := decode(t, answerOf(r, bytes.NewReader(r.bytes()), false))
			for name, reader := range map[string]io.Reader{
				"byte by byte": iotest.OneByteReader(bytes.NewReader(r.bytes())),
				"halves":       iotest.HalfReader(bytes.NewReader(r.bytes())),
				"data and EOF": iotest.DataErrReader(bytes.NewReader(r.bytes())),
			} {
				split := decode(t, answerOf(r, reader, false))
				if (split.err == nil) != (whole.err == nil) || !bytes.Equal(split.raw, whole.raw) ||
					dump(collect(split.events)) != dump(collect(whole.events)) {
					t.Errorf("%s differs: %v, %v", name, split.err, whole.err)
				}
			}
		})
	}
}

func TestRecordedErrorsAreReadAndWrittenBack(t *testing.T) { // E-01, E-04
	for _, r := range recordings(t) {
		if r.Response.Status < 400 || len(r.bytes()) == 0 {
			continue
		}
		t.Run(r.name, func(t *testing.T) {
			e := New().DecodeError(r.Response.Status, nil, r.bytes(), plainTarget("m"))
			if e.HTTPStatus(protocol) != r.Response.Status || e.Message == "" {
				t.Errorf("%d %q", e.HTTPStatus(protocol), e.Message)
			}
			if got := New().AppendError(nil, e); isEnvelope(r.bytes()) && !bytes.Equal(got, r.bytes()) {
				t.Errorf("got %s", got)
			}
		})
	}
}
