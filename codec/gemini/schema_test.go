package gemini_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/codec/gemini"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// P-07: JSON Schema in the subset of OpenAPI, by an allow-list. notes are parts of
// what is told, in order.
var schemas = []struct {
	name, in, want string
	notes          []string
}{
	{"what is in the subset stays", `{"type":"object","title":"T","description":"d","properties":{"a":{"type":"string","format":"date-time","minLength":1,"maxLength":3,"pattern":"^a"},` +
		`"n":{"type":"integer","format":"int32","minimum":1,"maximum":9},"l":{"type":"array","items":{"type":"boolean"},"minItems":1,"maxItems":2}},"required":["a"],"minProperties":1}`,
		`{"type":"OBJECT","title":"T","description":"d","properties":{"a":{"type":"STRING","format":"date-time","minLength":1,"maxLength":3,"pattern":"^a"},` +
			`"n":{"type":"INTEGER","format":"int32","minimum":1,"maximum":9},"l":{"type":"ARRAY","items":{"type":"BOOLEAN"},"minItems":1,"maxItems":2}},"required":["a"],"minProperties":1}`, nil},
	{"identifiers say nothing of the value", `{"$schema":"https://json-schema.org/draft/2020-12/schema","$id":"x","$comment":"c","type":"object","additionalProperties":true,"properties":{"a":{"type":"string"}}}`,
		`{"type":"OBJECT","properties":{"a":{"type":"STRING"}}}`, nil},
	{"closed objects cannot be said", `{"type":"object","additionalProperties":false,"properties":{"a":{"type":"object","additionalProperties":{"type":"string"},"properties":{"b":{"type":"string"}}}}}`,
		`{"type":"OBJECT","properties":{"a":{"type":"OBJECT","properties":{"b":{"type":"STRING"}}}}}`, []string{".additionalProperties"}},
	{"keywords that are refused are left out and told", `{"type":"object","properties":{"a":{"type":"array","items":{"type":"string"},"uniqueItems":true,"contains":{"type":"string"}},` +
		`"n":{"type":"number","multipleOf":2},"s":{"type":"string","readOnly":true,"not":{"enum":["x"]}}},"propertyNames":{"pattern":"^a"},"patternProperties":{"x":{}}}`,
		`{"type":"OBJECT","properties":{"a":{"type":"ARRAY","items":{"type":"STRING"}},"n":{"type":"NUMBER"},"s":{"type":"STRING"}}}`,
		[]string{".propertyNames", ".patternProperties", ".properties.a.uniqueItems", ".properties.a.contains", ".properties.n.multipleOf", ".properties.s.readOnly", ".properties.s.not"}},
	{"a property may be named like a keyword", `{"type":"object","properties":{"$ref":{"type":"string"},"additionalProperties":{"type":"string"},"const":{"type":"string"},"type":{"type":"string"}},"required":["$ref","type"]}`,
		`{"type":"OBJECT","properties":{"$ref":{"type":"STRING"},"additionalProperties":{"type":"STRING"},"const":{"type":"STRING"},"type":{"type":"STRING"}},"required":["$ref","type"]}`, nil},
	{"references are put in place", `{"type":"object","properties":{"a":{"$ref":"#/$defs/P"},"b":{"$ref":"#/definitions/Q~1r","description":"mine"}},"$defs":{"P":{"type":"string"}},"definitions":{"Q/r":{"type":"integer","description":"theirs"}}}`,
		`{"type":"OBJECT","properties":{"a":{"type":"STRING"},"b":{"type":"INTEGER","description":"mine"}}}`, nil},
	{"references to nowhere", `{"type":"object","properties":{"a":{"$ref":"https://example.com/x"},"b":{"$ref":"#/$defs/None"}}}`,
		`{"type":"OBJECT","properties":{"a":{"type":"STRING"},"b":{"type":"STRING"}}}`, []string{".properties.a.$ref", ".properties.a.type"}},
	{"recursion ends", `{"$ref":"#/$defs/N","$defs":{"N":{"type":"object","properties":{"next":{"$ref":"#/$defs/N"}}}}}`,
		`{"type":"OBJECT","properties":{"next":{"type":"OBJECT","properties":{"next":{"type":"OBJECT","properties":{"next":{"type":"OBJECT"}}}}}}}`,
		[]string{".properties.next.properties.next.properties.next.$ref"}},
	{"a schema inside itself", `{"$ref":"#"}`, `{"type":"OBJECT"}`, []string{".$ref"}},
	{"const is an enum of one", `{"type":"object","properties":{"a":{"const":"x"},"b":{"const":3},"c":{"const":null,"type":["string","null"]}}}`,
		`{"type":"OBJECT","properties":{"a":{"type":"STRING","enum":["x"]},"b":{"type":"INTEGER","description":"One of: 3"},"c":{"type":"STRING","nullable":true}}}`, []string{".properties.b.enum"}},
	{"enums are texts", `{"type":"object","properties":{"a":{"enum":["x","y","x"]},"b":{"type":"integer","enum":[1,2],"description":"d"},"c":{"enum":["x",null]},"d":{"type":"string","enum":["","z"]}}}`,
		`{"type":"OBJECT","properties":{"a":{"type":"STRING","enum":["x","y"]},"b":{"type":"INTEGER","description":"d\nOne of: 1, 2"},"c":{"type":"STRING","nullable":true,"enum":["x"]},"d":{"type":"STRING","enum":["z"]}}}`,
		[]string{".properties.b.enum", ".properties.d.enum"}},
	{"null is a member", `{"type":"object","properties":{"a":{"type":["string","null"]},"b":{"anyOf":[{"type":"integer"},{"type":"null"}]},"c":{"type":["string","integer"]}}}`,
		`{"type":"OBJECT","properties":{"a":{"type":"STRING","nullable":true},"b":{"type":"INTEGER","nullable":true},"c":{"anyOf":[{"type":"STRING"},{"type":"INTEGER"}]}}}`, nil},
	{"oneOf becomes anyOf, beside which nothing stands", `{"type":"object","properties":{"a":{"description":"d","oneOf":[{"type":"string"},{"type":"object","properties":{"k":{"const":"v"}},"required":["k"]}]}}}`,
		`{"type":"OBJECT","properties":{"a":{"anyOf":[{"type":"STRING","description":"d"},{"type":"OBJECT","description":"d","properties":{"k":{"type":"STRING","enum":["v"]}},"required":["k"]}]}}}`,
		[]string{".properties.a.oneOf"}},
	{"allOf is one schema", `{"allOf":[{"$ref":"#/$defs/A"},{"properties":{"b":{"type":"integer"}},"required":["b"]}],"$defs":{"A":{"type":"object","properties":{"a":{"type":"string"}},"required":["a"]}}}`,
		`{"type":"OBJECT","properties":{"a":{"type":"STRING"},"b":{"type":"INTEGER"}},"required":["a","b"]}`, nil},
	{"exclusive bounds", `{"type":"object","properties":{"i":{"type":"integer","exclusiveMinimum":0,"exclusiveMaximum":10},"f":{"type":"number","exclusiveMinimum":0},"d":{"type":"integer","minimum":4,"exclusiveMinimum":true}}}`,
		`{"type":"OBJECT","properties":{"i":{"type":"INTEGER","minimum":1,"maximum":9},"f":{"type":"NUMBER","minimum":0},"d":{"type":"INTEGER","minimum":5}}}`, []string{".properties.f.exclusiveMinimum"}},
	{"tuples and lists of anything", `{"type":"object","properties":{"t":{"type":"array","prefixItems":[{"type":"string"},{"type":"integer"}]},"l":{"type":"array"}}}`,
		`{"type":"OBJECT","properties":{"t":{"type":"ARRAY","items":{"anyOf":[{"type":"STRING"},{"type":"INTEGER"}]}},"l":{"type":"ARRAY","items":{"type":"STRING"}}}}`,
		[]string{".properties.t.prefixItems", ".properties.l.items"}},
	{"types that are not said", `{"properties":{"a":{"description":"?"},"b":{"items":{"type":"string"}},"c":{"minimum":1}},"required":["a","zz"]}`,
		`{"type":"OBJECT","properties":{"a":{"type":"STRING","description":"?"},"b":{"type":"ARRAY","items":{"type":"STRING"}},"c":{"type":"NUMBER","minimum":1}},"required":["a"]}`,
		[]string{".properties.a.type", ".required"}},
	{"formats", `{"type":"object","properties":{"a":{"type":"string","format":"uri"},"b":{"type":"number","format":"double"}}}`,
		`{"type":"OBJECT","properties":{"a":{"type":"STRING"},"b":{"type":"NUMBER","format":"double"}}}`, []string{".properties.a.format"}},
	{"nothing at all", `{}`, `{"type":"OBJECT"}`, nil},
	{"a schema that is no object", `true`, `{"type":"OBJECT"}`, nil},
}

