package openairesponses

import (
	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// item is what is known of an output item. Events name it by its output_index:
// its id is another in every event of some upstreams (Copilot).
type item struct {
	kind  itemKind
	id    string
	extra weir.Fields // of the first block that is made of it
	done  bool

	parts   map[int64]*part // of a message
	summary thinking        // of reasoning
	full    thinking
	format  string // of its state
	shown   bool   // the thinking itself stands where the summary should

	call      int32              // the block of a call
	begun     bool               // the call has started
	wrapped   *codec.CustomInput // unwraps the input of a custom tool that was sent as a function
	arguments []byte
}

type itemKind uint8

const (
	kindOther itemKind = iota // kept by value when it is complete
	kindMessage
	kindReasoning
	kindFunction
	kindCustom
)

// part is one part of a message item: a block once something of it has come.
type part struct {
	kind     partKind
	block    int32
	open     bool
	ended    bool
	seen     []byte
	cited    int
	logprobs bool
}

type partKind uint8

const (
	partText partKind = iota
	partRefusal
)

// thinking is the text of a reasoning item, of its summary or in full.
type thinking struct {
	block int32
	open  bool
	part  int64 // that the last piece belonged to
	seen  []byte
}

// at is the item of the current event, made when it is first met: some imitations
// begin with its pieces.
func (d *decoder) at(kind itemKind) *item {
	n := index(d.in.output)
	it := d.items[n]
	if it == nil {
		it = &item{kind: kind}
		if d.items == nil {
			d.items = map[int64]*item{}
		}
		d.items[n] = it
		d.order = append(d.order, it)
	}
	return it
}

func kindOf(raw []byte) itemKind {
	switch string(jsonx.Get(raw, "type")) {
	case `"message"`:
		return kindMessage
	case `"reasoning"`:
		return kindReasoning
	case `"function_call"`:
		return kindFunction
	case `"custom_tool_call"`:
		if !isOwnSearch(raw) {
			return kindCustom
		}
	}
	return kindOther
}

// itemAdded is the beginning of an item. The block of a call begins with it, all
// others when something of them is there.
func (d *decoder) itemAdded() {
	raw := d.in.item
	it := d.at(kindOf(raw))
	if it.done || it.begun {
		return
	}
	it.kind = kindOf(raw)
	d.describe(it, raw)
	if it.kind == kindFunction || it.kind == kindCustom {
		d.beginCall(it, raw)
		d.growCall(it, jsonx.StringOr(jsonx.Get(raw, inputOf(it.kind)), ""))
	}
}

// describe takes over what an item says about itself.
func (d *decoder) describe(it *item, raw []byte) {
	it.id = jsonx.StringOr(jsonx.Get(raw, "id"), it.id)
	switch it.kind {
	case kindMessage:
	case kindReasoning:
		d.envelope(it, raw)
		return
	default:
		return
	}
	it.extra = nil
	if it.id != "" {
		it.extra = weir.Fields{{Name: itemField, Value: headerOf(it.id), Spelling: true}}
	}
	if phase := jsonx.Get(raw, "phase"); says(phase) {
		keep(&it.extra, "phase", phase)
	}
}

// headerOf is what a message item says of itself when a client sends it back.
func headerOf(id string) []byte {
	var b jsonx.Buffer
	b.BeginObject()
	b.StringField("type", "message")
	b.StringField("id", id)
	b.StringField("status", "completed")
	b.EndObject()
	return b.B
}

func inputOf(kind itemKind) string {
	if kind == kindCustom {
		return "input"
	}
	return "arguments"
}

// beginCall starts the block of a call.
func (d *decoder) beginCall(it *item, raw []byte) {
	c := &weir.ToolCall{
		ID:   jsonx.StringOr(jsonx.Get(raw, "call_id"), ""),
		Name: jsonx.StringOr(jsonx.Get(raw, "name"), ""),
		Type: weir.ToolFunction,
	}
	c.Signature = d.signatures[c.ID]
	if it.kind == kindCustom {
		c.Type = weir.ToolCustom
	}
	if c.ID == "" {
		c.ID = it.id
	}
	if d.custom[c.Name] && it.kind == kindFunction {
		c.Type, it.wrapped = weir.ToolCustom, new(codec.CustomInput)
	}
	if original, ok := d.names[c.Name]; ok {
		c.Name = original
	}
	for _, name := range [...]string{"id", "namespace"} {
		if v := jsonx.Get(raw, name); says(v) && (it.wrapped == nil || name != "id") {
			spell(&c.Extra, name, v)
		}
	}
	d.calls, it.begun = true, true
	it.call = d.start(&weir.Block{Type: weir.BlockToolCall, Call: c})
}

func (d *decoder) growCall(it *item, arguments string) {
	if arguments == "" {
		return
	}
	it.arguments = append(it.arguments, arguments...)
	if it.wrapped != nil {
		if arguments = it.wrapped.Piece(arguments); arguments == "" {
			return
		}
	}
	d.delta(it.call, weir.PartArguments, arguments)
}

// endCall ends the block of a call.
func (d *decoder) endCall(it *item) {
	if it.wrapped != nil {
		if rest := it.wrapped.End(); rest != "" {
			d.delta(it.call, weir.PartArguments, rest)
		}
	}
	d.end(it.call)
}

func (d *decoder) argumentsDelta() error {
	s, err := text(d.in.delta)
	it := d.items[index(d.in.output)]
	if err != nil || it == nil || it.done || !it.begun {
		return err
	}
	d.growCall(it, s)
	return nil
}

func (d *decoder) argumentsDone() {
	it := d.items[index(d.in.output)]
	if it == nil || it.done || !it.begun {
		return
	}
	s, _ := text(d.in.text)
	d.growCall(it, remainder(it.arguments, s))
}

// itemDone is the end of an item, which says all of it again.
func (d *decoder) itemDone() {
	raw := d.in.item
	it := d.at(kindOf(raw))
	if it.done {
		return
	}
	if it.kind == kindOther {
		it.kind = kindOf(raw)
	}
	d.complete(it, raw)
}

// complete sends what of an item has not come yet, and ends its blocks. Without
// raw it only ends them.
func (d *decoder) complete(it *item, raw []byte) {
	it.done = true
	switch it.kind {
	case kindMessage:
		d.completeMessage(it, raw)
	case kindReasoning:
		d.completeReasoning(it, raw)
	case kindFunction, kindCustom:
		if !it.begun && raw != nil {
			d.describe(it, raw)
			d.beginCall(it, raw)
		}
		if it.begun {
			d.growCall(it, remainder(it.arguments, jsonx.StringOr(jsonx.Get(raw, inputOf(it.kind)), "")))
			d.endCall(it)
		}
	default:
		if raw != nil {
			d.otherItem(raw)
		}
	}
}

// otherItem is an item of a hosted tool or of a type that is not known here. A
// picture that the model made is one everywhere.
func (d *decoder) otherItem(raw []byte) {
	typ := jsonx.StringOr(jsonx.Get(raw, "type"), "")
	b := weir.Block{Type: weir.BlockOpaque}
	if result := jsonx.StringOr(jsonx.Get(raw, "result"), ""); typ == "image_generation_call" && result != "" {
		b.Type, b.Media = weir.BlockImage, &weir.Media{MIME: imageType(raw), Data: result}
		spell(&b.Extra, itemField, raw)
	} else {
		b.Opaque = &weir.Opaque{Protocol: protocol, Type: typ}
		b.Opaque.Raw = append(b.Opaque.Raw, raw...)
	}
	d.block(&b)
}

func imageType(item []byte) string {
	switch format := jsonx.StringOr(jsonx.Get(item, "output_format"), ""); format {
	case "jpeg", "webp", "gif":
		return "image/" + format
	}
	return "image/png"
}
