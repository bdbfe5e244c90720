package openairesponses

import (
	"slices"

	"github.com/weir-gateway/weir/internal/jsonx"
)

// A function whose strictness is not said is strict in this protocol, and its
// schema is closed for it: no properties beside those that it names. (Seen in
// recordings of OpenAI, whose answers repeat the tools; the other protocols are
// not strict unless told so.)

// strictly is a schema as the API reads it when nothing is said of strictness,
// and whether the tool is strict then. A schema that leaves something to the
// model's choice, an optional property for one, stays as it is and is not strict:
// no other upstream would take it.
func strictly(schema []byte) (closed []byte, strict *bool) {
	if schema == nil {
		return emptySchema, new(true)
	}
	out, ok := closeSchema(schema, 0)
	if !ok {
		return schema, new(false)
	}
	return out, new(true)
}

var emptySchema = []byte(`{"type":"object","properties":{},"required":[],"additionalProperties":false}`)

// maxSchemaDepth bounds how deep a schema is looked into.
const maxSchemaDepth = 64

// closeSchema is schema with every object in it closed; false where that would
// change which arguments are required, or cannot be said.
func closeSchema(schema []byte, depth int) (out []byte, ok bool) {
	var top jsonx.Top
	if depth > maxSchemaDepth || top.Scan(schema) != nil {
		return nil, false
	}
	for _, name := range [...]string{"patternProperties", "allOf", "oneOf", "not", "if", "dependentSchemas"} {
		if top.Has(name) {
			return nil, false
		}
	}
	c := closer{top: &top, schema: schema, depth: depth}
	if !c.inside() || !c.object() {
		return nil, false
	}
	return slices.Concat(top.Splice(nil, schema, c.edits)...), true
}

type closer struct {
	top    *jsonx.Top
	schema []byte
	depth  int
	edits  []jsonx.Edit
}

// object closes the schema itself where it is one of an object.
func (c *closer) object() bool {
	properties := c.top.Get(c.schema, "properties")
	if jsonx.StringOr(c.top.Get(c.schema, "type"), "") != "object" && properties == nil {
		return true
	}
	if extra := c.top.Get(c.schema, "additionalProperties"); extra != nil {
		if open, isBool := jsonx.Bool(extra); !isBool || open {
			return false
		}
	} else {
		c.edits = append(c.edits, jsonx.Edit{Key: "additionalProperties", Value: []byte("false")})
	}
	var required []string
	_ = jsonx.EachElement(c.top.Get(c.schema, "required"), func(_ int, v []byte) error {
		required = append(required, jsonx.StringOr(v, ""))
		return nil
	})
	all := true
	_ = jsonx.EachMember(properties, func(key, _ []byte) error {
		all = all && slices.Contains(required, string(key))
		return nil
	})
	return all
}

// inside closes what the schema consists of.
func (c *closer) inside() bool {
	for _, name := range [...]string{"properties", "$defs", "definitions"} {
		if raw := c.top.Get(c.schema, name); raw != nil && !c.members(name, raw) {
			return false
		}
	}
	for _, name := range [...]string{"items", "anyOf"} {
		raw := c.top.Get(c.schema, name)
		switch jsonx.KindOf(raw) {
		case jsonx.KindObject:
			closed, ok := closeSchema(raw, c.depth+1)
			if !ok {
				return false
			}
			c.edits = append(c.edits, jsonx.Edit{Key: name, Value: closed})
		case jsonx.KindArray:
			if !c.elements(name, raw) {
				return false
			}
		case jsonx.KindInvalid:
		default:
			return false
		}
	}
	return true
}

func (c *closer) members(name string, raw []byte) bool {
	var b jsonx.Buffer
	ok := jsonx.KindOf(raw) == jsonx.KindObject
	b.BeginObject()
	_ = jsonx.EachMember(raw, func(key, value []byte) error {
		closed, fits := closeSchema(value, c.depth+1)
		ok = ok && fits
		b.RawField(string(key), closed)
		return nil
	})
	b.EndObject()
	c.edits = append(c.edits, jsonx.Edit{Key: name, Value: b.B})
	return ok
}

func (c *closer) elements(name string, raw []byte) bool {
	var b jsonx.Buffer
	ok := true
	b.BeginArray()
	_ = jsonx.EachElement(raw, func(_ int, value []byte) error {
		closed, fits := closeSchema(value, c.depth+1)
		ok = ok && fits
		b.Raw(closed)
		return nil
	})
	b.EndArray()
	c.edits = append(c.edits, jsonx.Edit{Key: name, Value: b.B})
	return ok
}
