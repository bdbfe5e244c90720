package share

import (
	"bytes"
	"container/heap"
	"context"
	"sync"
	"time"
)

// MemoryOptions bound a Memory.
type MemoryOptions struct {
	// MaxBytes bounds keys and values together, with what it costs to keep
	// them. 0 is 64 MiB.
	MaxBytes int64
	// MaxEntries bounds their number. 0 is 10000.
	MaxEntries int
}

// A Memory is a Store in the memory of one process. What expires soonest makes
// room. It starts no goroutine: what has expired is let go when the Memory is
// next used.
type Memory struct {
	options MemoryOptions

	mu     sync.Mutex // guards what follows
	values map[string]*kept
	queue  keptQueue // by expiry
	bytes  int64
}

type kept struct {
	key     string
	value   []byte
	expires time.Time
	at      int // in the queue
}

// keptCost is about what a map and a heap take for an entry.
const keptCost = 200

func (k *kept) cost() int64 { return int64(len(k.key)+len(k.value)) + keptCost }

// NewMemory makes an empty Memory.
func NewMemory(o MemoryOptions) *Memory {
	if o.MaxBytes <= 0 {
		o.MaxBytes = 64 << 20
	}
	if o.MaxEntries <= 0 {
		o.MaxEntries = 10_000
	}
	return &Memory{options: o, values: map[string]*kept{}}
}

// Claim implements Store. It never fails; what is larger than the whole Memory
// is not kept.
func (m *Memory) Claim(_ context.Context, key string, value []byte, ttl time.Duration) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.expire()
	if k := m.values[key]; k != nil {
		return k.value, nil
	}
	m.put(key, value, ttl)
	return nil, nil
}

// Put implements Store. It never fails; what is larger than the whole Memory is
// not kept.
func (m *Memory) Put(_ context.Context, key string, value []byte, ttl time.Duration) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.expire()
	m.put(key, value, ttl)
	return nil
}

// Release implements Store. It never fails.
func (m *Memory) Release(_ context.Context, key string, value []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.expire()
	if k := m.values[key]; k != nil && bytes.Equal(k.value, value) {
		m.remove(k)
	}
	return nil
}

// Len is how many values are held, expired ones included.
func (m *Memory) Len() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.queue)
}

// Bytes is what they take, as MaxBytes counts it.
func (m *Memory) Bytes() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.bytes
}

func (m *Memory) put(key string, value []byte, ttl time.Duration) {
	if k := m.values[key]; k != nil {
		m.remove(k)
	}
	k := &kept{key: key, value: value, expires: time.Now().Add(ttl)}
	if k.cost() > m.options.MaxBytes {
		return
	}
	for m.bytes+k.cost() > m.options.MaxBytes || len(m.queue) >= m.options.MaxEntries {
		m.remove(m.queue[0])
	}
	m.values[key] = k
	heap.Push(&m.queue, k)
	m.bytes += k.cost()
}

func (m *Memory) expire() {
	for now := time.Now(); len(m.queue) > 0 && !m.queue[0].expires.After(now); {
		m.remove(m.queue[0])
	}
}

func (m *Memory) remove(k *kept) {
	heap.Remove(&m.queue, k.at)
	delete(m.values, k.key)
	m.bytes -= k.cost()
}

// keptQueue is a heap, soonest expiry first.
type keptQueue []*kept

func (q keptQueue) Len() int           { return len(q) }
func (q keptQueue) Less(i, j int) bool { return q[i].expires.Before(q[j].expires) }
func (q keptQueue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].at, q[j].at = i, j
}

// Push implements heap.Interface.
func (q *keptQueue) Push(x any) {
	k := x.(*kept)
	k.at = len(*q)
	*q = append(*q, k)
}

// Pop implements heap.Interface.
func (q *keptQueue) Pop() any {
	last := len(*q) - 1
	k := (*q)[last]
	(*q)[last] = nil
	*q = (*q)[:last]
	return k
}
