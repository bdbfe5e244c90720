package thread

import (
	"slices"

	"github.com/weir-gateway/weir"
)

// addTools adds the tools that a history has declared to those of b, and returns
// them. What b has itself under the same name is newer. They stand in front of
// those that the messages of b declare, so that the list only grows from turn to
// turn, as an upstream's prompt cache wants it.
func (o *Options) addTools(b *weir.Body, history []weir.Message) []weir.Tool {
	if o.Tools == nil {
		return nil
	}
	known := map[string]bool{}
	for i := range b.Tools {
		known[toolKey(&b.Tools[i])] = true
	}
	var added []weir.Tool
	for i := range history {
		for _, t := range o.Tools(&history[i]) {
			if key := toolKey(&t); !known[key] {
				known[key] = true
				added = append(added, t)
			}
		}
	}
	if len(added) > 0 {
		b.Tools = slices.Insert(b.Tools, o.ahead(b), added...)
	}
	return added
}

// toolKey tells tools apart. Of those that the upstream runs, several may have one
// name.
func toolKey(t *weir.Tool) string {
	if t.Type == weir.ToolHosted {
		return string(t.Type) + " " + string(t.Raw)
	}
	return t.Name
}

// ahead is how many tools of b stand in front of the first that one of its own
// messages declares.
func (o *Options) ahead(b *weir.Body) int {
	own := map[string]bool{}
	for i := range b.Messages {
		for _, t := range o.Tools(&b.Messages[i]) {
			own[toolKey(&t)] = true
		}
	}
	for i := range b.Tools {
		if own[toolKey(&b.Tools[i])] {
			return i
		}
	}
	return len(b.Tools)
}
