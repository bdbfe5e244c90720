package faultproxy_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/weir-gateway/weir/weirtest/faultproxy"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const body = `{"said":["0123456789"]}`

// proxied is a server that answers with body behind a proxy.
func proxied(t *testing.T) *faultproxy.Proxy {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Got", string(b))
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(srv.Close)
	return faultproxy.New(t, srv.URL)
}

type got struct {
	status int
	body   string
	err    error
}

// call posts, and reads as far as it goes within limit; ahead of the head there
// is no status.
func call(t *testing.T, c *http.Client, url string, limit time.Duration) got {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader("question"))
	if err != nil {
		t.Fatal(err)
	}
	res, err := c.Do(req)
	if err != nil {
		return got{err: err}
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	if res.Header.Get("X-Got") != "question" {
		t.Errorf("the request did not come through: %v", res.Header)
	}
	return got{res.StatusCode, string(b), err}
}

func caller(t *testing.T) *http.Client {
	t.Helper()
	tr := &http.Transport{}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr}
}

const (
	long  = 20 * time.Second
	short = 100 * time.Millisecond // of calls that are never answered
)

func TestFaults(t *testing.T) {
	p, c := proxied(t), caller(t)
	spoiled := strings.NewReplacer(`"`, "#", "{", "#", "}", "#", "[", "#", "]", "#").Replace(body)
	for name, tt := range map[string]struct {
		fault  faultproxy.Fault
		limit  time.Duration
		status int
		body   string // "*": any part of it
		err    error  // io.ErrNoProgress: any
	}{
		"none":                {faultproxy.Fault{}, long, 200, body, nil},
		"latency":             {faultproxy.Fault{Latency: time.Millisecond}, long, 200, body, nil},
		"slow":                {faultproxy.Fault{Rate: 10000}, long, 200, body, nil},
		"refuse":              {faultproxy.Fault{Do: faultproxy.Refuse}, long, 0, "", syscall.ECONNREFUSED},
		"black hole":          {faultproxy.Fault{Do: faultproxy.BlackHole}, short, 0, "", context.DeadlineExceeded},
		"reset before":        {faultproxy.Fault{Do: faultproxy.Reset, After: faultproxy.BeforeHead}, long, 0, "", syscall.ECONNRESET},
		"reset within":        {faultproxy.Fault{Do: faultproxy.Reset, After: 5}, long, 200, "*", io.ErrNoProgress},
		"cut before":          {faultproxy.Fault{Do: faultproxy.Cut, After: faultproxy.BeforeHead}, long, 0, "", io.EOF},
		"cut behind the head": {faultproxy.Fault{Do: faultproxy.Cut}, long, 200, "", io.ErrUnexpectedEOF},
		"cut within":          {faultproxy.Fault{Do: faultproxy.Cut, After: 5}, long, 200, body[:5], io.ErrUnexpectedEOF},
		"too short to be cut": {faultproxy.Fault{Do: faultproxy.Cut, After: 5000}, long, 200, body, nil},
		"half closed":         {faultproxy.Fault{Do: faultproxy.HalfClose, After: 5}, long, 200, body[:5], io.ErrUnexpectedEOF},
		"stalled at once":     {faultproxy.Fault{Do: faultproxy.Stall, After: faultproxy.BeforeHead}, short, 0, "", context.DeadlineExceeded},
		"stalled after head":  {faultproxy.Fault{Do: faultproxy.Stall}, short, 200, "", context.DeadlineExceeded},
		"stalled within":      {faultproxy.Fault{Do: faultproxy.Stall, After: 5}, short, 200, body[:5], context.DeadlineExceeded},
		"garbled":             {faultproxy.Fault{Do: faultproxy.Garble, After: 9}, long, 200, inverted(body, 9), nil},
		"garbled head":        {faultproxy.Fault{Do: faultproxy.Garble, After: faultproxy.BeforeHead}, short, 0, "", io.ErrNoProgress},
		"spoiled":             {faultproxy.Fault{Do: faultproxy.Spoil}, long, 200, spoiled, nil},
		"spoiled later":       {faultproxy.Fault{Do: faultproxy.Spoil, After: 3}, long, 200, body[:3] + spoiled[3:], nil},
	} {
		t.Run(name, func(t *testing.T) {
			c.CloseIdleConnections() // what stands would end before the port is asked
			p.Set(tt.fault)
			g := call(t, c, p.URL(), tt.limit)
			switch {
			case g.status != tt.status && tt.status+g.status != 200: // a reset may overtake the head
				t.Errorf("status %d, want %d", g.status, tt.status)
			case tt.body != "*" && g.body != tt.body, !strings.HasPrefix(body, g.body) && tt.body == "*":
				t.Errorf("body %q, want %q", g.body, tt.body)
			case tt.err == io.ErrNoProgress && g.err == nil, tt.err != io.ErrNoProgress && !errors.Is(g.err, tt.err):
				t.Errorf("error %v, want %v", g.err, tt.err)
			}
		})
	}
}

