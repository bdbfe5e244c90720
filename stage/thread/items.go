package thread

import (
	"slices"

	"github.com/weir-gateway/weir"
)

// An Item is one element of a conversation or of a response's input, as the
// Responses API counts: a message, or one block of a turn that stands for
// itself there (reasoning, a tool call, a tool's result).
type Item struct {
	ID      string
	Message weir.Message
	// Raw is the item as a client wrote it, in its own protocol; nil when it
	// did not come from a client. The package keeps it and does not read it.
	Raw []byte

	// join tells that the item continues the message of the one before: they
	// were one canonical message.
	join bool
}

// SplitItems makes items, still without ids, of messages as a codec reads them:
// one for each that the client wrote, in order, so that Raw can be set on them.
func SplitItems(messages []weir.Message) []Item {
	return splitItems(messages, func(string) string { return "" })
}

// splitItems makes items of messages. joinItems is the way back.
func splitItems(messages []weir.Message, id func(prefix string) string) []Item {
	var items []Item
	for i := range messages {
		m := &messages[i]
		if len(m.Blocks) == 0 {
			items = append(items, Item{ID: id(itemPrefix(m.Role, nil)), Message: *m})
			continue
		}
		for from := 0; from < len(m.Blocks); {
			to := from + 1
			for to < len(m.Blocks) && sameItem(m.Role, &m.Blocks[from], &m.Blocks[to]) {
				to++
			}
			it := Item{ID: id(itemPrefix(m.Role, &m.Blocks[from])), join: from > 0, Message: *m}
			if from > 0 {
				it.Message = weir.Message{Role: m.Role}
			}
			it.Message.Blocks = m.Blocks[from:to:to]
			items = append(items, it)
			from = to
		}
	}
	return items
}

// sameItem reports whether b stands in one item with a, which is in front of it:
// both are content of a message.
func sameItem(role weir.Role, a, b *weir.Block) bool {
	return itemPrefix(role, a) == "msg_" && itemPrefix(role, b) == "msg_"
}

// joinItems makes messages of items. An item whose beginning was deleted begins
// a message of its own.
func joinItems(items []Item) []weir.Message {
	var out []weir.Message
	for i := range items {
		it := &items[i]
		if n := len(out); it.join && n > 0 && out[n-1].Role == it.Message.Role {
			last := &out[n-1]
			last.Blocks = slices.Concat(last.Blocks, it.Message.Blocks)
			continue
		}
		out = append(out, it.Message)
	}
	return out
}

// encodeItems makes a store's entries of items.
func encodeItems(items []Item) ([]Entry, error) {
	out := make([]Entry, 0, len(items))
	for i := range items {
		e, err := items[i].encode()
		if err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	return out, nil
}

func decodeItems(entries []Entry) ([]Item, error) {
	out := make([]Item, 0, len(entries))
	for i := range entries {
		it, err := decodeItem(&entries[i])
		if err != nil {
			return nil, err
		}
		out = append(out, it)
	}
	return out, nil
}
