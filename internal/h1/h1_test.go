package h1

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// counting starts a server that counts connections.
func counting(t *testing.T, h http.HandlerFunc, secure bool) (url string, conns *atomic.Int32, config *tls.Config) {
	t.Helper()
	conns = new(atomic.Int32)
	s := httptest.NewUnstartedServer(h)
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			conns.Add(1)
		}
	}
	if secure {
		s.StartTLS()
		config = s.Client().Transport.(*http.Transport).TLSClientConfig
	} else {
		s.Start()
	}
	t.Cleanup(s.Close)
	return s.URL, conns, config
}

func transport(t *testing.T, o Options) *Transport {
	t.Helper()
	tr := New(o)
	t.Cleanup(tr.CloseIdleConnections)
	return tr
}

// post makes a request with a body in pieces.
func post(ctx context.Context, t *testing.T, url string, pieces ...string) *http.Request {
	t.Helper()
	var raw [][]byte
	for _, p := range pieces {
		raw = append(raw, []byte(p))
	}
	body := NewBody(raw)
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, body.Reader())
	if err != nil {
		t.Fatal(err)
	}
	r.ContentLength = body.Len()
	r.GetBody = func() (io.ReadCloser, error) { return body.Reader(), nil }
	return r
}

func read(t *testing.T, res *http.Response) string {
	t.Helper()
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatalf("the answer ended with %v after %d bytes", err, len(b))
	}
	return string(b)
}

func echo(w http.ResponseWriter, r *http.Request) {
	b, _ := io.ReadAll(r.Body)
	w.Header().Set("X-Length", strconv.FormatInt(r.ContentLength, 10))
	w.Header().Set("x-MiXed", "a")
	w.Header().Add("x-MiXed", "b")
	_, _ = w.Write(b)
}

func TestBodiesOfAllSizesGoThereAndBackOnOneConnection(t *testing.T) {
	for name, secure := range map[string]bool{"plain": false, "TLS": true} {
		t.Run(name, func(t *testing.T) {
			url, conns, config := counting(t, echo, secure)
			tr := transport(t, Options{TLS: config})
			for _, size := range []int{0, 1, 2000, 5000, 70_000, inBackground, inBackground + 1, 3 << 20} {
				a, b := strings.Repeat("a", size/2), strings.Repeat("b", size-size/2)
				res, err := tr.RoundTrip(post(t.Context(), t, url+"/p?q=1", a, "", b))
				if err != nil {
					t.Fatalf("%d bytes: %v", size, err)
				}
				if got := read(t, res); got != a+b {
					t.Errorf("%d bytes came back as %d", size, len(got))
				}
				if v := res.Header["X-Mixed"]; len(v) != 2 || v[0] != "a" || v[1] != "b" || res.StatusCode != http.StatusOK || res.Status != "200 OK" {
					t.Errorf("%d bytes: %s %v", size, res.Status, res.Header)
				}
				if size > 0 && res.Header.Get("X-Length") != strconv.Itoa(size) {
					t.Errorf("%d bytes were announced as %s", size, res.Header.Get("X-Length"))
				}
				if secure != (res.TLS != nil) {
					t.Errorf("TLS is %v", res.TLS)
				}
			}
			if n := conns.Load(); n != 1 {
				t.Errorf("%d connections were made", n)
			}
		})
	}
}

func TestOrdinaryReadersAreSentToo(t *testing.T) {
	url, conns, _ := counting(t, echo, false)
	tr := transport(t, Options{})
	for _, size := range []int{0, 10, 100_000, 1 << 20} {
		for _, length := range []int64{-1, int64(size)} {
			text := strings.Repeat("x", size)
			r, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, url, io.NopCloser(strings.NewReader(text)))
			r.ContentLength = length
			res, err := tr.RoundTrip(r)
			if err != nil {
				t.Fatalf("%d, %d: %v", size, length, err)
			}
			if got := read(t, res); got != text {
				t.Errorf("%d, %d: came back as %d bytes", size, length, len(got))
			}
		}
	}
	if n := conns.Load(); n != 1 {
		t.Errorf("%d connections were made", n)
	}
}

