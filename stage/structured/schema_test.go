package structured

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/weir-gateway/weir"
)

func compiled(tb testing.TB, schema string) *checker {
	tb.Helper()
	c, err := newChecker(&weir.Format{Type: weir.FormatJSONSchema, Schema: []byte(schema)}, "response_format")
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

func TestViolations(t *testing.T) {
	tests := []struct {
		name, schema, text string
		told, where        string // empty: it matches
	}{
		{"a match", `{"type":"integer"}`, `1.0`, "", ""},
		{"a schema of an older draft", `{"$schema":"http://json-schema.org/draft-07/schema#","type":"integer"}`, `1`, "", ""},
		{"a type", `{"properties":{"a":{"type":["string","null"]}}}`, `{"a":1}`, "at /a: must be null or string", "#/properties/a/type is not met"},
		{"a member that is missing", `{"required":["a","b"]}`, `{"a":1}`, `at /: must have "b"`, "#/required is not met"},
		{"a member too many", `{"additionalProperties":false}`, `{"secret":1}`, `at /: must not have "secret"`, "#/additionalProperties is not met"},
		{"an item", `{"items":{"enum":[1,2]}}`, `[1,3]`, "at /1: must be one of the values that enum lists", "#/items/enum is not met"},
		{"a reference", `{"properties":{"a":{"$ref":"#/$defs/s"}},"$defs":{"s":{"minLength":3}}}`, `{"a":"x"}`, "at /a: must have at least 3 characters", "#/$defs/s/minLength is not met"},
		{"a number", `{"minimum":5}`, `4`, "at /: must meet minimum", "#/minimum is not met"},
		{"a pattern", `{"pattern":"^a$"}`, `"b"`, "at /: must match the pattern ^a$", "#/pattern is not met"},
		{"a format of an older draft", `{"$schema":"http://json-schema.org/draft-07/schema#","format":"date"}`, `"x"`, "at /: must have the format date", "#/format is not met"},
		{"a constant", `{"const":1}`, `2`, "at /: must be the value of const", "#/const is not met"},
		{"an item twice", `{"uniqueItems":true}`, `[1,1]`, "at /: must not have an item twice", "#/uniqueItems is not met"},
		{"the length of a list", `{"minItems":2}`, `[1]`, "at /: must have at least 2 items", "#/minItems is not met"},
		{"a name with a slash", `{"properties":{"a/b":{"type":"null"}}}`, `{"a/b":1}`, "at /a~1b: must be null", "#/properties/a~1b/type is not met"},
		{"no JSON", `{}`, `{"a":`, "it is not valid JSON", "it is not valid JSON"},
		{"two values", `{}`, `{} {}`, "it is not valid JSON", "it is not valid JSON"},
		{"a number that would fill the memory", `{"type":"integer"}`, `1e999999999`, "it has a number that is too long", "it has a number that is too long"},
		{"nests without end", `{}`, strings.Repeat("[", 1000) + strings.Repeat("]", 1000), "it is nested deeper than 128 levels", "it is nested deeper than 128 levels"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			v := compiled(t, test.schema).check(test.text)
			switch {
			case v == nil && test.told != "":
				t.Error("it matches")
			case v != nil && (v.told[0] != test.told || v.where != test.where):
				t.Errorf("told %q, where %q", v.told, v.where)
			}
		})
	}
}

func TestAnyObject(t *testing.T) {
	c, err := newChecker(&weir.Format{Type: weir.FormatJSONObject}, "response_format")
	if err != nil {
		t.Fatal(err)
	}
	for text, ok := range map[string]bool{`{}`: true, `{"a":[1]}`: true, `[]`: false, `"{}"`: false, `{`: false} {
		if got := c.check(text) == nil; got != ok {
			t.Errorf("%s: %t", text, got)
		}
	}
}

// What a check may cost is bounded before it begins, by what schema and answer
// are made of.
func TestChecksThatCostTooMuch(t *testing.T) {
	names := `["` + strings.Repeat(`a","`, 30_000) + `b"]`
	for name, test := range map[string]struct{ schema, text string }{
		"a long enum and a long list":   {`{"items":{"enum":` + names + `}}`, "[" + strings.Repeat("1,", 10_000) + "1]"},
		"a large pattern and long text": {`{"pattern":"` + strings.Repeat("(a|b|aa)*", 100) + `c$"}`, `"` + strings.Repeat("a", 1<<20) + `"`},
	} {
		t.Run(name, func(t *testing.T) {
			if v := compiled(t, test.schema).check(test.text); v == nil || !v.final || v.where != errWork.Error() {
				t.Errorf("violation %+v", v)
			}
		})
	}
}