// inverted is s as it is garbled from a byte on.
func inverted(s string, from int) string {
	b := []byte(s)
	for i := from; i < len(b); i++ {
		b[i] ^= 0x20
	}
	return string(b)
}

// A fault is one request's, also on a connection that serves several.
func TestEveryRequestHasTheFaultOfItsTime(t *testing.T) {
	p, c := proxied(t), caller(t)
	for i := range 6 {
		want := body
		p.Set(faultproxy.Fault{})
		if i%2 == 1 {
			p.Set(faultproxy.Fault{Do: faultproxy.Spoil, After: len(body) - 1})
			want = body[:len(body)-1] + "#"
		}
		if g := call(t, c, p.URL(), long); g.body != want || g.err != nil {
			t.Fatalf("%d: %+v", i, g)
		}
	}
	if n := p.Conns(); n != 1 {
		t.Errorf("%d connections for calls one after another", n)
	}
}

// What stands is closed with the port, and the port comes back.
func TestAPortThatCloses(t *testing.T) {
	p, c := proxied(t), caller(t)
	for range 3 {
		p.Set(faultproxy.Fault{})
		if g := call(t, c, p.URL(), long); g.err != nil {
			t.Fatal(g.err)
		}
		p.Set(faultproxy.Fault{Do: faultproxy.Refuse})
		await(t, func() bool { return p.Conns() == 0 })
		c.CloseIdleConnections()
		if g := call(t, c, p.URL(), long); !errors.Is(g.err, syscall.ECONNREFUSED) {
			t.Fatal(g.err)
		}
	}
}

// A client that gives up is noticed, whatever its connection waits for.
func TestConnectionsThatHangEndWithTheirClient(t *testing.T) {
	p, c := proxied(t), caller(t)
	for _, f := range []faultproxy.Fault{
		{Do: faultproxy.BlackHole},
		{Do: faultproxy.Stall},
		{Do: faultproxy.HalfClose, After: faultproxy.BeforeHead},
		{Latency: time.Hour},
		{Rate: 1},
	} {
		p.Set(f)
		if g := call(t, c, p.URL(), short); g.err == nil {
			t.Errorf("%+v: %+v", f, g)
		}
		await(t, func() bool { return p.Conns() == 0 })
	}
}

// What hangs when the test is over ends with it: TestMain would see a leak.
func TestTheEndOfATestEndsWhatHangs(t *testing.T) {
	var p *faultproxy.Proxy
	t.Run("", func(t *testing.T) {
		p = proxied(t)
		p.Set(faultproxy.Fault{Do: faultproxy.BlackHole})
		conn := dial(t, p)
		t.Cleanup(func() { _ = conn.Close() })
		_, _ = io.WriteString(conn, "POST / HTTP/1.1\r\n\r\n")
		await(t, func() bool { return p.Conns() == 1 })
	})
	if n := p.Conns(); n != 0 {
		t.Errorf("%d connections are left", n)
	}
	p.Set(faultproxy.Fault{}) // nothing comes back
	if g := call(t, caller(t), p.URL(), long); g.err == nil {
		t.Errorf("%+v", g)
	}
}

// A server that is not there looks like one that hangs up.
func TestNoServer(t *testing.T) {
	p := faultproxy.New(t, "127.0.0.1:1")
	if g := call(t, caller(t), p.URL(), long); g.err == nil {
		t.Errorf("%+v", g)
	}
	await(t, func() bool { return p.Conns() == 0 })
}