func TestMethodsWithoutABody(t *testing.T) {
	url, _, _ := counting(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Method", r.Method)
		switch r.URL.Path {
		case "/204":
			w.WriteHeader(http.StatusNoContent)
		case "/304":
			w.WriteHeader(http.StatusNotModified)
		default:
			_, _ = w.Write([]byte("text"))
		}
	}, false)
	tr := transport(t, Options{})
	for _, c := range []struct{ method, path, want string }{
		{"GET", "/", "text"}, {"HEAD", "/", ""}, {"DELETE", "/204", ""}, {"GET", "/304", ""}, {"POST", "/", "text"},
	} {
		r, _ := http.NewRequestWithContext(t.Context(), c.method, url+c.path, nil)
		res, err := tr.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		if got := read(t, res); got != c.want || res.Header.Get("X-Method") != c.method {
			t.Errorf("%s %s gave %q", c.method, c.path, got)
		}
	}
}

// A stream's pieces arrive as they are sent, and its end leaves the connection
// usable even for a reader that stops at the last word.
func TestAStreamArrivesPieceByPiece(t *testing.T) {
	next := make(chan string)
	url, conns, _ := counting(t, func(w http.ResponseWriter, _ *http.Request) {
		for s := range next {
			_, _ = io.WriteString(w, s)
			w.(http.Flusher).Flush()
			if s == "end" {
				return
			}
		}
	}, false)
	defer close(next)
	tr := transport(t, Options{})
	for range 3 {
		r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		go func() { next <- "0" }()
		res, err := tr.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 100)
		for i, s := range []string{"0", "one", "two", "end"} {
			if i > 0 {
				next <- s
			}
			if n, err := res.Body.Read(buf); string(buf[:n]) != s || err != nil {
				t.Fatalf("%q arrived as %q, %v", s, buf[:n], err)
			}
		}
		if _, err := res.Body.Read(buf); err != io.EOF {
			t.Fatalf("after the end came %v", err)
		}
		_ = res.Body.Close()
	}
	if n := conns.Load(); n != 1 {
		t.Errorf("%d connections were made", n)
	}
}

func TestClosingEarlyEndsTheConnection(t *testing.T) {
	left := make(chan struct{})
	url, conns, _ := counting(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "begin")
		w.(http.Flusher).Flush()
		<-r.Context().Done() // only the end of the connection does that
		left <- struct{}{}
	}, false)
	tr := transport(t, Options{})
	for i := range 2 {
		res, err := tr.RoundTrip(post(t.Context(), t, url, "x"))
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		<-left
		if _, err := res.Body.Read(make([]byte, 1)); err == nil || err == io.EOF {
			t.Errorf("a closed body reads %v", err)
		}
		if n := conns.Load(); int(n) != i+1 {
			t.Errorf("%d connections were made", n)
		}
	}
}

// Cancellation works at every stage: connecting, writing, waiting for the
// head, reading, and waiting for a free connection.
func TestCancellation(t *testing.T) {
	silent := func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }
	for name, c := range map[string]struct {
		serve func(net.Conn)
		body  string
		dial  bool // is what hangs
	}{
		"while the head is awaited": {serve: silent, body: "x"},
		"in the middle of the head": {serve: func(c net.Conn) { _, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nA: "); silent(c) }, body: "x"},
		"in the middle of a body": {serve: func(c net.Conn) {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
			silent(c)
		}},
		"in the middle of a chunk": {serve: func(c net.Conn) {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabc")
			silent(c)
		}},
		"while a body is written":         {serve: func(c net.Conn) { _, _ = c.Read(make([]byte, 1)); select {} }, body: strings.Repeat("x", 16<<20)},
		"while the connection is awaited": {dial: true},
	} {
		t.Run(name, func(t *testing.T) {
			stuck := make(chan struct{})
			o := Options{Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
				if c.dial {
					close(stuck)
					<-ctx.Done()
					return nil, ctx.Err()
				}
				return new(net.Dialer).DialContext(ctx, network, address)
			}}
			url, closeServer := "http://127.0.0.1:1", func() {}
			if !c.dial {
				url, closeServer = raw(t, func(conn net.Conn) {
					close(stuck)
					if strings.Contains(name, "written") {
						_, _ = conn.Read(make([]byte, 1))
						return // without closing; the listener's cleanup does
					}
					c.serve(conn)
				})
			}
			defer closeServer()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			go func() {
				<-stuck
				time.Sleep(5 * time.Millisecond) // let it get as far as it can
				cancel()
			}()
			tr := transport(t, o)
			res, err := tr.RoundTrip(post(ctx, t, url, c.body))
			if err == nil {
				_, err = io.ReadAll(res.Body)
				_ = res.Body.Close()
			}
			if !errors.Is(err, context.Canceled) {
				t.Errorf("it ended with %v", err)
			}
		})
	}
}

