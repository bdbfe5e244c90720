package main

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"

	"github.com/joho/godotenv"
	"github.com/spf13/cobra"

	"github.com/weir-gateway/weir/catalog"
	"github.com/weir-gateway/weir/config"
)

// world is what a command finds around it: the environment with .env below it,
// the catalogue, and where the configuration is.
type world struct {
	lookup  config.Lookup
	catalog *catalog.Catalog
	file    string // of the configuration, empty when there is none
	fileWhy string // who named it
	// seen is the file's fingerprint from before it was read: what changes
	// while the gateway starts is not missed.
	seen [32]byte
}

// newWorld reads .env and finds the configuration. The order of precedence is
// flag, environment, .env, file, default, everywhere (O-12).
func newWorld(c *cobra.Command) (*world, error) {
	w := &world{catalog: catalog.Default(), lookup: os.LookupEnv}
	dotenv, err := godotenv.Read(".env")
	switch {
	case err == nil:
		w.lookup = func(name string) (string, bool) {
			if v, ok := os.LookupEnv(name); ok {
				return v, true
			}
			v, ok := dotenv[name]
			return v, ok
		}
	case !errors.Is(err, fs.ErrNotExist):
		// The error would quote the line, which may hold a key.
		return nil, usageError{errors.New(".env is no list of NAME=value lines")}
	}
	w.findConfig(c)
	return w, nil
}

func (w *world) findConfig(c *cobra.Command) {
	if f := c.Flag("config"); f != nil && f.Changed {
		w.file, w.fileWhy = f.Value.String(), "--config"
		return
	}
	if v, ok := w.lookup("WEIR_CONFIG"); ok && v != "" {
		w.file, w.fileWhy = v, "WEIR_CONFIG"
		return
	}
	if _, err := os.Stat(config.DefaultFile); err == nil {
		w.file, w.fileWhy = config.DefaultFile, "found here"
	}
}

// config reads the configuration, the default one when there is no file.
func (w *world) config() (*config.Config, error) {
	if w.file == "" {
		return config.Parse("", nil, w.lookup, w.catalog)
	}
	w.seen = fingerprint(w.file)
	cfg, err := config.Load(w.file, w.lookup, w.catalog)
	if ps := config.AsProblems(err); ps != nil {
		return nil, usageError{fmt.Errorf("the configuration has %s:\n%w", plural(len(ps), "problem"), err)}
	}
	if err != nil {
		return nil, usageError{err}
	}
	return cfg, nil
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func newLogger(c *cobra.Command, l config.Log) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(l.Level)); err != nil {
		level = slog.LevelInfo
	}
	opts := &slog.HandlerOptions{Level: level}
	if l.Format == "json" {
		return slog.New(slog.NewJSONHandler(c.ErrOrStderr(), opts))
	}
	return slog.New(slog.NewTextHandler(c.ErrOrStderr(), opts))
}
