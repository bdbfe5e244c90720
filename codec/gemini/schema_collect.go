package gemini

import (
	"bytes"
	"slices"
	"strconv"
	"strings"

	"github.com/weir-gateway/weir/internal/jsonx"
)

// maxMerge bounds references and allOf that are put together in one place.
const maxMerge = 16

// collect takes a schema over into s, its references and allOf with it. What s has
// already stays.
func (n *normaliser) collect(s *schemaNode, raw []byte, at string, depth int) {
	if jsonx.KindOf(raw) == jsonx.KindBool && string(bytes.TrimSpace(raw)) == "false" {
		n.note(at, "false", "a schema that nothing fits cannot be written", false)
	}
	if jsonx.KindOf(raw) != jsonx.KindObject {
		return
	}
	if depth > maxMerge {
		n.note(at, "allOf", "it is put together of too many parts; the rest was left out", false)
		return
	}
	for _, elsewhere := range []bool{false, true} { // what stands beside a reference goes before what it refers to
		_ = jsonx.EachMember(raw, func(key, v []byte) error {
			name := camel(string(key))
			if isElsewhere(name) == elsewhere && (!jsonx.IsNull(v) || name == "const" || name == "default") {
				n.keyword(s, name, v, at, depth)
			}
			return nil
		})
	}
}

// isElsewhere reports whether a keyword brings in another schema as a whole.
func isElsewhere(keyword string) bool {
	return keyword == "$ref" || keyword == "ref" || keyword == "allOf"
}

// keyword takes one keyword over.
func (n *normaliser) keyword(s *schemaNode, key string, v []byte, at string, depth int) {
	if i := slices.Index(boundNames[:], key); i >= 0 {
		n.bound(s, i, v, at)
		return
	}
	switch key {
	case "$ref", "ref":
		n.reference(s, jsonx.StringOr(v, ""), at, depth)
	case "allOf":
		_ = jsonx.EachElement(v, func(_ int, part []byte) error {
			n.collect(s, part, at, depth+1)
			return nil
		})
	case "type":
		n.types(s, v, at)
	case "nullable":
		is, _ := jsonx.Bool(v)
		s.nullable = s.nullable || is
	case "enum":
		n.enum(s, v, at)
	case "const":
		n.enum(s, append(append([]byte{'['}, v...), ']'), at)
	case "oneOf":
		n.note(at, key, "it became anyOf", true)
		n.branches(s, v, at)
	case "anyOf":
		n.branches(s, v, at)
	case "properties":
		n.properties(s, v, at)
	case "required", "propertyOrdering":
		n.names(s, key, v)
	case "items", "prefixItems":
		n.items(s, key, v)
	case "format":
		first(&s.format, v)
	case "title":
		first(&s.title, v)
	case "description":
		first(&s.description, v)
	default:
		n.other(s, key, v, at)
	}
}

func first(s *string, v []byte) {
	if *s == "" {
		*s = jsonx.StringOr(v, "")
	}
}

// other takes the keywords over that need no arithmetic, and notes all that the
// subset does not have.
func (n *normaliser) other(s *schemaNode, key string, v []byte, at string) {
	switch key {
	case "pattern":
		if jsonx.KindOf(v) == jsonx.KindString && s.pattern == nil {
			s.pattern = v
		}
	case "default":
		if !jsonx.IsNull(v) && s.def == nil {
			s.def = v
		}
	case "example":
		s.example = v
	case "examples":
		if n.manyExamples(s, v) {
			n.note(at, key, "there is room for one", false)
		}
	case "exclusiveMinimum":
		s.exclusiveMin = v
	case "exclusiveMaximum":
		s.exclusiveMax = v
	case "$schema", "$id", "id", "$comment", "$anchor", "$dynamicAnchor", "$vocabulary", "$defs", "defs", "definitions":
		// They say nothing about the value, or have been put in their place.
	case "additionalProperties", "unevaluatedProperties":
		if on, ok := jsonx.Bool(v); !ok || !on {
			n.note(at, key, "the target has no such keyword", false)
		}
	default:
		n.note(at, key, "the target has no such keyword", false)
	}
}

func (n *normaliser) manyExamples(s *schemaNode, v []byte) bool {
	count := 0
	_ = jsonx.EachElement(v, func(i int, item []byte) error {
		if count++; i == 0 && s.example == nil {
			s.example = item
		}
		return nil
	})
	return count > 1
}

// types takes the types over; null is a member of its own here.
func (n *normaliser) types(s *schemaNode, v []byte, at string) {
	var said []string
	add := func(v []byte) {
		word := strings.ToLower(jsonx.StringOr(v, ""))
		if jsonx.KindOf(v) == jsonx.KindNumber {
			word = typeNumbers[string(v)]
		}
		switch word {
		case "string", "number", "integer", "boolean", "array", "object":
			said = addOnce(said, word)
		case "null":
			s.nullable = true
		default:
			n.note(at, "type", "the target knows no such type", false)
		}
	}
	if jsonx.KindOf(v) == jsonx.KindArray {
		_ = jsonx.EachElement(v, func(_ int, item []byte) error {
			add(item)
			return nil
		})
	} else {
		add(v)
	}
	switch {
	case len(s.types) == 0:
		s.types = said
	case len(said) > 0 && !slices.Equal(s.types, said):
		both := slices.DeleteFunc(slices.Clone(s.types), func(t string) bool { return !slices.Contains(said, t) })
		if len(both) > 0 {
			s.types = both
		}
	}
}

