// Package examples_test runs the examples against the simulated upstream.
package examples_test

import (
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weir-gateway/weir/sim"
)

func TestTheExamplesDoWhatTheySay(t *testing.T) { // O-17
	upstream := httptest.NewServer(sim.NewServer(sim.ServerOptions{}))
	defer upstream.Close()
	dir := t.TempDir()
	build := exec.CommandContext(t.Context(), "go", "build", "-o", dir, "./stream", "./tools", "./fallback")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	for _, tt := range []struct {
		name string
		args []string
		want string
	}{
		{"stream", []string{"openai/any", "Repeat: a very particular text"}, "particular"},
		{"tools", []string{"anthropic/any"}, "the model calls weather"},
		{"fallback", []string{"hello", "openai/sim@503", "anthropic/any"}, "Hello"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), filepath.Join(dir, tt.name), tt.args...)
			cmd.Env = append(os.Environ(), "OPENAI_API_KEY=k", "ANTHROPIC_API_KEY=k",
				"OPENAI_BASE_URL="+upstream.URL, "ANTHROPIC_BASE_URL="+upstream.URL)
			out, err := cmd.CombinedOutput()
			if err != nil || !strings.Contains(string(out), tt.want) {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
}
