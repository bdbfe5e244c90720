package main

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
)

func TestRun(t *testing.T) {
	const (
		start = `{"Action":"start","Package":"m/a"}`
		ok    = `{"Action":"output","Package":"m/a","Output":"ok  \tm/a\t0.01s\n"}`
		pass  = `{"Action":"pass","Package":"m/a"}`
		fail  = `{"Action":"fail","Package":"m/a"}`
		testA = `{"Action":"run","Package":"m/a","Test":"TestA"}`
		saysA = `{"Action":"output","Package":"m/a","Test":"TestA","Output":"    a_test.go:7: says A\n"}`
		passA = `{"Action":"pass","Package":"m/a","Test":"TestA"}`
		failA = `{"Action":"fail","Package":"m/a","Test":"TestA"}`
		skipA = `{"Action":"skip","Package":"m/a","Test":"TestA"}`
	)
	tests := []struct {
		name   string
		lines  []string
		strict bool
		want   string
		status int
	}{
		{
			name:  "a passing test leaves the package's line and no output",
			lines: []string{start, testA, saysA, passA, ok, pass},
			want:  "ok  \tm/a\t0.01s\n1 passed, 0 failed, 0 skipped\n",
		},
		{
			name: "a failing test is printed in full",
			lines: []string{
				start, testA, saysA, failA,
				`{"Action":"output","Package":"m/a","Output":"FAIL\n"}`,
				`{"Action":"output","Package":"m/a","Output":"FAIL\tm/a\t0.01s\n"}`, fail,
			},
			want:   "    a_test.go:7: says A\nFAIL\nFAIL\tm/a\t0.01s\n0 passed, 1 failed, 0 skipped\n",
			status: 1,
		},
		{
			name:  "a skip is said with its reason",
			lines: []string{start, testA, saysA, skipA, ok, pass},
			want:  "SKIP\tm/a.TestA: a_test.go:7: says A\nok  \tm/a\t0.01s\n0 passed, 0 failed, 1 skipped\n",
		},
		{
			name:   "a skip fails in CI",
			lines:  []string{start, testA, saysA, skipA, ok, pass},
			strict: true,
			want: "SKIP\tm/a.TestA: a_test.go:7: says A\nok  \tm/a\t0.01s\n" +
				"FAIL: 1 skipped under CI=true without \"ALLOWED SKIP\" in the message\n0 passed, 0 failed, 1 skipped\n",
			status: 1,
		},
		{
			name: "an allowed skip passes in CI",
			lines: []string{
				start, testA,
				`{"Action":"output","Package":"m/a","Test":"TestA","Output":"ALLOWED SKIP: no network\n"}`, skipA, ok, pass,
			},
			strict: true,
			want:   "SKIP\tm/a.TestA: ALLOWED SKIP: no network\nok  \tm/a\t0.01s\n0 passed, 0 failed, 1 skipped\n",
		},
		{
			name:   "a skip that gives no reason is not allowed in CI",
			lines:  []string{start, testA, skipA, ok, pass},
			strict: true,
			want: "SKIP\tm/a.TestA: no reason given\nok  \tm/a\t0.01s\n" +
				"FAIL: 1 skipped under CI=true without \"ALLOWED SKIP\" in the message\n0 passed, 0 failed, 1 skipped\n",
			status: 1,
		},
		{
			name: "a package that does not build fails with the compiler's words",
			lines: []string{
				`{"ImportPath":"m/a","Action":"build-output","Output":"a.go:1:1: broken\n"}`,
				`{"ImportPath":"m/a","Action":"build-fail"}`,
				start,
				`{"Action":"output","Package":"m/a","Output":"FAIL\tm/a [build failed]\n"}`,
				`{"Action":"fail","Package":"m/a","FailedBuild":"m/a"}`,
			},
			want:   "a.go:1:1: broken\nFAIL\tm/a [build failed]\n0 passed, 1 failed, 0 skipped\n",
			status: 1,
		},
		{
			name:   "a test that the process left without a verdict is printed",
			lines:  []string{start, testA, saysA, fail},
			want:   "    a_test.go:7: says A\n0 passed, 1 failed, 0 skipped\n",
			status: 1,
		},
		{
			name:   "input that stops early fails",
			lines:  []string{start, testA, passA},
			want:   "FAIL\tm/a: the input ended without its verdict\n1 passed, 1 failed, 0 skipped\n",
			status: 1,
		},
		{
			name:   "a run without tests fails",
			lines:  []string{start, `{"Action":"output","Package":"m/a","Output":"?   \tm/a\t[no test files]\n"}`, `{"Action":"skip","Package":"m/a"}`},
			want:   "FAIL: no test ran\n0 passed, 0 failed, 0 skipped\n",
			status: 1,
		},
		{
			name:   "empty input fails",
			want:   "FAIL: no test ran\n0 passed, 0 failed, 0 skipped\n",
			status: 1,
		},
		{
			name:  "a line that is no event is passed on",
			lines: []string{"go: a warning", start, passA, ok, pass},
			want:  "go: a warning\nok  \tm/a\t0.01s\n1 passed, 0 failed, 0 skipped\n",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out strings.Builder
			status := run(strings.NewReader(strings.Join(tt.lines, "\n")), &out, tt.strict)
			if status != tt.status || out.String() != tt.want {
				t.Errorf("run = %d\n%s\nwant %d\n%s", status, out.String(), tt.status, tt.want)
			}
		})
	}
}

