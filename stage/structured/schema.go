package structured

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/weir-gateway/weir"
)

// Bounds of a schema. OpenAI's own are 5,000 properties and 10 levels (Structured
// Outputs guide, 2026-08).
const (
	maxSchemaBytes   = 256 << 10
	maxSchemaObjects = 5000
	maxDepth         = 128 // of schemas and of answers
	maxNumber        = 400 // digits of a number, and its exponent
)

// A checker compares texts with one format. It is for one call, and not safe
// for concurrent use.
type checker struct {
	schema *jsonschema.Schema // nil: any object
	work   *work
	// unchecked counts patterns that are not checked.
	unchecked int
	// weight and states are what a value and a byte of an answer cost; see afford.
	weight, states int
}

// newChecker compiles the schema of a format. The error names field: it is
// KindInvalid for what is no schema, and KindUnsupported for one that can be
// checked by others only.
func newChecker(f *weir.Format, field string) (*checker, error) {
	c := &checker{work: new(work)}
	if f.Type == weir.FormatJSONObject || f.Schema == nil {
		return c, nil
	}
	if len(f.Schema) > maxSchemaBytes {
		return nil, weir.Invalid(field, "%s: the schema has %d bytes, more than %d", field, len(f.Schema), maxSchemaBytes)
	}
	doc, err := parse(f.Schema)
	if err != nil {
		return nil, weir.Invalid(field, "%s: the schema cannot be read: %s", field, err)
	}
	if c.weight = weigh(doc); objects(doc) > maxSchemaObjects {
		return nil, weir.Invalid(field, "%s: the schema has more than %d objects", field, maxSchemaObjects)
	}
	if !patternsCompile(doc) {
		e := weir.Errorf(weir.KindUnsupported, "%s: the schema has a patternProperties that cannot be checked here", field)
		e.Param, e.Hint = field, "use a pattern without look-around, or a model that takes schemas itself"
		return nil, e
	}
	if c.schema, err = c.compile(doc); err != nil {
		return nil, weir.Invalid(field, "%s: %s", field, whyNot(err))
	}
	return c, nil
}

// address names the schema to itself; nothing is ever fetched.
const address = "https://schema.invalid/answer"

// closed refuses every other document: the library would read local files.
type closed struct{}

var errOutside = errors.New("outside of the schema")

func (closed) Load(string) (any, error) { return nil, errOutside }

func (c *checker) compile(doc any) (*jsonschema.Schema, error) {
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	compiler.UseLoader(closed{})
	compiler.UseRegexpEngine(c.pattern)
	c.work.watch(compiler)
	if err := compiler.AddResource(address, doc); err != nil {
		return nil, err
	}
	schema, err := compiler.Compile(address)
	if err == nil {
		c.work.count()
	}
	return schema, err
}

// pattern compiles a regular expression. One that Go cannot run in linear time
// (Pydantic writes look-arounds for decimals) matches everything.
func (c *checker) pattern(expr string) (jsonschema.Regexp, error) {
	if re, err := regexp.Compile(expr); err == nil {
		c.states += statesOf(expr)
		return re, nil
	}
	c.unchecked++
	return anything(expr), nil
}

type anything string

func (a anything) String() string        { return string(a) }
func (anything) MatchString(string) bool { return true }

// parse reads one JSON value, and refuses what would cost too much to compare.
func parse(raw []byte) (any, error) {
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		return nil, errNoJSON
	}
	return v, tame(v, 0)
}

var (
	errNoJSON = errors.New("it is not valid JSON")
	errDeep   = fmt.Errorf("it is nested deeper than %d levels", maxDepth)
	errNumber = errors.New("it has a number that is too long")
)

// tame checks depth and numbers: 1e999999999 would be computed in full.
func tame(v any, depth int) error {
	if depth > maxDepth {
		return errDeep
	}
	switch v := v.(type) {
	case map[string]any:
		for _, member := range v {
			if err := tame(member, depth+1); err != nil {
				return err
			}
		}
	case []any:
		for _, item := range v {
			if err := tame(item, depth+1); err != nil {
				return err
			}
		}
	case json.Number:
		if !isShort(string(v)) {
			return errNumber
		}
	}
	return nil
}

// isShort reports whether a number has few digits and a small exponent.
func isShort(number string) bool {
	if len(number) > maxNumber {
		return false
	}
	for i, c := range number {
		if c == 'e' || c == 'E' {
			var exponent int
			_, err := fmt.Sscanf(number[i+1:], "%d", &exponent)
			return err == nil && exponent <= maxNumber && exponent >= -maxNumber
		}
	}
	return true
}

func objects(v any) (n int) {
	switch v := v.(type) {
	case map[string]any:
		n++
		for _, member := range v {
			n += objects(member)
		}
	case []any:
		for _, item := range v {
			n += objects(item)
		}
	}
	return n
}

// patternsCompile reports whether every name of a patternProperties can be
// compared: one that matched everything would apply where it does not belong.
func patternsCompile(v any) bool {
	switch v := v.(type) {
	case map[string]any:
		names, _ := v["patternProperties"].(map[string]any)
		for name := range names {
			if _, err := regexp.Compile(name); err != nil {
				return false
			}
		}
		for _, member := range v {
			if !patternsCompile(member) {
				return false
			}
		}
	case []any:
		for _, item := range v {
			if !patternsCompile(item) {
				return false
			}
		}
	}
	return true
}

// whyNot says in a clause why a schema could not be compiled.
func whyNot(err error) string {
	if e, ok := errors.AsType[*jsonschema.SchemaValidationError](err); ok {
		if v, ok := errors.AsType[*jsonschema.ValidationError](e.Err); ok {
			if found := leaves(v); len(found) > 0 {
				return "the schema is not valid: " + found[0].inAnswer()
			}
		}
		return "the schema is not valid"
	}
	if errors.Is(err, errOutside) {
		return "the schema refers to another document, which is not fetched"
	}
	return "the schema cannot be compiled: a reference leads nowhere, or a keyword is not what it should be"
}
