package thread

import (
	"context"
	"errors"
	"iter"
	"sync"
	"time"

	"github.com/weir-gateway/weir"
)

// Defaults of RunnerOptions.
const (
	DefaultMaxRunning    = 64
	DefaultMaxQueued     = 1024
	DefaultMaxEventBytes = 8 << 20
	DefaultMaxDuration   = time.Hour
)

// RunnerOptions bound a Runner. Keeper is required.
type RunnerOptions struct {
	Keeper *Keeper
	// MaxRunning is how many responses run at once; 0 is DefaultMaxRunning.
	MaxRunning int
	// MaxQueued is how many more may wait; beyond it Start refuses with
	// KindOverloaded. 0 is DefaultMaxQueued.
	MaxQueued int
	// MaxEventBytes is how much of one response's stream is kept to be read
	// again, in bytes, the latest; 0 is DefaultMaxEventBytes.
	MaxEventBytes int
	// MaxDuration is how long one response may take, waiting included; 0 is
	// DefaultMaxDuration.
	MaxDuration time.Duration
}

// A Job is a request that is to be answered in the background.
type Job struct {
	// Handler answers it.
	Handler weir.Handler
	// Request is asked with Stream set, whatever it says, after the caller has
	// gone: its bytes must be its own.
	Request *weir.Request
	// Encoder writes the stream that clients read.
	Encoder Encoder
	// Queued is the response object of id while it waits: what the client gets
	// at once, and from Body until there is more.
	Queued func(id string, created time.Time) []byte
	// Final makes the response object out of the one that was told last, where
	// the record says something else: it failed or was canceled. Nil: it stays
	// as it is.
	Final func(latest []byte, rec *Record) []byte
}

// A Runner runs responses in the background. It must be shut down. Safe for
// concurrent use.
type Runner struct {
	RunnerOptions
	slots   chan struct{}
	closing chan struct{} // closed by Shutdown
	wg      sync.WaitGroup

	mu     sync.Mutex // guards what follows; held for look-ups only
	jobs   map[Key]*job
	closed bool // closing is closed
}

// errShutdown is why jobs end that are still there when the Runner goes.
var errShutdown = errors.New("the gateway was shut down")

// NewRunner makes a Runner.
func NewRunner(o RunnerOptions) *Runner {
	o.MaxRunning = orInt(o.MaxRunning, DefaultMaxRunning)
	o.MaxQueued = orInt(o.MaxQueued, DefaultMaxQueued)
	o.MaxEventBytes = orInt(o.MaxEventBytes, DefaultMaxEventBytes)
	o.MaxDuration = orDuration(o.MaxDuration, DefaultMaxDuration)
	return &Runner{RunnerOptions: o, slots: make(chan struct{}, o.MaxRunning), closing: make(chan struct{}), jobs: map[Key]*job{}}
}

func orInt(n, otherwise int) int {
	if n <= 0 {
		return otherwise
	}
	return n
}

// Start begins to answer in the background and returns the record of the new
// response, which is queued. Of ctx only the values stay. The error is
// KindOverloaded when too many wait, KindUnavailable after Shutdown, or the
// store's.
func (r *Runner) Start(ctx context.Context, j Job) (*Record, error) {
	body, err := j.Request.Body()
	if err != nil {
		return nil, err
	}
	created := now()
	run := newJob(j)
	rec := &Record{
		ID: run.id, Created: created, Model: j.Request.Model, Status: Queued, Background: true,
		Deadline: created.Add(r.MaxDuration + time.Minute),
		Input:    withoutInstructions(body.Messages), Metadata: body.Metadata,
	}
	if t := body.Thread; t != nil {
		rec.Previous, rec.Conversation = t.Previous, t.Conversation
	}
	if j.Queued != nil {
		run.latest = j.Queued(run.id, created)
	}
	inner, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	run.cancel = cancel
	if err := r.enter(run); err != nil {
		cancel(nil)
		return nil, err
	}
	if err := r.announce(ctx, run, rec); err != nil {
		cancel(nil)
		r.leave(run)
		return nil, err
	}
	queued := *rec
	go r.run(inner, run, rec)
	return &queued, nil
}

// announce keeps the record of a job that is about to begin.
func (r *Runner) announce(ctx context.Context, run *job, rec *Record) error {
	if len(run.latest) > 0 {
		if err := r.Keeper.SetBody(ctx, run.tenant, run.id, run.latest); err != nil {
			return err
		}
	}
	return r.Keeper.put(ctx, r.Keeper.Store, run.tenant, rec)
}

