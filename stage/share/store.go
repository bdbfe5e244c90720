package share

import (
	"context"
	"time"
)

// A Store keeps answers by key, each for a limited time, and what is being
// answered. Memory is one. Keys are short and hold nothing of a request. Values
// are never empty and must not be modified, by neither side. A Store may forget
// anything at any time: what is forgotten is answered anew, and paid again. It
// is safe for concurrent use, and each call is atomic.
//
// The stage bounds how long it waits, by the context. A Store that is down costs
// that wait; requests are then protected within one process only.
type Store interface {
	// Claim sets the value of key, to live for ttl, where there is none, and
	// returns nil. Otherwise it returns the value that is there.
	Claim(ctx context.Context, key string, value []byte, ttl time.Duration) (there []byte, err error)
	// Put sets the value of key, whatever it was, to live for ttl.
	Put(ctx context.Context, key string, value []byte, ttl time.Duration) error
	// Release removes key where its value is still the one given.
	Release(ctx context.Context, key string, value []byte) error
}

// storeWait is how long a Store is waited for.
const storeWait = 250 * time.Millisecond
