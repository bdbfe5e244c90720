package catalog

import (
	"maps"
	"slices"
	"strings"

	"github.com/weir-gateway/weir/internal/nearest"
)

// Nearest are up to n known names that look most like a name that was not
// found, the nearest first, for an error's hint. A name with a slash is
// compared with "provider/model", another with bare ids and aliases. What is
// not similar is left out.
func (c *Catalog) Nearest(name string, n int) []string {
	if !strings.Contains(name, "/") {
		return nearest.Names(name, maps.Keys(c.byModel), n)
	}
	return nearest.Names(name, func(yield func(string) bool) {
		for _, p := range c.providers {
			for _, m := range p.Models {
				if !yield(p.ID + "/" + m.ID) {
					return
				}
			}
		}
	}, n)
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
