package eventstream

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// seen is what of a frame must not depend on how the bytes arrived.
type seen struct {
	typ                   MessageType
	name, detail, payload string
}

// readAll reads a stream to its end, checks what always holds, and returns the
// frames with the error that is not io.EOF.
func readAll(t testing.TB, src io.Reader, input []byte) ([]seen, error) {
	t.Helper()
	r := NewReader(src, 0)
	defer r.Release()
	var got []seen
	var raw []byte
	for {
		f, err := r.Next()
		if err != nil {
			if _, again := r.Next(); again != err {
				t.Errorf("an error does not last: %v became %v", err, again)
			}
			if !bytes.HasPrefix(input, raw) {
				t.Errorf("the frames are not the stream")
			}
			if errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
				if len(raw) != len(input) {
					t.Errorf("%d of %d bytes were delivered before a plain end", len(raw), len(input))
				}
				return got, nil
			}
			return got, err
		}
		if again := AppendFrame(nil, f.Headers, f.Payload); !bytes.Equal(again, f.Raw) {
			t.Errorf("a frame written again is another")
		}
		raw = append(raw, f.Raw...)
		got = append(got, seen{f.Type, string(f.Name), string(f.Detail), string(f.Payload)})
	}
}

func sample() []byte {
	out := AppendEvent(nil, "messageStart", []byte(`{"role":"assistant"}`))
	out = AppendEvent(out, "contentBlockDelta", []byte(`{"contentBlockIndex":0,"delta":{"text":"`+strings.Repeat("long ", 2000)+`"}}`))
	out = AppendFrame(out, nil, nil)
	out = AppendException(out, "throttlingException", []byte(`{"message":"Too many tokens"}`))
	return AppendError(out, "InternalError", "broken")
}

var sampleFrames = []seen{
	{TypeEvent, "messageStart", "", `{"role":"assistant"}`},
	{TypeEvent, "contentBlockDelta", "", `{"contentBlockIndex":0,"delta":{"text":"` + strings.Repeat("long ", 2000) + `"}}`},
	{TypeUnknown, "", "", ""},
	{TypeException, "throttlingException", "", `{"message":"Too many tokens"}`},
	{TypeError, "InternalError", "broken", ""},
}

func TestFramesHoweverTheyAreSplit(t *testing.T) {
	whole := sample()
	for name, src := range map[string]io.Reader{
		"at once":      bytes.NewReader(whole),
		"byte by byte": iotest.OneByteReader(bytes.NewReader(whole)),
		"halves":       iotest.HalfReader(bytes.NewReader(whole)),
		"early EOF":    iotest.DataErrReader(bytes.NewReader(whole)),
	} {
		got, err := readAll(t, src, whole)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if len(got) != len(sampleFrames) {
			t.Fatalf("%s: %d frames, want %d", name, len(got), len(sampleFrames))
		}
		for i := range got {
			if got[i] != sampleFrames[i] {
				t.Errorf("%s: frame %d is %+v", name, i, got[i])
			}
		}
	}
}

// The first two are the test vectors empty_message and payload_no_headers that
// AWS publishes with its own readers.
func TestVectors(t *testing.T) {
	for _, v := range []struct{ name, hex, headers, payload string }{
		{"nothing", "000000100000000005c248eb7d98c8ff", "", ""},
		{"payload without headers", "0000001d00000000fd528c5a7b27666f6f273a27626172277dc3653936", "", "{'foo':'bar'}"},
		{
			"one header", "0000003d0000002007fd83960c636f6e74656e742d747970650700106170706c69636174696f6e2f6a736f6e7b27666f6f273a27626172277d8d9c08b1",
			"content-type", "{'foo':'bar'}",
		},
	} {
		t.Run(v.name, func(t *testing.T) {
			wire, err := hex.DecodeString(v.hex)
			if err != nil {
				t.Fatal(err)
			}
			r := NewReader(bytes.NewReader(wire), 0)
			defer r.Release()
			f, err := r.Next()
			if err != nil {
				t.Fatal(err)
			}
			if string(f.Payload) != v.payload || !bytes.Equal(f.Raw, wire) {
				t.Errorf("payload %q, raw %x", f.Payload, f.Raw)
			}
			var names []string
			if err := EachHeader(f.Headers, func(name []byte, _ ValueType, _ []byte) error {
				names = append(names, string(name))
				return nil
			}); err != nil {
				t.Error(err)
			}
			if strings.Join(names, ",") != v.headers {
				t.Errorf("headers %v", names)
			}
			if again := AppendFrame(nil, f.Headers, f.Payload); !bytes.Equal(again, wire) {
				t.Errorf("written again: %x", again)
			}
		})
	}
}

