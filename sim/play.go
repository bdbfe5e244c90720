package sim

import (
	"context"

	"github.com/weir-gateway/weir"
)

// A play performs scripts for one consumer.
type play struct {
	ctx   context.Context
	yield func(weir.Event, error) bool
	pace  *pace
	over  bool
}

// send hands one Event out. It reports whether to go on.
func (p *play) send(ev weir.Event) bool {
	if p.over {
		return false
	}
	if err := p.ctx.Err(); err != nil {
		return p.fail(err)
	}
	p.over = !p.yield(ev, nil)
	return !p.over
}

func (p *play) fail(err error) bool {
	p.over = true
	p.yield(weir.Event{}, err)
	return false
}

// scripts performs the choices side by side, one event of each in turn, as
// upstreams do. It reports whether to go on.
func (p *play) scripts(list []*script) bool {
	for i := 0; ; i++ {
		played := false
		for _, s := range list {
			if i >= len(s.events) {
				continue
			}
			ev := s.events[i]
			if err := p.pace.wait(p.ctx, ev, !played); err != nil {
				return p.fail(err)
			}
			played = true
			ev.More = i+1 < len(s.events) && s.events[i+1].Type != weir.EventDelta || ev.Type == weir.EventFinish
			if !p.send(ev) {
				return false
			}
		}
		if !played {
			return true
		}
	}
}
