// Command testsum reads the output of `go test -json` from standard input and
// prints what a person needs: the whole output of each test that failed, one
// line for each package, each skipped test with its reason, and a closing line
//
//	N passed, N failed, N skipped
//
// where subtests count as tests. Its exit status is 1 when anything failed, when
// no test ran, when the input stops before a package has its verdict, or, under
// CI=true, when a test was skipped without ALLOWED SKIP in its message. A
// skipped test proves nothing, so where it must not be skipped it must fail.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
)

func main() {
	os.Exit(run(os.Stdin, os.Stdout, os.Getenv("CI") == "true"))
}

// run copies the summary of in to out and returns the exit status. With strict
// set, a skip that is not allowed by its message is a failure.
func run(in io.Reader, out io.Writer, strict bool) int {
	w := bufio.NewWriter(out)
	s := newSummary(w)
	err := s.read(in)
	if err != nil {
		fmt.Fprintf(w, "testsum: %v\n", err)
	}
	ok := s.close(strict) && err == nil
	if w.Flush() != nil || !ok {
		return 1
	}
	return 0
}

// read feeds every line of in to s, whatever its length.
func (s *summary) read(in io.Reader) error {
	r := bufio.NewReader(in)
	for {
		line, err := r.ReadBytes('\n')
		if len(line) > 0 {
			s.line(line)
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read test output: %w", err)
		}
	}
}
