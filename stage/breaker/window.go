package breaker

// slots is how many buckets a window has: it forgets a twelfth at a time.
const slots = 12

// tally counts calls by their outcome.
type tally struct{ good, failed, denied, neutral uint32 }

func (t *tally) add(o outcome) {
	switch o {
	case good:
		t.good++
	case failed:
		t.failed++
	case denied:
		t.denied++
	case neutral:
		t.neutral++
	}
}

// bad is how many calls count as failures, of how many that count at all.
func (t *tally) bad() (bad, of uint32) {
	bad = t.failed
	if t.good == 0 { // every key is refused: that is as good as down
		bad += t.denied
	}
	return bad, bad + t.good
}

// A window counts the calls of the latest while in buckets of time. Times are
// in nanoseconds, not before 0. The zero value is empty.
type window struct {
	width  int64 // of a bucket
	latest int64 // the number of the bucket used last
	slot   [slots]tally
}

// at is the bucket of now in a window of that length.
func (w *window) at(now, length int64) *tally {
	w.advance(now, length)
	return &w.slot[w.latest%slots]
}

// sum is all that the window holds.
func (w *window) sum(now, length int64) (t tally) {
	w.advance(now, length)
	for i := range w.slot {
		s := &w.slot[i]
		t.good += s.good
		t.failed += s.failed
		t.denied += s.denied
		t.neutral += s.neutral
	}
	return t
}

// advance empties the buckets that have gone out of the window. A window of
// another length than before begins anew.
func (w *window) advance(now, length int64) {
	width := max(length/slots, 1)
	n := now / width
	switch {
	case width != w.width || n-w.latest >= slots:
		*w = window{width: width, latest: n}
	case n > w.latest:
		for ; w.latest < n; w.latest++ {
			w.slot[(w.latest+1)%slots] = tally{}
		}
	}
}
