// Package nearest finds the names that somebody may have meant: the way out
// that goes with every "unknown name" error. It is one function, Names.
package nearest

import (
	"cmp"
	"iter"
	"slices"
	"strings"
)

// maxLength bounds what is compared, since the cost is the product of lengths
// and the name comes from outside.
const maxLength = 128

// Names are at most n of the candidates that resemble name, the closest first
// and equals in alphabetical order. A candidate counts when it contains name,
// or when at most a third of it would have to change.
// Case is ignored.
func Names(name string, candidates iter.Seq[string], n int) []string {
	type hit struct {
		name     string
		distance int
	}
	want := strings.ToLower(name)
	if want == "" || len(want) > maxLength {
		return nil
	}
	var hits []hit
	for c := range candidates {
		if d, ok := resemble(want, strings.ToLower(c)); ok {
			hits = append(hits, hit{c, d})
		}
	}
	slices.SortFunc(hits, func(a, b hit) int {
		return cmp.Or(cmp.Compare(a.distance, b.distance), cmp.Compare(a.name, b.name))
	})
	var out []string
	for _, h := range hits {
		if len(out) < n && !slices.Contains(out, h.name) {
			out = append(out, h.name)
		}
	}
	return out
}

func resemble(want, have string) (distance int, ok bool) {
	if len(have) > maxLength {
		return 0, false
	}
	d := Distance(want, have)
	if d <= max(len(want), len(have))/3 {
		return d, true
	}
	if len(want) >= 3 && strings.Contains(have, want) {
		return len(have) - len(want), true
	}
	return 0, false
}

// Distance is the number of bytes to insert, delete, replace or swap with
// their neighbour to make b of a (optimal string alignment).
func Distance(a, b string) int {
	before := make([]int, len(b)+1)
	above := make([]int, len(b)+1)
	row := make([]int, len(b)+1)
	for j := range above {
		above[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(above[j]+1, row[j-1]+1, above[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, above, row = above, row, before
	}
	return above[len(b)]
}
