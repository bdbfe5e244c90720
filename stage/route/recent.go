package route

import (
	"container/list"
	"sync"
)

// recent keeps the plans used last, so that junk names cannot grow memory.
type recent struct {
	max int

	mu     sync.Mutex // guards what follows
	order  *list.List // of *recentItem, the latest first
	byName map[string]*list.Element
}

type recentItem struct {
	name string
	plan *plan
}

func newRecent(n int) *recent {
	return &recent{max: n, order: list.New(), byName: map[string]*list.Element{}}
}

func (r *recent) get(name string) *plan {
	r.mu.Lock()
	defer r.mu.Unlock()
	e := r.byName[name]
	if e == nil {
		return nil
	}
	r.order.MoveToFront(e)
	return e.Value.(*recentItem).plan
}

// put keeps p under name; the plan used longest ago makes room.
func (r *recent) put(name string, p *plan) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if e := r.byName[name]; e != nil {
		return
	}
	r.byName[name] = r.order.PushFront(&recentItem{name, p})
	if r.order.Len() > r.max {
		last := r.order.Back()
		r.order.Remove(last)
		delete(r.byName, last.Value.(*recentItem).name)
	}
}

func (r *recent) len() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.order.Len()
}
