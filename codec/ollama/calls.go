package ollama

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// call makes the events of a tool call, which is always whole. Every element of a
// list is a call of its own, whatever index it has: older servers give all of them
// the same one (S-03).
func (d *decoder) call(_ int, raw []byte) error {
	function := jsonx.Get(raw, "function")
	id := jsonx.StringOr(jsonx.Get(raw, "id"), "")
	name := jsonx.StringOr(jsonx.Get(function, "name"), "")
	arguments := argumentsOf(jsonx.Get(function, "arguments"))
	if name == "" && arguments == "" {
		return nil
	}
	if id == "" {
		id = d.madeID(raw)
	}
	c := &weir.ToolCall{ID: id, Name: name, Type: weir.ToolFunction}
	if d.answer.Custom[name] {
		c.Type, arguments, d.mapped = weir.ToolCustom, codec.UnwrapCustom(arguments), true
	} else if arguments == "" {
		arguments = "{}" // S-04
	}
	if own, ok := d.answer.Names[name]; ok {
		c.Name, d.mapped = own, true
	}
	d.endProse()
	d.hasCalls = true
	d.calls++
	i := d.start(&weir.Block{Type: weir.BlockToolCall, Call: c})
	if arguments != "" {
		d.emit(weir.Event{Type: weir.EventDelta, Part: weir.PartArguments, Index: i, Text: arguments})
	}
	d.emit(weir.Event{Type: weir.EventBlockEnd, Index: i})
	return nil
}

// argumentsOf is an object as the text of one. Proxies that know Chat better send
// the text itself.
func argumentsOf(raw []byte) string {
	switch jsonx.KindOf(raw) {
	case jsonx.KindString:
		return jsonx.StringOr(raw, "")
	case jsonx.KindNull, jsonx.KindInvalid:
		return ""
	}
	return string(jsonx.Compact(nil, raw))
}

// madeID names a call whose upstream gave no id. It is a hash of what is known, so
// that the same bytes give the same id and two turns do not.
func (d *decoder) madeID(raw []byte) string {
	h := sha256.New()
	h.Write(d.line.model)
	h.Write(d.line.created)
	h.Write([]byte("/" + strconv.Itoa(d.calls) + "/"))
	h.Write(raw)
	return "call_" + hex.EncodeToString(h.Sum(nil)[:12])
}
