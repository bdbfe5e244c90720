package openaichat

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// call is a tool call that is being streamed.
type call struct {
	index  int64  // the upstream's, -1 when it gave none
	id     string // the upstream's, empty when it gave none
	name   string
	block  int32
	begun  bool // the block has started; it waits for the name
	ended  bool
	empty  bool   // "{}" has come and is held back: some send it ahead of the arguments
	wait   string // arguments that came before the name
	shape  object
	custom bool
	wraps  *codec.CustomInput // unwraps the input of a custom tool that was sent as a function
	legacy bool
	sig    string
}

// fragment is one element of delta.tool_calls.
type fragment struct {
	index          int64
	id, name, args string
	custom         bool
	signature      string
	raw            []byte
}

// says reports whether the fragment tells of a call: an id alone does not.
func (f *fragment) says() bool { return f.name != "" || f.args != "" }

func (d *decoder) toolCalls(c *choice, raw []byte) error {
	return jsonx.EachElement(raw, func(_ int, item []byte) error {
		f, err := readFragment(item)
		if err != nil {
			return err
		}
		d.call(c, f)
		return nil
	})
}

// readFragment reads one fragment. Null and empty are absent: vendors repeat ids
// and names, or send them empty, in every later fragment (wire-quirks.md).
func readFragment(raw []byte) (*fragment, error) {
	f := &fragment{index: -1, raw: raw}
	var typ, function, custom []byte
	err := jsonx.EachMember(raw, func(key, value []byte) error {
		switch string(key) {
		case "index":
			if n, ok := jsonx.Int64(value); ok {
				f.index = n
			}
		case "id":
			f.id = jsonx.StringOr(value, "")
		case "type":
			typ = value
		case "function":
			function = value
		case "custom":
			custom = value
		case "extra_content":
			f.signature = jsonx.StringOr(jsonx.GetPath(value, "google", "thought_signature"), "")
		}
		return nil
	})
	if err != nil {
		return f, err
	}
	if f.custom = string(typ) == `"custom"`; !f.custom && says(function) {
		if err := f.function(function); err != nil || f.says() {
			return f, err
		}
	}
	// Snowflake has an empty "custom" beside every function.
	if says(custom) {
		err = f.function(custom)
		f.custom = f.custom || f.says()
	}
	return f, err
}

func (f *fragment) function(raw []byte) error {
	return jsonx.EachMember(raw, func(key, value []byte) error {
		switch string(key) {
		case "name":
			f.name = jsonx.StringOr(value, "")
		case "arguments", "input":
			switch jsonx.KindOf(value) {
			case jsonx.KindString:
				s, err := jsonx.String(value)
				f.args = s
				return err
			case jsonx.KindObject, jsonx.KindArray: // as objects, in the manner of Ollama
				f.args = string(jsonx.Compact(nil, value))
			}
		}
		return nil
	})
}

// call adds a fragment to the call that it belongs to.
func (d *decoder) call(c *choice, f *fragment) {
	k := c.find(f)
	if k == nil && f.id == "" && !f.says() {
		return // an empty entry is no call (Snowflake)
	}
	if k == nil {
		k = &call{index: f.index, id: f.id, custom: f.custom, sig: f.signature}
		c.calls = append(c.calls, k)
		d.endProse(c, notOpen)
	}
	c.hasCalls = c.hasCalls || f.says()
	k.custom = k.custom || f.custom && !k.begun
	switch {
	case f.signature == "" || k.sig != "" || k.ended:
	case k.begun:
		k.sig = f.signature
		d.delta(c, k.block, weir.PartSignature, k.sig)
	default:
		k.sig = f.signature
	}
	if k.id == "" {
		k.id = f.id
	}
	if k.name == "" {
		k.name = f.name
	}
	if k.name != "" && !k.begun {
		d.beginCall(c, k, f.raw)
	}
	d.arguments(c, k, f.args)
}

// find is the call that a fragment continues, nil for a new one. The id decides
// where there is one, since some give every call the same index (S-03); then the
// index; then the name, which only a first fragment has to have.
func (c *choice) find(f *fragment) *call {
	if f.id != "" {
		for _, k := range c.calls {
			if k.id == f.id {
				return k
			}
		}
	}
	for _, k := range slices.Backward(c.calls) {
		if f.index != k.index && f.index >= 0 && k.index >= 0 {
			continue
		}
		if f.id != "" && k.id != "" {
			return nil
		}
		if f.name != "" && k.name != "" && (f.name != k.name || k.shape.complete || k.empty || f.index < 0) {
			return nil // a call of its own, from an upstream without ids
		}
		return k
	}
	return nil
}

