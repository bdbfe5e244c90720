package h1

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// raw starts a server that hands each connection to serve.
func raw(t *testing.T, serve func(net.Conn)) (url string, done func()) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	var conns []net.Conn
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			conns = append(conns, c)
			mu.Unlock()
			wg.Go(func() { serve(c) })
		}
	})
	return "http://" + l.Addr().String(), func() {
		_ = l.Close()
		mu.Lock()
		for _, c := range conns {
			_ = c.Close()
		}
		mu.Unlock()
		wg.Wait()
	}
}

// scripted answers each request on a connection with the next of answers, and
// closes where they end. Requests are read as net/http does.
func scripted(answers ...string) func(net.Conn) {
	return func(c net.Conn) {
		defer c.Close()
		r := bufio.NewReader(c)
		for _, a := range answers {
			req, err := http.ReadRequest(r)
			if err != nil {
				return
			}
			_, _ = io.Copy(io.Discard, req.Body)
			if _, err := io.WriteString(c, a); err != nil {
				return
			}
		}
	}
}

func TestOddAnswersThatAreRight(t *testing.T) {
	long := strings.Repeat("v", 100_000)
	for name, c := range map[string]struct{ answer, want string }{
		"until the end of the connection":      {"HTTP/1.1 200 OK\r\n\r\nhello", "hello"},
		"HTTP/1.0":                             {"HTTP/1.0 200 OK\r\n\r\nhello", "hello"},
		"no reason":                            {"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok", "ok"},
		"line ends without CR":                 {"HTTP/1.1 200 OK\nContent-Length: 2\n\nok", "ok"},
		"interim answers":                      {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "ok"},
		"the same length twice":                {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok", "ok"},
		"the same length in a list":            {"HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nok", "ok"},
		"a long header":                        {"HTTP/1.1 200 OK\r\nA: " + long + "\r\nContent-Length: 2\r\n\r\nok", "ok"},
		"chunks with extensions and a trailer": {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b\r\nok\r\n01 \r\n!\r\n0\r\nX: y\r\nZ: w\r\n\r\n", "ok!"},
		"chunked in another case":              {"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n0\r\n\r\n", ""},
		"a large chunk":                        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n186A0\r\n" + long + "\r\n0\r\n\r\n", long},
		"no content and a length":              {"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			url, done := raw(t, scripted(c.answer))
			defer done()
			res, err := transport(t, Options{}).RoundTrip(post(t.Context(), t, url, "x"))
			if err != nil {
				t.Fatal(err)
			}
			if got := read(t, res); got != c.want {
				t.Errorf("it reads %.100q", got)
			}
		})
	}
}

func TestAnswersThatAreWrong(t *testing.T) {
	const ok, chunked = "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	for name, answer := range map[string]string{
		"nothing":                         "",
		"not HTTP":                        "SSH-2.0-x\r\n\r\n",
		"HTTP/2":                          "HTTP/2.0 200 OK\r\n\r\n",
		"another minor version":           "HTTP/1.2 200 OK\r\n\r\n",
		"a status that is no number":      "HTTP/1.1 2x0 OK\r\n\r\n",
		"a status of four digits":         "HTTP/1.1 2000 OK\r\n\r\n",
		"a status below 100":              "HTTP/1.1 099 OK\r\n\r\n",
		"a switch of protocols":           "HTTP/1.1 101 Switching\r\n\r\n",
		"interim answers without an end":  strings.Repeat("HTTP/1.1 102 Processing\r\n\r\n", 50),
		"a head that ends early":          ok + "A: b\r\n",
		"a head that is too long":         ok + "A: " + strings.Repeat("v", 2<<20) + "\r\n\r\n",
		"a header without a colon":        ok + "abc\r\n\r\n",
		"a blank before the colon":        ok + "Content-Length : 3\r\n\r\nabc",
		"a folded header":                 ok + "A: b\r\n c\r\n\r\n",
		"a first line that is folded":     ok + " A: b\r\n\r\n",
		"a NUL in a value":                ok + "A: \x00\r\n\r\n",
		"a CR in a value":                 ok + "A: b\rC: d\r\n\r\n",
		"lengths that conflict":           ok + "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
		"lengths that conflict in a list": ok + "Content-Length: 3, 4\r\n\r\nabcd",
		"a length with a sign":            ok + "Content-Length: +3\r\n\r\nabc",
		"a negative length":               ok + "Content-Length: -1\r\n\r\nabc",
		"an empty length":                 ok + "Content-Length:\r\n\r\nabc",
		"a length beyond all numbers":     ok + "Content-Length: 99999999999999999999\r\n\r\nabc",
		"a length beside chunks":          ok + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"chunks twice":                    ok + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"another transfer encoding":       ok + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
		"chunks in HTTP/1.0":              "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"a body that is cut":              ok + "Content-Length: 5\r\n\r\nabc",
		"chunks that are cut":             chunked + "5\r\nabc",
		"chunks without a last one":       chunked + "3\r\nabc\r\n",
		"a cut end of the last chunk":     chunked + "0\r\n",
		"a chunk size with a sign":        chunked + "+3\r\nabc\r\n0\r\n\r\n",
		"a chunk size with a prefix":      chunked + "0x3\r\nabc\r\n0\r\n\r\n",
		"a chunk size without digits":     chunked + ";a=b\r\nabc\r\n0\r\n\r\n",
		"a chunk size that is too long":   chunked + "0000000000000003\r\nabc\r\n0\r\n\r\n",
		"a chunk size ended by LF":        chunked + "3\nabc\r\n0\r\n\r\n",
		"a CR in a chunk extension":       chunked + "3;a\rb\r\nabc\r\n0\r\n\r\n",
		"an extension without end":        chunked + "3;" + strings.Repeat("a", 4000) + "\r\nabc\r\n0\r\n\r\n",
		"a chunk longer than its size":    chunked + "3\r\nabcd\r\n0\r\n\r\n",
		"a chunk ended by LF":             chunked + "3\r\nabc\n0\r\n\r\n",
		"a trailer without end":           chunked + "0\r\n" + strings.Repeat("A: b\r\n", 20000) + "\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			conns := new(atomic.Int32)
			serve := scripted(answer)
			url, done := raw(t, func(c net.Conn) { conns.Add(1); serve(c) })
			defer done()
			tr := transport(t, Options{})
			res, err := tr.RoundTrip(post(t.Context(), t, url, "x"))
			if err == nil {
				_, err = io.ReadAll(res.Body)
				_ = res.Body.Close()
			}
			if err == nil {
				t.Error("it was taken for an answer")
			}
			for _, h := range tr.hosts {
				if len(h.idle) != 0 || h.open != 0 {
					t.Errorf("%d connections are kept, %d counted", len(h.idle), h.open)
				}
			}
			if n := conns.Load(); n != 1 {
				t.Errorf("it was sent %d times", n)
			}
		})
	}
}

