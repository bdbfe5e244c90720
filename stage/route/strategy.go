package route

import (
	"fmt"
	"strings"
	"time"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/stage/breaker"
)

// A Strategy puts the deployments of one model name in order for a request,
// best first: every one of them once. The slice may be shared and is not
// modified. Safe for concurrent use.
type Strategy interface {
	Order(req *weir.Request) []weir.Deployment
	// String names the strategy in the reason of a weir.Route note.
	String() string
}

// Health is what an order needs to know about a deployment at the moment.
// *breaker.Member and *breaker.Health have it. Safe for concurrent use, and
// quick: it is asked for every request.
type Health interface {
	// Standing is how much the deployment commends itself.
	Standing() breaker.Standing
	// InFlight is how many calls are in progress.
	InFlight() int
	// Latency is how soon answers come, streamed or in one piece; 0 when that
	// is not known.
	Latency(streamed bool) time.Duration
	// Probe reports whether a Slow deployment is to get this request, to see
	// whether it is back. Who is told true makes the call.
	Probe() bool
}

// A Method is how the first deployment is chosen among those that are equally
// able to serve.
type Method uint8

// Methods.
const (
	Ordered   Method = iota // the first that is listed
	Weighted                // in proportion to the weights, by smooth weighted round robin
	Latency                 // of two that are taken at random, the one that is quicker for its calls in progress
	LeastBusy               // the one with the fewest calls in progress for its weight
	Cheapest                // the one with the lowest price
	Sticky                  // the same one for the same key
)

var methodNames = [...]string{"ordered", "weighted", "latency", "least_busy", "cheapest", "sticky"}

// String is the method's name in configurations and notes.
func (m Method) String() string {
	if int(m) < len(methodNames) {
		return methodNames[m]
	}
	return "unknown"
}

// ParseMethod is the Method of a name.
func ParseMethod(name string) (Method, error) {
	for i, known := range methodNames {
		if known == name {
			return Method(i), nil
		}
	}
	return 0, fmt.Errorf("%q is not a strategy (%s)", name, strings.Join(methodNames[:], ", "))
}
