package rules

import (
	"fmt"
	"strings"
)

// An Error is a mistake in a rule, found by New.
type Error struct {
	Model string // of the list; empty for the general one
	Rule  int    // from 1; 0: the mistake is in the list itself
	Name  string // of the rule, if it has one
	// Line and Column are where in the condition, from 1 and in characters; 0
	// when the mistake is not in the condition.
	Line, Column int
	Message      string
	Hint         string // the way out, where there is one
}

// Error names the rule, the column and the mistake.
func (e *Error) Error() string {
	var b strings.Builder
	if e.Model != "" {
		fmt.Fprintf(&b, "%q: ", e.Model)
	}
	if e.Rule > 0 {
		fmt.Fprintf(&b, "rule %d", e.Rule)
		if e.Name != "" {
			fmt.Fprintf(&b, " (%s)", e.Name)
		}
		if e.Line > 1 {
			fmt.Fprintf(&b, ", line %d", e.Line)
		}
		if e.Column > 0 {
			fmt.Fprintf(&b, ", column %d", e.Column)
		}
		b.WriteString(": ")
	}
	b.WriteString(e.Message)
	if e.Hint != "" {
		b.WriteString("; ")
		b.WriteString(e.Hint)
	}
	return b.String()
}
