package shadow

import (
	"math"
	"math/rand/v2"
	"slices"

	"github.com/weir-gateway/weir"
)

// Constants of the hash: FNV-1a, 64 bits.
const (
	offset uint64 = 14695981039346656037
	prime  uint64 = 1099511628211
)

func hash(seed uint64, s string) uint64 {
	for i := range len(s) {
		seed = (seed ^ uint64(s[i])) * prime
	}
	return seed
}

// mix spreads a hash over all of its bits (the finisher of SplitMix64): those of
// FNV-1a differ in the lower ones for keys that differ in their last letter.
func mix(h uint64) uint64 {
	h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
	h = (h ^ h>>27) * 0x94d049bb133111eb
	return h ^ h>>31
}

// boundOf is the number that so many per cent of all hashes are below.
func boundOf(percent float64) uint64 {
	if percent >= 100 {
		return math.MaxUint64
	}
	return uint64(percent / 100 * (1 << 63) * 2)
}

// sampled are the targets that a request is for, nil as a rule.
func (s *Shadow) sampled(req *weir.Request) (hits []*target) {
	if req.Op != weir.Generate && req.Op != weir.Embed || req.Uplink != nil {
		return nil
	}
	key, drawn := "", false
	for i := range s.targets {
		t := &s.targets[i]
		if t.bound == 0 || len(t.Models) > 0 && !slices.Contains(t.Models, req.Model) {
			continue
		}
		if !t.all {
			if !drawn {
				key, drawn = s.key(req), true
			}
			h := rand.Uint64()
			if key != "" {
				h = mix(hash(t.seed, key))
			}
			if h >= t.bound {
				continue
			}
		}
		hits = append(hits, t)
	}
	return hits
}

func (s *Shadow) key(req *weir.Request) string {
	if s.options.Key != nil {
		return s.options.Key(req)
	}
	return req.ID
}
