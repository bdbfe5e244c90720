package openaichat

import (
	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// readReasoning makes blocks of the thinking that a client sends back, in
// whichever of the three members it came (protocols.md §10). All of them are
// remembered as they were written.
func (r *messageReader) readReasoning() {
	for _, m := range []struct {
		name string
		raw  []byte
	}{{"reasoning_content", r.reasoningText}, {"reasoning", r.reasoning}, {"reasoning_details", r.detail}} {
		if m.raw != nil {
			spell(&r.m.Extra, m.name, m.raw)
		}
	}
	r.m.Blocks = append(r.m.Blocks, thoughts(r.reasoningText, r.reasoning, r.detail)...)
}

// thoughts are the reasoning blocks that the members of a message say. The text
// of the details counts where they have one: it is the same text with the
// signatures that belong to it.
func thoughts(content, reasoning, details []byte) []weir.Block {
	plain := jsonx.StringOr(content, "")
	if plain == "" {
		plain = jsonx.StringOr(reasoning, "")
	}
	blocks, hasText := readDetails(details)
	if plain != "" && !hasText {
		text := weir.Block{Type: weir.BlockReasoning, Text: plain}
		if len(blocks) > 0 && blocks[0].Reasoning.Signature != "" {
			text.Reasoning, blocks = blocks[0].Reasoning, blocks[1:]
		}
		blocks = append([]weir.Block{text}, blocks...)
	}
	return blocks
}

// readDetails reads reasoning_details in OpenRouter's form. Neighbouring pieces
// of one text, as a client that only collects deltas sends them back, become one
// block.
func readDetails(raw []byte) (blocks []weir.Block, hasText bool) {
	last := int64(-1)
	_ = jsonx.EachElement(raw, func(_ int, item []byte) error {
		d := readDetail(item)
		if d.typ == "" {
			return nil
		}
		hasText = hasText || d.text != ""
		if n := len(blocks); n > 0 && d.index == last && d.continues(&blocks[n-1]) {
			d.addTo(&blocks[n-1])
			return nil
		}
		last = d.index
		blocks = append(blocks, d.block())
		return nil
	})
	return blocks, hasText
}

// detail is one entry of reasoning_details.
type detail struct {
	typ, text, signature, data, format, id string
	index                                  int64 // -1 when not said
}

func readDetail(raw []byte) detail {
	d := detail{index: -1}
	_ = jsonx.EachMember(raw, func(key, value []byte) error {
		switch string(key) {
		case "type":
			d.typ = jsonx.StringOr(value, "")
		case "text", "summary":
			d.text = jsonx.StringOr(value, d.text)
		case "signature":
			d.signature = jsonx.StringOr(value, "")
		case "data":
			d.data = jsonx.StringOr(value, "")
		case "format":
			d.format = jsonx.StringOr(value, "")
		case "id":
			d.id = jsonx.StringOr(value, "")
		case "index":
			if n, ok := jsonx.Int64(value); ok {
				d.index = n
			}
		}
		return nil
	})
	return d
}

func (d *detail) encrypted() bool { return d.typ == "reasoning.encrypted" }
func (d *detail) summary() bool   { return d.typ == "reasoning.summary" }

// block is the block that the detail begins.
func (d *detail) block() weir.Block {
	return weir.Block{Type: weir.BlockReasoning, Text: d.text, Reasoning: &weir.Reasoning{
		ID: d.id, Format: d.format, Signature: d.signature, Encrypted: d.data, Summary: d.summary(),
	}}
}

// continues reports whether the detail is more of the block. A signature ends
// one, and so does an encrypted payload.
func (d *detail) continues(b *weir.Block) bool {
	r := b.Reasoning
	return d.index >= 0 && !d.encrypted() && r.Encrypted == "" && r.Signature == "" && r.Summary == d.summary()
}

func (d *detail) addTo(b *weir.Block) {
	b.Text += d.text
	b.Reasoning.Signature += d.signature
	if b.Reasoning.ID == "" {
		b.Reasoning.ID = d.id
	}
	if b.Reasoning.Format == "" {
		b.Reasoning.Format = d.format
	}
}