func TestSchemasAreNormalised(t *testing.T) {
	for _, tt := range schemas {
		t.Run(tt.name, func(t *testing.T) {
			out, notes := gemini.OpenAPISchema([]byte(tt.in))
			equalJSON(t, tt.in, string(out), tt.want)
			var paths []string
			for _, n := range notes {
				path, _, _ := strings.Cut(n, ": ")
				paths = append(paths, path)
			}
			slices.Sort(paths)
			want := slices.Sorted(slices.Values(tt.notes))
			if !slices.Equal(paths, want) {
				t.Errorf("%s: told %q, want %q", tt.in, paths, want)
			}
			again, more := gemini.OpenAPISchema(out)
			if !bytes.Equal(out, again) || len(more) > 0 {
				t.Errorf("not a fixed point: %s became %s, told %q", out, again, more)
			}
		})
	}
}

// The two dialects of a model: older ones take the subset, newer ones the schema as
// it is. A property of every client protocol, since a body is where they meet.
func TestSchemaByModel(t *testing.T) {
	const schema = `{"type":"object","properties":{"a":{"type":"string"}},"additionalProperties":false}`
	body := chat(weir.UserText("a"))
	body.Tools = []weir.Tool{{Type: weir.ToolFunction, Name: "f", Schema: []byte(schema)}, {Type: weir.ToolFunction, Name: "g", Schema: []byte(`{"type":"object","properties":{}}`)}}
	body.Format = &weir.Format{Type: weir.FormatJSONSchema, Name: "n", Schema: []byte(schema)}

	out, losses := translated(t, body, target("gemini-2.0-flash"))
	equalJSON(t, "tools", member(t, out, "tools"), `[{"functionDeclarations":[{"name":"f","parameters":{"type":"OBJECT","properties":{"a":{"type":"STRING"}}}},{"name":"g"}]}]`)
	equalJSON(t, "config", member(t, out, "generationConfig"), `{"responseMimeType":"application/json","responseSchema":{"type":"OBJECT","properties":{"a":{"type":"STRING"}}}}`)
	if want := "dropped tools[0].function.parameters.additionalProperties, dropped response_format.additionalProperties"; losses != want {
		t.Errorf("losses %q, want %q", losses, want)
	}
	for _, to := range []*codec.Target{target("gemini-2.5-flash"), target("my-tuned"), odd("gemini-2.0-flash", codec.Quirks{SchemaDialect: "json"})} {
		out, losses := translated(t, body, to)
		equalJSON(t, "parameters", member(t, out, "tools", 0, "functionDeclarations", 0, "parametersJsonSchema"), schema)
		equalJSON(t, "format", member(t, out, "generationConfig", "responseJsonSchema"), schema)
		if losses != "" {
			t.Errorf("%s: losses %q", to.Model, losses)
		}
	}
	if out, _ := translated(t, body, odd("gemini-3-flash", codec.Quirks{SchemaDialect: "openapi"})); member(t, out, "generationConfig", "responseSchema") == "" {
		t.Errorf("the dialect was not heeded: %s", out)
	}
}

