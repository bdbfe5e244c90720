package nearest

import (
	"slices"
	"strings"
	"testing"
)

func TestNames(t *testing.T) {
	models := []string{"deepseek-flash", "deepseek-v4-pro", "gpt-6-luna", "claude-opus-5-5", "listen"}
	tests := []struct {
		name string
		want []string
	}{
		{"deepseek-flsh", []string{"deepseek-flash"}},
		{"DeepSeek-Flash", []string{"deepseek-flash"}},
		{"lsiten", []string{"listen"}},
		{"deepseek", []string{"deepseek-flash", "deepseek-v4-pro"}},
		{"opus", []string{"claude-opus-5-5"}},
		{"zzzzzzzz", nil},
		{"", nil},
		{strings.Repeat("a", 4096), nil},
	}
	for _, tt := range tests {
		t.Run("a name like "+tt.name[:min(len(tt.name), 20)], func(t *testing.T) {
			if got := Names(tt.name, slices.Values(models), 3); !slices.Equal(got, tt.want) {
				t.Errorf("Names(%.20q) = %q, want %q", tt.name, got, tt.want)
			}
		})
	}
}

func TestDistance(t *testing.T) {
	tests := []struct {
		a, b string
		want int
	}{{"", "", 0}, {"a", "", 1}, {"abc", "abc", 0}, {"abc", "acb", 1}, {"kitten", "sitting", 3}}
	for _, tt := range tests {
		if got := Distance(tt.a, tt.b); got != tt.want {
			t.Errorf("Distance(%q, %q) = %d, want %d", tt.a, tt.b, got, tt.want)
		}
	}
}

func FuzzDistance(f *testing.F) {
	f.Add("model", "modle")
	f.Fuzz(func(t *testing.T, a, b string) {
		if len(a) > 64 || len(b) > 64 {
			return
		}
		d := Distance(a, b)
		if d != Distance(b, a) || d > max(len(a), len(b)) || (d == 0) != (a == b) {
			t.Errorf("Distance(%q, %q) = %d", a, b, d)
		}
	})
}
