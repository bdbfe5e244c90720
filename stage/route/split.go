package route

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/weir-gateway/weir"
)

// A Variant is one side of a Split.
type Variant struct {
	// Name is what the variant stands for: a model name.
	Name string
	// Percent is its share of the requests, from 0 to 100.
	Percent float64
}

// SplitOptions set up a Split.
type SplitOptions struct {
	// Name tells one Split from another: the same key falls differently in each.
	Name string
	// Variants are the sides; their percents add up to 100. To let one grow
	// without moving anybody else, list it next to the one it takes from.
	Variants []Variant
	// Key is what a request is assigned by, such as its principal and session:
	// the same key has the same variant as long as the shares stay. A request
	// without a key, and every one when it is nil, is assigned at random.
	Key func(*weir.Request) string
	// Rand is a random number from 0 up to 1, without 1. Nil is that of math/rand/v2.
	Rand func() float64
}

// A Split sends parts of the requests for one name to different models, for A/B
// tests and canaries. Safe for concurrent use.
type Split struct {
	options SplitOptions
	seed    uint64
	reasons []string
}

// NewSplit checks the options and makes a Split. All that is wrong is reported
// at once.
func NewSplit(o SplitOptions) (*Split, error) {
	var problems []error
	sum := 0.0
	s := &Split{options: o, seed: hash(o.Name)}
	for i, v := range o.Variants {
		if !(v.Percent >= 0 && v.Percent <= 100) {
			problems = append(problems, fmt.Errorf("variant %d: %g is not a percentage", i, v.Percent))
		}
		sum += v.Percent
		s.reasons = append(s.reasons, "variant "+v.Name)
	}
	if len(o.Variants) == 0 {
		problems = append(problems, errors.New("there are no variants"))
	} else if !(math.Abs(sum-100) < 1e-6) {
		problems = append(problems, fmt.Errorf("the variants add up to %g and not to 100 percent", sum))
	}
	if err := errors.Join(problems...); err != nil {
		return nil, fmt.Errorf("split %q: %w", o.Name, err)
	}
	if o.Rand == nil {
		s.options.Rand = rand.Float64
	}
	return s, nil
}

// Choose is the place in Variants of the one that a request is assigned to.
func (s *Split) Choose(req *weir.Request) int {
	key := ""
	if s.options.Key != nil {
		key = s.options.Key(req)
	}
	x := unit(mix(s.seed^hash(key))) * 100
	if key == "" {
		x = s.options.Rand() * 100
	}
	last := 0
	for i, v := range s.options.Variants {
		if v.Percent <= 0 {
			continue
		}
		if x < v.Percent {
			return i
		}
		x -= v.Percent
		last = i // of rounding
	}
	return last
}
