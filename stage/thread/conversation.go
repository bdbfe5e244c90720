package thread

import (
	"context"
	"slices"
	"time"

	"github.com/weir-gateway/weir"
)

// A Conversation is a list of items that requests can belong to.
type Conversation struct {
	ID       string    // "conv_…"
	Created  time.Time // to the second
	Metadata []weir.Pair
}

// Conversations are those of a Keeper (OpenAPI 2.3.0, /conversations,
// 2026-08-21). Errors are KindNotFound for a conversation or item that is not
// there, KindInvalid for an unknown Page.After. Safe for concurrent use.
type Conversations struct{ k *Keeper }

// Conversations are those that k keeps.
func (k *Keeper) Conversations() *Conversations { return &Conversations{k} }

func conversationKey(tenant, id string) Key {
	return Key{Tenant: tenant, Kind: KindConversation, ID: id}
}

// Create makes a conversation that begins with items, which get ids as in Add.
func (c *Conversations) Create(ctx context.Context, tenant string, metadata []weir.Pair, items []Item) (*Conversation, error) {
	conv := &Conversation{ID: conversationPrefix + randomID(), Created: time.Now().UTC().Truncate(time.Second), Metadata: metadata}
	b, err := conv.encode()
	if err != nil {
		return nil, err
	}
	if err := c.k.Store.Put(ctx, conversationKey(tenant, conv.ID), b, c.k.TTL); err != nil {
		return nil, err
	}
	if len(items) > 0 {
		if _, err := c.Add(ctx, tenant, conv.ID, items); err != nil {
			return nil, err
		}
	}
	return conv, nil
}

// Get is the conversation with that id.
func (c *Conversations) Get(ctx context.Context, tenant, id string) (*Conversation, error) {
	conv, _, err := c.get(ctx, tenant, id)
	if err == nil && conv == nil {
		err = noConversation(id)
	}
	return conv, err
}

// get is the conversation and its bytes, nil when there is none.
func (c *Conversations) get(ctx context.Context, tenant, id string) (*Conversation, []byte, error) {
	if len(id) > maxID {
		return nil, nil, nil
	}
	b, err := c.k.Store.Get(ctx, conversationKey(tenant, id), c.k.TTL)
	if err != nil || b == nil {
		return nil, nil, err
	}
	conv, err := decodeConversation(b)
	return conv, b, err
}

// SetMetadata replaces a conversation's metadata.
func (c *Conversations) SetMetadata(ctx context.Context, tenant, id string, metadata []weir.Pair) (*Conversation, error) {
	for {
		conv, old, err := c.get(ctx, tenant, id)
		if err != nil {
			return nil, err
		}
		if conv == nil {
			return nil, noConversation(id)
		}
		conv.Metadata = metadata
		b, err := conv.encode()
		if err != nil {
			return nil, err
		}
		if done, err := c.k.Store.Swap(ctx, conversationKey(tenant, id), old, b, c.k.TTL); done || err != nil {
			return conv, err
		}
	}
}

// Delete forgets a conversation and its items. Responses that were made in it
// stay, and cannot be continued any more.
func (c *Conversations) Delete(ctx context.Context, tenant, id string) error {
	if len(id) > maxID {
		return noConversation(id)
	}
	there, err := c.k.Store.Delete(ctx, conversationKey(tenant, id))
	if err == nil && !there {
		err = noConversation(id)
	}
	return err
}

// Add adds items to the end of a conversation and gives them their ids, which
// are new whatever the items had. It waits for no call that works on the
// conversation.
func (c *Conversations) Add(ctx context.Context, tenant, id string, items []Item) ([]Item, error) {
	if len(id) > maxID {
		return nil, noConversation(id)
	}
	items = slices.Clone(items)
	for i := range items {
		var first *weir.Block
		if len(items[i].Message.Blocks) > 0 {
			first = &items[i].Message.Blocks[0]
		}
		items[i].ID = itemPrefix(items[i].Message.Role, first) + randomID()
	}
	entries, err := encodeItems(items)
	if err != nil {
		return nil, err
	}
	there, err := c.k.Store.Append(ctx, conversationKey(tenant, id), entries, c.k.TTL)
	switch {
	case err != nil:
		return nil, err
	case !there:
		return nil, noConversation(id)
	}
	return items, nil
}

// Items is a page of a conversation's items, and whether there are more.
func (c *Conversations) Items(ctx context.Context, tenant, id string, p Page) ([]Item, bool, error) {
	if _, err := c.Get(ctx, tenant, id); err != nil {
		return nil, false, err
	}
	entries, more, err := c.k.Store.List(ctx, conversationKey(tenant, id), p)
	if err != nil {
		return nil, false, pageError(err)
	}
	items, err := decodeItems(entries)
	return items, more, err
}

// Item is one item of a conversation.
func (c *Conversations) Item(ctx context.Context, tenant, id, item string) (Item, error) {
	all, _, err := c.Items(ctx, tenant, id, Page{})
	if err != nil {
		return Item{}, err
	}
	i := slices.IndexFunc(all, func(it Item) bool { return it.ID == item })
	if i < 0 {
		return Item{}, noItem(item)
	}
	return all[i], nil
}

// DeleteItem takes an item out of a conversation.
func (c *Conversations) DeleteItem(ctx context.Context, tenant, id, item string) error {
	if _, err := c.Get(ctx, tenant, id); err != nil {
		return err
	}
	there, err := c.k.Store.Remove(ctx, conversationKey(tenant, id), item)
	if err == nil && !there {
		err = noItem(item)
	}
	return err
}

// lock takes a conversation for one call; unlock gives it back. Who comes second
// is told to come again (OpenAI answers 400 conversation_locked, 2026-03-16;
// with 409 its SDKs come again by themselves).
func (c *Conversations) lock(ctx context.Context, tenant, id string) (unlock func(), err error) {
	key := Key{Tenant: tenant, Kind: KindLock, ID: id}
	token := []byte(randomID())
	mine, err := c.k.Store.Swap(ctx, key, nil, token, c.k.Lease)
	if err != nil {
		return nil, err
	}
	if !mine {
		e := weir.Errorf(weir.KindConflict, "Another process is currently operating on this conversation. Please retry in a few seconds.")
		e.Param, e.Code = "conversation", "conversation_locked"
		return nil, e
	}
	return func() {
		ctx, cancel := c.k.detached(ctx)
		defer cancel()
		_, err := c.k.Store.Swap(ctx, key, token, nil, 0)
		c.k.report(err)
	}, nil
}

// detached is a context for what must be done whether the caller stays or not.
func (k *Keeper) detached(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), k.SaveLimit)
}

func noConversation(id string) *weir.Error {
	e := weir.Errorf(weir.KindNotFound, "Conversation with id '%s' not found.", bounded(id))
	e.Param = "conversation"
	return e
}

func noItem(id string) *weir.Error {
	e := weir.Errorf(weir.KindNotFound, "Item with id '%s' not found.", bounded(id))
	e.Param = "item_id"
	return e
}
