package structured

import (
	"errors"
	"fmt"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// maxTold is how many violations are told at once.
const maxTold = 8

// A violation is why a text does not match. Nil: it does.
type violation struct {
	// told is for the model: paths in its own answer.
	told []string
	// where is for the client and the books: a place in its schema, and nothing
	// of the answer.
	where string
	// final tells that another answer would fare no better.
	final bool
}

// check compares a text with the format.
func (c *checker) check(text string) *violation {
	v, err := parse([]byte(text))
	if err != nil {
		return &violation{told: []string{err.Error()}, where: err.Error()}
	}
	if c.schema == nil {
		if _, ok := v.(map[string]any); !ok {
			return &violation{told: []string{"it must be a JSON object"}, where: "it is no JSON object"}
		}
		return nil
	}
	if err = errWork; c.afford(v, len(text)) {
		err = c.work.validate(c.schema, v)
	}
	if err == nil {
		return nil
	}
	if errors.Is(err, errWork) {
		return &violation{told: []string{err.Error()}, where: err.Error(), final: true}
	}
	e, ok := errors.AsType[*jsonschema.ValidationError](err)
	found := leaves(e)
	if !ok || len(found) == 0 {
		return &violation{told: []string{"it does not match"}, where: "it does not match"}
	}
	out := &violation{where: found[0].inSchema()}
	for i := range found {
		out.told = append(out.told, found[i].inAnswer())
	}
	return out
}

// A leaf is one keyword that is not met.
type leaf struct{ *jsonschema.ValidationError }

// leaves are the innermost violations in order, the first few of them.
func leaves(e *jsonschema.ValidationError) (out []leaf) {
	if e == nil {
		return nil
	}
	if len(e.Causes) == 0 {
		return []leaf{{e}}
	}
	for _, cause := range e.Causes {
		if out = append(out, leaves(cause)...); len(out) >= maxTold {
			return out[:maxTold]
		}
	}
	return out
}

// inAnswer names the place in the answer and what must be there.
func (l leaf) inAnswer() string {
	return "at " + pointer(l.InstanceLocation) + ": " + l.demand()
}

// inSchema names the keyword of the schema that is not met.
func (l leaf) inSchema() string {
	_, place, _ := strings.Cut(l.SchemaURL, "#")
	return "#" + place + strings.TrimSuffix(pointer(l.ErrorKind.KeywordPath()), "/") + " is not met"
}

// pointer is a JSON Pointer (RFC 6901), cut where it is absurdly long.
func pointer(path []string) string {
	var s strings.Builder
	for _, token := range path {
		s.WriteByte('/')
		s.WriteString(strings.NewReplacer("~", "~0", "/", "~1").Replace(token))
	}
	if s.Len() == 0 {
		return "/"
	}
	return short(s.String())
}

// short cuts a text to a length that is fit for a line.
func short(s string) string {
	const most = 200
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

// demand says what a keyword wants, and never what was there instead: names of
// members are the one exception.
func (l leaf) demand() string {
	switch k := l.ErrorKind.(type) {
	case *kind.Type:
		return "must be " + strings.Join(k.Want, " or ")
	case *kind.Required:
		return "must have " + list(k.Missing)
	case *kind.DependentRequired:
		return "must have " + list(k.Missing)
	case *kind.AdditionalProperties:
		return "must not have " + list(k.Properties)
	case *kind.Enum:
		return "must be one of the values that enum lists"
	case *kind.Const:
		return "must be the value of const"
	case *kind.Pattern:
		return "must match the pattern " + short(k.Want)
	case *kind.Format:
		return "must have the format " + short(k.Want)
	case *kind.MinItems:
		return fmt.Sprintf("must have at least %d items", k.Want)
	case *kind.MaxItems:
		return fmt.Sprintf("must have at most %d items", k.Want)
	case *kind.MinLength:
		return fmt.Sprintf("must have at least %d characters", k.Want)
	case *kind.MaxLength:
		return fmt.Sprintf("must have at most %d characters", k.Want)
	case *kind.UniqueItems:
		return "must not have an item twice"
	case *kind.FalseSchema:
		return "must not be there"
	}
	keyword := strings.Join(l.ErrorKind.KeywordPath(), "/")
	if keyword == "" {
		return "must match its schema"
	}
	return "must meet " + short(keyword)
}

func list(names []string) string {
	quoted := make([]string, 0, min(len(names), maxTold))
	for _, n := range names[:min(len(names), maxTold)] {
		quoted = append(quoted, fmt.Sprintf("%q", short(n)))
	}
	return strings.Join(quoted, ", ")
}