func TestEveryHeaderType(t *testing.T) {
	type header struct {
		name  string
		typ   ValueType
		value string
	}
	want := []header{
		{"t", ValueTrue, ""}, {"f", ValueFalse, ""}, {"byte", ValueByte, "\x7f"}, {"short", ValueInt16, "\x01\x02"},
		{"int", ValueInt32, "\x00\x00\xa0\x0c"}, {"long", ValueInt64, "12345678"}, {"bytes", ValueBytes, "\x00\xff"},
		{"string", ValueString, "text"}, {"time", ValueTimestamp, "87654321"}, {"uuid", ValueUUID, "0123456789abcdef"},
	}
	var headers []byte
	for _, h := range want {
		headers = AppendHeader(headers, h.name, h.typ, []byte(h.value))
	}
	r := NewReader(bytes.NewReader(AppendFrame(nil, headers, []byte("x"))), 0)
	defer r.Release()
	f, err := r.Next()
	if err != nil {
		t.Fatal(err)
	}
	var got []header
	if err := EachHeader(f.Headers, func(name []byte, typ ValueType, value []byte) error {
		got = append(got, header{string(name), typ, string(value)})
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if len(got) != len(want) {
		t.Fatalf("%d headers, want %d", len(got), len(want))
	}
	for i := range got {
		if got[i] != want[i] {
			t.Errorf("header %d is %+v, want %+v", i, got[i], want[i])
		}
	}
}

func TestWhatIsNoFrame(t *testing.T) {
	flip := func(at int) []byte {
		b := sample()
		b[at] ^= 0x40
		return b
	}
	frame := func(headers string) []byte { return AppendFrame(nil, []byte(headers), []byte("payload")) }
	for name, wire := range map[string][]byte{
		"a wrong length":                     flip(3),
		"a wrong checksum of the lengths":    flip(9),
		"a header that was changed":          flip(14),
		"a payload that was changed":         flip(80),
		"text":                               []byte("event: message_start\ndata: {}\n\n"),
		"JSON":                               []byte(`{"message":"The security token is expired"}`),
		"a header without a name":            frame("\x00\x07\x00\x01x"),
		"a header's name that is cut":        frame("\x09abc"),
		"a header without a value":           frame("\x01a\x07\x00"),
		"a header's value that is cut":       frame("\x01a\x07\x00\x05xyz"),
		"a header of a type that is unknown": frame("\x01a\x0a"),
	} {
		_, err := readAll(t, bytes.NewReader(wire), wire)
		if _, ok := errors.AsType[*CorruptError](err); !ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A byte that was changed on its way is found out, wherever it stands, and no frame
// is delivered that is not as it was sent.
func TestEveryByteIsProven(t *testing.T) {
	whole := AppendException(AppendEvent(nil, "a", []byte(`{"x":1}`)), "b", []byte(`{"message":"y"}`))
	sent, err := readAll(t, bytes.NewReader(whole), whole)
	if err != nil {
		t.Fatal(err)
	}
	for at := range whole {
		for bit := range 8 {
			wire := bytes.Clone(whole)
			wire[at] ^= 1 << bit
			got, err := readAll(t, bytes.NewReader(wire), wire)
			if _, corrupt := errors.AsType[*CorruptError](err); !corrupt {
				t.Fatalf("bit %d of byte %d: %v", bit, at, err)
			}
			if len(got) >= len(sent) || len(got) > 0 && got[0] != sent[0] {
				t.Fatalf("bit %d of byte %d: %+v", bit, at, got)
			}
		}
	}
}

// A stream that is cut inside of a frame is never taken for one that has ended.
func TestCutAnywhere(t *testing.T) {
	whole := AppendEvent(AppendEvent(nil, "a", []byte(`{"x":1}`)), "b", []byte(`{}`))
	first := len(AppendEvent(nil, "a", []byte(`{"x":1}`)))
	for n := range whole {
		_, err := readAll(t, bytes.NewReader(whole[:n]), whole[:n])
		if between := n == 0 || n == first; between != (err == nil) {
			t.Errorf("cut at %d: %v", n, err)
		} else if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("cut at %d: %v", n, err)
		}
	}
	broken := errors.New("connection reset")
	_, err := readAll(t, io.MultiReader(bytes.NewReader(whole[:first+3]), iotest.ErrReader(broken)), whole[:first+3])
	if !errors.Is(err, broken) {
		t.Errorf("the source's own error became %v", err)
	}
}

func TestLimit(t *testing.T) {
	wire := AppendEvent(nil, "a", bytes.Repeat([]byte("x"), 1000))
	r := NewReader(bytes.NewReader(wire), len(wire))
	if _, err := r.Next(); err != nil {
		t.Errorf("a frame of just the limit: %v", err)
	}
	r.Release()
	r = NewReader(bytes.NewReader(wire[:preludeLength]), len(wire)-1)
	defer r.Release()
	_, err := r.Next()
	if long, ok := errors.AsType[*TooLongError](err); !ok || long.Limit != len(wire)-1 {
		t.Errorf("a frame over the limit: %v", err) // told by its length, before it came
	}
}

// A frame that says it is long does not make the Reader take that much memory.
func TestAnnouncedLengthIsNotBelieved(t *testing.T) {
	wire := AppendEvent(nil, "a", make([]byte, 8<<20))
	r := NewReader(bytes.NewReader(wire[:100]), 0)
	defer r.Release()
	if _, err := r.Next(); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Fatal(err)
	}
	if len(r.buf) > keepBuffer {
		t.Errorf("%d bytes were taken for 100 that came", len(r.buf))
	}
}

func TestMore(t *testing.T) {
	one := AppendEvent(nil, "a", []byte(`{}`))
	r := NewReader(io.MultiReader(bytes.NewReader(append(bytes.Clone(one), one...)), bytes.NewReader(one[:5]), bytes.NewReader(one[5:])), 0)
	defer r.Release()
	for i, want := range []bool{true, false, false} {
		if _, err := r.Next(); err != nil {
			t.Fatal(err)
		}
		if got := r.More(); got != want {
			t.Errorf("after frame %d: More is %v", i, got)
		}
	}
}

func TestReleased(t *testing.T) {
	r := NewReader(bytes.NewReader(sample()), 0)
	r.Release()
	r.Release()
	if _, err := r.Next(); err == nil || r.More() {
		t.Error("a released Reader still reads")
	}
	r = NewReader(strings.NewReader(""), 0)
	defer r.Release()
	r.src = emptyReader{}
	if _, err := r.Next(); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("a source that never gives anything: %v", err)
	}
}

type emptyReader struct{}

func (emptyReader) Read([]byte) (int, error) { return 0, nil }

func TestException(t *testing.T) {
	for _, v := range []struct {
		wire       []byte
		text, body string
	}{
		{
			AppendException(nil, "throttlingException", []byte(`{"message":"Too many \"tokens\""}`)),
			`throttlingException: Too many "tokens"`, `{"__type":"throttlingException","message":"Too many \"tokens\""}`,
		},
		{AppendException(nil, "x", []byte(`{"Message":"m"}`)), `x: m`, `{"__type":"x","message":"m"}`},
		{AppendException(nil, "x", []byte("oh")), `x`, `{"__type":"x","message":""}`},
		{AppendError(nil, "InternalError", "why"), `InternalError: why`, `{"__type":"InternalError","message":"why"}`},
		{
			AppendFrame(nil, AppendString(nil, ":message-type", "exception"), nil),
			`unknownException`, `{"__type":"unknownException","message":""}`,
		},
	} {
		r := NewReader(bytes.NewReader(v.wire), 0)
		f, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		e := f.Exception()
		r.Release()
		if e == nil || e.Error() != v.text || string(e.Body()) != v.body {
			t.Errorf("got %v, want %s", e, v.text)
		}
	}
}

func TestLongHeadersAreCut(t *testing.T) {
	long := strings.Repeat("x", 70_000)
	wire := AppendFrame(nil, AppendHeader(AppendString(nil, long, long), "b", ValueBytes, []byte(long)), nil)
	if _, err := readAll(t, bytes.NewReader(wire), wire); err != nil {
		t.Error(err)
	}
}

func TestNothingIsAllocatedPerFrame(t *testing.T) {
	wire := bytes.Repeat(AppendEvent(nil, "contentBlockDelta", []byte(`{"contentBlockIndex":0,"delta":{"text":"hi"}}`)), 2000)
	r := NewReader(bytes.NewReader(wire), 0)
	defer r.Release()
	if n := testing.AllocsPerRun(1000, func() {
		if _, err := r.Next(); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations a frame", n)
	}
}

func FuzzReader(f *testing.F) {
	f.Add(AppendException(AppendEvent(nil, "chunk", []byte(`{"bytes":"e30="}`)), "x", []byte(`{"message":"y"}`)))
	f.Add(AppendFrame(nil, []byte("\x01a\x07\x00\x05xyz"), nil))
	f.Add([]byte("data: {}\n\n"))
	f.Fuzz(func(t *testing.T, wire []byte) {
		a, errA := readAll(t, bytes.NewReader(wire), wire)
		b, errB := readAll(t, iotest.OneByteReader(bytes.NewReader(wire)), wire)
		if len(a) != len(b) || (errA == nil) != (errB == nil) || errA != nil && errA.Error() != errB.Error() {
			t.Fatalf("split differently: %d frames, %v became %d, %v", len(a), errA, len(b), errB)
		}
		out, _ := io.ReadAll(NewSSE(bytes.NewReader(wire), 0))
		again, _ := io.ReadAll(NewSSE(iotest.OneByteReader(bytes.NewReader(wire)), 0))
		if !bytes.Equal(out, again) {
			t.Fatalf("split differently: %q became %q", out, again)
		}
	})
}

func BenchmarkNext(b *testing.B) {
	wire := bytes.Repeat(AppendEvent(nil, "contentBlockDelta", []byte(`{"contentBlockIndex":0,"delta":{"text":"hello"},"p":"abcdefghijklmn"}`)), 1000)
	b.SetBytes(int64(len(wire) / 1000))
	b.ReportAllocs()
	for n := 0; n < b.N; n += 1000 {
		r := NewReader(bytes.NewReader(wire), 0)
		for range 1000 {
			if _, err := r.Next(); err != nil {
				b.Fatal(err)
			}
		}
		r.Release()
	}
}

func BenchmarkAppendEvent(b *testing.B) {
	payload := []byte(`{"contentBlockIndex":0,"delta":{"text":"hello"}}`)
	var dst []byte
	b.ReportAllocs()
	for b.Loop() {
		dst = AppendEvent(dst[:0], "contentBlockDelta", payload)
	}
}
