package gateway

import (
	"fmt"

	"github.com/weir-gateway/weir"
)

// also tells what else would happen to a request beside being answered.
func (o *observer) also(asked, routed *weir.Request) []string {
	var out []string
	say := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	m := o.cfg.Models[routed.Model]
	if maker, ok := o.makerOf(routed); ok && len(routed.Deployments) > 1 && routed.Deployments[0].Name == maker {
		say("%s goes first: it made what the conversation goes on from", maker)
	}
	for _, s := range m.Split {
		say("%g %% of the requests for %s go to %s", s.Percent, routed.Model, s.Model)
	}
	switch m.Strategy {
	case "weighted", "latency", "least_busy":
		if len(routed.Deployments) > 1 {
			say("the strategy %s changes from request to request: another deployment may be the first", m.Strategy)
		}
	case "sticky":
		if stickyKey(m.StickyBy)(routed) == "" {
			say("the request has nothing by which it could stick to a deployment")
		}
	}
	for _, s := range o.cfg.Models[asked.Model].Shadow {
		say("%g %% of the requests are also sent to %s, without anybody getting its answer", s.Percent, s.Model)
	}
	if m.Hedge && len(routed.Deployments) > 1 {
		say("a second deployment is asked when the first is slower than usual")
	}
	if m.Continue && len(routed.Deployments) > 1 {
		say("an answer that breaks off is gone on with by the next deployment")
	}
	if m.Refusals {
		say("a refusal of the content goes on to the next deployment")
	}
	if n := len(o.cfg.Degraded); n > 0 {
		say("when all fail, one of %d prepared answers may be given", n)
	}
	return out
}

// makerOf is the deployment that a conversation came from, if it says so.
func (o *observer) makerOf(req *weir.Request) (string, bool) {
	if req.Op != weir.Generate || !mayGoOn(req) {
		return "", false
	}
	return o.maker(req)
}