const fine = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

func TestConnectionsThatAreNotUsedAgain(t *testing.T) {
	for name, first := range map[string]string{
		"the server says so":          "HTTP/1.1 200 OK\r\nConnection: x, Close\r\nContent-Length: 2\r\n\r\nok",
		"something is behind the end": fine + "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil",
		"it is HTTP/1.0":              "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok",
	} {
		t.Run(name, func(t *testing.T) {
			conns := new(atomic.Int32)
			url, done := raw(t, func(c net.Conn) { conns.Add(1); scripted(first, fine, fine)(c) })
			defer done()
			tr := transport(t, Options{})
			for range 2 {
				res, err := tr.RoundTrip(post(t.Context(), t, url, "x"))
				if err != nil {
					t.Fatal(err)
				}
				if got := read(t, res); got != "ok" {
					t.Errorf("the answer is %q", got)
				}
			}
			if n := conns.Load(); n != 2 {
				t.Errorf("%d connections were made", n)
			}
		})
	}
}

// What a server sends to an idle connection is no answer to the next request,
// and one that it closed is not used: here the body could not be sent again.
func TestAnIdleConnectionIsLookedAtBeforeUse(t *testing.T) {
	for name, late := range map[string]string{
		"an unasked answer": "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n",
		"the end":           "",
	} {
		t.Run(name, func(t *testing.T) {
			read1, conns := make(chan struct{}), new(atomic.Int32)
			url, done := raw(t, func(c net.Conn) {
				if conns.Add(1) > 1 {
					scripted(fine)(c)
					return
				}
				scripted(fine)(noClose{c})
				<-read1
				_, _ = io.WriteString(c, late)
				_ = c.Close()
			})
			defer done()
			tr := transport(t, Options{})
			for i := range 2 {
				req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, url, io.NopCloser(strings.NewReader("once")))
				res, err := tr.RoundTrip(req)
				if err != nil || res.StatusCode != http.StatusOK {
					t.Fatalf("%v, %v", res, err)
				}
				read(t, res)
				if i == 0 {
					if idle := len(onlyHost(tr).idle); idle != 1 {
						t.Fatalf("%d connections wait", idle)
					}
					close(read1)
					waitFor(t, func() bool { return !idlePeek(tr) })
					age(tr)
				}
			}
		})
	}
}

