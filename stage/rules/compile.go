package rules

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
)

// A list is a compiled List.
type list struct {
	model    string
	rules    []rule
	fallback string
}

// A rule is a compiled Rule.
type rule struct {
	number int // from 1
	name   string
	when   string
	use    string
	// everywhere tells that the condition mentions op, and is asked for every
	// operation.
	everywhere bool
	uses       []string // the variables that it mentions, in alphabetical order
	program    cel.Program
}

// A compiler compiles lists and gathers what is wrong with them.
type compiler struct {
	options *Options
	env     *cel.Env
	errs    []error
}

func newCompiler(o *Options) (*compiler, error) {
	options := []cel.EnvOption{
		cel.StdLib(cel.StdLibSubset(nil)),
		cel.ClearMacros(),
		cel.Macros(
			cel.GlobalMacro(operators.Has, 1, expandHas), cel.AllMacro, cel.ExistsMacro,
			cel.ExistsOneMacro, cel.MapMacro, cel.MapFilterMacro, cel.FilterMacro,
		),
		cel.CrossTypeNumericComparisons(true),
		cel.ParserExpressionSizeLimit(maxExpression),
		cel.ExpressionNodeLimit(maxNodes),
		cel.ParserRecursionLimit(50),
		cel.ParserErrorRecoveryLimit(1),
		cel.ASTValidators(cel.ValidateRegexLiterals()),
		cel.RegexProgramSizeLimit(maxRegexp),
	}
	for i := range variables {
		options = append(options, cel.Variable(variables[i].Name, variables[i].celType()))
	}
	env, err := cel.NewCustomEnv(options...)
	if err != nil {
		return nil, fmt.Errorf("set up the expression language: %w", err)
	}
	return &compiler{options: o, env: env}, nil
}

// expandHas makes has(labels.x) mean 'x' in labels: there are no messages here
// whose fields could be unset, and a label that is missing reads as empty.
func expandHas(f cel.MacroExprFactory, _ ast.Expr, args []ast.Expr) (ast.Expr, *cel.Error) {
	if args[0].Kind() != ast.SelectKind {
		return nil, f.NewError(args[0].ID(), "has() takes a member: has(labels.team)")
	}
	s := args[0].AsSelect()
	return f.NewCall(operators.In, f.NewLiteral(celString(s.FieldName())), s.Operand()), nil
}

func (c *compiler) fail(src *List, number int, err *Error) {
	err.Model, err.Rule = src.Model, number
	if number > 0 {
		err.Name = src.Rules[number-1].Name
	}
	c.errs = append(c.errs, err)
}

// list compiles one list; what is wrong with it is in c.errs.
func (c *compiler) list(src *List) *list {
	l := &list{model: src.Model, fallback: src.Default}
	for i := range src.Rules {
		l.rules = append(l.rules, c.rule(src, i+1))
	}
	switch {
	case src.Model == "" && src.Default != "":
		c.fail(src, 0, &Error{Message: "the general list has no default: what no rule is about keeps its model"})
	case src.Model != "" && src.Default == "":
		c.fail(src, 0, &Error{Message: "a default is missing: the model that is used when no rule holds"})
	case src.Model != "":
		c.target(src, 0, src.Default)
	}
	return l
}

func (c *compiler) rule(src *List, number int) rule {
	from := &src.Rules[number-1]
	r := rule{number: number, name: from.Name, when: strings.TrimSpace(from.When), use: from.Use}
	if r.use == "" {
		c.fail(src, number, &Error{Message: "use is missing: the model to be used"})
	} else {
		c.target(src, number, r.use)
	}
	if r.when == "" {
		c.fail(src, number, &Error{Message: "when is missing: the condition", Hint: `"true" always holds`})
		return r
	}
	if utf8.RuneCountInString(from.When) > maxExpression {
		c.fail(src, number, &Error{Message: fmt.Sprintf("the condition is longer than %d characters", maxExpression)})
		return r
	}
	checked := c.check(src, number, from.When)
	if checked == nil {
		return r
	}
	r.uses = mentions(checked)
	r.everywhere = slices.Contains(r.uses, "op")
	options, bad := c.price(checked)
	if bad != nil {
		c.fail(src, number, bad)
		return r
	}
	p, err := c.env.Program(checked, append(options, cel.EvalOptions(cel.OptOptimize))...)
	if err != nil {
		c.fail(src, number, &Error{Message: plain(err.Error())})
		return r
	}
	r.program = p
	return r
}

// target checks the name that a list or rule sends to.
func (c *compiler) target(src *List, number int, use string) {
	if number == 0 && use == src.Model {
		return // what no rule is about is what the name stands for by itself
	}
	if c.isList(use) {
		if src.Model != "" {
			c.fail(src, number, &Error{Message: fmt.Sprintf("%q is a list of rules itself: only the general list may lead to one", use)})
		}
		return
	}
	if c.options.Known == nil {
		return
	}
	if err := c.options.Known(use); err != nil {
		c.fail(src, number, &Error{Message: err.Error()})
	}
}

func (c *compiler) isList(name string) bool {
	return slices.ContainsFunc(c.options.Lists, func(l List) bool { return l.Model != "" && l.Model == name })
}

// check parses a condition and checks its types; nil when something is wrong.
func (c *compiler) check(src *List, number int, when string) *cel.Ast {
	checked, issues := c.env.Compile(when)
	if issues.Err() != nil {
		for _, e := range issues.Errors() {
			out := &Error{Line: e.Location.Line(), Column: e.Location.Column() + 1, Message: plain(e.Message)}
			out.Hint = hint(e.Message)
			c.fail(src, number, out)
		}
		return nil
	}
	if t := checked.OutputType(); !t.IsExactType(cel.BoolType) {
		c.fail(src, number, &Error{
			Line: 1, Column: 1, Message: fmt.Sprintf("the condition is of type %s, and must be true or false", t),
			Hint: "compare it with something",
		})
		return nil
	}
	return checked
}

// mentions are the variables that a condition may ask for.
func mentions(checked *cel.Ast) []string {
	found := map[string]bool{}
	for _, reference := range checked.NativeRep().ReferenceMap() {
		if isVariable(reference.Name) {
			found[reference.Name] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}

func isVariable(name string) bool {
	return slices.ContainsFunc(variables, func(v Variable) bool { return v.Name == name })
}