// enter makes a job known.
func (r *Runner) enter(run *job) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.closed:
		return weir.Errorf(weir.KindUnavailable, "the gateway is shutting down")
	case len(r.jobs) >= r.MaxRunning+r.MaxQueued:
		e := weir.Errorf(weir.KindOverloaded, "%d background responses are running or waiting", len(r.jobs))
		e.RetryAfter = 10 * time.Second
		return e
	}
	r.wg.Add(1)
	r.jobs[responseKey(KindResponse, run.tenant, run.id)] = run
	return nil
}

func (r *Runner) leave(run *job) {
	r.mu.Lock()
	delete(r.jobs, responseKey(KindResponse, run.tenant, run.id))
	r.mu.Unlock()
	run.end()
	close(run.done)
	r.wg.Done()
}

func (r *Runner) job(tenant, id string) *job {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.jobs[responseKey(KindResponse, tenant, id)]
}

// run is a job from its place in the queue to its end.
func (r *Runner) run(ctx context.Context, run *job, rec *Record) {
	defer r.leave(run)
	defer run.cancel(nil)
	ctx, cancel := context.WithTimeout(ctx, r.MaxDuration)
	defer cancel()
	err := r.answer(ctx, run, rec)
	if err != nil && errors.Is(context.Cause(ctx), errShutdown) {
		err = shutDown()
	}
	r.settle(ctx, run, rec, err)
}

// answer makes the call, once there is room for it.
func (r *Runner) answer(ctx context.Context, run *job, rec *Record) *weir.Error {
	select {
	case r.slots <- struct{}{}:
		defer func() { <-r.slots }()
	case <-r.closing:
		return shutDown()
	case <-ctx.Done():
		return weir.AsError(ctx.Err())
	}
	rec.Status = InProgress
	r.Keeper.report(r.Keeper.put(ctx, r.Keeper.Store, run.tenant, rec))
	req := run.Request.Clone()
	req.Stream, req.Relay = true, false
	started := false
	for ev, err := range run.Handler.Handle(withJob(ctx, run), req) {
		if err != nil {
			return r.broken(run, rec, started, weir.AsError(err))
		}
		started = started || ev.Type == weir.EventStart
		run.add(run.Encoder.Encode(nil, ev), r.MaxEventBytes)
	}
	run.add(run.Encoder.Close(nil, nil), r.MaxEventBytes)
	return nil
}

// broken tells in the stream that the answer failed.
func (r *Runner) broken(run *job, rec *Record, started bool, err *weir.Error) *weir.Error {
	if !started {
		start := &weir.Start{ID: run.id, Model: rec.Model, Created: rec.Created.Unix()}
		run.add(run.Encoder.Encode(nil, weir.Event{Type: weir.EventStart, Start: start}), r.MaxEventBytes)
	}
	run.add(run.Encoder.Close(nil, err), r.MaxEventBytes)
	return err
}

// settle sees to it that the record, the body and the stream that are kept say
// how the job ended. The stage inside has kept the answer already, if there was
// one.
func (r *Runner) settle(ctx context.Context, run *job, rec *Record, err *weir.Error) {
	ctx, cancel := r.Keeper.detached(ctx)
	defer cancel()
	kept, lookErr := lookUp(ctx, r.Keeper.Store, run.tenant, run.id, 0)
	r.Keeper.report(lookErr)
	if kept != nil {
		rec = kept
	}
	if !rec.answered() {
		switch {
		case run.wasCanceled():
			err = weir.AsError(context.Canceled)
		case err == nil:
			err = weir.Errorf(weir.KindInternal, "the answer was not kept")
		}
		rec.fail(err)
		r.Keeper.report(r.Keeper.put(ctx, r.Keeper.Store, run.tenant, rec))
	}
	r.keep(ctx, run, rec)
}

func shutDown() *weir.Error {
	return weir.Errorf(weir.KindInternal, "the gateway was shut down before the response was complete")
}

// keep writes the last response object and the stream.
func (r *Runner) keep(ctx context.Context, run *job, rec *Record) {
	run.mu.Lock()
	latest, stream := run.latest, run.events.join()
	run.mu.Unlock()
	if run.Final != nil {
		latest = run.Final(latest, rec)
	}
	if len(latest) > 0 {
		r.Keeper.report(r.Keeper.SetBody(ctx, run.tenant, run.id, latest))
	}
	if len(stream) > 0 {
		r.Keeper.report(r.Keeper.Store.Put(ctx, responseKey(KindEvents, run.tenant, run.id), stream, r.Keeper.TTL))
	}
}

// Body is the response object as it is now; nil when there is none.
func (r *Runner) Body(ctx context.Context, tenant, id string) ([]byte, error) {
	if run := r.job(tenant, id); run != nil {
		run.mu.Lock()
		defer run.mu.Unlock()
		if len(run.latest) > 0 {
			return run.latest, nil
		}
	}
	return r.Keeper.Body(ctx, tenant, id)
}

