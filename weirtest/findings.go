package weirtest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// findings gathers what a suite found wrong over many recordings, so that one
// bug that shows a thousand times is reported once, with a few examples.
type findings struct {
	examples map[string][]string
	counts   map[string]int
}

// maxExamples is how many examples of a finding are printed.
const maxExamples = 3

func newFindings() *findings {
	return &findings{examples: map[string][]string{}, counts: map[string]int{}}
}

// add notes that what went wrong as kind was seen in where.
func (f *findings) add(kind, where, format string, args ...any) {
	f.counts[kind]++
	if len(f.examples[kind]) < maxExamples {
		f.examples[kind] = append(f.examples[kind], where+": "+shorten(fmt.Sprintf(format, args...)))
	}
}

// report fails the test for every kind of finding.
func (f *findings) report(t *testing.T) {
	t.Helper()
	kinds := make([]string, 0, len(f.counts))
	for k := range f.counts {
		kinds = append(kinds, k)
	}
	slices.Sort(kinds)
	for _, k := range kinds {
		t.Errorf("%s (%d times)\n    %s", k, f.counts[k], strings.Join(f.examples[k], "\n    "))
	}
}

// maxExampleBytes bounds an example.
const maxExampleBytes = 600

func shorten(s string) string {
	if len(s) > maxExampleBytes {
		return s[:maxExampleBytes] + "…"
	}
	return s
}
