package config

import (
	"fmt"
	"log/slog"
	"strconv"
	"strings"
)

// Size is a number of bytes: 1048576, 64KiB, 32MiB, 1GiB; KB, MB and GB are
// powers of ten.
type Size int64

var sizeUnits = []struct {
	suffix string
	bytes  int64
}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"B", 1}, {"", 1}}

// ParseSize reads a Size.
func ParseSize(s string) (Size, error) {
	s = strings.TrimSpace(s)
	for _, u := range sizeUnits {
		digits, ok := strings.CutSuffix(s, u.suffix)
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(strings.TrimSpace(digits), 10, 64)
		if err != nil || n < 0 || n > (1<<62)/u.bytes {
			break
		}
		return Size(n * u.bytes), nil
	}
	return 0, fmt.Errorf("%q is no size; write for example 32MiB", s)
}

// String is the size in the largest binary unit that divides it.
func (s Size) String() string {
	for _, u := range []struct {
		suffix string
		bytes  Size
	}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}} {
		if s >= u.bytes && s%u.bytes == 0 {
			return strconv.FormatInt(int64(s/u.bytes), 10) + u.suffix
		}
	}
	return strconv.FormatInt(int64(s), 10)
}

// Secret is a value that is never printed.
type Secret string

// String hides the value.
func (Secret) String() string { return "(secret)" }

// GoString hides the value.
func (Secret) GoString() string { return "(secret)" }

// LogValue hides the value.
func (Secret) LogValue() slog.Value { return slog.StringValue("(secret)") }

// Reveal is the value itself.
func (s Secret) Reveal() string { return string(s) }
