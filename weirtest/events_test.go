package weirtest

import (
	"strings"
	"testing"

	"github.com/weir-gateway/weir"
)

// events in shorthand, for the table below.
var (
	evStart  = weir.Event{Type: weir.EventStart, Start: &weir.Start{}}
	evText   = weir.Event{Type: weir.EventBlockStart, Block: &weir.Block{Type: weir.BlockText}}
	evDelta  = weir.Event{Type: weir.EventDelta, Text: "a"}
	evEnd    = weir.Event{Type: weir.EventBlockEnd}
	evFinish = weir.Event{Type: weir.EventFinish, Finish: &weir.Finish{Reason: weir.FinishStop}}
	evPing   = weir.Event{Type: weir.EventPing}
	evRelay  = weir.Event{Type: weir.EventRelay}
)

func evUsage(n int64) weir.Event {
	u := new(weir.Usage)
	u.Set(weir.UsageOutput, n)
	return weir.Event{Type: weir.EventUsage, Usage: u}
}

func at(ev weir.Event, choice, index int32) weir.Event {
	ev.Choice, ev.Index = choice, index
	return ev
}

func framed(f *weir.Frame, list ...weir.Event) []weir.Event {
	for i := range list {
		list[i].Frame, list[i].FrameSeq = f, int32(i)
	}
	return list
}

func TestCheckEvents(t *testing.T) {
	type list = []weir.Event
	two := &weir.Frame{Events: 2}
	for name, c := range map[string]struct {
		events list
		want   string // part of the error, empty for none
	}{
		"a plain answer is well-formed":           {list{evPing, evStart, evText, evDelta, evEnd, evFinish, evUsage(1)}, ""},
		"a relayed answer is well-formed":         {list{evStart, evRelay, evRelay, evFinish, evUsage(1)}, ""},
		"blocks may be interleaved":               {list{evStart, evText, at(evText, 0, 1), evDelta, at(evDelta, 0, 1), at(evEnd, 0, 1), evEnd, evFinish}, ""},
		"choices are counted apart":               {list{evStart, evText, at(evText, 1, 0), evEnd, at(evEnd, 1, 0), evFinish, at(evFinish, 1, 0)}, ""},
		"frames are complete":                     {append(framed(two, evStart, evText), evEnd, evFinish), ""},
		"no start":                                {list{evPing}, "no start"},
		"two starts":                              {list{evStart, evStart}, "second start"},
		"content before the start":                {list{evText}, "not started"},
		"a block begins at 1":                     {list{evStart, at(evText, 0, 1)}, "next block is number 0"},
		"a delta without a block":                 {list{evStart, evDelta}, "outside of an open block"},
		"a delta after its block":                 {list{evStart, evText, evEnd, evDelta}, "outside of an open block"},
		"arguments in a text":                     {list{evStart, evText, {Type: weir.EventDelta, Part: weir.PartArguments}}, "does not belong"},
		"a block ends twice":                      {list{evStart, evText, evEnd, evEnd}, "not open"},
		"a choice finishes with an open block":    {list{evStart, evText, evFinish}, "still open"},
		"a choice finishes twice":                 {list{evStart, evFinish, evFinish}, "has finished"},
		"a choice never finishes":                 {list{evStart, evText, evEnd}, "no finish"},
		"usage shrinks":                           {list{evStart, evUsage(3), evUsage(2), evFinish}, "shrinks from 3 to 2"},
		"an event is missing from a frame":        {append(framed(two, evStart), evFinish), "says 2 events and had 1"},
		"an event is missing from the last frame": {append(list{evStart}, framed(two, evFinish)...), "last frame says 2"},
		"a frame begins in its middle":            {list{evStart, {Type: weir.EventPing, Frame: two, FrameSeq: 1}}, "begins with event 1"},
		"a finish has no reason":                  {list{evStart, {Type: weir.EventFinish, Finish: &weir.Finish{}}}, "without a reason"},
		"an event has no type":                    {list{evStart, {}}, "no known type"},
	} {
		t.Run(name, func(t *testing.T) {
			err := CheckEvents(c.events)
			switch {
			case c.want == "" && err != nil:
				t.Error(err)
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
		})
	}
}
