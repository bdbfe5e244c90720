package rules

import (
	"cmp"
	"errors"
	"time"

	"github.com/weir-gateway/weir"
)

// Bounds of what is configured.
const (
	maxExpression = 4096 // characters of one condition
	maxNodes      = 1000 // parts of one condition, with what its macros become
	maxRegexp     = 2000 // instructions of a compiled regular expression
)

// DefaultCostLimit is a good Options.CostLimit: some ten milliseconds at worst,
// far above what a condition over the features takes.
const DefaultCostLimit = 200_000

// Options are the rules of a gateway. The zero value has none.
type Options struct {
	// Lists are the lists of rules. At most one is general, with no Model.
	Lists []List
	// Zone is where the variables hour and weekday are told; nil is UTC.
	Zone *time.Location
	// CostLimit bounds the evaluation of one condition, in CEL's units of cost:
	// about one for each step, and one for each ten characters of a text that
	// is looked through. 0 is DefaultCostLimit.
	CostLimit uint64
	// Lacks reports whether a request surely has nothing of a feature, without
	// decoding it; a doubt is false. It is asked for the variables images,
	// files, audio, tools, thinking, json, max_tokens and metadata. Nil: the
	// request is decoded.
	Lacks func(req *weir.Request, variable string) bool
	// Allowed reports whether a Principal may use a model of that name. A rule
	// is the operator's word: who may use the model that was asked for may use
	// the one that a rule puts in its place. Nil: the name that was chosen is
	// judged as if it had been asked for.
	Allowed func(p *weir.Principal, model string) bool
	// Known says why a name cannot be routed, so that New can refuse it. Nil:
	// names are not checked.
	Known func(model string) error
}

// A List is an ordered list of rules of which the first that holds decides.
type List struct {
	// Model is the name that a client asks for, exactly. Empty is the general
	// list, which judges every request, first.
	Model string
	Rules []Rule
	// Default is used when no rule holds; the Model itself is what that stands
	// for without rules. A list with a Model must have one,
	// since its name means nothing else; the general list has none.
	Default string
}

// A Rule sends requests for which When holds to Use.
//
// A condition that does not mention the variable op is only asked for Generate
// and CountTokens: that a chat prompt is long is no reason to send a request
// for embeddings to another model.
type Rule struct {
	Name string // for people; may be empty
	// When is a CEL expression over Variables that is true or false.
	When string
	// Use is the model to be used: an alias, a model, "provider/model". A rule
	// of the general list may name another list; others may not, so that no
	// circle is possible.
	Use string
}

// Rules are compiled Options. Safe for concurrent use.
type Rules struct {
	options Options
	general *list            // nil: there is none
	named   map[string]*list // by Model
}

// New compiles the rules. The error joins one *Error for each mistake, in order.
func New(o Options) (*Rules, error) {
	o.CostLimit = cmp.Or(o.CostLimit, DefaultCostLimit)
	if o.Zone == nil {
		o.Zone = time.UTC
	}
	r := &Rules{options: o, named: map[string]*list{}}
	if len(o.Lists) == 0 {
		return r, nil
	}
	c, err := newCompiler(&o)
	if err != nil {
		return nil, err
	}
	for i := range o.Lists {
		r.add(c, &o.Lists[i])
	}
	return r, errors.Join(c.errs...)
}

// add compiles one list.
func (r *Rules) add(c *compiler, src *List) {
	l := c.list(src)
	switch {
	case src.Model == "" && r.general != nil:
		c.fail(src, 0, &Error{Message: "there is a general list already: only one list may be without a model"})
	case src.Model == "":
		r.general = l
	case r.named[src.Model] != nil:
		c.fail(src, 0, &Error{Message: "the model has a list already"})
	default:
		r.named[src.Model] = l
	}
}

// Empty reports whether there is nothing to judge.
func (r *Rules) Empty() bool { return r.general == nil && len(r.named) == 0 }

// Models are the names that exist through a list of their own, in no order.
func (r *Rules) Models() []string {
	names := make([]string, 0, len(r.named))
	for name := range r.named {
		names = append(names, name)
	}
	return names
}
