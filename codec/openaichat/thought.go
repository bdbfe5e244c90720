package openaichat

import (
	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// thought is what is known about the open reasoning block of a choice.
type thought struct {
	index  int64 // of its reasoning_details, -1 when it came as plain text only
	signed bool  // it has a signature and so is complete
	sealed bool  // it is encrypted
	short  bool  // it is a summary
}

// thoughts reads thinking in all its spellings (T-08). The plain member counts;
// details add signatures and payloads, and their text where they are split
// otherwise or the plain member is missing.
func (d *decoder) thoughts(c *choice, m *delta) {
	plain := m.thinking
	if !nonEmpty(plain) {
		plain = m.reasoning
	}
	text := ""
	if nonEmpty(plain) {
		text = jsonx.StringOr(plain, "")
	}
	if !hasElements(m.details) {
		d.plainThought(c, text)
		return
	}
	var all []detail
	inDetails := ""
	_ = jsonx.EachElement(m.details, func(_ int, raw []byte) error {
		all = append(all, readDetail(raw))
		inDetails += all[len(all)-1].text
		return nil
	})
	if text != "" && inDetails != text {
		d.plainThought(c, text)
		for i := range all {
			all[i].text = ""
		}
	}
	for i := range all {
		d.detail(c, &all[i])
	}
}

func (d *decoder) plainThought(c *choice, text string) {
	if text == "" {
		return
	}
	if t := &c.thought; c.open[openReasoning] != notOpen && (t.signed || t.sealed) {
		d.endReasoning(c)
	}
	if c.open[openReasoning] == notOpen {
		c.thought = thought{index: -1}
	}
	d.prose(c, openReasoning, weir.BlockReasoning, text)
}

func (d *decoder) endReasoning(c *choice) {
	d.end(c, c.open[openReasoning])
	c.open[openReasoning] = notOpen
}

// detail adds one entry of reasoning_details to the block that it belongs to.
func (d *decoder) detail(c *choice, t *detail) {
	if t.text == "" && t.signature == "" && t.data == "" {
		return
	}
	if c.open[openReasoning] != notOpen && !c.thought.takes(t) {
		d.endReasoning(c)
	}
	if c.open[openReasoning] == notOpen {
		d.endProse(c, openReasoning)
		c.thought = thought{index: t.index, sealed: t.encrypted(), short: t.summary()}
		c.open[openReasoning] = d.start(c, &weir.Block{Type: weir.BlockReasoning, Reasoning: &weir.Reasoning{
			ID: t.id, Format: t.format, Summary: t.summary(),
		}})
	}
	i := c.open[openReasoning]
	if t.index >= 0 {
		c.thought.index = t.index
	}
	if t.text != "" {
		d.delta(c, i, weir.PartText, t.text)
	}
	if t.data != "" {
		d.delta(c, i, weir.PartEncrypted, t.data)
	}
	if t.signature != "" {
		d.delta(c, i, weir.PartSignature, t.signature)
		c.thought.signed = true
	}
}

// takes reports whether the open block is the one that the entry continues.
func (t *thought) takes(e *detail) bool {
	if t.signed && (e.text != "" || e.data != "") || t.sealed != e.encrypted() || t.short != e.summary() {
		return false
	}
	return t.index < 0 || e.index < 0 || t.index == e.index
}