func TestManyViolations(t *testing.T) {
	v := compiled(t, `{"items":{"type":"null"}}`).check("[" + strings.Repeat("1,", 100) + "1]")
	if v == nil || len(v.told) != maxTold || v.told[1] != "at /1: must be null" {
		t.Errorf("violation %+v", v)
	}
	long := strings.Repeat("long", 100)
	v = compiled(t, `{"additionalProperties":{"type":"null"}}`).check(`{"` + long + `":1}`)
	if v == nil || len(v.told[0]) > 250 || v.where != "#/additionalProperties/type is not met" {
		t.Errorf("violation %+v", v)
	}
}

// The bound counts each check anew, and lets ordinary ones pass.
func TestWorkIsCounted(t *testing.T) {
	c := compiled(t, `{"items":{"type":"object","properties":{"a":{"type":"integer"}}}}`)
	list := "[" + strings.Repeat(`{"a":1},`, 10_000) + `{"a":1}]`
	for range 20 {
		if v := c.check(list); v != nil {
			t.Fatalf("told %q", v.told)
		}
	}
	if c.work.done < 10_000 || c.work.done > maxWork {
		t.Errorf("%d steps", c.work.done)
	}
}

func TestClean(t *testing.T) {
	for text, want := range map[string]string{
		`{"a":1}`:                           `{"a":1}`,
		" {\"a\": 1}\n":                     `{"a": 1}`,
		"```json\n{\"a\":1}\n```":           `{"a":1}`,
		"```\n[1]\n```\ntext":               `[1]`,
		"a\n```json\n\"x\"\n```":            `"x"`,
		"The answer is [1, 2], I think":     `[1, 2]`,
		"no JSON at all":                    "no JSON at all",
		"{cut":                              "{cut",
		"```json\n{cut\n```":                "```json\n{cut\n```",
		"":                                  "",
		`{"code":"` + "```js\\nx```" + `"}`: `{"code":"` + "```js\\nx```" + `"}`,
	} {
		if got := clean(text); got != want {
			t.Errorf("%q became %q", text, got)
		}
	}
}

func FuzzClean(f *testing.F) {
	for _, s := range []string{`{"a":1}`, "```json\n{}\n```", "a {} b", "```", "{", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := clean(text)
		if !strings.Contains(text, got) {
			t.Errorf("%q became %q", text, got)
		}
		if got != text && !json.Valid([]byte(got)) {
			t.Errorf("%q was cut to %q", text, got)
		}
	})
}

// Whatever a client sends as a schema and a model as an answer, the check ends.
func FuzzCheck(f *testing.F) {
	f.Add(`{"type":"object","properties":{"a":{"type":"integer"}}}`, `{"a":1}`)
	f.Add(`{"$ref":"#"}`, `1`)
	f.Add(`{"anyOf":[{"$ref":"#/$defs/a"}],"$defs":{"a":{"not":{"$ref":"#"}}}}`, `[]`)
	f.Add(`{"$dynamicRef":"#a","$dynamicAnchor":"a"}`, `{}`)
	f.Add(`{"unevaluatedProperties":false,"allOf":[{"properties":{"x":{}}}]}`, `{"x":1,"y":2}`)
	f.Add(`{"propertyNames":{"maxLength":2}}`, `{"long":1}`)
	f.Add(`{"contentMediaType":"application/json","contentSchema":{}}`, `"{}"`)
	f.Add(`{"$schema":"http://json-schema.org/draft-04/schema#","id":"x","dependencies":{"a":["b"]}}`, `{"a":1}`)
	f.Add(`true`, `null`)
	f.Fuzz(func(t *testing.T, schema, text string) {
		c, err := newChecker(&weir.Format{Type: weir.FormatJSONSchema, Schema: []byte(schema)}, "response_format")
		if err != nil {
			if e := weir.AsError(err); e.Param != "response_format" || e.Kind != weir.KindInvalid && e.Kind != weir.KindUnsupported {
				t.Errorf("error %v", err)
			}
			return
		}
		if v := c.check(text); v != nil && (len(v.told) == 0 || v.where == "") {
			t.Errorf("it does not match, and nobody says why: %+v", v)
		}
	})
}
