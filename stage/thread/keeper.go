package thread

import (
	"context"
	"time"

	"github.com/weir-gateway/weir"
)

// Defaults of KeeperOptions.
const (
	DefaultTTL       = 24 * time.Hour
	DefaultMaxChain  = 1000
	DefaultSaveLimit = 5 * time.Second
	// DefaultLease is longer than calls usually take.
	DefaultLease = 15 * time.Minute
)

// KeeperOptions set up a Keeper. Store is required.
type KeeperOptions struct {
	Store Store
	// TTL is how long a response is kept after it was last used, and a
	// conversation after it was last written; 0 is DefaultTTL. Continuing a
	// response uses all that it continues.
	TTL time.Duration
	// MaxChain is how many responses may follow one upon the other; 0 is
	// DefaultMaxChain.
	MaxChain int
	// SaveLimit is how long the end of an answer may wait for the store; 0 is
	// DefaultSaveLimit. An answer that could not be kept is delivered all the
	// same.
	SaveLimit time.Duration
	// Lease is how long a call may have a conversation for itself; 0 is
	// DefaultLease. It only matters when the process dies, or a call takes
	// longer: then the next one may begin.
	Lease time.Duration
	// OnError is told what could not be kept, or not be released; nil: nobody
	// is. It is called on the goroutine of the call.
	OnError func(error)
}

// A Keeper keeps responses and conversations in a Store. Ids are a client's own
// words; a tenant is the name of the gateway key that asks, and sees nothing of
// any other's. Safe for concurrent use.
type Keeper struct{ KeeperOptions }

// NewKeeper makes a Keeper.
func NewKeeper(o KeeperOptions) *Keeper {
	o.TTL = orDuration(o.TTL, DefaultTTL)
	o.SaveLimit = orDuration(o.SaveLimit, DefaultSaveLimit)
	o.Lease = orDuration(o.Lease, DefaultLease)
	if o.MaxChain <= 0 {
		o.MaxChain = DefaultMaxChain
	}
	return &Keeper{o}
}

func orDuration(d, otherwise time.Duration) time.Duration {
	if d <= 0 {
		return otherwise
	}
	return d
}

// TenantOf is whose request it is.
func TenantOf(req *weir.Request) string {
	if req.Principal == nil {
		return ""
	}
	return req.Principal.Name
}

func responseKey(kind Kind, tenant, id string) Key {
	return Key{Tenant: tenant, Kind: kind, ID: normal(id)}
}

// Response is the record of a response. One that should have ended long ago and
// was never told to have is reported as failed: the process that ran it is gone.
// The error is KindNotFound when there is none.
func (k *Keeper) Response(ctx context.Context, tenant, id string) (*Record, error) {
	rec, err := lookUp(ctx, k.Store, tenant, id, 0)
	if err != nil {
		return nil, err
	}
	if rec == nil || rec.Bare {
		return nil, noResponse(id)
	}
	return rec, nil
}

// lookUp is the record of a response, nil when there is none.
func lookUp(ctx context.Context, s Store, tenant, id string, extend time.Duration) (*Record, error) {
	if len(id) > maxID {
		return nil, nil
	}
	b, err := s.Get(ctx, responseKey(KindResponse, tenant, id), extend)
	if err != nil || b == nil {
		return nil, err
	}
	rec, err := decodeRecord(b)
	if err != nil {
		return nil, err
	}
	if !rec.Status.IsFinal() && !rec.Deadline.IsZero() && time.Now().After(rec.Deadline) {
		rec.fail(weir.Errorf(weir.KindInternal, "the response was not finished: the gateway that ran it is gone"))
	}
	return rec, nil
}

// put writes a record.
func (k *Keeper) put(ctx context.Context, s Store, tenant string, rec *Record) error {
	b, err := rec.encode()
	if err != nil {
		return err
	}
	return s.Put(ctx, responseKey(KindResponse, tenant, rec.ID), b, k.TTL)
}

// SetBody keeps the final answer as its client read it, so that it can be
// fetched again byte for byte.
func (k *Keeper) SetBody(ctx context.Context, tenant, id string, body []byte) error {
	return k.Store.Put(ctx, responseKey(KindBody, tenant, id), body, k.TTL)
}

// Body is what SetBody was given last, nil when nothing.
func (k *Keeper) Body(ctx context.Context, tenant, id string) ([]byte, error) {
	if len(id) > maxID {
		return nil, nil
	}
	return k.Store.Get(ctx, responseKey(KindBody, tenant, id), 0)
}

// Delete forgets a response. Those that continue it cannot be continued any
// more. The error is KindNotFound when there is none.
func (k *Keeper) Delete(ctx context.Context, tenant, id string) error {
	if len(id) > maxID {
		return noResponse(id)
	}
	there, err := k.Store.Delete(ctx, responseKey(KindResponse, tenant, id))
	if err != nil {
		return err
	}
	for _, kind := range []Kind{KindBody, KindEvents} {
		if _, err := k.Store.Delete(ctx, responseKey(kind, tenant, id)); err != nil {
			return err
		}
	}
	if !there {
		return noResponse(id)
	}
	return nil
}

// InputItems is a page of the items that a response was asked with, without
// those of the responses that it continues. Errors are those of Response, and
// KindInvalid for an unknown Page.After.
func (k *Keeper) InputItems(ctx context.Context, tenant, id string, p Page) (items []Item, more bool, err error) {
	rec, err := k.Response(ctx, tenant, id)
	if err != nil {
		return nil, false, err
	}
	n := 0
	all := splitItems(rec.Input, func(prefix string) string {
		n++
		return numbered(prefix, id, n-1)
	})
	entries := make([]Entry, len(all))
	at := make(map[string]int, len(all))
	for i := range all {
		entries[i].ID = all[i].ID
		at[all[i].ID] = i
	}
	page, more, err := p.of(entries)
	if err != nil {
		return nil, false, pageError(err)
	}
	for _, e := range page {
		items = append(items, all[at[e.ID]])
	}
	return items, more, nil
}

// DeploymentOf names the deployment that made a response, so that what follows
// it can be sent there first (T-06). False when that is not known.
func (k *Keeper) DeploymentOf(ctx context.Context, tenant, id string) (string, bool) {
	if id == "" {
		return "", false
	}
	if s := sessionOf(ctx); s != nil {
		if rec, err := lookUp(ctx, s.store, tenant, id, 0); err == nil && rec != nil {
			return rec.Deployment, rec.Deployment != ""
		}
	}
	rec, err := lookUp(ctx, k.Store, tenant, id, 0)
	if err != nil || rec == nil {
		return "", false
	}
	return rec.Deployment, rec.Deployment != ""
}

// report tells of an error that does not stop a call.
func (k *Keeper) report(err error) {
	if err != nil && k.OnError != nil {
		k.OnError(err)
	}
}

func noResponse(id string) *weir.Error {
	e := weir.Errorf(weir.KindNotFound, "Response with id '%s' not found.", bounded(id))
	e.Param = "id"
	return e
}

// pageError makes an error of Page.of the client's.
func pageError(err error) error {
	if err == ErrNoEntry { //nolint:errorlint // a Store returns it as it is
		return weir.Invalid("after", "there is no item with that id in the list")
	}
	return err
}