// Cancel ends a background response and returns its record. One that has ended
// already stays as it is. Errors are KindNotFound, KindInvalid for a response
// that does not run in the background, and KindConflict for one that runs in
// another process.
func (r *Runner) Cancel(ctx context.Context, tenant, id string) (*Record, error) {
	if err := r.end(ctx, tenant, id); err != nil {
		return nil, err
	}
	rec, err := r.Keeper.Response(ctx, tenant, id)
	switch {
	case err != nil:
		return nil, err
	case !rec.Background:
		return nil, weir.Invalid("id", "only a response that was made with background=true can be cancelled")
	case !rec.Status.IsFinal():
		return nil, weir.Errorf(weir.KindConflict, "the response runs in another process of the gateway")
	}
	return rec, nil
}

// Delete ends a response that still runs and forgets it, after elsewhere has done
// so where else it is kept: see Record.Upstream. An error of elsewhere is returned
// and the response stays. Nil: it is kept nowhere else. Other errors are those of
// Keeper.Delete.
func (r *Runner) Delete(ctx context.Context, tenant, id string, elsewhere func(context.Context, *Record) error) error {
	if err := r.end(ctx, tenant, id); err != nil {
		return err
	}
	rec, err := lookUp(ctx, r.Keeper.Store, tenant, id, 0)
	switch {
	case err != nil:
		return err
	case rec == nil:
		return noResponse(id)
	}
	if elsewhere != nil {
		if err := elsewhere(ctx, rec); err != nil {
			return err
		}
	}
	return r.Keeper.Delete(ctx, tenant, id)
}

// end cancels a response that still runs, for its client, and waits for its end.
func (r *Runner) end(ctx context.Context, tenant, id string) error {
	run := r.job(tenant, id)
	if run == nil {
		return nil
	}
	run.stop()
	select {
	case <-run.done:
		return nil
	case <-ctx.Done():
		return weir.AsError(ctx.Err())
	}
}

// Events are the events of a background response whose number is above after,
// -1 for all, as they were sent: what is kept first, then those that come, to
// the end of the stream. An event is valid until the next is asked for. Errors
// are KindNotFound, KindInvalid where there is no such stream any more, or
// ctx's.
func (r *Runner) Events(ctx context.Context, tenant, id string, after int64) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		run := r.job(tenant, id)
		if run == nil {
			var err error
			if run, err = r.finished(ctx, tenant, id); err != nil {
				yield(nil, err)
				return
			}
		}
		for {
			frame, seq, wait, err := run.after(after)
			switch {
			case err != nil:
				yield(nil, err)
				return
			case frame != nil:
				if after = seq; !yield(frame, nil) {
					return
				}
				continue
			case wait == nil:
				return
			}
			select {
			case <-wait:
			case <-ctx.Done():
				yield(nil, weir.AsError(ctx.Err()))
				return
			}
		}
	}
}

// finished is a job that has ended, as far as it is kept.
func (r *Runner) finished(ctx context.Context, tenant, id string) (*job, error) {
	rec, err := r.Keeper.Response(ctx, tenant, id)
	if err != nil {
		return nil, err
	}
	stream, err := r.Keeper.Store.Get(ctx, responseKey(KindEvents, tenant, id), 0)
	if err != nil {
		return nil, err
	}
	if stream == nil {
		e := weir.Invalid("stream", "the response has no stream that could be read again")
		if rec.Background && !rec.Status.IsFinal() {
			e = weir.Errorf(weir.KindConflict, "the response runs in another process of the gateway")
		}
		return nil, e
	}
	run := &job{ended: true, events: newEvents()}
	run.events.add(stream, len(stream))
	if f := run.events.frames; len(f) > 0 {
		run.events.dropped = f[0].seq - 1
	}
	return run, nil
}

// Shutdown lets what runs come to its end, until ctx is done, and refuses what
// is new. What waits is not begun any more. Whatever has not ended by then is
// cut and kept as failed. It returns when no goroutine is left.
func (r *Runner) Shutdown(ctx context.Context) {
	r.mu.Lock()
	if !r.closed {
		r.closed = true
		close(r.closing)
	}
	var all []*job
	for _, run := range r.jobs {
		all = append(all, run)
	}
	r.mu.Unlock()
	idle := make(chan struct{})
	go func() {
		r.wg.Wait()
		close(idle)
	}()
	select {
	case <-idle:
	case <-ctx.Done():
		for _, run := range all {
			run.cancel(errShutdown)
		}
		<-idle
	}
}
