package route

import (
	"context"
	"iter"

	"github.com/weir-gateway/weir"
)

// A Resolver finds the deployments for a request, best first, and says in a
// few words why these. The slice is shared and not modified. An unknown name
// is a KindModelNotFound *Error. Safe for concurrent use.
type Resolver interface {
	Resolve(req *weir.Request) (deployments []weir.Deployment, reason string, err error)
}

// New is the stage that sets Request.Deployments. A Principal that may use
// neither the name that was asked for nor all of the deployments that it
// stands for gets a KindPermission error. The choice is told in a weir.Route
// note. A Request that has Deployments already passes as it is.
func New(r Resolver) weir.Middleware {
	return func(next weir.Handler) weir.Handler {
		return weir.HandlerFunc(func(ctx context.Context, req *weir.Request) iter.Seq2[weir.Event, error] {
			if len(req.Deployments) > 0 {
				return next.Handle(ctx, req)
			}
			return func(yield func(weir.Event, error) bool) { run(ctx, r, next, req, yield) }
		})
	}
}

func run(ctx context.Context, r Resolver, next weir.Handler, req *weir.Request, yield func(weir.Event, error) bool) {
	deployments, reason, err := r.Resolve(req)
	if err == nil && !permitted(req.Principal, req.Model, deployments) {
		err = forbidden(req)
	}
	if err != nil {
		yield(weir.Event{}, err)
		return
	}
	routed := req.Clone()
	routed.Deployments = deployments
	note := &weir.Route{Model: req.Model, Deployments: names(deployments), Reason: reason}
	if !yield(weir.NoteEvent(note), nil) {
		return
	}
	next.Handle(ctx, routed)(yield)
}

func names(deployments []weir.Deployment) []string {
	out := make([]string, len(deployments))
	for i := range deployments {
		out[i] = deployments[i].Name
	}
	return out
}

func forbidden(req *weir.Request) *weir.Error {
	err := weir.Errorf(weir.KindPermission, "the key %.64q may not use the model %.100q", req.Principal.Name, req.Model)
	err.Param = "model"
	err.Hint = "GET /v1/models lists the models that this key may use"
	return err
}
