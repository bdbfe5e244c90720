package weirtest

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"reflect"
	"testing"
	"testing/iotest"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// TestCodec proves the contract of codec.Codec with answers of the simulated
// model and, where there are any, the recordings of its protocol:
//
//   - an answer means the same however its bytes are split
//   - streamed and not streamed it means the same
//   - untouched it is sent on byte for byte, decoded or relayed
//   - the consumer may stop at every event
//   - errors are JSON and keep their kind
func TestCodec(t *testing.T, c codec.Codec) {
	t.Helper()
	t.Run("simulated answers stream as they are whole", func(t *testing.T) { testSimulated(t, c) })
	t.Run("every error is JSON and keeps its kind", func(t *testing.T) { testErrors(t, c) })
	if recordedProtocols[c.Protocol()] == nil {
		return
	}
	t.Run("recorded answers decode, however they are split", func(t *testing.T) { testSplits(t, c) })
	t.Run("recorded answers are sent on byte for byte", func(t *testing.T) { testVerbatim(t, c) })
	t.Run("recorded answers survive being written anew", func(t *testing.T) { testRewritten(t, c) })
	t.Run("recorded errors are understood", func(t *testing.T) { testRecordedErrors(t, c) })
	t.Run("recorded requests survive being written anew", func(t *testing.T) { testRequests(t, c) })
}

// eachAnswer calls fn for every recorded answer with status 2xx.
func eachAnswer(t *testing.T, c codec.Codec, fn func(rec *Recording)) {
	t.Helper()
	n := 0
	for _, rec := range recorded(t, c) {
		if rec.Response.Status < 300 && len(rec.Response.Body) > 0 && !spliced(rec) {
			fn(rec)
			n++
		}
	}
	t.Logf("%d recorded answers", n)
}

// spliced reports whether a published fixture has several answers one after
// another, which no upstream sends.
func spliced(rec *Recording) bool {
	return bytes.Count(rec.Response.Body, []byte("event: message_start\n")) > 1
}

func testSplits(t *testing.T, c codec.Codec) {
	found := newFindings()
	defer found.report(t)
	random := rand.New(rand.NewPCG(1, 2))
	eachAnswer(t, c, func(rec *Recording) {
		r := readingOf(rec)
		want, wantErr := r.decode(c, bytes.NewReader(rec.Response.Body))
		if isContract(wantErr) {
			found.add("the events are not well-formed", rec.Path, "%v", wantErr)
			return
		}
		splits := map[string]io.Reader{
			"at random": &pieces{rest: rec.Response.Body, random: random},
			"early EOF": iotest.DataErrReader(bytes.NewReader(rec.Response.Body)),
		}
		if len(rec.Response.Body) < 2<<10 {
			splits["byte by byte"] = iotest.OneByteReader(bytes.NewReader(rec.Response.Body))
		}
		for name, body := range splits {
			got, err := r.decode(c, body)
			if fmt.Sprint(err) != fmt.Sprint(wantErr) {
				found.add("the error changes when split "+name, rec.Path, "%v became %v", wantErr, err)
			} else if diff := eventsDiffer(want, got); diff != "" {
				found.add("the events change when split "+name, rec.Path, "%s", diff)
			}
		}
	})
}

// pieces reads in pieces of 1 to 99 bytes.
type pieces struct {
	rest   []byte
	random *rand.Rand
}

