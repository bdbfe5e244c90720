package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// quiet throws a process's output away. The gateway writes its access log to
// /dev/null: formatting and the write are paid for, a disk is not.
const quiet = ""

// A process is one of the programs that take part.
type process struct {
	cmd  *exec.Cmd
	done chan struct{}
}

// start starts a program on a core. Its output goes to the file log. It sees
// nothing of the environment: a provider's key in there would switch the
// provider on.
func (b *bench) start(ctx context.Context, core, log string, argv ...string) (*process, error) {
	cmd := b.command(ctx, core, argv...)
	cmd.Dir = b.dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + b.dir}
	if log != quiet {
		f, err := os.OpenFile(log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
		if err != nil {
			return nil, err
		}
		defer func() { _ = f.Close() }() // the process has its own
		cmd.Stdout, cmd.Stderr = f, f
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{cmd: cmd, done: make(chan struct{})}
	go func() {
		_ = cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

// command is a command line on a core; an empty one is any. taskset becomes the program that it
// starts, so the process is the program's own.
func (b *bench) command(ctx context.Context, core string, argv ...string) *exec.Cmd {
	if core != "" {
		argv = append([]string{"taskset", "-c", core}, argv...)
	}
	return exec.CommandContext(ctx, argv[0], argv[1:]...) //nolint:gosec // the programs are those that run.sh has built
}

func (p *process) pid() int { return p.cmd.Process.Pid }

func (p *process) kill() { p.end(syscall.SIGKILL, 0) }

// end sends a signal and waits for the end; after grace it kills.
func (p *process) end(sig syscall.Signal, grace time.Duration) {
	if p == nil {
		return
	}
	_ = p.cmd.Process.Signal(sig)
	if sig != syscall.SIGKILL {
		select {
		case <-p.done:
		case <-time.After(grace):
			_ = p.cmd.Process.Kill()
		}
	}
	<-p.done
}

// startTargets starts the baseline and the gateway afresh.
func (b *bench) startTargets(ctx context.Context, log string) error {
	p, err := b.start(ctx, b.targetCore, log, filepath.Join(b.options.bin, "baseline"), "-listen", b.baselineAddr, "-upstream", "http://"+b.upstreamAddr)
	if err != nil {
		return err
	}
	b.running[baseline] = p
	w, err := b.startWeir(ctx, log)
	if err != nil {
		return err
	}
	b.running[same], b.running[translated] = w, w
	return errors.Join(awaitListener(ctx, b.running[baseline], b.baselineAddr), awaitListener(ctx, w, b.weirAddr))
}

func (b *bench) startWeir(ctx context.Context, log string) (*process, error) {
	return b.start(ctx, b.targetCore, log, b.options.weir, "serve", "--config", b.configFile(), "--listen", b.weirAddr)
}

func (b *bench) stopTargets() {
	b.running[baseline].kill()
	b.running[same].kill()
	clear(b.running)
}

// awaitListener waits until addr accepts connections.
func awaitListener(ctx context.Context, p *process, addr string) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	for {
		c, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
		if err == nil {
			return c.Close()
		}
		select {
		case <-p.done:
			return fmt.Errorf("%s ended at once: %s", filepath.Base(p.cmd.Path), p.cmd.ProcessState)
		case <-ctx.Done():
			return fmt.Errorf("nobody listens on %s: %w", addr, err)
		case <-time.After(2 * time.Millisecond):
		}
	}
}

// control sets how the upstream behaves.
func (b *bench) control(ctx context.Context, settings string) error {
	if err := awaitListener(ctx, b.upstream, b.upstreamAddr); err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+b.upstreamAddr+"/_ctl?"+settings, http.NoBody)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("the upstream refused the settings %s: %s", settings, res.Status)
	}
	return nil
}
