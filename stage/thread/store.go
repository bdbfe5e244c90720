package thread

import (
	"context"
	"errors"
	"time"
)

// A Store keeps values and lists under keys, each for a limited time. Memory is
// one; threadtest is the contract for others.
//
// A key has a value and, beside it, a list that lives and dies with the value.
// Values are never empty, are the caller's to modify once returned, and must not
// be modified while a call with them runs. A key that has expired is as one that
// never was. Errors are *weir.Error or the context's; a value that is too large
// for the store is KindTooLarge. A Store is safe for concurrent use, and each
// call is atomic.
type Store interface {
	// Get is the value of k, nil when there is none. With extend above 0 the
	// key lives for at least that long from now.
	Get(ctx context.Context, k Key, extend time.Duration) ([]byte, error)
	// Put sets the value of k, whatever it was, to live for ttl. The list stays.
	Put(ctx context.Context, k Key, value []byte, ttl time.Duration) error
	// Swap sets the value of k to live for ttl, where it is old byte for byte,
	// and reports whether it did. With old nil, only where there is none; with
	// value nil it deletes k.
	Swap(ctx context.Context, k Key, old, value []byte, ttl time.Duration) (bool, error)
	// Delete removes k, its value and its list, and reports whether there was
	// a value.
	Delete(ctx context.Context, k Key) (bool, error)
	// Append adds entries to the end of the list of k, all of them or none, and
	// lets k live for at least ttl from now. It reports whether k has a value;
	// without one nothing is added. The ids must not be in the list yet.
	Append(ctx context.Context, k Key, entries []Entry, ttl time.Duration) (bool, error)
	// List is a page of the list of k, and whether there are more behind it. A
	// Page.After that is not in the list is ErrNoEntry.
	List(ctx context.Context, k Key, p Page) (entries []Entry, more bool, err error)
	// Remove takes one entry out of the list of k and reports whether it was
	// there.
	Remove(ctx context.Context, k Key, id string) (bool, error)
}

// A Key names a value. Tenants never share one: a Store must tell keys apart by
// all three parts, whatever characters they hold.
type Key struct {
	// Tenant is the name of the gateway key that asked, empty for nobody.
	Tenant string
	Kind   Kind
	ID     string
}

// Kind is what stands under a Key.
type Kind string

// Kinds.
const (
	KindResponse     Kind = "response"     // a Record
	KindBody         Kind = "body"         // the answer as its client read it
	KindEvents       Kind = "events"       // the stream of a background response
	KindConversation Kind = "conversation" // a Conversation, and its items in the list
	KindLock         Kind = "lock"         // who works on a conversation
)

// An Entry is one element of a list.
type Entry struct {
	ID    string // unique in its list
	Value []byte
}

// A Page says which part of a list is wanted.
type Page struct {
	// Limit is how many entries at most; 0 is all.
	Limit int
	// After is the id of the entry behind which the page begins; empty is the
	// beginning.
	After string
	// Descending begins with the latest.
	Descending bool
}

// ErrNoEntry is Store.List's error for a Page.After that is not in the list.
var ErrNoEntry = errors.New("no such entry in the list")

// of is the page p of all, which are in ascending order.
func (p Page) of(all []Entry) (page []Entry, more bool, err error) {
	at, step := 0, 1
	if p.Descending {
		at, step = len(all)-1, -1
	}
	if p.After != "" {
		for at >= 0 && at < len(all) && all[at].ID != p.After {
			at += step
		}
		if at < 0 || at >= len(all) {
			return nil, false, ErrNoEntry
		}
		at += step
	}
	for ; at >= 0 && at < len(all); at += step {
		if p.Limit > 0 && len(page) == p.Limit {
			return page, true, nil
		}
		page = append(page, all[at])
	}
	return page, false, nil
}
