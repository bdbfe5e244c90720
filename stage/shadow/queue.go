package shadow

import (
	"context"
	"time"

	"github.com/weir-gateway/weir"
)

// state is what a Shadow has to do.
type state struct {
	closed  bool
	queue   []*job // in order
	running int
	pending int   // places taken, of those that run, wait or are being made
	bytes   int64 // of those
	stats   Stats
}

// Stats count copies since the Shadow was made.
type Stats struct {
	Sampled uint64 // that were to be made
	Dropped uint64 // since there was no room, or the Shadow was closed
	Skipped uint64 // since the request may not be asked twice, or not be copied
	Done    uint64 // that were told to the Sink
	Failed  uint64 // of those, the ones that were not answered
	Panics  uint64 // in Options.Handler, Compare and Sink, that were caught

	Running, Queued int // now
}

// Stats are the counts so far.
func (s *Shadow) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.state.stats
	out.Running, out.Queued = s.state.running, len(s.state.queue)
	return out
}

func (s *Shadow) count(n *uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	*n++
}

// A job is one copy on its way.
type job struct {
	ctx    context.Context // of the client's call, without its end: who it is and what it is traced as
	target *target
	make   func() (*weir.Request, error) // the copy; nil when it may not be made
	result Result
	text   string // of the first answer
	bytes  int64
	queued time.Time
}

// send begins a copy or lets it be.
func (s *Shadow) send(ctx context.Context, req *weir.Request, t *target, first Outcome, text string) {
	size := weight(req)
	if !s.reserve(size) {
		return
	}
	j := &job{
		ctx: context.WithoutCancel(ctx), target: t, text: text, bytes: size, queued: time.Now(),
		result: Result{Target: t.Name, ID: req.ID, Op: req.Op, First: first},
	}
	if req.Principal != nil {
		j.result.Principal = req.Principal.Name
	}
	j.make = s.copier(req, t)
	s.begin(j) //nolint:contextcheck // it outlives the client's call
}

// reserve takes a place for a copy before it is made, so that nothing is copied
// that would be dropped.
func (s *Shadow) reserve(size int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	st, o := &s.state, &s.options
	st.stats.Sampled++
	if st.closed || st.pending >= o.MaxRunning+o.MaxQueued || st.bytes+size > o.MaxBytes {
		st.stats.Dropped++
		return false
	}
	st.pending++
	st.bytes += size
	return true
}

// begin runs a job, or lets it wait.
func (s *Shadow) begin(j *job) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := &s.state
	switch {
	case st.closed:
		st.drop(j)
	case st.running < s.options.MaxRunning:
		st.running++
		s.wg.Go(func() { s.work(j) })
	default:
		st.queue = append(st.queue, j)
	}
}

func (st *state) release(j *job) {
	st.pending--
	st.bytes -= j.bytes
}

func (st *state) drop(j *job) {
	st.stats.Dropped++
	st.release(j)
}

// work runs a job and those that wait after it. The goroutine ends when nothing
// does.
func (s *Shadow) work(j *job) {
	for ; j != nil; j = s.next(j) {
		s.run(j)
	}
}

// next gives the place of a job that is over to the first that waits; nil when
// none does.
func (s *Shadow) next(over *job) *job {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := &s.state
	st.release(over)
	if len(st.queue) == 0 {
		st.running--
		return nil
	}
	j := st.queue[0]
	st.queue[0] = nil
	st.queue = st.queue[1:]
	return j
}

// run makes the call of a job and tells the result. A panic of what it calls
// must not end the program for an answer that nobody waits for.
func (s *Shadow) run(j *job) {
	defer func() {
		if recover() != nil {
			s.count(&s.state.stats.Panics)
		}
	}()
	req, err := j.make()
	if err != nil || req == nil {
		s.count(&s.state.stats.Skipped)
		return
	}
	ctx, cancel := context.WithTimeout(mark(j.ctx), s.options.Timeout)
	defer cancel()
	defer context.AfterFunc(s.life, cancel)()
	j.result.Waited = time.Since(j.queued)
	m := s.meter(req.Model)
	failed := s.ask(ctx, req, m)
	j.result.Second = m.end(failed)
	s.tell(j, m)
}

// ask makes the call. A panic is its error.
func (s *Shadow) ask(ctx context.Context, req *weir.Request, m *meter) (failed *weir.Error) {
	defer func() {
		if p := recover(); p != nil {
			s.count(&s.state.stats.Panics)
			failed = weir.Errorf(weir.KindInternal, "the handler of the shadow panicked with a %T", p)
		}
	}()
	for ev, err := range s.options.Handler.Handle(ctx, req) {
		if err != nil {
			return weir.AsError(err)
		}
		m.see(&ev)
	}
	return nil
}

func (s *Shadow) tell(j *job, m *meter) {
	r := &j.result
	s.mu.Lock()
	s.state.stats.Done++
	if r.Second.Err != nil {
		s.state.stats.Failed++
	}
	s.mu.Unlock()
	if s.options.Compare != nil && r.Second.Err == nil {
		r.Score, r.Scored = s.options.Compare(j.text, m.text.String()), true
	}
	s.options.Sink(r)
}

// Close takes nothing more, drops what waits and lets what runs come to its
// end, until ctx is done; what has not ended by then is cut. It returns when no
// goroutine is left. It may be called again.
func (s *Shadow) Close(ctx context.Context) {
	s.mu.Lock()
	st := &s.state
	st.closed = true
	for _, j := range st.queue {
		st.drop(j)
	}
	st.queue = nil
	s.mu.Unlock()
	idle := make(chan struct{})
	go func() {
		s.wg.Wait()
		close(idle)
	}()
	select {
	case <-idle:
	case <-ctx.Done():
		s.kill()
		<-idle
	}
	s.kill()
}
