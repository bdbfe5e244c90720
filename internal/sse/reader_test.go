package sse

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// event is what of a frame must not depend on how the bytes arrived.
type event struct {
	event, data                  string
	hasEvent, hasData, truncated bool
}

// live stands for a frame that carries nothing.
var live = event{}

// parts is a source that gives each part in one Read, then err.
type parts struct {
	parts [][]byte
	err   error
	reads int
}

func (p *parts) Read(b []byte) (int, error) {
	p.reads++
	for len(p.parts) > 0 && len(p.parts[0]) == 0 {
		p.parts = p.parts[1:]
	}
	if len(p.parts) == 0 {
		return 0, p.err
	}
	n := copy(b, p.parts[0])
	p.parts[0] = p.parts[0][n:]
	return n, nil
}

func split(s string, at ...int) io.Reader {
	p := &parts{err: io.EOF}
	from := 0
	for _, to := range at {
		p.parts = append(p.parts, []byte(s[from:to]))
		from = to
	}
	p.parts = append(p.parts, []byte(s[from:]))
	return p
}

// collect reads a stream to its end, checks what always holds, and returns the
// frames. A last frame that is nothing but the \n of the \r\n before it is left
// out: whether there is one depends on how the bytes arrived.
func collect(t *testing.T, src io.Reader, input string) []event {
	t.Helper()
	r := NewReader(src, 0)
	defer r.Release()
	var got []event
	var raw []byte
	for {
		f, err := r.Next()
		if err != nil {
			if err != io.EOF {
				t.Fatal(err)
			}
			break
		}
		if len(f.Raw) == 0 {
			t.Fatal("empty frame")
		}
		leftover := string(f.Raw) == "\n" && bytes.HasSuffix(raw, []byte{'\r'})
		raw = append(raw, f.Raw...)
		if leftover {
			continue
		}
		if f.IsLiveness() != (!f.HasData && f.Event == nil) || f.HasData != (f.Data != nil) {
			t.Fatalf("inconsistent frame %+v", f)
		}
		got = append(got, event{string(f.Event), string(f.Data), f.Event != nil, f.HasData, f.Truncated})
	}
	if string(raw) != input {
		t.Fatalf("bytes were lost or added:\n%q\n%q", raw, input)
	}
	return got
}

func data(s string) event     { return event{data: s, hasData: true} }
func named(e, s string) event { return event{e, s, true, true, false} }
func nameOnly(e string) event { return event{event: e, hasEvent: true} }
func truncated(e event) event { e.truncated = true; return e }
func crlf(s string) string    { return strings.ReplaceAll(s, "\n", "\r\n") }
func cr(s string) string      { return strings.ReplaceAll(s, "\n", "\r") }
func list(e ...event) []event { return e }
func same(a, b []event) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

var corpus = []struct {
	name, in string
	want     []event
}{
	{"an empty stream has no frames", "", nil},
	{"two events are two frames", "data: a\n\ndata:b\n\n", list(data("a"), data("b"))},
	{"only one space is taken off", "data:  a \n\n", list(data(" a "))},
	{"a name is kept", "event: x\ndata: {}\n\n", list(named("x", "{}"))},
	{"the last name counts", "event: x\nevent:y\ndata: 1\n\n", list(named("y", "1"))},
	{"data lines are joined", "data: a\ndata:\ndata: c\n\n", list(data("a\n\nc"))},
	{"empty data is data", "data:\n\ndata\n\ndata: \n\n", list(data(""), data(""), data(""))},
	{"an event may have no data", "event: ping\n\n", list(nameOnly("ping"))},
	{"an empty name is a name", "event:\ndata: 1\n\n", list(named("", "1"))},
	{"a comment stands alone", ": hi\ndata: a\n\n", list(live, data("a"))},
	{"a comment and its blank line are two frames", ": hi\n\ndata: a\n\n", list(live, live, data("a"))},
	{"a comment in an event belongs to it", "data: a\n: hi\ndata: b\n\n", list(data("a\nb"))},
	{"blank lines stand alone", "\n\ndata: a\n\n\n", list(live, live, data("a"), live)},
	{"id and retry alone are liveness", "id: 1\nretry: 5\n\n", list(live)},
	{"unknown fields are ignored", "foo: 1\nbar\ndatax: 2\ndata: a\n\n", list(data("a"))},
	{"the DashScope way works", "id:1\nevent:result\n:HTTP_STATUS/200\ndata:{\"a\":\"b\"}\n\n", list(named("result", `{"a":"b"}`))},
	{"a mark at the start is skipped", "\xef\xbb\xbfdata: a\n\ndata: b\n\n", list(data("a"), data("b"))},
	{"a mark before a comment is skipped", "\xef\xbb\xbf: c\ndata: b\n\n", list(live, data("b"))},
	{"a mark later is no mark", "data: a\n\n\xef\xbb\xbfdata: b\n\n", list(data("a"), live)},
	{"text outside ASCII is left alone", "data: {\"t\":\"漢字😀é\"}\n\ndata: 日本\ndata: 語\n\n", list(data(`{"t":"漢字😀é"}`), data("日本\n語"))},
	{"a last event without its blank line is not lost", "data: a\n\nevent: x\ndata: b\n", list(data("a"), truncated(named("x", "b")))},
	{"a last line without its end is not lost", "data: a\n\ndata: b", list(data("a"), truncated(data("b")))},
	{"a cut comment is liveness", "data: a\n\n: b", list(data("a"), truncated(live))},
	{"a last data line may be cut behind its name", "data", list(truncated(data("")))},
	{"colons in data are data", "data: a: b:\n\n", list(data("a: b:"))},
	{"lines that only begin like fields are not", "databank: 1\n\neventual: 2\n\n", list(live, live)},
}