// A strict request is refused where a schema cannot be said, by the field's name.
func TestStrictSchemas(t *testing.T) {
	body := chat(weir.UserText("a"))
	body.Tools = []weir.Tool{{Type: weir.ToolFunction, Name: "f", Schema: []byte(`{"type":"object","properties":{"a":{"type":"array","items":{"type":"string"},"uniqueItems":true}}}`)}}
	req := weir.NewRequest("m", body)
	req.Strict = true
	if e := refused(t, req, target("gemini-2.0-flash")); e.Kind != weir.KindUnsupported || e.Param != "tools[0].function.parameters.properties.a.uniqueItems" {
		t.Errorf("refused with %v of %s", e, e.Param)
	}
	sent(t, req, target("gemini-2.5-flash"))
}

// A Schema of this protocol is JSON Schema for everybody else.
func TestOpenAPISchemasAreRead(t *testing.T) {
	for in, want := range map[string]string{
		`{"type":"OBJECT","nullable":true,"properties":{"b":{"type":"STRING","nullable":true,"enum":["x"],"format":"enum"},"a":{"type":"INTEGER","minimum":"3","maxLength":"7"}},"propertyOrdering":["a","b"]}`: `{"type":["object","null"],"properties":{"a":{"type":"integer","minimum":3,"maxLength":7},"b":{"type":["string","null"],"enum":["x",null]}}}`,
		`{"type":6,"properties":{"a":{"type":5,"min_items":"2","items":{"type":1,"example":"e"}}}}`:                                                                                                             `{"type":"object","properties":{"a":{"type":"array","minItems":2,"items":{"type":"string","examples":["e"]}}}}`,
		`{"any_of":[{"type":"STRING"}],"nullable":true}`: `{"anyOf":[{"type":"string"},{"type":"null"}]}`,
		`"x"`: `"x"`,
	} {
		if got := gemini.JSONSchema([]byte(in)); !jsonx.Equal(got, []byte(want)) {
			t.Errorf("%s\n got %s\nwant %s", in, got, want)
		}
	}
	order := gemini.JSONSchema([]byte(`{"type":"OBJECT","properties":{"b":{"type":"STRING"},"a":{"type":"STRING"}},"propertyOrdering":["a"]}`))
	if bytes.Index(order, []byte(`"a"`)) > bytes.Index(order, []byte(`"b"`)) {
		t.Errorf("the order is lost in %s", order)
	}
}