func TestRunTakesLongLines(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	output, err := json.Marshal(event{Action: "output", Package: "m/a", Test: "TestA", Output: long + "\n"})
	if err != nil {
		t.Fatal(err)
	}
	in := string(output) + "\n" + `{"Action":"fail","Package":"m/a","Test":"TestA"}` + "\n" + `{"Action":"fail","Package":"m/a"}`
	var out strings.Builder
	if status := run(strings.NewReader(in), &out, false); status != 1 || !strings.Contains(out.String(), long) {
		t.Errorf("run = %d with %d bytes; want 1 and the whole line", status, out.Len())
	}
}

func TestRunReportsAReadError(t *testing.T) {
	passed := strings.NewReader(`{"Action":"pass","Package":"m/a","Test":"TestA"}` + "\n" + `{"Action":"pass","Package":"m/a"}` + "\n")
	var out strings.Builder
	status := run(io.MultiReader(passed, iotest.ErrReader(errors.New("cut"))), &out, false)
	if status != 1 || !strings.Contains(out.String(), "testsum: read test output: cut\n") {
		t.Errorf("run = %d, %q; want 1 and the error", status, out.String())
	}
}

// TestRunOnRealOutput holds the event format against the go command that is
// installed: one test of each fate, and a package that does not build.
func TestRunOnRealOutput(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":             "module m\n\ngo 1.26.0\n",
		"fates/f_test.go":    "package fates\n\nimport \"testing\"\n\nfunc TestPass(t *testing.T) { t.Log(\"quiet\") }\nfunc TestFail(t *testing.T) { t.Error(\"loud\") }\nfunc TestSkip(t *testing.T) { t.Skip(\"SKIPPED LOUDLY: no engine\") }\n",
		"broken/b_test.go":   "package broken\n\nfunc init() { undefined() }\n",
		"crashing/c_test.go": "package crashing\n\nimport (\n\t\"os\"\n\t\"testing\"\n)\n\nfunc TestExit(t *testing.T) { t.Log(\"last words\"); os.Exit(3) }\n",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), "go", "test", "-json", "./...")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off")
	events, err := cmd.Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != 1 {
		t.Fatalf("go test: %v, want exit status 1", err)
	}
	var out strings.Builder
	status := run(strings.NewReader(string(events)), &out, false)
	got := out.String()
	for _, want := range []string{
		"f_test.go:6: loud",
		"SKIP\tm/fates.TestSkip: f_test.go:7: SKIPPED LOUDLY: no engine",
		"undefined: undefined",
		"FAIL\tm/broken [build failed]",
		"FAIL\tm/crashing",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in:\n%s", want, got)
		}
	}
	if strings.Contains(got, "quiet") {
		t.Errorf("the output of a passing test was printed:\n%s", got)
	}
	if !strings.HasSuffix(got, "\n1 passed, 3 failed, 1 skipped\n") || status != 1 {
		t.Errorf("run = %d, closing with %q", status, got[strings.LastIndex(strings.TrimSuffix(got, "\n"), "\n")+1:])
	}
}
