package breaker

import (
	"math"
	"math/bits"
	"time"
)

// A sketch estimates quantiles of durations up to 17 minutes, longer ones
// counting as that. It has buckets of a millisecond up to 8 ms and from there
// eight for every doubling, so that an estimate is off by a sixteenth at most.
// Two generations of counts make it forget: a sample stays for one to two
// lengths of time. The zero value is empty.
type sketch struct {
	generation int64
	now, old   [buckets]uint32
	inNow      uint32
	inOld      uint32
}

const (
	perDoubling = 8
	doublings   = 17
	buckets     = perDoubling * (1 + doublings)
)

func (s *sketch) add(d time.Duration, now, length int64) {
	s.advance(now, length)
	s.now[bucketOf(d)]++
	s.inNow++
}

// advance begins a new generation when the length of one has passed.
func (s *sketch) advance(now, length int64) {
	n := now / length
	switch n {
	case s.generation:
	case s.generation + 1:
		s.generation = n
		s.old, s.inOld = s.now, s.inNow
		s.now, s.inNow = [buckets]uint32{}, 0
	default:
		*s = sketch{generation: n}
	}
}

// quantile is the duration that the part q of the samples do not exceed, 0
// without samples.
func (s *sketch) quantile(q float64, now, length int64) time.Duration {
	s.advance(now, length)
	total := s.inNow + s.inOld
	if total == 0 {
		return 0
	}
	rank := max(uint32(math.Ceil(q*float64(total))), 1)
	seen := uint32(0)
	for i := range s.now {
		if seen += s.now[i] + s.old[i]; seen >= rank {
			return middleOf(i)
		}
	}
	return middleOf(buckets - 1)
}

// bucketOf is the bucket of d.
func bucketOf(d time.Duration) int {
	ms := uint64(max(d, 0) / time.Millisecond)
	if ms < perDoubling {
		return int(ms)
	}
	shift := bits.Len64(ms) - bits.Len64(perDoubling)
	i := perDoubling*shift + int(ms>>shift)
	return min(i, buckets-1)
}

// middleOf is the duration that bucket i stands for.
func middleOf(i int) time.Duration {
	if i < 2*perDoubling {
		return time.Duration(i)*time.Millisecond + time.Millisecond/2
	}
	shift := i/perDoubling - 1
	width := time.Millisecond << shift
	return time.Duration(i%perDoubling+perDoubling)*width + width/2
}