func (p *pieces) Read(b []byte) (int, error) {
	if len(p.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(b[:min(len(b), 1+p.random.IntN(99))], p.rest)
	p.rest = p.rest[n:]
	return n, nil
}

// eventsDiffer compares all but More, which is a hint, and the identity of frames.
func eventsDiffer(a, b []weir.Event) string {
	for i := range min(len(a), len(b)) {
		x, y := a[i], b[i]
		x.More, y.More = false, false
		if !reflect.DeepEqual(x, y) {
			return fmt.Sprintf("event %d: %+v became %+v", i, x, y)
		}
	}
	if len(a) != len(b) {
		return fmt.Sprintf("%d events became %d", len(a), len(b))
	}
	return ""
}

// testVerbatim is R: what nobody edited is sent on as it was received.
func testVerbatim(t *testing.T, c codec.Codec) {
	found := newFindings()
	defer found.report(t)
	eachAnswer(t, c, func(rec *Recording) {
		for _, relay := range []bool{false, true} {
			r := readingOf(rec)
			r.relay = relay
			events, err := r.decode(c, bytes.NewReader(rec.Response.Body))
			kind := fmt.Sprintf("relay=%v", relay)
			if isContract(err) {
				found.add("the events are not well-formed, "+kind, rec.Path, "%v", err)
				continue
			}
			req, reqErr := simpleRequest(c, r.stream)
			if reqErr != nil {
				t.Fatal(reqErr)
			}
			if rec.isArray() {
				req.Wire.Query = "" // a client that asks for no events
			}
			enc := c.NewEncoder(req)
			var got []byte
			for _, ev := range events {
				got = enc.Encode(got, ev)
			}
			if err == nil {
				got = enc.Close(got, nil)
			}
			if diff := bytesDiffer(rec.Response.Body, got, err != nil); diff != "" {
				found.add("an untouched answer is not sent on as it came, "+kind, rec.Path, "%s", diff)
			}
		}
	})
}

// bytesDiffer says how got is not want. A cut answer may stay behind.
func bytesDiffer(want, got []byte, cut bool) string {
	if bytes.Equal(want, got) || cut && bytes.HasPrefix(want, got) {
		return ""
	}
	i := 0
	for i < min(len(want), len(got)) && want[i] == got[i] {
		i++
	}
	return fmt.Sprintf("at byte %d: %q became %q (lengths %d and %d)", i, around(want, i), around(got, i), len(want), len(got))
}

func around(b []byte, i int) []byte { return b[max(0, i-40):min(len(b), i+120)] }

// testRewritten encodes edited events, streamed and not, and reads them again.
func testRewritten(t *testing.T, c codec.Codec) {
	found := newFindings()
	defer found.report(t)
	eachAnswer(t, c, func(rec *Recording) {
		events, err := readingOf(rec).decode(c, bytes.NewReader(rec.Response.Body))
		if err != nil {
			return // testSplits has seen it
		}
		for _, stream := range []bool{true, false} {
			checkRewritten(t, c, found, rec.Path, events, stream)
		}
	})
}

func checkRewritten(t *testing.T, c codec.Codec, found *findings, where string, events []weir.Event, stream bool) {
	t.Helper()
	kind := fmt.Sprintf(" (stream=%v)", stream)
	req, err := simpleRequest(c, stream)
	if err != nil {
		t.Fatal(err)
	}
	wire, losses := encode(c, req, detached(events), nil)
	again, err := reading{stream: stream}.decode(c, bytes.NewReader(wire))
	if err != nil {
		found.add("what was written cannot be read"+kind, where, "%v in %s", err, wire)
		return
	}
	d := difference{a: meaningOf(collected(events)), b: meaningOf(collected(again)), losses: losses}
	for _, key := range differences(d.a, d.b) {
		if ownChange(key, d, c.Protocol()) {
			continue
		}
		found.add("written anew, "+key+" changes"+kind, where, "%s; losses %s", explain(d.a, d.b, key), lossText(losses))
	}
}

// ownChange reports whether a protocol may change this of an answer of its own:
// it names an answer without an id, and cannot put cut arguments into an object.
func ownChange(key string, d difference, p weir.Protocol) bool {
	return key == "id" && d.a[key] == "" || key == "calls" && excusedAnswer(p, key, d)
}

// testErrors writes an error of every kind.
func testErrors(t *testing.T, c codec.Codec) {
	for k := weir.Kind(0); k <= weir.KindCanceled; k++ {
		e := weir.Errorf(k, "something about \"%s\"\nwent wrong", k)
		e.Param, e.Hint = "messages[0].content", "do it otherwise"
		body := c.AppendError(nil, e)
		if err := jsonx.Valid(body); err != nil {
			t.Errorf("%s: %v in %s", k, err, body)
			continue
		}
		if jsonx.Get(body, "error") == nil && jsonx.Get(body, "message") == nil {
			t.Errorf("%s: neither error nor message in %s", k, body)
		}
		back := c.DecodeError(e.HTTPStatus(c.Protocol()), nil, body, target())
		if back == nil || back.Message == "" {
			t.Errorf("%s: %s was read as %v", k, body, back)
		}
	}
}

// testRecordedErrors reads every recorded error, and writes it again.
func testRecordedErrors(t *testing.T, c codec.Codec) {
	n := 0
	for _, rec := range recorded(t, c) {
		if rec.Response.Status < 400 {
			continue
		}
		n++
		e := c.DecodeError(rec.Response.Status, rec.Response.Headers, rec.Response.Body, target())
		if e == nil || e.Message == "" || e.Kind == weir.KindInternal || e.Status != rec.Response.Status {
			t.Errorf("%s: %s was read as %+v", rec.Path, rec.Response.Body, e)
			continue
		}
		if out := c.AppendError(nil, e); jsonx.Valid(out) != nil {
			t.Errorf("%s: written as %s", rec.Path, out)
		}
	}
	t.Logf("%d recorded errors", n)
}