// beginCall starts the block of a call whose name is known.
func (d *decoder) beginCall(c *choice, k *call, raw []byte) {
	id := k.id
	if id == "" && !k.legacy {
		id = d.madeID(c, raw)
	}
	name := k.name
	if d.custom[name] && !k.custom {
		k.custom, k.wraps, d.renamed = true, new(codec.CustomInput), true
	}
	if original, ok := d.names[name]; ok {
		name, d.renamed = original, true
	}
	b := &weir.Block{Type: weir.BlockToolCall, Call: &weir.ToolCall{ID: id, Name: name, Type: weir.ToolFunction, Signature: k.sig}}
	if k.custom {
		b.Call.Type = weir.ToolCustom
	}
	if k.legacy {
		spell(&b.Call.Extra, "function_call", []byte("{}"))
	}
	k.block, k.begun = d.start(c, b), true
	if wait := k.wait; wait != "" {
		k.wait = ""
		d.arguments(c, k, wait)
	}
}

// madeID names a call whose upstream gave no id (S-03). It is a hash of what is
// known, so that the same bytes give the same id and two turns do not.
func (d *decoder) madeID(c *choice, raw []byte) string {
	h := sha256.New()
	h.Write([]byte(d.id + "/" + strconv.Itoa(int(c.n)) + "/" + strconv.Itoa(len(c.calls)) + "/"))
	h.Write(raw)
	return "call_" + hex.EncodeToString(h.Sum(nil)[:12])
}

func (d *decoder) arguments(c *choice, k *call, args string) {
	switch {
	case args == "":
		return
	case !k.begun:
		k.wait += args
		return
	case args == "{}" && !k.shape.begun && !k.empty && !k.custom:
		k.empty = true // perhaps ahead of the true arguments (S-04)
		return
	case k.empty:
		k.empty = false
		if args[0] != '{' {
			args = "{}" + args
		}
	}
	k.shape.write(args)
	if k.wraps != nil {
		d.renamed = true
		if args = k.wraps.Piece(args); args == "" {
			return
		}
	}
	d.delta(c, k.block, weir.PartArguments, args)
}

// flushCalls gives out what was held back of the calls of a choice.
func (d *decoder) flushCalls(c *choice) {
	for _, k := range c.calls {
		if !k.begun && k.name == "" && k.wait == "" {
			continue // an id, and nothing that it would name
		}
		if !k.begun {
			d.beginCall(c, k, nil)
		}
		if k.empty {
			k.empty = false
			d.delta(c, k.block, weir.PartArguments, "{}")
		}
		if k.wraps != nil && !k.ended {
			if rest := k.wraps.End(); rest != "" {
				d.delta(c, k.block, weir.PartArguments, rest)
			}
		}
	}
}

// functionCall reads the one call of the time before tools.
func (d *decoder) functionCall(c *choice, raw []byte) error {
	f := &fragment{index: 0, raw: raw}
	if err := f.function(raw); err != nil || !f.says() {
		return err // Snowflake has an empty one in every answer
	}
	if len(c.calls) == 0 {
		c.calls = append(c.calls, &call{legacy: true, id: ""})
		c.hasCalls = true
		d.endProse(c, notOpen)
	}
	k := c.calls[0]
	if k.name == "" {
		k.name = f.name
	}
	if k.name != "" && !k.begun {
		d.beginCall(c, k, raw)
	}
	d.arguments(c, k, f.args)
	return nil
}

// object follows streamed JSON far enough to know when an object is complete.
type object struct {
	depth           int
	inString, slash bool
	begun, complete bool
}

func (o *object) write(s string) {
	o.begun = true
	for i := range len(s) {
		switch c := s[i]; {
		case o.slash:
			o.slash = false
		case o.inString:
			o.slash, o.inString = c == '\\', c != '"'
		case c == '"':
			o.inString = true
		case c == '{' || c == '[':
			o.depth++
		case c == '}' || c == ']':
			o.depth--
			o.complete = o.depth <= 0
		}
	}
}
