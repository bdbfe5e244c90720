package sim

import (
	"slices"
	"strings"

	"github.com/weir-gateway/weir/internal/jsonx"
)

// maxDepth ends schemas that contain themselves.
const maxDepth = 16

// maxNodes ends schemas whose instances grow by powers: ones that contain
// themselves several times.
const maxNodes = 500

// maxOptional is how many optional properties are filled in when none is required.
const maxOptional = 6

// instance makes a value that fits a JSON Schema as well as the common keywords
// tell (type, properties, required, enum, const, default, examples, items,
// bounds, formats, local $ref, anyOf, oneOf, allOf); patterns are not read. The
// result is always valid JSON, {} for a schema that says nothing.
func instance(schema []byte, h *hints) []byte {
	if jsonx.Valid(schema) != nil {
		return []byte("{}")
	}
	m := maker{root: schema, hints: h}
	m.value(schema, "", 0)
	return m.out.B
}

// A maker writes an instance.
type maker struct {
	root  []byte
	hints *hints
	out   jsonx.Buffer
	nodes int // values and parts of objects so far
}

// value writes a value for schema; name is the property that it is for.
func (m *maker) value(schema []byte, name string, depth int) {
	m.nodes++
	if depth > maxDepth || m.nodes > maxNodes {
		m.out.Null()
		return
	}
	schema = m.resolve(schema)
	if v := m.given(schema); v != nil {
		m.out.Raw(v)
		return
	}
	for _, key := range []string{"anyOf", "oneOf"} {
		if alt := firstAlternative(jsonx.Get(schema, key)); alt != nil {
			m.value(alt, name, depth+1)
			return
		}
	}
	switch schemaType(schema, depth) {
	case "object":
		m.object(schema, depth)
	case "array":
		m.array(schema, name, depth)
	case "integer":
		m.out.Int(m.integer(schema))
	case "number":
		m.out.Float(m.number(schema))
	case "boolean":
		m.out.Bool(true)
	case "null":
		m.out.Null()
	default:
		m.out.String(m.text(schema, name))
	}
}

// given is a value that the schema itself names.
func (m *maker) given(schema []byte) []byte {
	if v := jsonx.Get(schema, "const"); v != nil {
		return v
	}
	if v := m.choose(jsonx.Get(schema, "enum")); v != nil {
		return v
	}
	if v := jsonx.Get(schema, "default"); v != nil && !jsonx.IsNull(v) {
		return v
	}
	return m.choose(jsonx.Get(schema, "examples"))
}

// choose takes the element of a list that the text speaks of, else the first.
func (m *maker) choose(list []byte) []byte {
	var first, spoken []byte
	text := strings.ToLower(m.hints.text)
	_ = jsonx.EachElement(list, func(i int, v []byte) error {
		if i == 0 {
			first = v
		}
		if s := strings.ToLower(jsonx.StringOr(v, "")); spoken == nil && s != "" && strings.Contains(text, s) {
			spoken = v
		}
		return nil
	})
	if spoken != nil {
		return spoken
	}
	return first
}

// resolve follows local references, a bounded number of them.
func (m *maker) resolve(schema []byte) []byte {
	for range maxDepth {
		ref := jsonx.StringOr(jsonx.Get(schema, "$ref"), "")
		if !strings.HasPrefix(ref, "#/") && ref != "#" {
			return schema
		}
		target := m.root
		for _, key := range strings.Split(ref, "/")[1:] {
			key = strings.ReplaceAll(strings.ReplaceAll(key, "~1", "/"), "~0", "~")
			target = jsonx.Get(target, key)
		}
		if target == nil {
			return schema
		}
		schema = target
	}
	return []byte(`{"type":"null"}`)
}

func firstAlternative(list []byte) []byte {
	var found []byte
	_ = jsonx.EachElement(list, func(_ int, v []byte) error {
		if found == nil && jsonx.StringOr(jsonx.Get(v, "type"), "") != "null" {
			found = v
		}
		return nil
	})
	return found
}

// schemaType is the type to write: the first that is not null, or what the
// keywords suggest.
func schemaType(schema []byte, depth int) string {
	raw := jsonx.Get(schema, "type")
	if t := jsonx.StringOr(raw, ""); t != "" {
		return strings.ToLower(t)
	}
	var found string
	if jsonx.KindOf(raw) == jsonx.KindArray {
		_ = jsonx.EachElement(raw, func(_ int, v []byte) error {
			if t := jsonx.StringOr(v, ""); found == "" || found == "null" {
				found = t
			}
			return nil
		})
	}
	switch {
	case found != "":
		return found
	case jsonx.Get(schema, "properties") != nil, jsonx.Get(schema, "allOf") != nil, depth == 0:
		return "object"
	case jsonx.Get(schema, "items") != nil:
		return "array"
	}
	return "string"
}

// object writes the required properties, or the first few when none is.
func (m *maker) object(schema []byte, depth int) {
	props := map[string][]byte{}
	var order, required []string
	m.gather(schema, props, &order, &required, depth)
	if len(required) == 0 {
		required = order[:min(len(order), maxOptional)]
	}
	m.out.BeginObject()
	for _, name := range order {
		if slices.Contains(required, name) {
			m.out.Key(name)
			m.value(props[name], name, depth+1)
		}
	}
	for _, name := range required {
		if _, ok := props[name]; !ok {
			m.out.StringField(name, m.hints.word(name))
		}
	}
	m.out.EndObject()
}

// gather collects the properties of a schema and of those that it is made of.
func (m *maker) gather(schema []byte, props map[string][]byte, order, required *[]string, depth int) {
	m.nodes++
	if depth > maxDepth || m.nodes > maxNodes {
		return
	}
	schema = m.resolve(schema)
	_ = jsonx.EachMember(jsonx.Get(schema, "properties"), func(key, value []byte) error {
		name := string(key)
		if _, ok := props[name]; !ok {
			*order = append(*order, name)
		}
		props[name] = value
		return nil
	})
	_ = jsonx.EachElement(jsonx.Get(schema, "required"), func(_ int, v []byte) error {
		if name := jsonx.StringOr(v, ""); name != "" && !slices.Contains(*required, name) {
			*required = append(*required, name)
		}
		return nil
	})
	_ = jsonx.EachElement(jsonx.Get(schema, "allOf"), func(_ int, v []byte) error {
		m.gather(v, props, order, required, depth+1)
		return nil
	})
}

func (m *maker) array(schema []byte, name string, depth int) {
	n := int64(1)
	if v, ok := jsonx.Int64(jsonx.Get(schema, "minItems")); ok {
		n = max(n, min(v, 16))
	}
	if v, ok := jsonx.Int64(jsonx.Get(schema, "maxItems")); ok {
		n = min(n, max(v, 0))
	}
	if depth >= maxDepth {
		n = 0
	}
	m.out.BeginArray()
	for range n {
		m.value(jsonx.Get(schema, "items"), name, depth+1)
	}
	m.out.EndArray()
}
