package rules

import (
	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/cost"
)

// maxName is how much of a name from outside a condition sees, in bytes.
const maxName = 1 << 10

// sizes are the lengths of the variables that are bounded, in bytes. Labels and
// metadata are not here: nobody says how many there are.
var sizes = map[string]uint64{
	"model": maxName, "principal": maxName, "protocol": maxName, "op": 64, "language": 2, "prompt": maxPrompt,
}

// worst estimates what the evaluation of a condition costs at worst.
type worst struct{}

// EstimateSize implements cost.Estimator.
func (worst) EstimateSize(node cost.AstNode) *cost.SizeEstimate {
	path := node.Path()
	if len(path) != 1 {
		return nil
	}
	n, ok := sizes[path[0]]
	if !ok {
		return nil
	}
	return &cost.SizeEstimate{Max: n}
}

// EstimateCallCost implements cost.Estimator: as CEL thinks.
func (worst) EstimateCallCost(string, string, *cost.AstNode, []cost.AstNode) *cost.CallEstimate {
	return nil
}

// price bounds what evaluations of a condition may cost. What is known to stay
// below the limit needs no counting, which costs as much as the evaluation
// itself; what cannot stay below it is a mistake.
func (c *compiler) price(checked *cel.Ast) ([]cel.ProgramOption, *Error) {
	limit := c.options.CostLimit
	e, err := c.env.EstimateCost(checked, worst{})
	if err != nil {
		return nil, &Error{Message: plain(err.Error())}
	}
	switch {
	case e.Min > limit:
		return nil, &Error{Message: "the condition costs more than it may, whatever the request is"}
	case e.Max <= limit:
		return nil, nil
	}
	return []cel.ProgramOption{cel.CostLimit(limit)}, nil
}
