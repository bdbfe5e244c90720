package rules

import (
	"github.com/weir-gateway/weir"
)

// count is a number of parts; all are counted in one walk.
func (f *features) count(name string) int64 {
	if !f.counted {
		f.counted = true
		for i := range f.body.Messages {
			m := &f.body.Messages[i]
			f.add(m.Blocks)
			if m.Role == weir.RoleUser && speaks(m) {
				f.turns++
			}
		}
	}
	switch name {
	case "images":
		return f.images
	case "files":
		return f.files
	case "audio":
		return f.audio
	}
	return f.turns
}

func (f *features) add(blocks []weir.Block) {
	for i := range blocks {
		switch blocks[i].Type {
		case weir.BlockImage:
			f.images++
		case weir.BlockFile:
			f.files++
		case weir.BlockAudio:
			f.audio++
		case weir.BlockToolResult:
			if blocks[i].Result != nil {
				f.add(blocks[i].Result.Content)
			}
		}
	}
}

// speaks reports whether a message holds more than results of tools.
func speaks(m *weir.Message) bool {
	for i := range m.Blocks {
		if m.Blocks[i].Type != weir.BlockToolResult {
			return true
		}
	}
	return false
}
