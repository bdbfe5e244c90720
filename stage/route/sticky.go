package route

import (
	"math"

	"github.com/weir-gateway/weir"
)

// sticky is rendezvous hashing with weights: every deployment draws a number
// from the key and its own name, and the lowest one serves. A deployment that
// is added takes over only the keys for which its own number is the lowest, and
// when one cannot serve its keys are spread over the others.
func (b *Balance) sticky(req *weir.Request, entries []entry, best rank) {
	key := ""
	if b.options.Key != nil {
		key = b.options.Key(req)
	}
	if key == "" {
		b.turns(entries, best)
		return
	}
	k := hash(key)
	b.each(entries, func(i int) float64 {
		t := &b.targets[i]
		return -math.Log(unit(mix(k^t.hash))) / float64(t.weight)
	})
}

// hash is FNV-1a. It is the same in every process, so that replicas agree.
func hash(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return mix(h)
}

// mix spreads every bit over all others (the finalizer of SplitMix64).
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// unit is a number above 0 and below 1.
func unit(x uint64) float64 { return (float64(x>>11) + 0.5) / (1 << 53) }
