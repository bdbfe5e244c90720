package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
)

// bench is one run of the program: where things are, and what is running.
type bench struct {
	options *options
	machine machine
	dir     string // temporary: the configuration, working folder of the targets
	// The target has targetCore for itself. Both are empty when nothing is pinned.
	targetCore, loadCore string

	upstreamAddr, baselineAddr, weirAddr string

	upstream *process
	running  map[target]*process // by target; both of Weir's are one process
}

// gatewayKey is the key that clients show. It opens nothing but this benchmark.
const gatewayKey = "sk-weir-bench-0123456789abcdef0123456789abcdef"

func newBench(ctx context.Context, o *options) (*bench, error) {
	if runtime.GOOS != "linux" {
		return nil, fmt.Errorf("CPU time and memory of the targets are read from /proc, so this runs on Linux only")
	}
	for _, file := range []string{"upstream", "load", "baseline"} {
		if _, err := os.Stat(filepath.Join(o.bin, file)); err != nil {
			return nil, fmt.Errorf("%w: bench/run.sh builds it", err)
		}
	}
	b := &bench{options: o, machine: readMachine(), running: map[target]*process{}}
	if _, err := exec.LookPath("taskset"); err == nil {
		b.targetCore, b.loadCore = twoCores(field("/proc/self/status", "Cpus_allowed_list"))
	}
	var err error
	if b.dir, err = os.MkdirTemp("", "weirbench"); err != nil {
		return nil, err
	}
	if err := b.prepare(ctx); err != nil {
		b.close()
		return nil, err
	}
	return b, nil
}

func (b *bench) prepare(ctx context.Context) error {
	for _, addr := range []*string{&b.upstreamAddr, &b.baselineAddr, &b.weirAddr} {
		free, err := freeAddr(ctx)
		if err != nil {
			return err
		}
		*addr = free
	}
	if err := os.WriteFile(b.configFile(), []byte(b.config()), 0o600); err != nil {
		return err
	}
	p, err := b.start(ctx, b.loadCore, quiet, filepath.Join(b.options.bin, "upstream"), "-listen", b.upstreamAddr)
	if err != nil {
		return err
	}
	b.upstream = p
	return b.control(ctx, still)
}

func (b *bench) configFile() string { return filepath.Join(b.dir, "weir.yaml") }

// config is the gateway as somebody would run it: two providers of the
// catalogue with its quirks and prices, a key that every client must show,
// names of one's own for the models, metrics and the ledger (always on), and on
// demand a log line for each request.
func (b *bench) config() string {
	hash := sha256.Sum256([]byte(gatewayKey))
	return fmt.Sprintf(`providers:
  openai:
    base_url: http://%[1]s/v1
    key: sk-upstream
  anthropic:
    base_url: http://%[1]s
    key: sk-upstream
models:
  %[2]s: openai/gpt-4o-mini
  %[3]s: anthropic/claude-sonnet-4-5
keys:
  - name: bench
    hash: sha256:%[4]s
log:
  level: info
  access: %[5]v
`, b.upstreamAddr, chatModel, messagesModel, hex.EncodeToString(hash[:]), b.options.logged)
}

const (
	chatModel     = "bench-chat"
	messagesModel = "bench-messages"
)

// addr is where a target listens.
func (b *bench) addr(t target) string {
	switch t {
	case direct:
		return b.upstreamAddr
	case baseline:
		return b.baselineAddr
	}
	return b.weirAddr
}

// model is the name to ask for, which decides whether Weir translates.
func model(api string, t target) string {
	if (api == "openai") == (t != translated) {
		return chatModel
	}
	return messagesModel
}

func path(api string) string {
	if api == "openai" {
		return "/v1/chat/completions"
	}
	return "/v1/messages"
}

func (b *bench) close() {
	b.stopTargets()
	b.upstream.kill()
	if b.dir != "" {
		_ = os.RemoveAll(b.dir)
	}
}

// freeAddr is an address on this machine that nobody listens on.
func freeAddr(ctx context.Context) (string, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}
