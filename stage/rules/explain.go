package rules

import (
	"fmt"
	"slices"

	"github.com/weir-gateway/weir"
)

// An Explanation is what the rules would do with a request, and why.
type Explanation struct {
	// Asked is the model that was asked for, and Model the one that would be
	// used; Reason is that of Note.
	Asked, Model, Reason string
	// Results are those of all rules, of the general list and of the list that
	// the request comes to, in the order in which they would be asked.
	Results []Result
	// Features are the values of the variables that those rules mention, in
	// order of their names. A text of the user is told by its length only.
	Features []Feature
}

// A Result is what became of one rule.
type Result struct {
	Model   string // of the list; empty for the general one
	Rule    int    // from 1; 0 is the default of a list
	Name    string
	When    string
	Use     string
	Outcome Outcome
	// Decides tells that this is the rule of its list that is followed.
	Decides bool
	// Reason says why a rule was passed over.
	Reason string
}

// Outcome is how the evaluation of a rule ended.
type Outcome string

// Outcomes. All rules are evaluated, those too that a call would not come to.
const (
	Holds   Outcome = "holds"
	Fails   Outcome = "does not hold"
	Skipped Outcome = "cannot be evaluated"
	// NotAsked is a rule that says nothing of op, for another operation than
	// Generate and CountTokens.
	NotAsked Outcome = "is not for this operation"
)

// A Feature is a variable and its value for one request.
type Feature struct{ Name, Value string }

// Explain evaluates every rule that is about req, and calls nothing.
func (r *Rules) Explain(req *weir.Request) *Explanation {
	f := r.features(req)
	d := r.judge(f)
	e := &Explanation{Asked: req.Model, Model: d.use, Reason: d.reason}
	if d.use == "" {
		e.Model = req.Model
	}
	name := req.Model
	var mentioned []string
	if r.general != nil {
		if hit := e.list(r.general, f); hit != nil {
			name = hit.use
		}
		mentioned = r.general.mentions(mentioned)
	}
	if l := r.named[name]; l != nil {
		hit := e.list(l, f)
		e.Results = append(e.Results, Result{Model: l.model, Use: l.fallback, Outcome: Holds, Decides: hit == nil})
		mentioned = l.mentions(mentioned)
	}
	slices.Sort(mentioned)
	for _, variable := range slices.Compact(mentioned) {
		e.Features = append(e.Features, Feature{variable, f.show(variable)})
	}
	return e
}

// list adds the results of a list and returns the rule that decides.
func (e *Explanation) list(l *list, f *features) (decides *rule) {
	for i := range l.rules {
		r := &l.rules[i]
		out := Result{Model: l.model, Rule: r.number, Name: r.name, When: r.when, Use: r.use, Outcome: Fails}
		if !r.applies(f.req.Op) {
			out.Outcome = NotAsked
		} else if holds, why := r.holds(f); why != "" {
			out.Outcome, out.Reason = Skipped, why
		} else if holds {
			out.Outcome = Holds
		}
		if out.Outcome == Holds && decides == nil {
			decides, out.Decides = r, true
		}
		e.Results = append(e.Results, out)
	}
	return decides
}

func (l *list) mentions(names []string) []string {
	for i := range l.rules {
		names = append(names, l.rules[i].uses...)
	}
	return names
}

// show is the value of a variable for people.
func (f *features) show(name string) string {
	v, _ := f.ResolveName(name)
	switch v := v.(type) {
	case error:
		return "? (" + v.Error() + ")"
	case stringMap:
		return fmt.Sprintf("%q", map[string]string(v))
	default:
		if name == "prompt" {
			return fmt.Sprintf("(%d characters)", characters(f.last))
		}
		return fmt.Sprint(v)
	}
}