type noClose struct{ net.Conn }

func (noClose) Close() error { return nil }

// idlePeek reports whether the waiting connection is quiet. It takes a byte of
// what is there, of which there are more.
func idlePeek(tr *Transport) bool {
	for _, h := range tr.hosts {
		h.mu.Lock()
		defer h.mu.Unlock()
		for _, c := range h.idle {
			return c.peek.quiet()
		}
	}
	return false
}

// age makes the waiting connections look as if they had waited long.
func age(tr *Transport) {
	h := onlyHost(tr)
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, c := range h.idle {
		c.since = c.since.Add(-2 * freshFor)
	}
}

func waitFor(t *testing.T, done func() bool) {
	t.Helper()
	for range 2000 {
		if done() {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatal("it did not happen")
}

// A connection that the server closes as the request comes is replaced once,
// with the whole body again; a fresh one is not.
func TestAStaleConnectionIsReplacedOnce(t *testing.T) {
	conns := new(atomic.Int32)
	url, done := raw(t, func(c net.Conn) {
		n := conns.Add(1)
		scripted(fine)(noClose{c})
		r := bufio.NewReader(c)
		if req, err := http.ReadRequest(r); err == nil && n < 3 {
			_, _ = io.Copy(io.Discard, req.Body)
		}
		_ = c.Close() // without an answer
	})
	defer done()
	tr := transport(t, Options{})
	for range 3 {
		res, err := tr.RoundTrip(post(t.Context(), t, url, "some", strings.Repeat("x", 9000)))
		if err != nil {
			t.Fatal(err)
		}
		read(t, res)
	}
	if n := conns.Load(); n != 3 {
		t.Errorf("%d connections were made", n)
	}
	once, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, url, io.NopCloser(strings.NewReader("once")))
	if _, err := tr.RoundTrip(once); err == nil {
		t.Error("a body that cannot be read again was sent again")
	}
}

func TestAnAnswerThatBeganIsNotAskedForAgain(t *testing.T) {
	conns := new(atomic.Int32)
	url, done := raw(t, func(c net.Conn) { conns.Add(1); scripted(fine, "HTTP/1.1 20")(c) })
	defer done()
	tr := transport(t, Options{})
	res, err := tr.RoundTrip(post(t.Context(), t, url, "x"))
	if err != nil {
		t.Fatal(err)
	}
	read(t, res)
	if _, err = tr.RoundTrip(post(t.Context(), t, url, "x")); err != io.ErrUnexpectedEOF || conns.Load() != 1 {
		t.Errorf("it ended with %v after %d connections", err, conns.Load())
	}
}

// A server may answer before it has read the request.
func TestAnEarlyAnswerIsReadWhileTheBodyIsStillWritten(t *testing.T) {
	for name, size := range map[string]int{"a short body": 100_000, "a long body": 32 << 20} {
		t.Run(name, func(t *testing.T) {
			release := make(chan struct{})
			url, done := raw(t, func(c net.Conn) {
				_, _ = c.Read(make([]byte, 100))
				_, _ = io.WriteString(c, "HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig")
				<-release
			})
			defer done()
			defer close(release)
			body := strings.Repeat("x", size)
			res, err := transport(t, Options{}).RoundTrip(post(t.Context(), t, url, body))
			if err != nil {
				t.Fatal(err)
			}
			if got := read(t, res); got != "big" || res.StatusCode != http.StatusRequestEntityTooLarge {
				t.Errorf("the answer is %d %q", res.StatusCode, got)
			}
		})
	}
}

// A body that blocks for ever does not hold up an answer that came early.
func TestABodyThatBlocksIsClosed(t *testing.T) {
	url, done := raw(t, func(c net.Conn) {
		_, _ = c.Read(make([]byte, 100))
		_, _ = io.WriteString(c, fine)
	})
	defer done()
	r, w := io.Pipe()
	defer w.Close()
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, url, r)
	res, err := transport(t, Options{}).RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	if got := read(t, res); got != "ok" {
		t.Errorf("the answer is %q", got)
	}
}