func (n *normaliser) enum(s *schemaNode, v []byte, at string) {
	if s.hasEnum {
		n.note(at, "enum", "a second list of allowed values was left out", false)
		return
	}
	_ = jsonx.EachElement(v, func(_ int, item []byte) error {
		switch {
		case jsonx.IsNull(item):
			s.nullable = true
		case !slices.ContainsFunc(s.enum, func(o []byte) bool { return jsonx.Equal(o, item) }):
			s.enum = append(s.enum, item)
		}
		return nil
	})
	s.hasEnum = len(s.enum) > 0
}

// branches takes an anyOf over; a branch that is only null is a member here.
func (n *normaliser) branches(s *schemaNode, v []byte, at string) {
	if s.anyOf != nil {
		n.note(at, "anyOf", "a second list of alternatives was left out", false)
		return
	}
	_ = jsonx.EachElement(v, func(_ int, item []byte) error {
		if typ, _ := get(item, "type"); strings.EqualFold(jsonx.StringOr(typ, ""), "null") {
			s.nullable = true
			return nil
		}
		s.anyOf = append(s.anyOf, item)
		return nil
	})
}

func (n *normaliser) properties(s *schemaNode, v []byte, at string) {
	_ = jsonx.EachMember(v, func(key, p []byte) error {
		name := string(key)
		if !s.addProperty(schemaProp{name, p, at + ".properties." + name}) {
			n.note(at, "allOf", "a property that is defined twice has its first definition", true)
		}
		return nil
	})
}

func (n *normaliser) names(s *schemaNode, key string, v []byte) {
	list := &s.required
	if key != "required" {
		list = &s.ordering
	}
	if jsonx.KindOf(v) != jsonx.KindArray {
		return // draft 3 has true here
	}
	_ = jsonx.EachElement(v, func(_ int, item []byte) error {
		if name, err := jsonx.String(item); err == nil {
			*list = addOnce(*list, name)
		}
		return nil
	})
}

func (n *normaliser) items(s *schemaNode, key string, v []byte) {
	switch {
	case jsonx.KindOf(v) == jsonx.KindArray:
		s.items, s.tuple = nil, true
		_ = jsonx.EachElement(v, func(_ int, item []byte) error {
			s.items = append(s.items, item)
			return nil
		})
	case s.tuple && jsonx.KindOf(v) == jsonx.KindObject:
		s.items = append(s.items, v) // what may follow a tuple
	case s.items == nil && key == "items" && jsonx.KindOf(v) == jsonx.KindObject:
		s.items = [][]byte{v}
	}
}

// bound takes a number over. Lengths and counts are whole numbers here.
func (n *normaliser) bound(s *schemaNode, i int, v []byte, at string) {
	v = unquoted(v)
	whole, ok := jsonx.Int64(v)
	if i == boundMinimum || i == boundMaximum {
		if _, ok := jsonx.Float64(v); ok && s.bounds[i] == nil {
			s.bounds[i] = v
		}
		return
	}
	if !ok || whole < 0 {
		n.note(at, boundNames[i], "it is no whole number", false)
		return
	}
	if s.bounds[i] == nil {
		s.bounds[i] = strconv.AppendInt(nil, whole, 10)
	}
}

// exclusive puts exclusive bounds in terms of inclusive ones, which for whole
// numbers is the same.
func (n *normaliser) exclusive(s *schemaNode, typ, at string) {
	for _, side := range []struct {
		raw   []byte
		bound int
		step  int64
		name  string
	}{{s.exclusiveMin, boundMinimum, 1, "exclusiveMinimum"}, {s.exclusiveMax, boundMaximum, -1, "exclusiveMaximum"}} {
		value := side.raw
		if on, isBool := jsonx.Bool(value); isBool { // draft 4: it qualifies the bound
			if !on {
				continue
			}
			value = s.bounds[side.bound]
		}
		if _, ok := jsonx.Float64(value); !ok {
			continue
		}
		if whole, ok := jsonx.Int64(value); ok && typ == "integer" && whole+side.step > -1<<53 && whole+side.step < 1<<53 {
			s.bounds[side.bound] = strconv.AppendInt(nil, whole+side.step, 10)
			continue
		}
		n.note(at, side.name, "the bound itself is allowed here", true)
		s.bounds[side.bound] = value
	}
	s.exclusiveMin, s.exclusiveMax = nil, nil
}

// reference puts what a local reference stands for in its place. One that stands
// inside itself is unrolled a few times and then becomes any object.
func (n *normaliser) reference(s *schemaNode, ref, at string, depth int) {
	inside := 0
	for _, a := range n.active {
		if a == ref {
			inside++
		}
	}
	target := n.resolve(ref)
	switch {
	case target == nil:
		n.note(at, "$ref", "it refers to what is not part of the schema", false)
	case inside > maxUnroll:
		n.note(at, "$ref", "it refers to itself without end; from some depth on it became any object", true)
		if len(s.types) == 0 {
			s.types = []string{"object"}
		}
	default:
		n.active = append(n.active, ref)
		n.collect(s, target, at, depth+1)
	}
}

// resolve finds what a JSON pointer in a fragment refers to (RFC 6901), nil for
// nothing.
func (n *normaliser) resolve(ref string) []byte {
	pointer, ok := strings.CutPrefix(ref, "#")
	if !ok {
		return nil
	}
	at := n.root
	for token := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		if token == "" {
			continue
		}
		token = strings.NewReplacer("~1", "/", "~0", "~", "%25", "%").Replace(token)
		if i, err := strconv.Atoi(token); err == nil && jsonx.KindOf(at) == jsonx.KindArray {
			at = element(at, i)
		} else {
			at = jsonx.Get(at, token)
		}
		if at == nil {
			return nil
		}
	}
	return at
}

func element(list []byte, i int) (out []byte) {
	_ = jsonx.EachElement(list, func(k int, v []byte) error {
		if k == i {
			out = v
		}
		return nil
	})
	return out
}