func TestFramesDoNotDependOnHowTheBytesArrive(t *testing.T) {
	for _, c := range corpus {
		for ending, in := range map[string]string{"LF": c.in, "CRLF": crlf(c.in), "CR": cr(c.in)} {
			t.Run(c.name+" with "+ending, func(t *testing.T) {
				check := func(how string, src io.Reader) {
					if got := collect(t, src, in); !same(got, c.want) {
						t.Fatalf("%s: got %+v\nwant %+v", how, got, c.want)
					}
				}
				check("whole", strings.NewReader(in))
				check("one byte at a time", iotest.OneByteReader(strings.NewReader(in)))
				check("error with the last bytes", iotest.DataErrReader(strings.NewReader(in)))
				for i := range len(in) {
					check("split", split(in, i))
					for j := i; j < len(in); j++ {
						check("split twice", split(in, i, j))
					}
				}
			})
		}
	}
}

func TestLineEndsMayBeMixed(t *testing.T) {
	in := "data: a\r\rdata: b\r\n\ndata: c\n\r\ndata: d\r\n\r\n\rdata: e\n\r"
	want := list(data("a"), data("b"), data("c"), data("d"), live, data("e"))
	for i := range len(in) {
		if got := collect(t, split(in, i), in); !same(got, want) {
			t.Fatalf("split at %d: %+v", i, got)
		}
	}
}

func TestACompleteFrameIsNeverWaitedFor(t *testing.T) {
	for _, in := range []string{"data: a\n\n", "data: a\r\n\r\n", "data: a\r\r", "data: a\r\n\r", ": c\n", ": c\r", "\n", "\r"} {
		p := &parts{parts: [][]byte{[]byte(in)}, err: errors.New("asked for more")}
		r := NewReader(p, 0)
		f, err := r.Next()
		if err != nil || string(f.Raw) != in || f.Truncated || p.reads != 1 {
			t.Errorf("%q: %+v %v after %d reads", in, f, err, p.reads)
		}
		r.Release()
	}
}

func TestALineFeedThatComesLateIsKeptInTheNextFrame(t *testing.T) {
	r := NewReader(split("data: a\r\n\r\ndata: b\r\n\r\n", 10), 0)
	defer r.Release()
	for _, want := range []string{"data: a\r\n\r", "\ndata: b\r\n\r\n"} {
		if f, err := r.Next(); err != nil || string(f.Raw) != want {
			t.Fatalf("%+v %v", f, err)
		}
	}
}

func TestAReadErrorComesAfterEverythingThatArrived(t *testing.T) {
	broken := errors.New("connection reset")
	r := NewReader(&parts{parts: [][]byte{[]byte("data: a\n\ndata: b\n\ndata: c")}, err: broken}, 0)
	defer r.Release()
	for _, want := range []event{data("a"), data("b"), truncated(data("c"))} {
		f, err := r.Next()
		if err != nil || string(f.Data) != want.data || f.Truncated != want.truncated {
			t.Fatalf("%+v %v", f, err)
		}
	}
	for range 2 {
		if f, err := r.Next(); f != nil || err != broken {
			t.Fatalf("%+v %v", f, err)
		}
	}
}