func TestADeadlineIsTheContextsError(t *testing.T) {
	url, done := raw(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })
	defer done()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := transport(t, Options{}).RoundTrip(post(ctx, t, url, "x")); err != context.DeadlineExceeded {
		t.Errorf("it ended with %v", err)
	}
}

func TestConnectingHasALimit(t *testing.T) {
	tr := transport(t, Options{ConnectTimeout: time.Millisecond, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}})
	_, err := tr.RoundTrip(post(t.Context(), t, "http://h", "x"))
	n, ok := errors.AsType[net.Error](err)
	if !ok || !n.Timeout() || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("it ended with %v", err)
	}
}

func TestRequestsThatAreNotOneRequestAreRefused(t *testing.T) {
	tr := transport(t, Options{Dial: func(context.Context, string, string) (net.Conn, error) {
		t.Error("a connection was made")
		return nil, errors.New("no")
	}})
	for name, change := range map[string]func(*http.Request){
		"a line end in a value":  func(r *http.Request) { r.Header["A"] = []string{"b\r\nC: d"} },
		"a NUL in a value":       func(r *http.Request) { r.Header["A"] = []string{"b\x00"} },
		"a line end in a name":   func(r *http.Request) { r.Header["A\nB"] = []string{"b"} },
		"an empty name":          func(r *http.Request) { r.Header[""] = []string{"b"} },
		"a blank in the method":  func(r *http.Request) { r.Method = "GET /" },
		"a tunnel":               func(r *http.Request) { r.Method = "CONNECT" },
		"a line end in the host": func(r *http.Request) { r.Host = "h\r\nA: b" },
		"another scheme":         func(r *http.Request) { r.URL.Scheme = "ftp" },
		"no host":                func(r *http.Request) { r.URL.Host = "" },
		"a host beyond ASCII":    func(r *http.Request) { r.URL.Host = "bücher.example" },
		"a blank in the query":   func(r *http.Request) { r.URL.RawQuery = "a b" },
		"an opaque URL":          func(r *http.Request) { r.URL.Opaque = "x\r\ny" },
	} {
		r := post(t.Context(), t, "http://h/", "body")
		change(r)
		if _, err := tr.RoundTrip(r); err == nil {
			t.Errorf("%s was sent", name)
		}
	}
}

func TestABodyIsReadableAgainAndNotAfterRelease(t *testing.T) {
	b := NewBody([][]byte{[]byte("one"), nil, []byte("two")})
	for range 2 {
		if got, err := io.ReadAll(iotestOneByte{b.Reader()}); err != nil || string(got) != "onetwo" {
			t.Errorf("it reads %q, %v", got, err)
		}
	}
	r := b.Reader()
	_, _ = r.Read(make([]byte, 2))
	b.Release()
	for _, r := range []io.Reader{r, b.Reader()} {
		if _, err := r.Read(make([]byte, 9)); !errors.Is(err, errReleased) {
			t.Errorf("a released body reads %v", err)
		}
	}
	var none bytes.Buffer
	if n, err := none.ReadFrom(NewBody(nil).Reader()); n != 0 || err != nil {
		t.Errorf("an empty body reads %d, %v", n, err)
	}
}

type iotestOneByte struct{ r io.Reader }

func (o iotestOneByte) Read(p []byte) (int, error) { return o.r.Read(p[:1]) }
