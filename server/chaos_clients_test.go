package server_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weir-gateway/weir/sim"
	"github.com/weir-gateway/weir/stage/ledger"
	"github.com/weir-gateway/weir/weirtest/faultproxy"
)

// await waits for a condition.
func await(t *testing.T, what string, cond func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !cond(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Errorf("not within 20 seconds: %s", what)
			return
		}
	}
}

// leaveWhen calls a face, reads nothing but the first byte, and goes when ready
// returns; without one it goes with that byte.
func (f *fixture) leaveWhen(path, body string, ready func()) {
	f.t.Helper()
	ctx, cancel := context.WithCancel(f.t.Context())
	defer cancel()
	left := make(chan struct{})
	go func() {
		defer close(left)
		if ready != nil {
			ready()
			cancel()
		}
	}()
	defer func() { <-left }()
	res, err := client.Do(f.request(ctx, http.MethodPost, path, strings.NewReader(body)))
	if err == nil {
		defer func() { _ = res.Body.Close() }()
		_, err = res.Body.Read(make([]byte, 1))
	}
	if err == nil && ready != nil {
		<-left
	}
	if err != nil && ready == nil {
		f.t.Error(err)
	}
}

// when the client leaves, the upstream call ends and is not made again,
// whether it has begun to answer or not, and whether the rest is waited for.
func TestClientsThatVanish(t *testing.T) {
	leavesNothing(t)
	srv := httptest.NewServer(sim.NewServer(sim.ServerOptions{Options: sim.Options{Reply: chaosReply}}))
	t.Cleanup(srv.Close)
	for name, tt := range map[string]struct {
		fault faultproxy.Fault
		drain string
		early bool // before the answer
	}{
		"before an answer":        {faultproxy.Fault{Do: faultproxy.BlackHole}, "0s", true},
		"behind the head":         {faultproxy.Fault{Do: faultproxy.Stall}, "50ms", true},
		"within an answer":        {faultproxy.Fault{Do: faultproxy.Stall, After: far}, "0s", false},
		"within one, and drained": {faultproxy.Fault{Do: faultproxy.Stall, After: far}, "50ms", false},
	} {
		t.Run(name, func(t *testing.T) {
			p := faultproxy.New(t, srv.URL)
			p.Set(tt.fault)
			healthy, _ := upstream(t, sim.ServerOptions{})
			f := start(t, chaosYAML(p.URL(), healthy, patient)+"disconnect: {drain: "+tt.drain+"}\n", nil)
			n := 0
			for _, c := range chaosCalls() {
				if c.second == "" || !c.stream && !tt.early {
					continue
				}
				var ready func()
				if tt.early {
					ready = func() {
						await(t, "the upstream is called", func() bool { return p.Conns() == 1 })
					}
				}
				f.leaveWhen(c.path, c.body, ready)
				await(t, "the upstream call ends", func() bool { return p.Conns() == 0 })
				n++
				e := f.entries.wait(t, n)[n-1]
				if e.Outcome != ledger.Canceled || e.Attempts > 1 || e.Deployment == c.second || e.Committed == tt.early {
					t.Errorf("%s: %+v", c, e)
				}
			}
		})
	}
}

// A client that reads slowly gets all of it.
func TestClientsThatReadSlowly(t *testing.T) {
	leavesNothing(t)
	const size = 3 << 20
	_, yaml := upstream(t, sim.ServerOptions{Faults: []sim.Rule{{Fault: fmt.Sprintf("big-line=%d", size)}}})
	f := start(t, yaml, nil)
	path, body := clientFaces[0].call("oai/x", true)
	res, err := client.Do(f.request(t.Context(), http.MethodPost, path, strings.NewReader(body)))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	read := 0
	for piece := make([]byte, 64<<10); err == nil; time.Sleep(time.Millisecond) {
		var n int
		n, err = res.Body.Read(piece)
		read += n
	}
	if err != io.EOF || read < size {
		t.Errorf("read %d bytes of more than %d: %v", read, size, err)
	}
	if e := f.entries.wait(t, 1)[0]; e.Outcome != ledger.Answered {
		t.Errorf("%+v", e)
	}
}

// An upstream that says more than the client reads is made to wait, and not
// stored; it is given up when the client leaves.
func TestClientsThatStopReading(t *testing.T) {
	leavesNothing(t)
	var said atomic.Int64
	over := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		defer close(over)
		w.Header().Set("Content-Type", "text/event-stream")
		for {
			n, err := fmt.Fprintf(w, "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":%q}}]}\n\n", chaosReply)
			if err != nil {
				return
			}
			said.Add(int64(n))
		}
	}))
	t.Cleanup(srv.Close)
	f := start(t, providersYAML(srv.URL)+"disconnect: {drain: 0s}\n", nil)
	path, body := clientFaces[0].call("oai/x", true)
	f.leaveWhen(path, body, func() {
		for last := int64(0); last == 0 || said.Load() != last; time.Sleep(300 * time.Millisecond) {
			last = said.Load()
			if last > 256<<20 {
				t.Error("the upstream is not made to wait")
				return
			}
		}
	})
	<-over
	if e := f.entries.wait(t, 1)[0]; e.Outcome != ledger.Canceled || !e.Committed {
		t.Errorf("%+v", e)
	}
}
