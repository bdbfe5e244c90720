package gemini

import (
	"bytes"
	"slices"
	"strings"

	"github.com/weir-gateway/weir/internal/jsonx"
)

// What follows brings a JSON Schema into the subset of OpenAPI 3.0 that the
// members parameters and responseSchema take (P-07). It goes by an allow-list: what
// schemaNode has a field for is carried over, everything else is left out and
// noted. The subset is what the Gemini API and Vertex AI have in common (v1beta
// content.proto and aiplatform v1 openapi.proto, 2026-08-22), less what their
// answers of status 400 are known to refuse: formats and enums beside the type
// that they belong to, and members beside anyOf.

// A schemaNote is something that a schema of the subset cannot say.
type schemaNote struct {
	path    string // of the keyword, from the schema's root: ".properties.a.not"
	detail  string
	changed bool // put in other terms, where false is left out
}

// Bounds on what becomes of a schema whose references make it grow.
const (
	maxUnroll      = 2    // how often a reference may stand inside itself
	maxSchemaNodes = 4096 // of the whole result
	maxNotes       = 64
)

// openAPISchema is a JSON Schema in the subset, and what is lost. The result is a
// fixed point: brought into the subset again it stays the same. Equal schemas give
// equal bytes.
func openAPISchema(raw []byte) ([]byte, []schemaNote) {
	n := normaliser{root: raw}
	n.write(raw, "", nil)
	return n.out.B, n.notes
}

// hasProperties reports whether a schema of the subset is an object that has some:
// declarations with an empty one are refused.
func hasProperties(schema []byte) bool { return jsonx.Get(schema, "properties") != nil }

type normaliser struct {
	root   []byte
	out    jsonx.Buffer
	notes  []schemaNote
	nodes  int
	active []string // references that the current place stands inside of
}

// note remembers a loss, one for every keyword and reason.
func (n *normaliser) note(at, keyword, detail string, changed bool) {
	for i := range n.notes {
		if strings.HasSuffix(n.notes[i].path, "."+keyword) && n.notes[i].detail == detail {
			return
		}
	}
	if len(n.notes) < maxNotes {
		n.notes = append(n.notes, schemaNote{at + "." + keyword, detail, changed})
	}
}

// A schemaNode is a schema with its references and allOf put together.
type schemaNode struct {
	types                      []string // in lower case, null taken out
	nullable                   bool
	format, title, description string
	enum                       [][]byte
	hasEnum                    bool
	props                      []schemaProp
	required, ordering         []string
	items                      [][]byte // several for a tuple
	tuple                      bool
	anyOf                      [][]byte
	bounds                     [len(boundNames)][]byte
	exclusiveMin, exclusiveMax []byte
	pattern, example, def      []byte
}

type schemaProp struct {
	name string
	raw  []byte
	at   string
}

// boundNames are the keywords that are numbers.
var boundNames = [...]string{
	"minProperties", "maxProperties", "minItems", "maxItems", "minLength", "maxLength", "minimum", "maximum",
}

const (
	boundMinimum = 6
	boundMaximum = 7
)

// write writes the schema raw. parent is what an anyOf around it says of all of
// its branches, nil for none.
func (n *normaliser) write(raw []byte, at string, parent *schemaNode) {
	n.nodes++
	if n.nodes > maxSchemaNodes {
		n.note(at, "$ref", "the schema is too large once its references are put in place; the rest became any object", true)
		n.out.Raw([]byte(`{"type":"OBJECT"}`))
		return
	}
	depth := len(n.active)
	defer func() { n.active = n.active[:depth] }()
	var s schemaNode
	n.collect(&s, raw, at, 0)
	if parent != nil {
		s.inherit(parent)
	}
	n.writeNode(&s, at)
}

// inherit takes over what stood beside an anyOf.
func (s *schemaNode) inherit(p *schemaNode) {
	if len(s.types) == 0 && len(s.anyOf) == 0 {
		s.types = p.types
	}
	s.nullable = s.nullable || p.nullable
	if s.description == "" {
		s.description = p.description
	}
	if s.title == "" {
		s.title = p.title
	}
	for _, prop := range p.props {
		s.addProperty(prop)
	}
	for _, name := range p.required {
		s.required = addOnce(s.required, name)
	}
}

