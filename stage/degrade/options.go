package degrade

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/weir-gateway/weir"
)

// Source is the word for where such an answer came from: in the Note, in the
// answer, in headers and in the ledger.
const Source = "degraded"

// Bounds of what is configured.
const (
	maxPattern = 1000     // bytes of a regular expression
	maxAnswer  = 64 << 10 // bytes of an answer
)

// DefaultMaxText is how much of the user's last text is looked through, in bytes.
const DefaultMaxText = 16 << 10

// Options are the rules. The zero value has none.
type Options struct {
	// Rules are tried in order; the first that fits answers. When none does, the
	// error is told as it is.
	Rules []Rule
	// Kinds are the errors that mean an outage; nil is DefaultKinds. Beyond those,
	// weir.KindRateLimit, KindQuota and KindInternal may be named: the first two
	// count when an upstream said so, and not when the gateway's own limits did.
	Kinds []weir.Kind
	// MaxText is how much of the user's last text the rules look through, in
	// bytes. 0 is DefaultMaxText.
	MaxText int
	// Zone is where an answer's date and time are told; nil is UTC.
	Zone *time.Location
}

// DefaultKinds are the errors that always mean an outage. The slice is the
// caller's.
func DefaultKinds() []weir.Kind {
	return []weir.Kind{weir.KindUpstream, weir.KindTimeout, weir.KindOverloaded, weir.KindUnavailable, weir.KindUpstreamAuth}
}

// A Rule answers what it fits. One with neither Keywords nor Pattern fits
// everything, and is a good last one.
type Rule struct {
	Name string // for people; may be empty
	// Models are the names that must have been asked for, exactly; empty is all.
	Models []string
	// Keywords fit when one of them is part of the user's last text, in capitals
	// or not.
	Keywords []string
	// Pattern is a regular expression (RE2) that fits when it is found there. What
	// its named groups caught can be used in Answer.
	Pattern string
	// Answer is the text, with places in it that are filled in:
	//
	//	{{model}}         the model that was asked for
	//	{{id}}            the id of the request
	//	{{kind}}          what is wrong: "overloaded", "timeout" …
	//	{{retry_after}}   seconds until a new attempt makes sense, if known
	//	{{date}} {{time}} now: 2026-11-21, 17:05
	//	{{match.NAME}}    what the group NAME of Pattern caught
	//	{{NAME|text}}     the text where NAME is empty
	//	{{"{{"}}          the text in the quotes as it is
	//
	// A text that is a JSON object or list whatever is filled in answers clients
	// that want JSON as well: {"error": "{{kind}}", "wait": {{retry_after|60}}}.
	// What is filled in is then escaped for a string.
	Answer string
}

// rule is a compiled Rule.
type rule struct {
	number   int
	name     string
	models   []string
	keywords []string // in small letters
	pattern  *regexp.Regexp
	answer   *template
}

// New is the stage; nil when there are no rules. The error joins all mistakes,
// in order.
func New(o Options) (weir.Middleware, error) {
	var errs []error
	s := &stage{kinds: o.Kinds, maxText: o.MaxText, zone: o.Zone}
	if s.kinds == nil {
		s.kinds = DefaultKinds()
	}
	if s.maxText <= 0 {
		s.maxText = DefaultMaxText
	}
	if s.zone == nil {
		s.zone = time.UTC
	}
	for _, k := range s.kinds {
		if !slices.Contains(DefaultKinds(), k) && k != weir.KindRateLimit && k != weir.KindQuota && k != weir.KindInternal {
			errs = append(errs, fmt.Errorf("the error %q says something about the request, and is not an outage", k.String()))
		}
	}
	for i := range o.Rules {
		r, err := compile(&o.Rules[i], i+1)
		if err != nil {
			errs = append(errs, err)
		}
		s.rules = append(s.rules, r)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if len(s.rules) == 0 {
		return nil, nil
	}
	return s.middleware, nil
}

func compile(src *Rule, number int) (rule, error) {
	r := rule{number: number, name: src.Name, models: src.Models}
	fail := func(format string, args ...any) (rule, error) {
		return rule{}, fmt.Errorf("rule %d: %w", number, fmt.Errorf(format, args...))
	}
	for _, k := range src.Keywords {
		if strings.TrimSpace(k) == "" {
			return fail("a keyword is empty, and would be part of every text")
		}
		r.keywords = append(r.keywords, strings.ToLower(k))
	}
	var groups []string
	if src.Pattern != "" {
		if len(src.Pattern) > maxPattern {
			return fail("the pattern is longer than %d bytes", maxPattern)
		}
		var err error
		if r.pattern, err = regexp.Compile(src.Pattern); err != nil {
			return fail("the pattern is wrong: %w", err)
		}
		groups = r.pattern.SubexpNames()
	}
	if strings.TrimSpace(src.Answer) == "" {
		return fail("the answer is missing")
	}
	if len(src.Answer) > maxAnswer {
		return fail("the answer is longer than %d bytes", maxAnswer)
	}
	t, err := parse(src.Answer, groups)
	if err != nil {
		return fail("the answer: %w", err)
	}
	r.answer = t
	return r, nil
}
