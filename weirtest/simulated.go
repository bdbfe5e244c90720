package weirtest

import (
	"bytes"
	"context"
	"fmt"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/sim"
)

// simulatedBodies are conversations that together make the simulated model say
// everything it can.
func simulatedBodies() map[string]*weir.Body {
	say := func(text string) *weir.Body {
		return &weir.Body{Messages: []weir.Message{weir.UserText(text)}, MaxTokens: new(int64(4096)), StreamUsage: new(true)}
	}
	weather := weir.Tool{Type: weir.ToolFunction, Name: "get_weather", Description: "the weather",
		Schema: []byte(`{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}`)}
	bodies := map[string]*weir.Body{
		"a text":         say("why?"),
		"a Chinese text": say("为什么“堰”？"),
		"thoughts":       say("why?"),
		"one call":       say("weather in Oslo"),
		"two calls":      say("weather in both Oslo and Rome"),
		"a cut call":     say("weather in Oslo"),
		"a cut text":     say("why?"),
		"nothing":        say("why?"),
		"a stop":         say("why?"),
	}
	bodies["thoughts"].Reasoning = &weir.ReasoningConfig{Mode: "enabled", Budget: new(int64(1024))}
	for _, name := range []string{"one call", "two calls", "a cut call"} {
		bodies[name].Tools = []weir.Tool{weather}
	}
	bodies["a cut call"].MaxTokens = new(int64(3))
	bodies["a cut text"].MaxTokens = new(int64(2))
	bodies["nothing"].MaxTokens = new(int64(0))
	bodies["a stop"].Stop = []string{"model"}
	return bodies
}

// simulate is the simulated answer to a body.
func simulate(tb testing.TB, body *weir.Body) []weir.Event {
	tb.Helper()
	var events []weir.Event
	for ev, err := range sim.New(sim.Options{}).Handle(context.Background(), weir.NewRequest("test-model", body)) {
		if err != nil {
			tb.Fatal(err)
		}
		events = append(events, ev)
	}
	if err := CheckEvents(events); err != nil {
		tb.Fatal(err)
	}
	return events
}

// testSimulated writes simulated answers, reads them again, and stops reading
// at every event.
func testSimulated(t *testing.T, c codec.Codec) {
	found := newFindings()
	defer found.report(t)
	for name, body := range simulatedBodies() {
		events := simulate(t, body)
		for _, stream := range []bool{true, false} {
			req, err := simpleRequest(c, stream)
			if err != nil {
				t.Fatal(err)
			}
			wire, losses := encode(c, req, events, nil)
			again, err := reading{stream: stream}.decode(c, bytes.NewReader(wire))
			if err != nil {
				found.add(fmt.Sprintf("what was written cannot be read (stream=%v)", stream), name, "%v in %s", err, wire)
				continue
			}
			d := difference{a: meaningOf(collected(events)), b: meaningOf(collected(again)), losses: losses}
			d.report(found, fmt.Sprintf("%s, stream=%v", name, stream), "sim", c.Protocol())
			stopEverywhere(found, c, name, wire, stream, len(again))
			failEverywhere(found, c, req, name, events)
		}
	}
}

// stopEverywhere ranges over an answer n times, one event further each time.
func stopEverywhere(found *findings, c codec.Codec, where string, wire []byte, stream bool, n int) {
	for stop := range n {
		i := 0
		for _, err := range (reading{stream: stream}).open(c, bytes.NewReader(wire)) {
			if err != nil {
				found.add("an answer that is stopped early fails", where, "event %d: %v", stop, err)
			}
			if i == stop {
				break
			}
			i++
		}
	}
}

// failEverywhere ends a stream with an error after each event: the client must
// read an error and not a complete answer.
func failEverywhere(found *findings, c codec.Codec, req *weir.Request, where string, events []weir.Event) {
	if !req.Stream {
		return
	}
	for n := range events {
		wire, _ := encode(c, req, events[:n], weir.Errorf(weir.KindOverloaded, "the upstream is busy"))
		got, err := reading{stream: true}.decode(c, bytes.NewReader(wire))
		if isContract(err) {
			found.add("a failed stream is not well-formed", where, "after event %d: %v in %s", n, err, wire)
		} else if err == nil {
			found.add("a failed stream is read as a success", where, "after event %d: %d events, %s", n, len(got), wire)
		}
	}
}