func TestMoreTellsWhetherNextWouldRead(t *testing.T) {
	for _, c := range corpus {
		for _, in := range []string{c.in, crlf(c.in), cr(c.in)} {
			for i := range len(in) {
				p := split(in, i).(*parts)
				r := NewReader(p, 0)
				for {
					more, reads := r.More(), p.reads
					f, err := r.Next()
					if err != nil {
						if more {
							t.Fatalf("%q at %d: More before %v", in, i, err)
						}
						break
					}
					if more != (p.reads == reads) {
						t.Fatalf("%q at %d: More is %v before %q, but %d reads", in, i, more, f.Raw, p.reads-reads)
					}
				}
				r.Release()
			}
		}
	}
}

func TestLongLinesPassIntact(t *testing.T) {
	for _, n := range []int{100, 8184, 8185, 8192, 70_000, 1 << 20, 16 << 20} {
		for _, ending := range []string{"\n", "\r\n", "\r"} {
			line := strings.Repeat("x", n)
			in := "data: a" + ending + ending + "data: " + line + ending + ending + "data: z" + ending + ending
			r := NewReader(strings.NewReader(in), 0)
			var raw int
			for _, want := range []string{"a", line, "z"} {
				f, err := r.Next()
				if err != nil || string(f.Data) != want {
					t.Fatalf("%d: %v", n, err)
				}
				raw += len(f.Raw)
			}
			if _, err := r.Next(); err != io.EOF || raw != len(in) {
				t.Fatalf("%v, %d bytes of %d", err, raw, len(in))
			}
			r.Release()
		}
	}
}

func TestTheLimitIsExact(t *testing.T) {
	for _, limit := range []int{10, 100, 8191, 8192, 8193, 50_000} {
		for _, extra := range []int{0, 1, 5000} {
			for _, tail := range []string{"\n\n", ""} {
				in := "data: " + strings.Repeat("x", limit+extra-6-len(tail)) + tail
				for _, src := range []io.Reader{strings.NewReader(in), iotest.OneByteReader(strings.NewReader(in)), strings.NewReader(in + "data: b\n\n")} {
					if tail == "" && src != nil {
						src = strings.NewReader(in)
					}
					r := NewReader(src, limit)
					f, err := r.Next()
					var long *TooLongError
					if errors.As(err, &long) != (extra > 0) || extra == 0 && len(f.Raw) != limit {
						t.Fatalf("limit %d, %d over: %v", limit, extra, err)
					}
					if long != nil && (long.Limit != limit || r.More() || len(r.buf) > max(limit+1, firstBuffer)) {
						t.Fatalf("limit %d: %+v with %d bytes of buffer", limit, long, len(r.buf))
					}
					r.Release()
				}
			}
		}
	}
}

func TestASourceThatGivesNothingIsGivenUp(t *testing.T) {
	r := NewReader(&parts{}, 0)
	defer r.Release()
	if _, err := r.Next(); err != io.ErrNoProgress {
		t.Fatal(err)
	}
}

func TestAReleasedReaderIsHarmless(t *testing.T) {
	r := NewReader(strings.NewReader("data: a\n\ndata: b\n\n"), 0)
	r.Next()
	r.Release()
	r.Release()
	if f, err := r.Next(); f != nil || err == nil || r.More() {
		t.Fatal("a released Reader still gives frames")
	}
}

func TestFramesAllocateNothing(t *testing.T) {
	src := &loop{text: []byte("event: x\ndata: a\ndata: b\n\n: c\ndata: " + strings.Repeat("y", 300) + "\n\n")}
	r := NewReader(src, 0)
	defer r.Release()
	r.Next()
	if n := testing.AllocsPerRun(1000, func() { r.Next(); r.More() }); n != 0 {
		t.Fatalf("%v allocations", n)
	}
}

func TestWritingAnEvent(t *testing.T) {
	for _, c := range []struct{ name, event, data, want string }{
		{"without a name", "", "{}", "data: {}\n\n"},
		{"with a name", "x", "{}", "event: x\ndata: {}\n\n"},
		{"empty", "", "", "data: \n\n"},
		{"with several lines", "", "a\nb\r\nc\rd\n", "data: a\ndata: b\ndata: c\ndata: d\ndata: \n\n"},
		{"with a name that would break out", "x\ndata: y", "1", "event: x data: y\ndata: 1\n\n"},
	} {
		if got := AppendEvent([]byte("!"), c.event, []byte(c.data)); string(got) != "!"+c.want {
			t.Errorf("%s: %q", c.name, got)
		}
	}
	if got := AppendComment(nil, "keep-alive"); string(got) != ": keep-alive\n" {
		t.Errorf("%q", got)
	}
	if got := AppendComment(nil, "a\r\nb"); string(got) != ": a\n: b\n" {
		t.Errorf("%q", got)
	}
}

