package thread

import (
	"bytes"
	"container/heap"
	"container/list"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/weir-gateway/weir"
)

// Defaults of MemoryOptions.
const (
	DefaultMaxBytes     = 256 << 20
	DefaultSessionBytes = 64 << 20
)

// MemoryOptions bound a Memory. The zero value is usable.
type MemoryOptions struct {
	// MaxBytes is how much is kept over all tenants, in bytes; 0 is
	// DefaultMaxBytes. Beyond it goes what was longest not used.
	MaxBytes int64
	// MaxPerTenant is the same for one tenant, so that one cannot push all
	// others out; 0 is half of MaxBytes.
	MaxPerTenant int64
}

// Memory is a Store in this process's memory. What it holds is gone with the
// process. Expired entries go when the Memory is written to, or asked for them;
// it has no goroutine and needs no closing. Safe for concurrent use.
type Memory struct {
	maxBytes, maxTenant int64

	mu      sync.Mutex // guards what follows; held for look-ups and copies only
	entries map[Key]*entry
	tenants map[string]*tenant
	recent  list.List // of *entry, the latest used first
	expiry  expiryHeap
	bytes   int64
}

type tenant struct {
	recent list.List // of *entry, the latest used first
	bytes  int64
}

type entry struct {
	key     Key
	value   []byte
	items   []Entry
	size    int64
	expires time.Time
	index   int           // in the expiry heap
	global  *list.Element // in Memory.recent
	own     *list.Element // in tenant.recent
}

// overhead is what an entry or a list's element costs beside its bytes.
const overhead = 256

// NewMemory makes an empty Memory.
func NewMemory(o MemoryOptions) *Memory {
	if o.MaxBytes <= 0 {
		o.MaxBytes = DefaultMaxBytes
	}
	if o.MaxPerTenant <= 0 {
		o.MaxPerTenant = o.MaxBytes / 2
	}
	return &Memory{
		maxBytes: o.MaxBytes, maxTenant: min(o.MaxPerTenant, o.MaxBytes),
		entries: map[Key]*entry{}, tenants: map[string]*tenant{},
	}
}

// Get implements Store.
func (m *Memory) Get(ctx context.Context, k Key, extend time.Duration) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.find(k)
	if e == nil {
		return nil, nil
	}
	m.use(e)
	m.extend(e, extend)
	return bytes.Clone(e.value), nil
}

// Put implements Store.
func (m *Memory) Put(ctx context.Context, k Key, value []byte, ttl time.Duration) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.expire()
	return m.set(k, value, ttl)
}

// Swap implements Store.
func (m *Memory) Swap(ctx context.Context, k Key, old, value []byte, ttl time.Duration) (bool, error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.expire()
	e := m.find(k)
	if (e == nil) != (old == nil) || e != nil && !bytes.Equal(e.value, old) {
		return false, nil
	}
	if value != nil {
		err := m.set(k, value, ttl)
		return err == nil, err
	}
	if e != nil {
		m.drop(e)
	}
	return true, nil
}

// Delete implements Store.
func (m *Memory) Delete(ctx context.Context, k Key) (bool, error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.find(k)
	if e == nil {
		return false, nil
	}
	m.drop(e)
	return true, nil
}

// Append implements Store.
func (m *Memory) Append(ctx context.Context, k Key, entries []Entry, ttl time.Duration) (bool, error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.expire()
	e := m.find(k)
	if e == nil {
		return false, nil
	}
	var more int64
	for _, it := range entries {
		more += entrySize(it)
	}
	if e.size+more > m.maxTenant {
		return true, tooLarge(e.size+more, m.maxTenant)
	}
	for _, it := range entries {
		e.items = append(e.items, Entry{ID: it.ID, Value: bytes.Clone(it.Value)})
	}
	m.use(e)
	m.extend(e, ttl)
	m.resize(e, e.size+more)
	return true, nil
}