// subset are the members that a schema may have; each has a value of this shape.
var subset = map[string]bool{
	"type": true, "format": true, "title": true, "description": true, "nullable": true, "enum": true, "items": true, "properties": true,
	"required": true, "propertyOrdering": true, "anyOf": true, "minimum": true, "maximum": true, "minItems": true, "maxItems": true,
	"minLength": true, "maxLength": true, "minProperties": true, "maxProperties": true, "pattern": true, "default": true, "example": true,
}

// checkSubset finds what an API that has only the subset would refuse.
func checkSubset(raw []byte) error {
	typed, branches := false, false
	err := jsonx.EachMember(raw, func(key, v []byte) error {
		switch k := string(key); {
		case !subset[k]:
			return fmt.Errorf("the member %q", k)
		case k == "type":
			typed = true
		case k == "items":
			return checkSubset(v)
		case k == "properties":
			return jsonx.EachMember(v, func(_, v []byte) error { return checkSubset(v) })
		case k == "anyOf":
			branches = true
			return jsonx.EachElement(v, func(_ int, v []byte) error { return checkSubset(v) })
		}
		return nil
	})
	if err == nil && typed == branches {
		err = fmt.Errorf("neither a type alone nor branches alone in %s", raw)
	}
	return err
}

// schemaGen draws schemas, of keywords that belong together and of ones that do not.
func schemaGen(depth int) *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		var out []string
		add := func(s string) { out = append(out, s) }
		inner := func(name string) string {
			if depth == 0 {
				return `{"$ref":"#/$defs/D"}`
			}
			return schemaGen(depth-1).Draw(t, name)
		}
		for _, k := range rapid.SliceOfNDistinct(rapid.IntRange(0, 15), 0, 5, rapid.ID).Draw(t, "keywords") {
			switch k {
			case 0:
				add(`"type":` + rapid.SampledFrom([]string{`"object"`, `"string"`, `"null"`, `["integer","null"]`, `["string","array"]`, `"array"`, `7`, `[]`}).Draw(t, "type"))
			case 1:
				add(`"properties":{"a":` + inner("a") + `,"type":` + inner("b") + `}`)
			case 2:
				add(`"required":["a","q"]`)
			case 3:
				add(`"items":` + inner("items"))
			case 4:
				add(`"anyOf":[` + inner("x") + `,` + inner("y") + `]`)
			case 5:
				add(`"oneOf":[` + inner("z") + `]`)
			case 6:
				add(`"allOf":[` + inner("v") + `,` + inner("w") + `]`)
			case 7:
				add(`"enum":` + rapid.SampledFrom([]string{`["a",""]`, `[1,null]`, `[]`, `[{}]`, `[null]`}).Draw(t, "enum"))
			case 8:
				add(`"$ref":` + rapid.SampledFrom([]string{`"#"`, `"#/$defs/D"`, `"#/x"`, `"y"`}).Draw(t, "ref"))
			case 9:
				add(`"const":` + rapid.SampledFrom([]string{`"a"`, `null`, `[1]`}).Draw(t, "const"))
			case 10:
				add(`"exclusiveMinimum":` + rapid.SampledFrom([]string{`1`, `1.5`, `true`, `1e300`}).Draw(t, "bound"))
			case 11:
				add(`"prefixItems":[` + inner("p") + `,` + inner("q") + `]`)
			case 12:
				add(`"minLength":` + rapid.SampledFrom([]string{`1`, `-1`, `1.5`, `"2"`}).Draw(t, "length"))
			case 13:
				add(`"format":"date-time","description":"d","nullable":true`)
			case 14:
				add(`"additionalProperties":false,"not":{},"$defs":{"D":` + inner("d") + `}`)
			case 15:
				add(`"default":null,"examples":[1,2],"propertyOrdering":["b","a"]`)
			}
		}
		return "{" + strings.Join(out, ",") + "}"
	})
}