func FuzzReader(f *testing.F) {
	for i, c := range corpus {
		f.Add(c.in, uint16(i), uint16(2*i), uint16(3))
		f.Add(crlf(c.in), uint16(i), uint16(2*i), uint16(4))
	}
	f.Fuzz(func(t *testing.T, in string, a, b, c uint16) {
		at := []int{int(a) % (len(in) + 1), int(b) % (len(in) + 1), int(c) % (len(in) + 1)}
		if at[0] > at[1] {
			at[0], at[1] = at[1], at[0]
		}
		at[2] = max(at[1], at[2])
		want := collect(t, strings.NewReader(in), in)
		if got := collect(t, split(in, at...), in); !same(got, want) {
			t.Fatalf("%q at %v: %+v, whole %+v", in, at, got, want)
		}
		if got := collect(t, iotest.OneByteReader(strings.NewReader(in)), in); !same(got, want) {
			t.Fatalf("%q byte by byte: %+v, whole %+v", in, got, want)
		}
	})
}

func FuzzAppendEvent(f *testing.F) {
	f.Add("x", "a\nb")
	f.Add("", "\r\n\r")
	f.Fuzz(func(t *testing.T, name, text string) {
		out := AppendEvent(AppendComment(nil, name), name, []byte(text))
		r := NewReader(bytes.NewReader(out), 0)
		defer r.Release()
		for {
			frame, err := r.Next()
			if err != nil {
				t.Fatal("no event came back")
			}
			if frame.IsLiveness() {
				continue
			}
			want := strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text)
			wantName := strings.NewReplacer("\r", " ", "\n", " ").Replace(name)
			if string(frame.Data) != want || string(frame.Event) != wantName || frame.Truncated {
				t.Fatalf("%q came back as %+v", out, frame)
			}
			break
		}
		if _, err := r.Next(); err != io.EOF {
			t.Fatalf("more than one event: %v", err)
		}
	})
}

// loop is a source without an end.
type loop struct {
	text []byte
	at   int
}

func (l *loop) Read(b []byte) (int, error) {
	n := 0
	for n < len(b) {
		k := copy(b[n:], l.text[l.at:])
		n, l.at = n+k, (l.at+k)%len(l.text)
	}
	return n, nil
}

// burst is loop, one frame per Read.
type burst struct{ text []byte }

func (l burst) Read(b []byte) (int, error) { return copy(b, l.text), nil }

func benchReader(b *testing.B, src io.Reader, size int) {
	r := NewReader(src, 0)
	defer r.Release()
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		if f, err := r.Next(); err != nil || len(f.Data) == 0 {
			b.Fatal(err)
		}
		r.More()
	}
}

var frame300 = []byte("data: {" + strings.Repeat("x", 290) + "}\n\n")

func BenchmarkNextBuffered300(b *testing.B)   { benchReader(b, &loop{text: frame300}, 300) }
func BenchmarkNextOnePerRead300(b *testing.B) { benchReader(b, burst{frame300}, 300) }
func BenchmarkNextNamed300(b *testing.B) {
	benchReader(b, burst{[]byte("event: content_block_delta\n" + string(frame300))}, 327)
}
func BenchmarkNextCRLF300(b *testing.B) {
	benchReader(b, burst{[]byte(crlf(string(frame300)))}, 302)
}
func BenchmarkNext64KB(b *testing.B) {
	benchReader(b, &loop{text: []byte("data: " + strings.Repeat("x", 64<<10) + "\n\n")}, 64<<10)
}
func BenchmarkManyShortLinesCRInABigBuffer(b *testing.B) {
	text := []byte("data: " + strings.Repeat("x", 4<<20) + "\r\r" + strings.Repeat("data: a\r\r", 1<<19))
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		r := NewReader(bytes.NewReader(text), 0)
		for {
			if _, err := r.Next(); err != nil {
				break
			}
		}
		r.Release()
	}
}
func BenchmarkAppendEvent300(b *testing.B) {
	var dst []byte
	body := bytes.Repeat([]byte("x"), 300)
	b.ReportAllocs()
	for b.Loop() {
		dst = AppendEvent(dst[:0], "content_block_delta", body)
	}
}