// List implements Store.
func (m *Memory) List(ctx context.Context, k Key, p Page) ([]Entry, bool, error) {
	if err := ctx.Err(); err != nil {
		return nil, false, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []Entry
	if e := m.find(k); e != nil {
		m.use(e)
		all = e.items
	}
	page, more, err := p.of(all)
	for i := range page {
		page[i].Value = bytes.Clone(page[i].Value)
	}
	return page, more, err
}

// Remove implements Store.
func (m *Memory) Remove(ctx context.Context, k Key, id string) (bool, error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.find(k)
	if e == nil {
		return false, nil
	}
	i := slices.IndexFunc(e.items, func(it Entry) bool { return it.ID == id })
	if i < 0 {
		return false, nil
	}
	less := entrySize(e.items[i])
	e.items = slices.Delete(e.items, i, i+1)
	m.resize(e, e.size-less)
	return true, nil
}

// Bytes is how much is kept at the moment.
func (m *Memory) Bytes() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.bytes
}

func entrySize(it Entry) int64 { return int64(len(it.ID)+len(it.Value)) + overhead }

// find is the entry of k that has not expired, or nil. What follows is called
// with mu held.
func (m *Memory) find(k Key) *entry {
	e := m.entries[k]
	if e == nil {
		return nil
	}
	if !time.Now().Before(e.expires) {
		m.drop(e)
		return nil
	}
	return e
}

func (m *Memory) set(k Key, value []byte, ttl time.Duration) error {
	e := m.find(k)
	size := int64(len(value)+len(k.ID)+len(k.Tenant)) + overhead
	if e != nil {
		for _, it := range e.items {
			size += entrySize(it)
		}
	}
	if size > m.maxTenant {
		return tooLarge(size, m.maxTenant)
	}
	if e == nil {
		e = m.add(k)
	}
	e.value, e.expires = bytes.Clone(value), time.Now().Add(ttl)
	heap.Fix(&m.expiry, e.index)
	m.use(e)
	m.resize(e, size)
	return nil
}

func (m *Memory) add(k Key) *entry {
	t := m.tenants[k.Tenant]
	if t == nil {
		t = &tenant{}
		m.tenants[k.Tenant] = t
	}
	e := &entry{key: k}
	e.global, e.own = m.recent.PushFront(e), t.recent.PushFront(e)
	heap.Push(&m.expiry, e)
	m.entries[k] = e
	return e
}

func (m *Memory) use(e *entry) {
	m.recent.MoveToFront(e.global)
	m.tenants[e.key.Tenant].recent.MoveToFront(e.own)
}

func (m *Memory) extend(e *entry, d time.Duration) {
	if until := time.Now().Add(d); d > 0 && until.After(e.expires) {
		e.expires = until
		heap.Fix(&m.expiry, e.index)
	}
}

// resize accounts for e's new size and makes room, e itself being the last to go.
func (m *Memory) resize(e *entry, size int64) {
	t := m.tenants[e.key.Tenant]
	t.bytes += size - e.size
	m.bytes += size - e.size
	e.size = size
	for t.bytes > m.maxTenant {
		m.drop(oldest(&t.recent))
	}
	for m.bytes > m.maxBytes {
		m.drop(oldest(&m.recent))
	}
}

func oldest(l *list.List) *entry {
	e, _ := l.Back().Value.(*entry)
	return e
}

func (m *Memory) drop(e *entry) {
	t := m.tenants[e.key.Tenant]
	t.bytes -= e.size
	m.bytes -= e.size
	m.recent.Remove(e.global)
	t.recent.Remove(e.own)
	heap.Remove(&m.expiry, e.index)
	delete(m.entries, e.key)
	if t.recent.Len() == 0 {
		delete(m.tenants, e.key.Tenant)
	}
}

// expire drops what has expired.
func (m *Memory) expire() {
	now := time.Now()
	for len(m.expiry) > 0 && !now.Before(m.expiry[0].expires) {
		m.drop(m.expiry[0])
	}
}

func tooLarge(size, limit int64) *weir.Error {
	e := weir.Errorf(weir.KindTooLarge, "%d bytes cannot be kept: one key may keep %d bytes", size, limit)
	e.Hint = "send store=false, or raise what a key may keep"
	return e
}

// expiryHeap has the entry that expires next in front.
type expiryHeap []*entry

func (h expiryHeap) Len() int           { return len(h) }
func (h expiryHeap) Less(i, j int) bool { return h[i].expires.Before(h[j].expires) }
func (h expiryHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

// Push implements heap.Interface.
func (h *expiryHeap) Push(x any) {
	e, _ := x.(*entry)
	e.index = len(*h)
	*h = append(*h, e)
}

// Pop implements heap.Interface.
func (h *expiryHeap) Pop() any {
	last := len(*h) - 1
	e := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	return e
}
