package thread

import (
	"context"
	"iter"
	"time"

	"github.com/weir-gateway/weir"
)

// warmUp answers a request that wants nothing generated: with an id to continue
// from and no output. No upstream is called, so nothing was used.
var warmUp = weir.HandlerFunc(func(ctx context.Context, req *weir.Request) iter.Seq2[weir.Event, error] {
	return func(yield func(weir.Event, error) bool) {
		if err := ctx.Err(); err != nil {
			yield(weir.Event{}, weir.AsError(err))
			return
		}
		usage := &weir.Usage{}
		usage.Set(weir.UsageInput, 0)
		usage.Set(weir.UsageOutput, 0)
		for _, ev := range []weir.Event{
			{Type: weir.EventStart, Start: &weir.Start{Model: req.Model, Created: time.Now().Unix()}},
			{Type: weir.EventFinish, Finish: &weir.Finish{Reason: weir.FinishStop}},
			{Type: weir.EventUsage, Usage: usage},
		} {
			if !yield(ev, nil) {
				return
			}
		}
	}
})
