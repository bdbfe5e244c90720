package provider

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weir-gateway/weir"
)

// transports are the ways in which a call can travel; each must behave alike.
func transports(t *testing.T, run func(t *testing.T, start func(h http.HandlerFunc) (*httptest.Server, *Transport))) {
	for name, c := range map[string]struct{ tls, http1 bool }{
		"plain": {}, "HTTP/2": {tls: true}, "TLS with HTTP/1.1": {tls: true, http1: true},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, func(h http.HandlerFunc) (*httptest.Server, *Transport) {
				s := httptest.NewUnstartedServer(h)
				o := TransportOptions{HTTP1: c.http1}
				if c.tls {
					s.EnableHTTP2 = true
					s.StartTLS()
					o.TLS = s.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
					o.TLS.NextProtos = nil
				} else {
					s.Start()
				}
				tr := NewTransport(o)
				t.Cleanup(func() {
					tr.CloseIdleConnections()
					s.CloseClientConnections()
					s.Close()
				})
				return s, tr
			})
		})
	}
}

//
func TestTheUpstreamIsCancelledWhenTheConsumerLeaves(t *testing.T) {
	transports(t, func(t *testing.T, start func(http.HandlerFunc) (*httptest.Server, *Transport)) {
		gone := make(chan string, 1)
		s, tr := start(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			_, _ = io.WriteString(w, "start\none\n")
			w.(http.Flusher).Flush()
			<-r.Context().Done()
			gone <- r.Proto
		})
		h := must(t, single(s, tr, &lines{}))
		for ev := range h.Handle(t.Context(), question()) {
			if ev.Type == weir.EventDelta {
				break
			}
		}
		if proto := <-gone; s.TLS != nil && len(s.TLS.NextProtos) > 0 && !tr.https && proto != "HTTP/2.0" {
			t.Errorf("the call went by %s", proto)
		}

		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var last error
		for ev, err := range h.Handle(ctx, question()) {
			if ev.Type == weir.EventDelta {
				cancel()
			}
			last = err
		}
		if <-gone; last != context.Canceled {
			t.Errorf("a cancelled call ended with %v", last)
		}
	})
}

func TestTheContextsErrorIsLeftAsItIs(t *testing.T) {
	transports(t, func(t *testing.T, start func(http.HandlerFunc) (*httptest.Server, *Transport)) {
		s, tr := start(func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			<-r.Context().Done()
		})
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		if out := askContext(ctx, must(t, single(s, tr, &lines{}, "a", "b")), question()); out.err != context.DeadlineExceeded {
			t.Errorf("it ended with %v", out.err)
		}
	})
}

// A connection is used again after an answer whose codec stopped at its last
// word, after one read to its end and after an error.
func TestConnectionsAreUsedAgain(t *testing.T) {
	transports(t, func(t *testing.T, start func(http.HandlerFunc) (*httptest.Server, *Transport)) {
		var remotes sync.Map
		s, tr := start(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			remotes.Store(r.RemoteAddr, true)
			switch r.URL.Path {
			case "/error":
				http.Error(w, "no", http.StatusInternalServerError)
			case "/done":
				_, _ = io.WriteString(w, "start\n[DONE]\n")
				w.(http.Flusher).Flush()
			default:
				say("start", "one")(w, r)
			}
		})
		for _, path := range []string{"/done", "/error", "/whole", "/done", "/error", "/whole"} {
			ask(t, must(t, single(s, tr, &lines{path: path})), question())
		}
		n := 0
		remotes.Range(func(any, any) bool { n++; return true })
		if n != 1 {
			t.Errorf("%d connections were made", n)
		}
	})
}

// An upstream that holds the connection open behind its last word does not
// hold the call.
func TestAnAnswerThatDoesNotCloseIsNotWaitedFor(t *testing.T) {
	gone := make(chan struct{})
	s, tr := upstreamServer(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, "start\none\n[DONE]\n")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
		close(gone)
	})
	if out := ask(t, must(t, single(s, tr, &lines{})), question()); out.err != nil || len(out.texts) != 1 {
		t.Errorf("it ended with %q, %v", out.texts, out.err)
	}
	<-gone
}

// The request's bytes belong to the caller again when the call is over, also
// when the upstream answered without having read them.
func TestTheBodyIsNotReadAfterTheCall(t *testing.T) {
	transports(t, func(t *testing.T, start func(http.HandlerFunc) (*httptest.Server, *Transport)) {
		s, tr := start(func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "too much", http.StatusRequestEntityTooLarge)
		})
		piece := bytes.Repeat([]byte("x"), 8<<20)
		h := must(t, single(s, tr, &lines{pieces: [][]byte{piece[:10], piece[10:]}}))
		for range 3 {
			out := ask(t, h, question())
			clear(piece) // the race detector sees a reader that is left
			if out.err == nil {
				t.Error("a refused request was answered")
			}
		}
	})
}

