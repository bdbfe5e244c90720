package attempt

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/weir-gateway/weir"
)

func frame(raw string, events int32) *weir.Frame {
	return &weir.Frame{Protocol: weir.OpenAIChat, Raw: []byte(raw), Events: events}
}

// through passes events that share one borrowed frame, as decoders make them.
func through(g *Gate, events ...weir.Event) (out []weir.Event) {
	for _, ev := range events {
		g.Pass(ev, func(ev weir.Event, _ error) bool { out = append(out, ev); return true })
	}
	return out
}

func TestGateHoldsUntilContent(t *testing.T) {
	var g Gate
	held := through(&g,
		weir.Event{Type: weir.EventStart, Start: &weir.Start{}},
		weir.Event{Type: weir.EventPing},
		weir.Event{Type: weir.EventUsage, Usage: &weir.Usage{InputTokens: 5, Known: weir.UsageInput}})
	if len(held) != 0 || g.Committed() {
		t.Fatalf("%d events went through before content, committed %t", len(held), g.Committed())
	}
	if out := through(&g, weir.NoteEvent(&weir.Upstream{})); len(out) != 1 || g.Committed() {
		t.Error("a note must go through at once and commit nothing")
	}
	if u := g.Spent(); u == nil || u.InputTokens != 5 {
		t.Errorf("the usage so far is %+v", u)
	}
	out := through(&g, weir.Event{Type: weir.EventDelta, Text: "a"})
	want := []weir.EventType{weir.EventStart, weir.EventPing, weir.EventUsage, weir.EventDelta}
	if len(out) != len(want) {
		t.Fatalf("released %d events, want %d", len(out), len(want))
	}
	for i := range want {
		if out[i].Type != want[i] {
			t.Errorf("event %d is %s, want %s", i, out[i].Type, want[i])
		}
	}
	if !g.Committed() || g.Spent() != nil {
		t.Error("the gate is not committed")
	}
}

// that a text begins is nothing to be seen; that a tool is called is.
func TestGateHoldsBlocksThatBeginEmpty(t *testing.T) {
	for name, tt := range map[string]struct {
		block weir.Block
		held  bool
	}{
		"text":                   {weir.Block{Type: weir.BlockText}, true},
		"a refusal":              {weir.Block{Type: weir.BlockRefusal}, true},
		"reasoning":              {weir.Block{Type: weir.BlockReasoning, Reasoning: &weir.Reasoning{Format: "f"}}, true},
		"reasoning, plain":       {weir.Block{Type: weir.BlockReasoning}, true},
		"text that says more":    {weir.Block{Type: weir.BlockText, Text: "a"}, false},
		"a source":               {weir.Block{Type: weir.BlockText, Citations: make([]weir.Citation, 1)}, false},
		"reasoning in a payload": {weir.Block{Type: weir.BlockReasoning, Reasoning: &weir.Reasoning{Encrypted: "x"}}, false},
		"a tool call":            {weir.Block{Type: weir.BlockToolCall, Call: &weir.ToolCall{Name: "f"}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			var g Gate
			out := through(&g, weir.Event{Type: weir.EventStart}, weir.Event{Type: weir.EventBlockStart, Block: &tt.block})
			if held := len(out) == 0; held != tt.held || g.Committed() == tt.held {
				t.Errorf("%d events went through, committed %t", len(out), g.Committed())
			}
			out = append(out, through(&g, weir.Event{Type: weir.EventDelta, Text: "b"})...)
			if len(out) != 3 || out[1].Block != &tt.block || !g.Committed() {
				t.Errorf("%d events in the end", len(out))
			}
		})
	}
}

func TestGateCopiesNothingWhenAFrameCommitsItself(t *testing.T) {
	var g Gate
	shared := frame("data: one\n\n", 3)
	out := through(&g,
		weir.Event{Type: weir.EventStart, Frame: shared},
		weir.Event{Type: weir.EventBlockStart, Frame: shared, FrameSeq: 1},
		weir.NoteEvent(&weir.Loss{}),
		weir.Event{Type: weir.EventDelta, Frame: shared, FrameSeq: 2})
	for _, i := range []int{0, 1, 3} {
		if out[i].Frame != shared {
			t.Errorf("event %d has lost its frame", i)
		}
	}
}

func TestGateKeepsWhatItHoldsBeyondItsFrame(t *testing.T) {
	var g Gate
	shared := frame("data: one\n\n", 2)
	through(&g,
		weir.Event{Type: weir.EventStart, Frame: shared},
		weir.Event{Type: weir.EventPing, Frame: shared, FrameSeq: 1})
	shared.Raw, shared.Events = []byte("data: two\n\n"), 1 // the decoder uses its frame again
	out := through(&g, weir.Event{Type: weir.EventDelta, Frame: shared})
	if out[0].Frame == shared || string(out[0].Frame.Raw) != "data: one\n\n" || out[1].Frame != out[0].Frame {
		t.Error("what was held still borrows its frame, or was torn apart")
	}
	if out[2].Frame != shared {
		t.Error("what commits was copied")
	}
}

