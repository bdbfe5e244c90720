package share

import (
	"context"

	"github.com/weir-gateway/weir"
)

// lead ranges over the flight on behalf of the request that began it. It
// returns when the call is over, even if that request has ended before.
func (f *flight) lead(ctx context.Context, r *reader, orphaned func(*Orphan), yield func(weir.Event, error) bool) {
	leave := f.attend(ctx, r)
	defer func() {
		leave()
		f.land()
		f.tell(orphaned)
	}()
	for {
		ev, ok, err := f.read(ctx, r)
		if err != nil {
			leave() // before the consumer takes its time
			yield(weir.Event{}, err)
			return
		}
		if !ok || !yield(ev, nil) {
			return
		}
	}
}

// tell tells of a call that went on without its leader.
func (f *flight) tell(orphaned func(*Orphan)) {
	f.mu.Lock()
	left := f.orphan && f.source == nil
	o := &Orphan{
		Request: f.req, Deployment: f.answered.Deployment, Provider: f.answered.Provider,
		Model: f.answered.Model, Usage: f.usage, Err: f.err,
	}
	f.mu.Unlock()
	if left && orphaned != nil {
		orphaned(o)
	}
}

// follow ranges over the flight on behalf of a request that has joined it. It
// reports whether that request needs a call of its own, nothing having been
// said to it.
func (f *flight) follow(ctx context.Context, r *reader, yield func(weir.Event, error) bool) (alone bool) {
	defer f.attend(ctx, r)()
	told := false
	for {
		ev, ok, err := f.read(ctx, r)
		if err != nil && !told && weir.AsError(err).Code == codeSlow {
			return true
		}
		if ok && ev.Type == weir.EventNote && !concerns(ev.Note) {
			continue
		}
		if !told {
			told = true
			if !yield(weir.NoteEvent(f.reused()), nil) {
				return false
			}
		}
		if err != nil {
			yield(weir.Event{}, err)
		}
		if !ok || !yield(ev, nil) {
			return false
		}
	}
}

// concerns reports whether a note is about the answer and not about the call
// that it was made by.
func concerns(n weir.Note) bool {
	_, ok := n.(*weir.Loss)
	return ok
}

func (f *flight) reused() *Reused {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.source != nil {
		return f.source
	}
	return &Reused{
		How: Shared, ID: f.req.ID,
		Deployment: f.answered.Deployment, Provider: f.answered.Provider, Model: f.answered.Model,
	}
}
