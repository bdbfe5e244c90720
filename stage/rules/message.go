package rules

import (
	"fmt"
	"strings"

	"cel.dev/cel-go/common/operators"

	"github.com/weir-gateway/weir/internal/nearest"
)

// undeclared is how CEL begins to tell an unknown name.
const undeclared = "undeclared reference to '"

// plain is CEL's message without what only its makers need: the list of all
// tokens that could have stood in a place, the empty container, and operators
// spelled as functions.
func plain(message string) string {
	if name, ok := unknownName(message); ok {
		return fmt.Sprintf("there is no variable or function %q", name)
	}
	message, _, _ = strings.Cut(message, " expecting ")
	message = strings.TrimPrefix(message, "Syntax error: ")
	message = strings.ReplaceAll(message, " (in container '')", "")
	for _, op := range operatorNames {
		message = strings.ReplaceAll(message, "'"+op.function+"'", "'"+op.sign+"'")
	}
	return message
}

func unknownName(message string) (string, bool) {
	rest, ok := strings.CutPrefix(message, undeclared)
	if !ok {
		return "", false
	}
	name, _, ok := strings.Cut(rest, "'")
	return name, ok
}

// hint offers the names most like an unknown one.
func hint(message string) string {
	name, ok := unknownName(message)
	if !ok {
		return ""
	}
	near := nearest.Names(name, func(yield func(string) bool) {
		for i := range variables {
			if !yield(variables[i].Name) {
				return
			}
		}
	}, 3)
	if len(near) == 0 {
		return ""
	}
	return "did you mean " + strings.Join(near, ", ") + "?"
}

// operatorNames are CEL's functions that are written as signs.
var operatorNames = func() (out []struct{ function, sign string }) {
	for _, f := range []string{
		operators.LogicalAnd, operators.LogicalOr, operators.LogicalNot, operators.Equals, operators.NotEquals,
		operators.Less, operators.LessEquals, operators.Greater, operators.GreaterEquals, operators.Add,
		operators.Subtract, operators.Multiply, operators.Divide, operators.Modulo, operators.Negate, operators.In,
	} {
		if sign, ok := operators.FindReverse(f); ok && sign != "" {
			out = append(out, struct{ function, sign string }{f, sign})
		}
	}
	return append(out, struct{ function, sign string }{operators.Index, "[]"}, struct{ function, sign string }{operators.Conditional, "?:"})
}()
