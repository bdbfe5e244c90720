package gateway

import (
	"context"
	"slices"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/stage/replay"
	"github.com/weir-gateway/weir/stage/thread"
)

// toItsMaker puts the deployment first that made what the request goes on from:
// a response that it continues by its id, or reasoning that only its maker can
// read (T-06). The others stay behind it, in their order.
func (b *builder) toItsMaker(req *weir.Request, deployments []weir.Deployment) []weir.Deployment {
	if len(deployments) < 2 || req.Op != weir.Generate || !mayGoOn(req) {
		return deployments
	}
	maker, ok := b.maker(req)
	i := slices.IndexFunc(deployments, func(d weir.Deployment) bool { return d.Name == maker })
	if !ok || i <= 0 {
		return deployments
	}
	out := append([]weir.Deployment{deployments[i]}, deployments[:i]...)
	return append(out, deployments[i+1:]...)
}

// mayGoOn reports whether the request may go on from something.
func mayGoOn(req *weir.Request) bool {
	return hasMember(req, "previous_response_id") || mayHoldState(req)
}

func (b *builder) maker(req *weir.Request) (string, bool) {
	ctx := context.Background() // the stores are in memory: nothing is waited for
	if k := b.gateway.state.threads(b.cfg); k != nil && hasMember(req, "previous_response_id") {
		if body, err := req.Body(); err == nil && body.Thread != nil && body.Thread.Previous != "" {
			if d, ok := k.DeploymentOf(ctx, thread.TenantOf(req), body.Thread.Previous); ok {
				return d, true
			}
		}
	}
	if m := b.gateway.state.reasoning(b.cfg); m != nil {
		return replay.Origin(ctx, m, req)
	}
	return "", false
}
