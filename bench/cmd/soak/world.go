package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// configuration is that of the gateway. What it keeps is bounded tightly, so that
// growth of memory is growth.
const configuration = `
providers:
  rough: {base_url: "http://%[1]s/v1", key: k}
  rough-messages: {protocol: anthropic.messages, base_url: "http://%[1]s", key: k}
  calm: {base_url: "http://%[2]s/v1", key: k, quirks: {prefill: last}}
models:
  usual: {deployments: [rough/x, rough-messages/x], fallbacks: [calm/x], strategy: latency, hedge: true}
  goes-on: {deployments: [rough/y], fallbacks: [calm/y], continue: true}
  alone: [rough/z]
timeouts: {connect: 2s, first_token: 3s, idle: 3s}
keep_alive: 1s
share: true
log: {access: false}
limits: {in_flight: 64MiB}
idempotency: {max: 4MiB}
state: {responses: {max: 8MiB}, reasoning: {max: 4MiB}}
`

// faults are played by the rough upstream, each to so many of its calls.
const faults = `[
 {"fault":"status=500","share":0.02},{"fault":"status=429;retry-after=1","share":0.03},
 {"fault":"status=503;body=html","share":0.02},{"fault":"reset=before","share":0.02},
 {"fault":"reset=after:3","share":0.02},{"fault":"cut=after:4","share":0.02},{"fault":"cut=mid-frame","share":0.02},
 {"fault":"drop=after:3","share":0.02},{"fault":"stall=headers","share":0.005},{"fault":"stall=after:3","share":0.005},
 {"fault":"malformed=json","share":0.01},{"fault":"error=after:3","share":0.02},{"fault":"error-in-200","share":0.02},
 {"fault":"slow=50ms","share":0.1},{"fault":"html","share":0.01},{"fault":"empty","share":0.01}]`

// A world is the gateway between two upstreams.
type world struct {
	dir       string
	processes []*exec.Cmd
	gateway   string // its address
	http      *http.Client
}

func begin(ctx context.Context, binary string) (w *world, err error) {
	w = &world{http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}}
	defer func() {
		if err != nil {
			w.end()
		}
	}()
	if w.dir, err = os.MkdirTemp("", "weir-soak"); err != nil {
		return w, err
	}
	var addresses [3]string
	for i := range addresses {
		if addresses[i], err = free(ctx); err != nil {
			return w, err
		}
	}
	file := filepath.Join(w.dir, "weir.yaml")
	if err := os.WriteFile(file, fmt.Appendf(nil, configuration, addresses[0], addresses[1]), 0o600); err != nil {
		return w, err
	}
	w.gateway = "http://" + addresses[2]
	for _, args := range [][]string{
		{"sim", "--listen", addresses[0], "--tokens-per-second", "200", "--first-token", "30ms", "--tokens", "40"},
		{"sim", "--listen", addresses[1], "--tokens-per-second", "200", "--first-token", "50ms", "--tokens", "40"},
		{"serve", "--listen", addresses[2], "--config", file},
	} {
		if err := w.start(ctx, binary, args); err != nil {
			return w, err
		}
	}
	for _, a := range addresses {
		if err := reachable(ctx, a); err != nil {
			return w, err
		}
	}
	return w, w.play(ctx, "http://"+addresses[0])
}

func (w *world) start(ctx context.Context, binary string, args []string) error {
	out, err := os.Create(filepath.Join(w.dir, args[0]+strconv.Itoa(len(w.processes))+".log"))
	if err != nil {
		return err
	}
	defer func() { _ = out.Close() }()
	c := exec.CommandContext(ctx, binary, args...) //nolint:gosec // the binary is what the command line says
	c.Stdout, c.Stderr, c.Dir = out, out, w.dir
	c.Cancel = func() error { return c.Process.Signal(syscall.SIGTERM) }
	if err := c.Start(); err != nil {
		return err
	}
	w.processes = append(w.processes, c)
	return nil
}

// end stops the processes, the gateway first.
func (w *world) end() {
	for _, p := range slices.Backward(w.processes) {
		_ = p.Process.Kill()
		_ = p.Wait()
	}
	_ = os.RemoveAll(w.dir)
}

// free is an address on which nobody listens.
func free(ctx context.Context) (string, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

func reachable(ctx context.Context, address string) error {
	for range 100 {
		c, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "tcp", address)
		if err == nil {
			return c.Close()
		}
		time.Sleep(100 * time.Millisecond)
	}
	return errors.New("nobody listens on " + address)
}

func (w *world) play(ctx context.Context, upstream string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, upstream+"/_sim/faults", strings.NewReader(faults))
	if err != nil {
		return err
	}
	resp, err := w.http.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode/100 != 2 {
		text, _ := io.ReadAll(resp.Body)
		return fmt.Errorf("the faults are refused: %d %s", resp.StatusCode, text)
	}
	return nil
}

// A measurement is what the gateway takes up.
type measurement struct {
	rss        float64 // bytes
	goroutines int
	files      int // open file descriptors
}

func (m measurement) String() string {
	return fmt.Sprintf("%.1f MiB, %d goroutines, %d file descriptors", m.rss/(1<<20), m.goroutines, m.files)
}

// measure asks the gateway's own metrics.
func (w *world) measure(ctx context.Context) (m measurement, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, w.gateway+"/metrics", http.NoBody)
	if err != nil {
		return m, err
	}
	resp, err := w.http.Do(req)
	if err != nil {
		return m, err
	}
	defer func() { _ = resp.Body.Close() }()
	for s := bufio.NewScanner(resp.Body); s.Scan(); {
		name, value, _ := strings.Cut(s.Text(), " ")
		n, _ := strconv.ParseFloat(value, 64)
		switch name {
		case "process_resident_memory_bytes":
			m.rss = n
		case "go_goroutines":
			m.goroutines = int(n)
		case "process_open_fds":
			m.files = int(n)
		}
	}
	if m.rss == 0 || m.goroutines == 0 || m.files == 0 {
		return m, errors.New("/metrics does not tell memory, goroutines and file descriptors")
	}
	return m, nil
}