func TestGateLetsGoOfAFrameThatDidNotComeWhole(t *testing.T) {
	var g Gate
	shared := frame("data: one\n\n", 2)
	through(&g, weir.Event{Type: weir.EventStart, Frame: shared})
	shared.Raw = []byte("data: two\n\n") // a stage has kept the second event for itself
	out := through(&g, weir.Event{Type: weir.EventDelta, Frame: shared})
	if out[0].Frame != nil || out[1].Frame != shared {
		t.Error("a held event points at another frame's bytes")
	}
}

func TestGateIsBounded(t *testing.T) {
	var g Gate
	big := frame(string(bytes.Repeat([]byte("x"), 400<<10)), 1)
	through(&g, weir.Event{Type: weir.EventPing, Frame: big}, weir.Event{Type: weir.EventPing, Frame: big})
	through(&g, weir.Event{Type: weir.EventPing, Frame: big}) // too much: dropped
	through(&g, weir.Event{Type: weir.EventStart, Start: &weir.Start{ID: "kept"}, Frame: big})
	for n := range int64(100) {
		through(&g, weir.Event{Type: weir.EventUsage, Usage: &weir.Usage{InputTokens: n, Known: weir.UsageInput}, Frame: big})
	}
	if g.size > maxHeld+len(big.Raw)+eventCost {
		t.Errorf("%d bytes are held", g.size)
	}
	out := through(&g, weir.Event{Type: weir.EventFinish})
	var starts, pings int
	var last *weir.Usage
	for _, ev := range out {
		switch ev.Type {
		case weir.EventStart:
			starts++
		case weir.EventPing:
			pings++
		case weir.EventUsage:
			last = ev.Usage
		}
	}
	if starts != 1 || pings != 2 || last == nil || last.InputTokens != 99 {
		t.Errorf("released %d starts, %d pings, usage %+v", starts, pings, last)
	}
}

// A block is never dropped: there would be no place for what is added to it.
func TestGateCommitsWithABlockThatItHasNoRoomFor(t *testing.T) { // W-02
	var g Gate
	whole := frame(string(bytes.Repeat([]byte("x"), maxHeld)), 3)
	out := through(&g,
		weir.Event{Type: weir.EventStart, Frame: whole},
		weir.Event{Type: weir.EventBlockStart, Block: &weir.Block{Type: weir.BlockText}, Frame: whole, FrameSeq: 1})
	if len(out) != 2 || !g.Committed() || out[0].Frame != whole {
		t.Errorf("%d events, committed %t", len(out), g.Committed())
	}
	g = Gate{}
	for n := 0; !g.Committed(); n++ {
		if through(&g, weir.Event{Type: weir.EventBlockStart, Block: &weir.Block{Type: weir.BlockText}}); n > maxHeld/eventCost {
			t.Fatal("blocks are held without a bound")
		}
	}
}

func TestGateFlushesAnAnswerWithoutContent(t *testing.T) {
	var g Gate
	through(&g, weir.Event{Type: weir.EventStart})
	n := 0
	g.Flush(func(weir.Event, error) bool { n++; return true })
	g.Flush(func(weir.Event, error) bool { n++; return true })
	if n != 1 || !g.Committed() {
		t.Errorf("flushed %d events, committed %t", n, g.Committed())
	}
}

func TestGateStopsWithItsConsumer(t *testing.T) {
	var g Gate
	through(&g, weir.Event{Type: weir.EventStart}, weir.Event{Type: weir.EventPing})
	n := 0
	if g.Pass(weir.Event{Type: weir.EventDelta}, func(weir.Event, error) bool { n++; return false }) || n != 1 {
		t.Errorf("yield was called %d times after the consumer stopped", n)
	}
}

// Whatever comes in, what goes out is the same but for its place among notes,
// and nothing but notes goes out before content does.
func TestGateLosesAndReordersNothing(t *testing.T) {
	types := []weir.EventType{weir.EventStart, weir.EventPing, weir.EventUsage, weir.EventNote, weir.EventDelta, weir.EventRelay}
	random := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		var g Gate
		var in, out []int32
		content := false
		shared := frame("data: x\n\n", 0)
		for n := range int32(random.IntN(12)) {
			ev := weir.Event{Type: types[random.IntN(len(types))], Index: n, Frame: shared, FrameSeq: random.Int32N(3)}
			if ev.Type == weir.EventNote {
				ev = weir.NoteEvent(&weir.Loss{})
			} else {
				in = append(in, n)
			}
			content = content || ev.IsContent()
			for _, ev := range through(&g, ev) {
				if ev.Type != weir.EventNote {
					out = append(out, ev.Index)
				}
			}
			if g.Committed() != content || !content && len(out) > 0 {
				t.Fatalf("committed %t with %d events out, content %t", g.Committed(), len(out), content)
			}
		}
		g.Flush(func(ev weir.Event, _ error) bool { out = append(out, ev.Index); return true })
		if !slices.Equal(in, out) {
			t.Fatalf("in %v, out %v", in, out)
		}
	}
}
