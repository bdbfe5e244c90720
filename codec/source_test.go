package codec

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestASourceShowsTheFirstByteThatSaysSomething(t *testing.T) {
	for name, tt := range map[string]struct {
		text string
		want byte
	}{
		"JSON": {`{"a":1}`, '{'}, "a stream": {"data: x\n\n", 'd'}, "a comment": {": ping\n", ':'},
		"blank lines before it": {"\n\n \r\n{}", '{'}, "a byte order mark": {"\ufeff{}", '{'},
		"a mark after blank lines": {"\n\ufeff{}", '\xef'}, "half a mark": {"\xef\xbb", '\xef'},
		"nothing": {"", 0}, "white space alone": {" \n", 0},
	} {
		t.Run(name, func(t *testing.T) {
			for _, src := range []io.Reader{strings.NewReader(tt.text), iotest.OneByteReader(strings.NewReader(tt.text)), iotest.DataErrReader(strings.NewReader(tt.text))} {
				s, first := NewSource(src)
				if first != tt.want {
					t.Errorf("the first byte is %q", first)
				}
				if all, err := io.ReadAll(s); err != nil || string(all) != tt.text {
					t.Errorf("it reads as %q, %v", all, err)
				}
				s.Release()
			}
		})
	}
}

func TestASourceIsReadWholeWithinALimit(t *testing.T) {
	text := strings.Repeat("x", 300<<10)
	s, _ := NewSource(iotest.HalfReader(strings.NewReader(text)))
	if all, err := s.ReadAll(len(text)); err != nil || string(all) != text {
		t.Errorf("%d bytes, %v", len(all), err)
	}
	s.Release()
	s.Release()
	s, _ = NewSource(strings.NewReader(text))
	if _, err := s.ReadAll(len(text) - 1); !errors.Is(err, ErrTooLong) {
		t.Errorf("over the limit: %v", err)
	}
	s.Release()
	broken := errors.New("broken")
	s, _ = NewSource(io.MultiReader(strings.NewReader("{"), iotest.ErrReader(broken)))
	if _, err := s.ReadAll(100); !errors.Is(err, broken) {
		t.Errorf("a broken source: %v", err)
	}
	s.Release()
}

// What is kept is not written over by the next answer, long or short.
func TestWhatASourceKeepsStays(t *testing.T) {
	for _, size := range []int{10, 2 * maxPooled} {
		text := strings.Repeat("x", size)
		s, _ := NewSource(strings.NewReader(text))
		all, err := s.ReadAll(size)
		kept := s.Keep(all)
		s.Release()
		for range 8 { // of which one gets the buffer back
			next, _ := NewSource(strings.NewReader(strings.Repeat("y", size)))
			if _, err := next.ReadAll(size); err != nil {
				t.Fatal(err)
			}
			next.Release()
		}
		if err != nil || string(kept) != text {
			t.Errorf("%d bytes became %.20q, %v", size, kept, err)
		}
	}
}
