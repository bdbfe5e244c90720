package ollama

import (
	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// embedMember reads what /api/embed and /api/embeddings ask. Every input is a
// message; its path tells whether it was one of a list.
func (d *bodyReader) embedMember(key string, raw []byte) {
	b := d.body
	switch key {
	case "model":
	case "input", "prompt":
		if jsonx.KindOf(raw) == jsonx.KindString {
			b.Messages = append(b.Messages, input(key, d.Str(key, raw)))
			return
		}
		b.Messages = []weir.Message{}
		d.array(key, raw, func(at string, value []byte) {
			b.Messages = append(b.Messages, input(at, d.Str(at, value)))
		})
	case "dimensions":
		d.config().Dimensions = d.Int(key, raw)
	case "truncate":
		d.config().Truncate = d.Bool(key, raw)
	case "options":
		if saysNothing(raw) {
			spell(&b.Extra, key, raw)
		}
		d.object(key, raw, func(key string, value []byte) { keep(&b.Extra, "options."+key, value) })
	default:
		keep(&b.Extra, key, raw)
	}
}

func (d *bodyReader) config() *weir.EmbedConfig {
	if d.body.Embed == nil {
		d.body.Embed = new(weir.EmbedConfig)
	}
	return d.body.Embed
}

func input(at, text string) weir.Message {
	return weir.Message{Role: weir.RoleUser, Plain: true, At: at, Blocks: []weir.Block{{Type: weir.BlockText, Text: text}}}
}
