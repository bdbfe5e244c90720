package replay

import (
	"context"
	"time"
)

// A Store keeps small values for a while: a few hundred bytes to a megabyte,
// most of them a few kilobytes. It is safe for concurrent use. It may forget
// anything at any time, and forgets everything some time after its last use: an
// hour is a good time, since a tool loop may wait for a person. A look at a
// value counts as use, so that a conversation that goes on is not forgotten in
// part, which would change the prefix of its prompt (requirement C-03).
//
// The stage bounds how long it waits, by the context; a Store that is down
// costs that wait and nothing else.
type Store interface {
	// Get returns the values of keys, in their order, nil for one that is not
	// there. The caller does not modify them.
	Get(ctx context.Context, keys []string) ([][]byte, error)
	// Put keeps values by key, in place of those that were there. The caller
	// does not modify them afterwards.
	Put(ctx context.Context, values map[string][]byte) error
}

// storeWait is how long a Store is waited for.
const storeWait = 250 * time.Millisecond

// get asks the store. What fails is not there.
func get(ctx context.Context, s Store, keys []string) ([][]byte, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, storeWait)
	defer cancel()
	values, err := s.Get(ctx, keys)
	if err != nil || len(values) != len(keys) {
		return make([][]byte, len(keys)), err
	}
	return values, nil
}