//
func TestConnectionsToAHostAreBounded(t *testing.T) {
	conns, busy := new(atomic.Int32), new(atomic.Int32)
	release := make(chan struct{})
	url, _, _ := counting(t, func(w http.ResponseWriter, _ *http.Request) {
		busy.Add(1)
		<-release
		_, _ = io.WriteString(w, "ok")
	}, false)
	tr := transport(t, Options{MaxConnsPerHost: 2, Dial: func(ctx context.Context, n, a string) (net.Conn, error) {
		conns.Add(1)
		return new(net.Dialer).DialContext(ctx, n, a)
	}})
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			res, err := tr.RoundTrip(post(t.Context(), t, url, "x"))
			if err != nil {
				t.Error(err)
				return
			}
			read(t, res)
		})
	}
	h := func() *host { tr.mu.RLock(); defer tr.mu.RUnlock(); return onlyHost(tr) }
	waitFor(t, func() bool { x := h(); return x != nil && busy.Load() == 2 && x.waiters() == 4 })

	ctx, cancel := context.WithCancel(t.Context())
	gaveUp := make(chan error, 1)
	go func() {
		_, err := tr.RoundTrip(post(ctx, t, url, "x"))
		gaveUp <- err
	}()
	waitFor(t, func() bool { return h().waiters() == 5 })
	cancel()
	if err := <-gaveUp; err != context.Canceled {
		t.Errorf("who gave up waiting got %v", err)
	}
	close(release)
	wg.Wait()
	if n := conns.Load(); n != 2 || h().open != 2 {
		t.Errorf("%d connections were made, %d are counted", n, h().open)
	}
}

func onlyHost(tr *Transport) *host {
	for _, h := range tr.hosts {
		return h
	}
	return nil
}

func (h *host) waiters() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.waiting)
}

// A place is given on by a connection that could not be made and by one that
// was cut.
func TestPlacesAreGivenOn(t *testing.T) {
	first := make(chan struct{})
	var n atomic.Int32
	url, done := raw(t, scripted(fine))
	defer done()
	tr := transport(t, Options{MaxConnsPerHost: 1, Dial: func(ctx context.Context, network, a string) (net.Conn, error) {
		if n.Add(1) == 1 {
			<-first
			return nil, io.ErrClosedPipe
		}
		return new(net.Dialer).DialContext(ctx, network, a)
	}})
	errs := make(chan error, 1)
	go func() {
		_, err := tr.RoundTrip(post(t.Context(), t, url, "x"))
		errs <- err
	}()
	waitFor(t, func() bool { return n.Load() == 1 })
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			res, err := tr.RoundTrip(post(t.Context(), t, url, "x"))
			if err != nil {
				t.Error(err)
				return
			}
			_ = res.Body.Close() // unread
		})
	}
	waitFor(t, func() bool { return onlyHost(tr).waiters() == 3 })
	close(first)
	if err := <-errs; err != io.ErrClosedPipe {
		t.Errorf("connecting ended with %v", err)
	}
	wg.Wait()
	if open := onlyHost(tr).open; open != 0 {
		t.Errorf("%d connections are counted", open)
	}
}

