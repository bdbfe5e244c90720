package breaker

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/weir-gateway/weir"
)

// Health is that of one deployment, see Board.Health. Safe for concurrent use.
type Health struct {
	board *Board
	name  string

	// What is read without a lock. Times are those of the Board.
	inFlight  atomic.Int64
	used      atomic.Int64              // when the latest call began
	coolUntil atomic.Int64
	openUntil atomic.Int64              // of an open circuit
	state     atomic.Uint32             // a State, never Ejected
	probing   atomic.Int32              // probes in progress
	groups    atomic.Pointer[[]*Member] // of which it is a member
	streamed  pace                      // time to first token
	whole     pace                      // time to an answer that came in one piece

	mu       sync.Mutex // guards what follows, and the writing of what is above
	since    time.Time  // of state
	turn     uint32     // counts the changes of state
	proved   int        // probes that succeeded in this turn
	reopened int        // how often it opened again without having closed
	window   window
	ttft     sketch
	lastErr  weir.Kind
	lastAt   time.Time // zero: there was no error
	outbox   []*Change // to be told
	telling  bool      // somebody does
}

func newHealth(b *Board, name string) *Health {
	return &Health{board: b, name: name, since: time.Now()}
}

// Name is the deployment's.
func (h *Health) Name() string { return h.name }

// InFlight is how many attempts are in progress.
func (h *Health) InFlight() int { return int(h.inFlight.Load()) }

// Latency is the peak-EWMA of the time to first content: of answers that are
// streamed, or of those that come in one piece and so take as long as the whole
// of it. 0 when there was none yet. It decays while nothing comes.
func (h *Health) Latency(streamed bool) time.Duration {
	p := &h.whole
	if streamed {
		p = &h.streamed
	}
	return p.latency(h.board.now(), h.board.options.Load().Decay)
}

// P95 is the time to first token that 19 of 20 streamed answers of the latest
// one to two windows did not exceed, to a sixteenth, and how many there were.
func (h *Health) P95() (d time.Duration, samples int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	d = h.ttft.quantile(0.95, h.board.now(), int64(h.board.options.Load().Window))
	return d, int(h.ttft.inNow + h.ttft.inOld)
}

// Standing is Ready, Cooling or Down. A half-open circuit is Ready as long as
// it takes another probe.
func (h *Health) Standing() Standing {
	cool := h.coolUntil.Load()
	mode := h.mode()
	if cool == 0 && mode == Closed {
		return Ready
	}
	now := h.board.now()
	switch {
	case mode == Open && now < h.openUntil.Load():
		return Down
	case mode != Closed && int(h.probing.Load()) >= h.board.options.Load().Probes:
		return Down
	case now < cool:
		return Cooling
	}
	return Ready
}

// Probe is false: what belongs to no group is never ejected.
func (h *Health) Probe() bool { return false }

func (h *Health) mode() State { return State(h.state.Load()) }

func (h *Health) memberships() []*Member {
	if g := h.groups.Load(); g != nil {
		return *g
	}
	return nil
}

// tell empties the outbox, each change after the one before, without a lock.
func (h *Health) tell() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.telling {
		return
	}
	h.telling = true
	defer func() { h.telling = false }()
	for len(h.outbox) > 0 {
		changes := h.outbox
		h.outbox = nil
		h.say(changes)
	}
}

// say is called with the lock held, and has it back when it returns or panics.
func (h *Health) say(changes []*Change) {
	h.mu.Unlock()
	defer h.mu.Lock()
	if fn := h.board.options.Load().OnChange; fn != nil {
		for _, c := range changes {
			fn(*c)
		}
	}
}
