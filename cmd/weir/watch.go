package main

import (
	"context"
	"crypto/sha256"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/weir-gateway/weir/config"
	"github.com/weir-gateway/weir/gateway"
)

// pollInterval is how often the file is looked at where changes are not
// announced (network file systems, some overlays).
const pollInterval = 5 * time.Second

// watch reloads the configuration when its file changes or SIGHUP comes. A
// broken edit leaves the old one serving and says so. The result stops it and
// waits for it.
func (w *world) watch(ctx context.Context, g *gateway.Gateway, logger *slog.Logger) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.watchLoop(ctx, g, logger)
	}()
	return func() { cancel(); <-done }
}

func (w *world) watchLoop(ctx context.Context, g *gateway.Gateway, logger *slog.Logger) {
	// The directory is watched and not the file: editors replace the file, and
	// Kubernetes a symbolic link above it.
	var changes chan fsnotify.Event
	if watcher, err := fsnotify.NewWatcher(); err == nil {
		defer func() { _ = watcher.Close() }()
		if watcher.Add(filepath.Dir(w.file)) == nil {
			changes = watcher.Events
		}
	}
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	poll := time.NewTicker(pollInterval)
	defer poll.Stop()
	r := reloader{world: w, gateway: g, logger: logger, seen: w.seen}
	for {
		select {
		case <-ctx.Done():
			return
		case <-changes:
			if !settle(ctx, changes) {
				return
			}
			r.reload(false) //nolint:contextcheck // a reload is nobody's request
		case <-poll.C:
			r.reload(false) //nolint:contextcheck // a reload is nobody's request
		case <-hup:
			r.reload(true) //nolint:contextcheck // the same
		}
	}
}

// settle waits until no change has come for reloadDelay; false when ctx ended.
func settle(ctx context.Context, changes <-chan fsnotify.Event) bool {
	timer := time.NewTimer(reloadDelay)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return false
		case <-changes:
			timer.Reset(reloadDelay)
		case <-timer.C:
			return true
		}
	}
}

type reloader struct {
	world   *world
	gateway *gateway.Gateway
	logger  *slog.Logger
	seen    [32]byte // hash of what was last tried
}

func (r *reloader) reload(force bool) {
	now := fingerprint(r.world.file)
	if now == r.seen && !force {
		return
	}
	r.seen = now
	cfg, err := config.Load(r.world.file, r.world.lookup, r.world.catalog)
	if err == nil {
		err = r.refuseUnsafe(cfg)
	}
	if err == nil {
		err = r.gateway.Reload(cfg)
	}
	if err != nil {
		r.logger.Error("the configuration was not reloaded, the old one goes on", "version", r.gateway.Current().Version, "problem", err.Error())
		return
	}
	r.logger.Info("configuration reloaded", "version", r.gateway.Current().Version)
}

// refuseUnsafe keeps a reload from taking the last key away while the gateway
// listens beyond loopback, wherever the address was said.
func (r *reloader) refuseUnsafe(cfg *config.Config) error {
	if len(r.gateway.Current().Config.Keys) > 0 && len(cfg.Keys) == 0 {
		return config.Problems{{Position: config.Position{File: r.world.file}, Path: "keys",
			Message: "the last key was taken away while running", Hint: "restart to serve without keys"}}
	}
	return nil
}

func fingerprint(file string) [32]byte {
	data, err := os.ReadFile(file)
	if err != nil {
		return [32]byte{}
	}
	return sha256.Sum256(data)
}
