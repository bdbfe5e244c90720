package gemini

import (
	"bytes"
	"slices"
	"strings"

	"github.com/weir-gateway/weir/internal/jsonx"
)

// typeNumbers are the types of a Schema by their numbers, for clients that write
// enums so (v1beta content.proto, 2026-08-22).
var typeNumbers = map[string]string{
	"1": "string", "2": "number", "3": "integer", "4": "boolean", "5": "array", "6": "object", "7": "null",
}

// jsonSchema is a Schema of this protocol as JSON Schema: types in lower case,
// nullable as a type, numbers unquoted. Keywords that JSON Schema has too stay as
// they are.
func jsonSchema(raw []byte) []byte {
	var b jsonx.Buffer
	writeJSONSchema(&b, raw)
	return b.B
}

// A schemaReader writes one schema.
type schemaReader struct {
	b                           *jsonx.Buffer
	typ, ordering, props, anyOf []byte
	nullable                    bool
}

func writeJSONSchema(b *jsonx.Buffer, raw []byte) {
	if jsonx.KindOf(raw) != jsonx.KindObject {
		b.Raw(raw)
		return
	}
	r := schemaReader{b: b}
	_ = jsonx.EachMember(raw, func(key, v []byte) error {
		r.look(camel(string(key)), v)
		return nil
	})
	b.BeginObject()
	_ = jsonx.EachMember(raw, func(key, v []byte) error {
		r.member(string(key), v)
		return nil
	})
	b.EndObject()
}

// look finds what concerns several members.
func (r *schemaReader) look(key string, v []byte) {
	switch key {
	case "type":
		r.typ = v
	case "nullable":
		r.nullable, _ = jsonx.Bool(v)
	case "propertyOrdering":
		r.ordering = v
	case "properties":
		r.props = v
	case "anyOf":
		r.anyOf = v
	}
}

func (r *schemaReader) member(key string, v []byte) {
	b := r.b
	switch name := camel(key); name {
	case "type":
		b.Key("type")
		r.writeType(v)
	case "nullable":
		if r.typ == nil && r.anyOf == nil && r.nullable {
			b.RawField("nullable", v)
		}
	case "propertyOrdering":
		if r.props == nil {
			b.RawField(name, v)
		}
	case "properties":
		b.Key(name)
		r.writeProperties(v)
	case "$defs", "definitions", "patternProperties":
		b.Key(name)
		writeSchemaMap(b, v)
	case "items", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames":
		b.Key(name)
		writeSchemaOrList(b, v)
	case "anyOf", "oneOf", "allOf", "prefixItems":
		b.Key(name)
		r.writeBranches(v, name == "anyOf" && r.nullable && r.typ == nil)
	case "enum":
		b.Key(name)
		r.writeEnum(v)
	case "minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties", "minimum", "maximum":
		b.RawField(name, unquoted(v))
	case "example":
		b.Key("examples")
		b.BeginArray()
		b.Raw(v)
		b.EndArray()
	case "format":
		if string(v) != `"enum"` {
			b.RawField(name, v)
		}
	default:
		b.RawField(key, v)
	}
}

// writeType writes the type, with null where the schema is nullable.
func (r *schemaReader) writeType(v []byte) {
	word := ""
	switch jsonx.KindOf(v) {
	case jsonx.KindString:
		word = strings.ToLower(jsonx.StringOr(v, ""))
	case jsonx.KindNumber:
		word = typeNumbers[string(v)]
	}
	switch {
	case word == "":
		r.b.Raw(v)
	case r.nullable && word != "null":
		r.b.BeginArray()
		r.b.String(word)
		r.b.String("null")
		r.b.EndArray()
	default:
		r.b.String(word)
	}
}

// writeEnum adds null to the values of a schema that may be null.
func (r *schemaReader) writeEnum(v []byte) {
	if !r.nullable || jsonx.KindOf(v) != jsonx.KindArray {
		r.b.Raw(v)
		return
	}
	has := false
	r.b.BeginArray()
	_ = jsonx.EachElement(v, func(_ int, item []byte) error {
		has = has || jsonx.IsNull(item)
		r.b.Raw(item)
		return nil
	})
	if !has {
		r.b.Null()
	}
	r.b.EndArray()
}

// writeProperties writes the properties in the order that the schema names.
func (r *schemaReader) writeProperties(v []byte) {
	var order []string
	_ = jsonx.EachElement(r.ordering, func(_ int, item []byte) error {
		order = append(order, jsonx.StringOr(item, ""))
		return nil
	})
	if len(order) == 0 || jsonx.KindOf(v) != jsonx.KindObject {
		writeSchemaMap(r.b, v)
		return
	}
	r.b.BeginObject()
	for i, name := range order {
		if p := jsonx.Get(v, name); p != nil && !slices.Contains(order[:i], name) {
			r.b.Key(name)
			writeJSONSchema(r.b, p)
		}
	}
	_ = jsonx.EachMember(v, func(key, p []byte) error {
		if !slices.Contains(order, string(key)) {
			r.b.Key(string(key))
			writeJSONSchema(r.b, p)
		}
		return nil
	})
	r.b.EndObject()
}

func (r *schemaReader) writeBranches(v []byte, orNull bool) {
	if jsonx.KindOf(v) != jsonx.KindArray {
		r.b.Raw(v)
		return
	}
	r.b.BeginArray()
	_ = jsonx.EachElement(v, func(_ int, item []byte) error {
		writeJSONSchema(r.b, item)
		return nil
	})
	if orNull {
		r.b.Raw([]byte(`{"type":"null"}`))
	}
	r.b.EndArray()
}

func writeSchemaMap(b *jsonx.Buffer, v []byte) {
	if jsonx.KindOf(v) != jsonx.KindObject {
		b.Raw(v)
		return
	}
	b.BeginObject()
	_ = jsonx.EachMember(v, func(key, p []byte) error {
		b.Key(string(key))
		writeJSONSchema(b, p)
		return nil
	})
	b.EndObject()
}

func writeSchemaOrList(b *jsonx.Buffer, v []byte) {
	if bytes.HasPrefix(v, []byte("[")) {
		b.BeginArray()
		_ = jsonx.EachElement(v, func(_ int, item []byte) error {
			writeJSONSchema(b, item)
			return nil
		})
		b.EndArray()
		return
	}
	writeJSONSchema(b, v)
}
