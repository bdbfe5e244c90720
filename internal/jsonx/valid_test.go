package jsonx

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"
)

// agree checks Valid against encoding/json, apart from the documented rules.
func agree(t *testing.T, raw []byte) {
	t.Helper()
	err := Valid(raw)
	if err == nil {
		if !json.Valid(raw) {
			t.Fatalf("accepted %q", raw)
		}
		return
	}
	var syntax *SyntaxError
	if !errors.As(err, &syntax) || syntax.Offset < 0 || syntax.Offset > len(raw) {
		t.Fatalf("odd error %v", err)
	}
	if json.Valid(raw) && syntax.Msg != msgDepth && utf8.Valid(raw) {
		t.Fatalf("refused %q: %v", raw, err)
	}
}

func TestValidAgreesWithEncodingJSON(t *testing.T) {
	for _, s := range seeds {
		agree(t, []byte(s))
		agree(t, []byte(" ["+s+" , "+s+"]\n"))
		agree(t, []byte(`{"k":`+s+`}`))
	}
}

func TestValidAgreesOnEveryByteAtEveryPlaceOfAString(t *testing.T) {
	for at := range 20 {
		for c := range 256 {
			raw := []byte(`"` + strings.Repeat("x", 20) + `"`)
			raw[1+at] = byte(c)
			agree(t, raw)
			raw = []byte(`"` + strings.Repeat("é", 10) + `"`)
			raw[1+at] = byte(c)
			agree(t, raw)
		}
	}
}

func TestValidHasItsOwnRules(t *testing.T) {
	cases := []struct {
		name, raw string
		offset    int
	}{
		{"512 levels are fine", strings.Repeat("[", 512) + strings.Repeat("]", 512), -1},
		{"513 levels are too many", strings.Repeat("[", 513) + strings.Repeat("]", 513), 512},
		{"a byte that is not UTF-8 is found", "[\"abc\xffd\"]", 5},
		{"a surrogate in UTF-8 is found", "\"\xed\xa0\x80\"", 1},
		{"a lone surrogate escape is grammatical", `"\ud800"`, -1},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			err := Valid([]byte(c.raw))
			var syntax *SyntaxError
			if errors.As(err, &syntax) != (c.offset >= 0) || syntax != nil && syntax.Offset != c.offset {
				t.Fatalf("got %v", err)
			}
		})
	}
}

func TestPositionCountsFromOne(t *testing.T) {
	body := []byte("ab\ncd\n\nx")
	for _, c := range []struct{ offset, line, column int }{
		{-5, 1, 1}, {0, 1, 1}, {2, 1, 3}, {3, 2, 1}, {4, 2, 2}, {6, 3, 1}, {7, 4, 1}, {99, 4, 2},
	} {
		if line, column := Position(body, c.offset); line != c.line || column != c.column {
			t.Errorf("offset %d: %d:%d", c.offset, line, column)
		}
	}
}

func FuzzValid(f *testing.F) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) { agree(t, raw) })
}
