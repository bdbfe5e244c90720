package thread

import (
	"context"
	"sync"

	"github.com/weir-gateway/weir"
)

type jobKey struct{}

// withJob makes ctx that of a background response, for the stage inside.
func withJob(ctx context.Context, j *job) context.Context { return context.WithValue(ctx, jobKey{}, j) }

func jobOf(ctx context.Context) *job {
	j, _ := ctx.Value(jobKey{}).(*job)
	return j
}

// A job is one response that runs in the background, and what its client may
// read of it meanwhile.
type job struct {
	Job
	id     string
	tenant string
	cancel context.CancelCauseFunc
	done   chan struct{} // closed when nothing will change any more

	mu       sync.Mutex // guards what follows
	events   events
	latest   []byte        // the response object that was told last
	changed  chan struct{} // closed, and replaced, when there are more events
	ended    bool
	canceled bool // by the client
}

func newJob(j Job) *job {
	return &job{
		Job: j, id: NewResponseID(), tenant: TenantOf(j.Request),
		done: make(chan struct{}), changed: make(chan struct{}), events: newEvents(),
	}
}

// add takes over what the encoder wrote.
func (j *job) add(p []byte, limit int) {
	if len(p) == 0 {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if r := j.events.add(p, limit); r != nil {
		j.latest = r
	}
	close(j.changed)
	j.changed = make(chan struct{})
}

// end is the end of the stream.
func (j *job) end() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.ended = true
	close(j.changed)
	j.changed = make(chan struct{})
}

// after is the first event behind number n, with what to wait for when there is
// none yet.
func (j *job) after(n int64) (frame []byte, seq int64, wait <-chan struct{}, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	frame, seq, err = j.events.after(n)
	if frame == nil && err == nil && !j.ended {
		wait = j.changed
	}
	return frame, seq, wait, err
}

func (j *job) wasCanceled() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.canceled
}

// stop cancels the job on behalf of its client.
func (j *job) stop() {
	j.mu.Lock()
	j.canceled = true
	j.mu.Unlock()
	j.cancel(context.Canceled)
}

// An Encoder writes an answer as its client reads it, event after event of a
// text/event-stream; codec.Encoder is one.
type Encoder interface {
	Encode(dst []byte, ev weir.Event) []byte
	Close(dst []byte, err *weir.Error) []byte
}
