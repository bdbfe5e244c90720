package limit

import (
	"context"
	"iter"
	"sync/atomic"
	"time"

	"github.com/weir-gateway/weir"
)

// BulkheadOptions bound the calls in progress at one deployment.
type BulkheadOptions struct {
	// Name is the deployment's, for errors.
	Name string
	// Max is how many calls may be in progress; below 1 is no bound.
	Max int
	// Queue is how many more may wait for a place; 0 lets none wait.
	Queue int
	// Wait is the longest that one waits. 0 is 1 s.
	Wait time.Duration
	// RetryAfter is what those who are refused are told. 0 is 1 s.
	RetryAfter time.Duration
}

// A Bulkhead holds the places of one deployment. It outlives the chains that
// use it, so that a reload does not hand out the places twice. Safe for
// concurrent use.
type Bulkhead struct {
	options BulkheadOptions
	places  chan struct{}
	waiting atomic.Int64
}

// NewBulkhead makes a Bulkhead with all places free.
func NewBulkhead(o BulkheadOptions) *Bulkhead {
	if o.Wait <= 0 {
		o.Wait = time.Second
	}
	if o.RetryAfter <= 0 {
		o.RetryAfter = time.Second
	}
	b := &Bulkhead{options: o}
	if o.Max > 0 {
		b.places = make(chan struct{}, o.Max)
	}
	return b
}

// Concurrency bounds a deployment to n calls in progress. A call beyond that
// fails at once with a KindOverloaded error; below 1 there is no bound.
func Concurrency(n int) weir.Middleware {
	return NewBulkhead(BulkheadOptions{Max: n}).Wrap
}

// InUse is how many places are taken.
func (b *Bulkhead) InUse() int { return len(b.places) }

// Wrap is the stage: a call holds a place from the start of its range
// statement to its end. It is a weir.Middleware.
func (b *Bulkhead) Wrap(next weir.Handler) weir.Handler {
	if b.places == nil {
		return next
	}
	return weir.HandlerFunc(func(ctx context.Context, req *weir.Request) iter.Seq2[weir.Event, error] {
		return func(yield func(weir.Event, error) bool) {
			if err := b.enter(ctx); err != nil {
				yield(weir.Event{}, err)
				return
			}
			defer b.leave()
			next.Handle(ctx, req)(yield)
		}
	})
}

func (b *Bulkhead) enter(ctx context.Context) error {
	select {
	case b.places <- struct{}{}:
		return nil
	default:
	}
	defer b.waiting.Add(-1)
	if b.waiting.Add(1) > int64(b.options.Queue) {
		return b.full()
	}
	timer := time.NewTimer(b.options.Wait)
	defer timer.Stop()
	select {
	case b.places <- struct{}{}:
		return nil
	case <-timer.C:
		return b.full()
	case <-ctx.Done():
		return weir.AsError(ctx.Err())
	}
}

func (b *Bulkhead) leave() { <-b.places }

func (b *Bulkhead) full() error {
	err := weir.Errorf(weir.KindOverloaded, "%d calls are in progress at this deployment, which is its limit", b.options.Max)
	err.Deployment, err.RetryAfter = b.options.Name, b.options.RetryAfter
	return err
}
