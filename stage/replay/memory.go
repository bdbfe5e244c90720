package replay

import (
	"container/list"
	"context"
	"sync"
	"time"

	"github.com/weir-gateway/weir"
)

// MemoryOptions bound a Memory.
type MemoryOptions struct {
	// TTL is how long a value lives after its last use. 0 is an hour.
	TTL time.Duration
	// MaxBytes bounds keys and values together, with what it costs to keep
	// them. 0 is 64 MiB.
	MaxBytes int64
	// MaxEntries bounds their number. 0: MaxBytes alone does.
	MaxEntries int
}

// A Memory is a Store in the memory of one process. What has not been used for
// longest makes room. It starts no goroutine: what has expired is let go when
// the Memory is next used.
type Memory struct {
	options MemoryOptions

	mu     sync.Mutex // guards what follows
	values map[string]*list.Element
	used   list.List // of *entry, the last used in front: expiry is in this order
	bytes  int64
}

type entry struct {
	key     string
	value   []byte
	expires time.Time
}

// entryCost is about what a map and a list take for an entry.
const entryCost = 200

func (e *entry) cost() int64 { return int64(len(e.key)+len(e.value)) + entryCost }

// NewMemory makes an empty Memory.
func NewMemory(o MemoryOptions) *Memory {
	if o.TTL <= 0 {
		o.TTL = time.Hour
	}
	if o.MaxBytes <= 0 {
		o.MaxBytes = 64 << 20
	}
	return &Memory{options: o, values: map[string]*list.Element{}}
}

// Get implements Store. It never fails.
func (m *Memory) Get(_ context.Context, keys []string) ([][]byte, error) {
	out := make([][]byte, len(keys))
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	m.expire(now)
	for i, key := range keys {
		if el := m.values[key]; el != nil {
			e := el.Value.(*entry)
			e.expires = now.Add(m.options.TTL)
			m.used.MoveToFront(el)
			out[i] = e.value
		}
	}
	return out, nil
}

// Put implements Store. It never fails; a value that is larger than the whole
// Memory is not kept.
func (m *Memory) Put(_ context.Context, values map[string][]byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	m.expire(now)
	for key, value := range values {
		m.remove(m.values[key])
		e := &entry{key: key, value: value, expires: now.Add(m.options.TTL)}
		if e.cost() > m.options.MaxBytes {
			continue
		}
		m.values[key] = m.used.PushFront(e)
		m.bytes += e.cost()
		m.shrink()
	}
	return nil
}

// Len is how many values are held, expired ones included.
func (m *Memory) Len() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.used.Len()
}

// Bytes is what they take, as MaxBytes counts it.
func (m *Memory) Bytes() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.bytes
}

// Origin is the package's Origin for this Store.
func (m *Memory) Origin(req *weir.Request) (deployment string, ok bool) {
	return Origin(context.Background(), m, req)
}

func (m *Memory) expire(now time.Time) {
	for el := m.used.Back(); el != nil && !el.Value.(*entry).expires.After(now); el = m.used.Back() {
		m.remove(el)
	}
}

func (m *Memory) shrink() {
	for m.bytes > m.options.MaxBytes || m.options.MaxEntries > 0 && m.used.Len() > m.options.MaxEntries {
		m.remove(m.used.Back())
	}
}

func (m *Memory) remove(el *list.Element) {
	if el == nil {
		return
	}
	e := m.used.Remove(el).(*entry)
	delete(m.values, e.key)
	m.bytes -= e.cost()
}
