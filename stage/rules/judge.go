package rules

import (
	"errors"
	"fmt"
	"strings"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/interpreter"

	"github.com/weir-gateway/weir"
)

// A Skip is a rule that could not be evaluated and was passed over.
type Skip struct {
	Model string // of the list; empty for the general one
	Rule  int    // from 1
	// Reason says why in a few words, and holds nothing of the request.
	Reason string
}

// A decision is what the rules say about a request.
type decision struct {
	use     string // empty: they say nothing
	reason  string
	skipped []Skip
}

// judge finds the model for a request: the general list first, then the list of
// the name that was asked for or that the general list chose.
func (r *Rules) judge(f *features) decision {
	var d decision
	if r.general != nil {
		if hit := r.general.first(f, &d); hit != nil {
			d.use, d.reason = hit.use, hit.reason()
		}
	}
	name := d.use
	if name == "" {
		name = f.req.Model
	}
	l := r.named[name]
	if l == nil {
		return d
	}
	reason := "no rule holds"
	d.use = l.fallback
	if hit := l.first(f, &d); hit != nil {
		d.use, reason = hit.use, hit.reason()
	}
	if d.reason != "" {
		d.reason += "; "
	}
	d.reason += l.model + ": " + reason
	return d
}

// applies reports whether a list judges requests of that kind.
func (r *rule) applies(op weir.Operation) bool {
	return r.everywhere || op == weir.Generate || op == weir.CountTokens
}

// first is the first rule that holds; nil when none does.
func (l *list) first(f *features, d *decision) *rule {
	for i := range l.rules {
		r := &l.rules[i]
		if !r.applies(f.req.Op) {
			continue
		}
		holds, why := r.holds(f)
		if why != "" {
			d.skipped = append(d.skipped, Skip{Model: l.model, Rule: r.number, Reason: why})
		}
		if holds {
			return r
		}
	}
	return nil
}

// holds evaluates a condition. why is not empty when that is not possible.
func (r *rule) holds(f *features) (holds bool, why string) {
	out, _, err := r.program.Eval(f)
	if err != nil {
		return false, failure(err)
	}
	return out == types.True, ""
}

// maxReason bounds the condition that a reason quotes, in bytes.
const maxReason = 200

// reason names the rule and quotes its condition.
func (r *rule) reason() string {
	when := strings.Join(strings.Fields(r.when), " ")
	if len(when) > maxReason {
		when = cut(when, maxReason) + " …"
	}
	if r.name != "" {
		return fmt.Sprintf("rule %d (%s): %s", r.number, r.name, when)
	}
	return fmt.Sprintf("rule %d: %s", r.number, when)
}

// failure says why an evaluation failed. Of CEL's own words only the beginnings
// that are known are told: the rest may quote the request.
func failure(err error) string {
	if errors.Is(err, errUndecoded) {
		return errUndecoded.Error()
	}
	if c, ok := errors.AsType[interpreter.EvalCancelledError](err); ok && c.Cause == interpreter.CostLimitExceeded {
		return "its evaluation costs too much"
	}
	text := err.Error()
	for _, known := range []string{
		"division by zero", "modulus by zero", "integer overflow", "unsigned integer overflow",
		"no such key", "index out of bounds", "no such overload", "range error",
	} {
		if strings.HasPrefix(text, known) {
			return known
		}
	}
	return "it cannot be evaluated"
}