func TestIdleConnectionsEnd(t *testing.T) {
	url, conns, _ := counting(t, echo, false)
	tr := transport(t, Options{IdleTimeout: 20 * time.Millisecond, MaxIdlePerHost: 1})
	var both []*http.Response
	for range 2 {
		res, err := tr.RoundTrip(post(t.Context(), t, url, "x"))
		if err != nil {
			t.Fatal(err)
		}
		both = append(both, res)
	}
	for _, res := range both {
		read(t, res)
	}
	h := onlyHost(tr)
	idle := func() (int, int) { h.mu.Lock(); defer h.mu.Unlock(); return len(h.idle), h.open }
	if n, open := idle(); n > 1 || open > 1 {
		t.Errorf("%d idle connections are kept of %d", n, open)
	}
	waitFor(t, func() bool { n, open := idle(); return n == 0 && open == 0 })
	res, err := tr.RoundTrip(post(t.Context(), t, url, "x"))
	if err != nil {
		t.Fatal(err)
	}
	read(t, res)
	if n := conns.Load(); n != 3 {
		t.Errorf("%d connections were made", n)
	}
}

// A request that could not be written may have been answered nevertheless.
func TestARefusalIsReadAfterAFailedWrite(t *testing.T) {
	answer := "HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig"
	tr := transport(t, Options{Dial: func(context.Context, string, string) (net.Conn, error) {
		return brokenPipe{&memConn{data: []byte(answer), step: 1 << 10}}, nil
	}})
	res, err := tr.RoundTrip(post(t.Context(), t, "http://h", "x"))
	if err != nil {
		t.Fatal(err)
	}
	if got := read(t, res); got != "big" || onlyHost(tr).open != 0 {
		t.Errorf("the answer is %q, %d connections are kept", got, onlyHost(tr).open)
	}
}

type brokenPipe struct{ net.Conn }

func (brokenPipe) Write([]byte) (int, error) { return 0, &net.OpError{Op: "write", Err: syscall.EPIPE} }

// A connection that is handed over to somebody who gives up at that moment is
// not lost, nor is a place.
func TestWhatIsHandedOverTooLateIsPassedOn(t *testing.T) {
	o := Options{MaxConnsPerHost: 1}
	o.defaults()
	for name, c := range map[string]*conn{"a connection": {raw: &memConn{}}, "a place": nil} {
		h := &host{options: &o, open: 1}
		if c != nil {
			c.host = h
		}
		turn := make(chan *conn, 1)
		turn <- c
		h.leave(turn)
		if kept := len(h.idle); (c != nil) != (kept == 1) || h.open != kept {
			t.Errorf("%s: %d are idle, %d counted", name, kept, h.open)
		}
		h.closeIdle()
	}
}

// At the bound an idle connection makes place for one that has to be fresh.
func TestAFreshConnectionTakesThePlaceOfAnIdleOne(t *testing.T) {
	o := Options{MaxConnsPerHost: 1}
	o.defaults()
	h := &host{options: &o, open: 1}
	h.idle = []*conn{{host: h, raw: &memConn{}}}
	if c, err := h.admit(t.Context(), false); c != nil || err != nil || h.open != 1 || len(h.idle) != 0 {
		t.Errorf("%v, %v: %d are idle, %d counted", c, err, len(h.idle), h.open)
	}
}