func (s *schemaNode) addProperty(p schemaProp) bool {
	for i := range s.props {
		if s.props[i].name == p.name {
			return jsonx.Equal(s.props[i].raw, p.raw)
		}
	}
	s.props = append(s.props, p)
	return true
}

func addOnce(list []string, s string) []string {
	if slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}

// writeNode writes a schema whose parts are known. Several types become branches;
// one branch alone becomes the schema itself.
func (n *normaliser) writeNode(s *schemaNode, at string) {
	if len(s.anyOf) == 1 {
		branch := s.anyOf[0]
		s.anyOf = nil
		depth := len(n.active)
		n.collect(s, branch, at, 0)
		n.writeNode(s, at)
		n.active = n.active[:depth]
		return
	}
	if len(s.anyOf) > 1 {
		n.writeBranches(s, at)
		return
	}
	n.fitEnum(s, at)
	if len(s.types) == 0 {
		s.types = []string{n.guessType(s, at)}
	}
	if len(s.types) == 1 {
		n.writeTyped(s, s.types[0], at)
		return
	}
	n.out.BeginObject()
	n.out.Key("anyOf")
	n.out.BeginArray()
	for _, typ := range s.types {
		n.writeTyped(s, typ, at)
	}
	n.out.EndArray()
	n.out.EndObject()
}

// writeBranches writes an anyOf, beside which nothing may stand: what did is said
// in each branch.
func (n *normaliser) writeBranches(s *schemaNode, at string) {
	for _, lost := range []struct {
		name string
		is   bool
	}{{"enum", s.hasEnum}, {"default", s.def != nil}, {"example", s.example != nil}, {"items", s.items != nil}, {"pattern", s.pattern != nil}} {
		if lost.is {
			n.note(at, lost.name, "nothing may stand beside anyOf", false)
		}
	}
	n.out.BeginObject()
	n.out.Key("anyOf")
	n.out.BeginArray()
	for _, branch := range s.anyOf {
		n.write(branch, at+".anyOf", s)
	}
	n.out.EndArray()
	n.out.EndObject()
}

// guessType is the type of a schema that names none, which the subset does not
// allow.
func (n *normaliser) guessType(s *schemaNode, at string) string {
	switch {
	case len(s.props) > 0 || len(s.required) > 0:
		return "object"
	case s.items != nil:
		return "array"
	case s.bounds[boundMinimum] != nil || s.bounds[boundMaximum] != nil || s.exclusiveMin != nil || s.exclusiveMax != nil:
		return "number"
	case s.hasEnum || s.pattern != nil || s.format != "":
		return "string"
	case at == "":
		return "object"
	}
	n.note(at, "type", "every schema has to name a type here; this one became a text", true)
	return "string"
}

// writeTyped writes the node as a schema of one type, with the members that
// belong to the type.
func (n *normaliser) writeTyped(s *schemaNode, typ, at string) {
	b := &n.out
	b.BeginObject()
	b.StringField("type", strings.ToUpper(typ))
	if s.nullable {
		b.BoolField("nullable", true)
	}
	if slices.Contains(formats[typ], s.format) {
		b.StringField("format", s.format)
	} else if s.format != "" && s.format != "enum" {
		n.note(at, "format", "the target knows no such format", false)
	}
	text(b, "title", s.title)
	text(b, "description", s.description)
	switch typ {
	case "object":
		n.writeObject(s, at)
	case "array":
		n.writeItems(s, at)
	case "string":
		n.writeEnum(s)
		s.writeBounds(b, "minLength", "maxLength")
		if s.pattern != nil {
			b.RawField("pattern", s.pattern)
		}
	case "integer", "number":
		n.exclusive(s, typ, at)
		s.writeBounds(b, "minimum", "maximum")
	}
	if s.def != nil {
		b.RawField("default", s.def)
	}
	if s.example != nil {
		b.RawField("example", s.example)
	}
	b.EndObject()
}

// formats are those that a type may have.
var formats = map[string][]string{
	"string": {"date-time"}, "number": {"float", "double"}, "integer": {"int32", "int64"},
}

func text(b *jsonx.Buffer, key, s string) {
	if s != "" {
		b.StringField(key, s)
	}
}

