package breaker

import (
	"math"
	"sync/atomic"
	"time"
)

// A pace is how soon answers come. It is written under a lock and read without
// one: a reader may see a sample half entered, which changes nothing that
// matters.
type pace struct {
	peak    atomic.Uint64 // float64 bits of nanoseconds, as of at
	mean    atomic.Uint64 // float64 bits of nanoseconds
	at      atomic.Int64
	samples atomic.Int64
}

// How much a sample counts in the mean. While a deployment is ejected few
// samples come, so each of them counts more.
const (
	meanWeight  = 0.1
	probeWeight = 0.3
)

// add enters a sample. What is above the peak becomes the peak at once; what is
// below lowers it as time goes by.
func (p *pace) add(d time.Duration, now int64, decay time.Duration, weight float64) {
	x := float64(max(d, 1))
	n := p.samples.Load()
	peak, mean := math.Float64frombits(p.peak.Load()), math.Float64frombits(p.mean.Load())
	if n == 0 {
		peak, mean = x, x
	} else {
		w := fade(now-p.at.Load(), decay)
		peak = max(x, peak*w+x*(1-w))
		// The first samples make a plain mean: one of them must not weigh for long.
		mean += (x - mean) * max(weight, 1/float64(n+1))
	}
	p.peak.Store(math.Float64bits(peak))
	p.mean.Store(math.Float64bits(mean))
	p.at.Store(now)
	p.samples.Store(n + 1)
}

// latency is the peak as it has decayed by now, 0 without a sample. With time
// it falls to nothing, so that one that was slow is tried again.
func (p *pace) latency(now int64, decay time.Duration) time.Duration {
	peak := math.Float64frombits(p.peak.Load())
	if peak == 0 {
		return 0
	}
	return max(time.Duration(peak*fade(now-p.at.Load(), decay)), 1)
}

// fade is the part of a peak that is left after that many nanoseconds. For
// calls in quick succession the beginning of the series is exact to a millionth
// or two, and costs a tenth.
func fade(idle int64, decay time.Duration) float64 {
	x := float64(max(idle, 0)) / float64(decay)
	if x < 0.02 {
		return 1 - x + x*x/2
	}
	return math.Exp(-x)
}

// average is the mean of the latest samples, and how many there were in all.
func (p *pace) average() (time.Duration, int64) {
	return time.Duration(math.Float64frombits(p.mean.Load())), p.samples.Load()
}
