package shadow

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/weir-gateway/weir"
)

// Defaults of Options.
const (
	DefaultMaxRunning = 8
	DefaultMaxQueued  = 64
	DefaultMaxBytes   = 64 << 20
	DefaultTimeout    = 2 * time.Minute
	DefaultMaxText    = 64 << 10
	DefaultPrincipal  = "weir.shadow"
)

// Labels of the requests that are sent, beside those of the client.
const (
	// LabelTarget holds the target's name.
	LabelTarget = "weir.shadow"
	// LabelOf holds the id of the client's request.
	LabelOf = "weir.shadow_of"
)

// Options set up a Shadow. Handler and Sink are required.
type Options struct {
	// Handler answers the copies. It belongs to a chain of its own, with route,
	// fallback and a ledger, and without the client's limits and budgets.
	Handler weir.Handler
	// Targets are the models that are asked.
	Targets []Target
	// Sink is told every result, on the goroutine that made the call. It may be
	// called from several at once.
	Sink func(*Result)
	// Compare says how alike the texts of the two answers are, in whatever
	// measure; it is told in Result.Score. It is not called when there is no
	// second answer. Nil: no text is gathered.
	Compare func(first, second string) float64
	// Open makes a Request of received bytes, as the client's codec does. Nil: a
	// copy is made of the canonical body, and is translated where the original
	// could have gone up as it was.
	Open func(op weir.Operation, w *weir.Wire) (*weir.Request, error)
	// Key is what decides about a request's being sampled; requests with the
	// same key share their fate. Nil: the request's ID; one without is drawn.
	Key func(*weir.Request) string

	// Principal is who the copies are made for; nil is DefaultPrincipal, who may
	// use all models.
	Principal *weir.Principal
	// Attempts is how many upstream calls one copy may cause. 0 is 1.
	Attempts int
	// MaxRunning is how many copies run at once, and MaxQueued how many more may
	// wait. 0 is DefaultMaxRunning and DefaultMaxQueued.
	MaxRunning, MaxQueued int
	// MaxBytes bounds the requests that run and wait, together. 0 is
	// DefaultMaxBytes.
	MaxBytes int64
	// Timeout is how long one copy may run. 0 is DefaultTimeout.
	Timeout time.Duration
	// MaxText is how much of each answer is compared, in bytes. 0 is
	// DefaultMaxText.
	MaxText int
}

// A Target is a model that is asked beside the first one.
type Target struct {
	// Name is that of results and labels; empty is Model. It takes part in the
	// sampling, so that two targets sample different requests.
	Name string
	// Model is what is asked for.
	Model string
	// Models are the names whose requests are sampled, exactly as clients ask
	// for them; empty is all.
	Models []string
	// Percent of the requests, from 0 to 100.
	Percent float64
}

// A Shadow asks second models. It must be closed. Safe for concurrent use.
type Shadow struct {
	options Options
	targets []target
	// life ends when the Shadow is closed for good: it is the end of calls that
	// have no caller whose context could end them.
	life context.Context
	kill context.CancelFunc
	wg   sync.WaitGroup

	mu    sync.Mutex // guards what follows; never held during a call
	state state
}

// A target is a Target ready for use.
type target struct {
	Target
	number int    // from 1
	seed   uint64 // hash of the name
	bound  uint64 // hashes below it are in
	all    bool
}

// New makes a Shadow.
func New(o Options) (*Shadow, error) {
	if o.Handler == nil || o.Sink == nil {
		return nil, errors.New("a shadow needs a handler and a sink")
	}
	o.MaxRunning = positive(o.MaxRunning, DefaultMaxRunning)
	o.MaxQueued = positive(o.MaxQueued, DefaultMaxQueued)
	o.MaxText = positive(o.MaxText, DefaultMaxText)
	o.MaxBytes = positive(o.MaxBytes, DefaultMaxBytes)
	o.Timeout = positive(o.Timeout, DefaultTimeout)
	if o.Principal == nil {
		o.Principal = &weir.Principal{Name: DefaultPrincipal}
	}
	s := &Shadow{options: o}
	var errs []error
	for i, t := range o.Targets {
		t.Name = cmp.Or(t.Name, t.Model)
		if err := s.check(t); err != nil {
			errs = append(errs, fmt.Errorf("target %d: %w", i+1, err))
			continue
		}
		s.targets = append(s.targets, target{
			Target: t, number: i + 1, seed: hash(offset, t.Name), bound: boundOf(t.Percent), all: t.Percent >= 100,
		})
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	s.life, s.kill = context.WithCancel(context.Background())
	return s, nil
}

func (s *Shadow) check(t Target) error {
	switch {
	case t.Model == "":
		return errors.New("model is missing")
	case math.IsNaN(t.Percent) || t.Percent < 0 || t.Percent > 100:
		return fmt.Errorf("percent is %v, and must be between 0 and 100", t.Percent)
	case slices.ContainsFunc(s.targets, func(have target) bool { return have.Name == t.Name }):
		return fmt.Errorf("there is a target %q already", t.Name)
	}
	return nil
}

func positive[N int | int64 | time.Duration](n, otherwise N) N {
	if n <= 0 {
		return otherwise
	}
	return n
}
