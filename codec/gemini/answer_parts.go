package gemini

import (
	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// partFields are the members of a part of an answer.
type partFields struct {
	text, call, signature []byte
	thought               bool
	// other is the first member without a word here; the part is then kept by
	// value, or is a medium.
	other    string
	otherRaw []byte
}

func (d *chunkDecoder) partMember(key, value []byte) error {
	p := &d.chunk.part
	switch string(key) {
	case "text":
		p.text = value
	case "functionCall":
		p.call = value
	case "thoughtSignature":
		p.signature = value
	case "thought":
		p.thought, _ = jsonx.Bool(value)
	case "partMetadata", "videoMetadata", "mediaResolution":
	default:
		if p.other == "" {
			p.other, p.otherRaw = string(key), value
		}
	}
	return nil
}

// onePart makes the events of a part (protocols.md §7.3).
func (d *chunkDecoder) onePart(_ int, raw []byte) error {
	d.chunk.part = partFields{}
	if err := jsonx.EachMember(raw, d.onPart); err != nil {
		return err
	}
	c, p := d.chunk.choice, &d.chunk.part
	d.flushSignature(c)
	if says(p) {
		c.finish = nil // it was not the end
	}
	switch {
	case p.other != "":
		return d.otherPart(c, p, raw)
	case p.call != nil:
		return d.call(c, p)
	case p.thought:
		d.thought(c, p)
	default:
		d.visible(c, p)
	}
	return nil
}

// says reports whether a part brings more of the answer.
func says(p *partFields) bool { return p.other != "" || p.call != nil || len(p.text) > 2 }

// visible adds to the text. A signature on it, or in an empty part behind it,
// becomes a block of its own (T-05).
func (d *chunkDecoder) visible(c *choice, p *partFields) {
	text := jsonx.StringOr(p.text, "")
	if text != "" {
		d.prose(c, weir.BlockText, text)
		c.text = append(c.text, text...)
	}
	signature := jsonx.StringOr(p.signature, "")
	if signature == "" {
		return
	}
	b := weir.Block{Type: weir.BlockReasoning, Reasoning: &weir.Reasoning{Format: d.format, Signature: signature}}
	switch {
	case text != "":
		mark(&b.Extra, "signature", "before")
	case p.text == nil:
		mark(&b.Extra, "signature", "bare")
	}
	c.sealed = c.open == weir.BlockText
	c.signature = &b
}

// flushSignature emits a signature that waited for citations of the text that it
// stands on: those join the text while it is the last block.
func (d *chunkDecoder) flushSignature(c *choice) {
	if b := c.signature; b != nil {
		c.signature = nil
		d.whole(c, b)
	}
}

// thought adds to the summary of the model's thinking.
func (d *chunkDecoder) thought(c *choice, p *partFields) {
	text, signature := jsonx.StringOr(p.text, ""), jsonx.StringOr(p.signature, "")
	d.prose(c, weir.BlockReasoning, text)
	if signature == "" {
		return
	}
	if c.open != weir.BlockReasoning {
		d.openProse(c, weir.BlockReasoning)
	}
	d.delta(c, weir.PartSignature, signature)
	d.endOpen(c)
}

// call reads a functionCall, which comes whole, but for Vertex AI where the client
// asked for pieces.
func (d *chunkDecoder) call(c *choice, p *partFields) error {
	var f callFields
	if err := f.read(p.call); err != nil {
		return err
	}
	f.signature = jsonx.StringOr(p.signature, "")
	if c.partial != nil || f.partial != nil || f.goesOn {
		return d.piece(c, &f)
	}
	if f.name == "" {
		return nil
	}
	d.endOpen(c)
	d.wholeCall(c, &f)
	return nil
}

// callFields are the members of a functionCall.
type callFields struct {
	id, name, signature string
	args                []byte // nil when there are none
	partial             []byte // partialArgs
	goesOn              bool   // willContinue
	extra               weir.Fields
}

func (f *callFields) read(raw []byte) error {
	return jsonx.EachMember(raw, func(key, v []byte) error {
		switch string(key) {
		case "id":
			f.id = jsonx.StringOr(v, "")
		case "name":
			f.name = jsonx.StringOr(v, "")
		case "args":
			if jsonx.KindOf(v) == jsonx.KindObject {
				f.args = v
			}
		case "partialArgs":
			f.partial = v
		case "willContinue":
			f.goesOn, _ = jsonx.Bool(v)
		default:
			if !jsonx.IsNull(v) {
				f.extra.Add(string(key), v)
			}
		}
		return nil
	})
}

// wholeCall emits a call that is complete.
func (d *chunkDecoder) wholeCall(c *choice, f *callFields) {
	call := &weir.ToolCall{ID: f.id, Name: f.name, Arguments: "{}", Signature: f.signature, Extra: f.extra}
	if len(f.args) > 0 {
		call.Arguments = string(f.args)
	}
	if call.ID == "" {
		call.ID = d.callID(c)
	}
	if d.answer.Custom[f.name] {
		call.Type, call.Arguments = weir.ToolCustom, codec.UnwrapCustom(call.Arguments)
		d.renamed = true
	}
	if own, ok := d.answer.Names[f.name]; ok {
		call.Name, d.renamed = own, true
	}
	c.calls++
	c.hasCalls = true
	d.whole(c, &weir.Block{Type: weir.BlockToolCall, Call: call})
}

// otherPart reads media, and keeps by value what only the protocol itself
// understands: code that Google ran, tools that it called, images of thoughts.
func (d *chunkDecoder) otherPart(c *choice, p *partFields, raw []byte) error {
	d.endOpen(c)
	isMedia := (p.other == "inlineData" || p.other == "fileData") && !p.thought && p.text == nil && p.call == nil
	if !isMedia {
		b := opaqueBlock(p.other, raw)
		d.whole(c, &b)
		return nil
	}
	root := root()
	at := root.Key(p.other)
	var b weir.Block
	var err error
	if b.Type, b.Media, err = readMedia(p.other, &at, p.otherRaw); err != nil {
		return err
	}
	d.whole(c, &b)
	if signature := jsonx.StringOr(p.signature, ""); signature != "" {
		s := weir.Block{Type: weir.BlockReasoning, Reasoning: &weir.Reasoning{Format: d.format, Signature: signature}}
		mark(&s.Extra, "signature", "before")
		d.whole(c, &s)
	}
	return nil
}