// Whatever the schema, the result is in the subset, is the same when it is made
// again, and is a fixed point.
func TestEverySchemaFitsTheSubset(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { checkSchema(t, []byte(schemaGen(3).Draw(t, "schema"))) })
}

func checkSchema(t interface{ Fatalf(string, ...any) }, raw []byte) {
	out, _ := gemini.OpenAPISchema(raw)
	if err := jsonx.Valid(out); err != nil {
		t.Fatalf("%v\n in %s\nout %s", err, raw, out)
	}
	if err := checkSubset(out); err != nil {
		t.Fatalf("%v\n in %s\nout %s", err, raw, out)
	}
	if same, _ := gemini.OpenAPISchema(raw); !bytes.Equal(out, same) {
		t.Fatalf("%s became %s and %s", raw, out, same) // C-03
	}
	if again, _ := gemini.OpenAPISchema(out); !bytes.Equal(out, again) {
		t.Fatalf("no fixed point\n  in %s\nonce %s\nthen %s", raw, out, again)
	}
}

func FuzzSchema(f *testing.F) {
	for _, tt := range schemas {
		f.Add([]byte(tt.in))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if jsonx.Valid(raw) != nil || jsonx.KindOf(raw) != jsonx.KindObject {
			return
		}
		checkSchema(t, raw)
		if out := gemini.JSONSchema(raw); jsonx.Valid(out) != nil {
			t.Fatalf("%s became %s", raw, out)
		}
	})
}