func (s *schemaNode) writeBounds(b *jsonx.Buffer, names ...string) {
	for i, name := range boundNames {
		if s.bounds[i] != nil && slices.Contains(names, name) {
			b.RawField(name, s.bounds[i])
		}
	}
}

func (n *normaliser) writeObject(s *schemaNode, at string) {
	b := &n.out
	var names []string
	if len(s.props) > 0 {
		b.Key("properties")
		b.BeginObject()
		for _, p := range s.props {
			names = append(names, p.name)
			b.Key(p.name)
			n.write(p.raw, p.at, nil)
		}
		b.EndObject()
	}
	known := func(list []string, keyword string) []string {
		kept := slices.DeleteFunc(slices.Clone(list), func(name string) bool { return !slices.Contains(names, name) })
		if len(kept) < len(list) {
			n.note(at, keyword, "a property that is not defined cannot be named", false)
		}
		return kept
	}
	writeNames(b, "required", known(s.required, "required"))
	writeNames(b, "propertyOrdering", known(s.ordering, "propertyOrdering"))
	s.writeBounds(b, "minProperties", "maxProperties")
}

func writeNames(b *jsonx.Buffer, key string, names []string) {
	if len(names) == 0 {
		return
	}
	b.Key(key)
	b.BeginArray()
	for _, name := range names {
		b.String(name)
	}
	b.EndArray()
}

// writeItems writes what the elements of an array are. A tuple becomes a list of
// any of its elements.
func (n *normaliser) writeItems(s *schemaNode, at string) {
	b := &n.out
	b.Key("items")
	switch {
	case len(s.items) == 0:
		n.note(at, "items", "every list has to say what it holds; this one became a list of texts", true)
		b.Raw([]byte(`{"type":"STRING"}`))
	case !s.tuple:
		n.write(s.items[0], at+".items", nil)
	default:
		n.note(at, "prefixItems", "a tuple became a list of any of its elements", true)
		var all jsonx.Buffer
		all.BeginObject()
		all.Key("anyOf")
		all.BeginArray()
		for i, item := range s.items {
			if !slices.ContainsFunc(s.items[:i], func(o []byte) bool { return jsonx.Equal(o, item) }) {
				all.Raw(item)
			}
		}
		all.EndArray()
		all.EndObject()
		n.write(all.B, at+".items", nil)
	}
	s.writeBounds(b, "minItems", "maxItems")
}

func (n *normaliser) writeEnum(s *schemaNode) {
	if len(s.enum) == 0 {
		return
	}
	n.out.Key("enum")
	n.out.BeginArray()
	for _, v := range s.enum {
		n.out.Raw(v)
	}
	n.out.EndArray()
}

// fitEnum brings the allowed values into the one form that there is: a list of
// texts. Where a value is none, what it has to be becomes part of the description:
// as a text it would reach a tool that expects a number.
func (n *normaliser) fitEnum(s *schemaNode, at string) {
	if !s.hasEnum {
		return
	}
	texts := s.enum[:0:0]
	others := false
	for _, v := range s.enum {
		switch {
		case jsonx.KindOf(v) != jsonx.KindString:
			others = true
		case string(v) == `""`:
			n.note(at, "enum", "an empty text cannot be one of the allowed values", false)
			continue
		}
		texts = append(texts, v)
	}
	switch {
	case len(texts) == 0:
	case !others && (len(s.types) == 0 || slices.Contains(s.types, "string")):
		s.types = []string{"string"}
		s.enum = texts
		return
	default:
		n.note(at, "enum", "allowed values are texts here; these became part of the description", true)
		if len(s.types) == 0 {
			s.types = typesOf(texts)
		}
		s.description = strings.TrimSpace(s.description + "\nOne of: " + string(bytes.Join(texts, []byte(", "))))
	}
	s.enum, s.hasEnum = nil, false
}

// typesOf are the types of some values.
func typesOf(values [][]byte) []string {
	var out []string
	for _, v := range values {
		typ := "object"
		switch jsonx.KindOf(v) {
		case jsonx.KindString:
			typ = "string"
		case jsonx.KindBool:
			typ = "boolean"
		case jsonx.KindArray:
			typ = "array"
		case jsonx.KindNumber:
			typ = "number"
			if _, whole := jsonx.Int64(v); whole {
				typ = "integer"
			}
		}
		out = addOnce(out, typ)
	}
	return out
}