// W-09
func TestCompressionThatWasNotAskedForIsUndone(t *testing.T) {
	pack := map[string]func(io.Writer) io.WriteCloser{
		"gzip":    func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) },
		"x-gzip":  func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) },
		"deflate": func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) },
	}
	packed := func(encoding, text string) []byte {
		var b bytes.Buffer
		w := pack[encoding](&b)
		_, _ = io.WriteString(w, text)
		_ = w.Close()
		return b.Bytes()
	}
	answer := func(status int, encoding string, body []byte) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", encoding)
			w.WriteHeader(status)
			_, _ = w.Write(body)
		}
	}
	for encoding := range pack {
		s, tr := upstreamServer(t, answer(200, encoding, packed(encoding, "start\none\n")))
		if out := ask(t, must(t, single(s, tr, &lines{})), question()); out.err != nil || !slices.Equal(out.texts, []string{"one"}) {
			t.Errorf("%s: %q, %v", encoding, out.texts, out.err)
		}
		s, tr = upstreamServer(t, answer(404, encoding, packed(encoding, `{"error":{"message":"gone fishing"}}`)))
		e := ask(t, must(t, single(s, tr, &lines{})), question()).error(t)
		if e.Status != 404 || !strings.Contains(e.Message, "gone fishing") {
			t.Errorf("%s: %v", encoding, e)
		}
	}
	for name, h := range map[string]http.HandlerFunc{
		"an encoding that nobody knows": answer(200, "br", []byte("x")),
		"what is no gzip":               answer(200, "gzip", []byte("start\none\n")),
		"a gzip that is cut":            answer(200, "gzip", packed("gzip", "start\none\n")[:20]),
		"a bomb":                        answer(200, "gzip", packed("gzip", strings.Repeat("\n", 2<<20))),
	} {
		s, tr := upstreamServer(t, h)
		o := single(s, tr, &lines{})
		o.MaxBodyBytes = 1 << 20
		e := ask(t, must(t, o), question()).error(t)
		if e.Kind != weir.KindUpstream || e.Deployment == "" || strings.Contains(e.Message, "more than is allowed") != (name == "a bomb") {
			t.Errorf("%s: %v", name, e)
		}
	}
}

//
func TestAStalledUpstreamIsBounded(t *testing.T) {
	release := make(chan struct{})
	var busy atomic.Int32
	stalled := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		busy.Add(1)
		<-release
		say("start")(w, r)
	}))
	defer stalled.Close()
	well := httptest.NewServer(say("start", "one"))
	defer well.Close()
	tr := NewTransport(TransportOptions{MaxConnsPerHost: 2})
	defer tr.CloseIdleConnections()

	h := must(t, single(stalled, tr, &lines{}))
	ctx, cancel := context.WithCancel(t.Context())
	errs := make(chan error, 8)
	for range 8 {
		go func() { errs <- askContext(ctx, h, question()).err }()
	}
	for busy.Load() < 2 {
		time.Sleep(time.Millisecond)
	}
	if out := ask(t, must(t, single(well, tr, &lines{})), question()); out.err != nil || len(out.texts) != 1 {
		t.Errorf("another upstream answered %q, %v", out.texts, out.err)
	}
	cancel()
	for range 8 {
		if err := <-errs; err != context.Canceled {
			t.Errorf("a call that waited ended with %v", err)
		}
	}
	if n := busy.Load(); n != 2 {
		t.Errorf("%d calls reached the stalled upstream", n)
	}
	close(release)
}

func TestAProxyIsUsedWhereOneApplies(t *testing.T) {
	var asked string
	proxy, _ := upstreamServer(t, func(w http.ResponseWriter, r *http.Request) {
		asked = r.URL.String()
		say("start", "by proxy")(w, r)
	})
	at, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	tr := NewTransport(TransportOptions{Proxy: http.ProxyURL(at)})
	defer tr.CloseIdleConnections()
	o := single(&httptest.Server{URL: "http://upstream.example"}, tr, &lines{})
	if out := ask(t, must(t, o), question()); out.err != nil || asked != "http://upstream.example/ask" {
		t.Errorf("the proxy was asked for %q: %v", asked, out.err)
	}
}

func TestConnectingIsBounded(t *testing.T) {
	// A listener whose queue is full does not answer; a TLS server that says
	// nothing is the portable form of it.
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for _, http1 := range []bool{false, true} {
		tr := NewTransport(TransportOptions{ConnectTimeout: 10 * time.Millisecond, HTTP1: http1})
		o := single(&httptest.Server{URL: "https://" + l.Addr().String()}, tr, &lines{})
		e := ask(t, must(t, o), question()).error(t)
		if e.Kind != weir.KindTimeout || !strings.Contains(e.Message, "connecting") {
			t.Errorf("HTTP1 %v: it ended with %v", http1, e)
		}
		tr.CloseIdleConnections()
	}
}

func TestManyCallsAtOnce(t *testing.T) {
	transports(t, func(t *testing.T, start func(http.HandlerFunc) (*httptest.Server, *Transport)) {
		s, tr := start(func(w http.ResponseWriter, r *http.Request) {
			b, _ := io.ReadAll(r.Body)
			say("start", string(b))(w, r)
		})
		h := must(t, single(s, tr, &lines{pieces: [][]byte{[]byte("over"), []byte("there")}}, "k1", "k2"))
		var wg sync.WaitGroup
		errs := make(chan error, 200)
		for range 20 {
			wg.Go(func() {
				for range 10 {
					out := ask(t, h, question())
					if out.err == nil && !slices.Equal(out.texts, []string{"overthere"}) {
						out.err = errors.New("got another's answer")
					}
					errs <- out.err
				}
			})
		}
		wg.Wait()
		for range 200 {
			if err := <-errs; err != nil {
				t.Error(err)
			}
		}
	})
}
