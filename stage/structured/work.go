package structured

import (
	"encoding/json"
	"errors"
	"regexp/syntax"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// A check costs at most about what the schema has times what the answer has, as
// long as its references do not fork. maxPlain bounds that product in values, and
// maxMatched the one of the patterns' states and the answer's bytes. Either is
// about a second, and far beyond what models write.
const (
	maxPlain   = 20_000_000
	maxMatched = 500_000_000
)

// afford reports whether a value that was read from n bytes can be checked.
func (c *checker) afford(v any, n int) bool {
	return c.weight*weigh(v) <= maxPlain && c.states*n <= maxMatched
}

// weigh counts the values in v. Numbers weigh more: they are compared exactly.
func weigh(v any) (n int) {
	switch v := v.(type) {
	case map[string]any:
		for _, member := range v {
			n += weigh(member)
		}
	case []any:
		for _, item := range v {
			n += weigh(item)
		}
	case json.Number:
		n = 10
	}
	return n + 1
}

// statesOf is the size of a regular expression as it is run.
func statesOf(expr string) int {
	re, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		return 0
	}
	prog, err := syntax.Compile(re.Simplify())
	if err != nil {
		return 0
	}
	return len(prog.Inst)
}

// maxWork bounds how many schemas are applied in one check: a few lines of
// references that fork can ask for more than all computers can do. It is some
// tenths of a second.
const maxWork = 200_000

// work counts the schemas that are applied. The library has no such bound, but
// calls the format of a schema before it goes on to the schemas inside, so that
// the count is put there.
type work struct {
	schemas []*jsonschema.Schema
	done    int
}

// errWork ends a check; it is thrown, since the library cannot be told to stop.
var errWork = errors.New("it costs too much to check")

// watch collects the schemas that a compiler makes.
func (w *work) watch(c *jsonschema.Compiler) {
	const url = "urn:weir:work"
	c.AssertVocabs()
	c.RegisterVocabulary(&jsonschema.Vocabulary{
		URL: url,
		Compile: func(ctx *jsonschema.CompilerContext, _ map[string]any) (jsonschema.SchemaExt, error) {
			w.schemas = append(w.schemas, ctx.Enqueue(nil))
			return nil, nil
		},
	})
}

// count puts the count into the schemas.
func (w *work) count() {
	for _, s := range w.schemas {
		format := s.Format
		counted := &jsonschema.Format{Validate: func(any) error { w.step(); return nil }}
		if format != nil {
			counted.Name = format.Name
			counted.Validate = func(v any) error {
				w.step()
				return format.Validate(v)
			}
		}
		s.Format = counted
	}
	w.schemas = nil
}

func (w *work) step() {
	if w.done++; w.done > maxWork {
		panic(errWork)
	}
}

// validate is schema.Validate within the bound, whose error is errWork.
func (w *work) validate(schema *jsonschema.Schema, v any) (err error) {
	w.done = 0
	defer func() {
		if p := recover(); p != nil {
			if p != errWork { //nolint:errorlint // the very value that was thrown
				panic(p)
			}
			err = errWork
		}
	}()
	return schema.Validate(v)
}
