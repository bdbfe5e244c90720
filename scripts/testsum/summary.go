package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// allowedSkip in the message of a skipped test says that it may be skipped in
// CI too.
const allowedSkip = "ALLOWED SKIP"

// An event is one line of `go test -json`: those of cmd/test2json, and the
// build events of `go help buildjson`.
type event struct {
	Action     string
	Package    string
	ImportPath string
	Test       string
	Output     string
}

// A summary gathers the events of one run.
type summary struct {
	out      *bufio.Writer
	packages map[string]*pkg

	passed, failed, skipped, forbidden int
}

// A pkg is a package without its verdict: the output of each test that has
// none either, the package's own under the name "".
type pkg struct {
	output map[string][]string
	failed int
}

func newSummary(out *bufio.Writer) *summary {
	return &summary{out: out, packages: map[string]*pkg{}}
}

// line takes one line of input. What is not an event is passed on as it is: go
// writes some of its own complaints between the events.
func (s *summary) line(raw []byte) {
	var e event
	if err := json.Unmarshal(raw, &e); err != nil || e.Action == "" {
		s.print(strings.TrimSuffix(string(raw), "\n") + "\n")
		return
	}
	switch e.Action {
	case "build-output":
		s.print(e.Output)
	case "start":
		s.pkg(e.Package)
	case "output":
		p := s.pkg(e.Package)
		p.output[e.Test] = append(p.output[e.Test], e.Output)
	case "pass", "fail", "skip":
		if e.Test == "" {
			s.packageVerdict(e)
		} else {
			s.testVerdict(e)
		}
	}
}

func (s *summary) pkg(path string) *pkg {
	p := s.packages[path]
	if p == nil {
		p = &pkg{output: map[string][]string{}}
		s.packages[path] = p
	}
	return p
}

func (s *summary) testVerdict(e event) {
	p := s.pkg(e.Package)
	output := p.output[e.Test]
	delete(p.output, e.Test)
	switch e.Action {
	case "pass":
		s.passed++
	case "fail":
		s.failed++
		p.failed++
		s.print(output...)
	case "skip":
		s.skipped++
		reason := skipReason(output)
		if !strings.Contains(reason, allowedSkip) {
			s.forbidden++
		}
		s.print(fmt.Sprintf("SKIP\t%s.%s: %s\n", e.Package, e.Test, reason))
	}
}

// skipReason is what a skipped test had to say, on one line.
func skipReason(output []string) string {
	var said []string
	for _, line := range output {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "=== ") && !strings.HasPrefix(line, "--- SKIP") {
			said = append(said, line)
		}
	}
	if said == nil {
		return "no reason given"
	}
	return strings.Join(said, " ")
}

// packageVerdict closes a package. A package that passed leaves its one line
// ("ok …"); one without tests ("?" and the action skip) leaves nothing.
func (s *summary) packageVerdict(e event) {
	p := s.pkg(e.Package)
	delete(s.packages, e.Package)
	if e.Action == "fail" {
		s.packageFailed(p)
		return
	}
	for _, line := range p.output[""] {
		if strings.HasPrefix(line, "ok ") {
			s.print(line)
		}
	}
}

// packageFailed prints all that p has not printed yet: the tests that the
// process left without a verdict when it died, then its own output. A package
// that failed without a failing test (it did not build, it panicked outside of
// a test, it exited) counts as one failure.
func (s *summary) packageFailed(p *pkg) {
	if p.failed == 0 {
		s.failed++
	}
	own := p.output[""]
	delete(p.output, "")
	for _, test := range slices.Sorted(maps.Keys(p.output)) {
		s.print(p.output[test]...)
	}
	s.print(own...)
}

// close prints the closing lines and reports whether the run was good.
func (s *summary) close(strict bool) bool {
	for _, path := range slices.Sorted(maps.Keys(s.packages)) {
		s.packageFailed(s.packages[path])
		s.print(fmt.Sprintf("FAIL\t%s: the input ended without its verdict\n", path))
	}
	ok := s.failed == 0
	if s.passed+s.failed+s.skipped == 0 {
		ok = false
		s.print("FAIL: no test ran\n")
	}
	if strict && s.forbidden > 0 {
		ok = false
		s.print(fmt.Sprintf("FAIL: %d skipped under CI=true without %q in the message\n", s.forbidden, allowedSkip))
	}
	s.print(fmt.Sprintf("%d passed, %d failed, %d skipped\n", s.passed, s.failed, s.skipped))
	return ok
}

// print writes lines out. The writer keeps the first error for its Flush.
func (s *summary) print(lines ...string) {
	for _, line := range lines {
		_, _ = s.out.WriteString(line)
	}
}
