package weirtest

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
)

// TestCross proves that two protocols mean the same by recorded traffic of the
// one, carried over to the other:
//
//   - an answer keeps its meaning but for the declared losses (the table
//     answerRules), streamed and not, and keeps what is left on the way back
//   - a request keeps its meaning but for the losses that it reports: nothing
//     may vanish
//   - a strict request is refused exactly when something would be dropped or
//     approximated
func TestCross(t *testing.T, from, into codec.Codec) {
	t.Helper()
	for _, stream := range []bool{true, false} {
		t.Run(fmt.Sprintf("answers, stream=%v", stream), func(t *testing.T) { crossAnswers(t, from, into, stream) })
	}
	t.Run("requests", func(t *testing.T) { crossRequests(t, from, into) })
}

func crossAnswers(t *testing.T, from, into codec.Codec, stream bool) {
	found := newFindings()
	defer found.report(t)
	eachAnswer(t, from, func(rec *Recording) {
		events, err := readingOf(rec).decode(from, bytes.NewReader(rec.Response.Body))
		if err != nil {
			return // TestCodec has seen it
		}
		there, losses, ok := carry(t, found, rec.Path, into, events, stream)
		if !ok {
			return
		}
		d := difference{a: meaningOf(collected(events)), b: meaningOf(collected(there)), losses: losses}
		d.report(found, rec.Path, from.Protocol(), into.Protocol())
		back, losses, ok := carry(t, found, rec.Path+" (back)", from, there, stream)
		if !ok {
			return
		}
		d = difference{a: d.b, b: meaningOf(collected(back)), losses: losses}
		d.report(found, rec.Path+" (back)", into.Protocol(), from.Protocol())
	})
}

// carry writes events in a protocol and reads them again.
func carry(t *testing.T, found *findings, where string, c codec.Codec, events []weir.Event, stream bool) ([]weir.Event, []weir.Loss, bool) {
	t.Helper()
	req, err := simpleRequest(c, stream)
	if err != nil {
		t.Fatal(err)
	}
	wire, losses := encode(c, req, events, nil)
	out, err := reading{stream: stream}.decode(c, bytes.NewReader(wire))
	if err != nil {
		found.add("what was carried over cannot be read", where, "%v in %s", err, wire)
		return nil, nil, false
	}
	return out, losses, true
}

// report notes the keys that differ without an excuse.
func (d difference) report(found *findings, where string, from, into weir.Protocol) {
	for _, key := range differences(d.a, d.b) {
		if !excusedAnswer(into, key, d) {
			found.add(fmt.Sprintf("%s changes from %s to %s", key, from, into), where, "%s; losses %s", explain(d.a, d.b, key), lossText(d.losses))
		}
	}
}

func crossRequests(t *testing.T, from, into codec.Codec) {
	found := newFindings()
	defer found.report(t)
	eachRequest(t, from, func(rec *Recording, body []byte) {
		req, err := openRecorded(from, rec, body)
		if err != nil {
			return // TestCodec has seen it
		}
		before, err := req.Body()
		if err != nil {
			return
		}
		call, err := into.EncodeRequest(req, target())
		if errors.Is(err, weir.KindUnsupported) && weir.AsError(err).Param != "" {
			return // refused with the name of the field: nothing vanishes
		}
		if err != nil {
			found.add("a request cannot be carried over", rec.Path, "%v", err)
			return
		}
		checkStrict(found, rec.Path, into, req, call.Losses)
		wire := bytes.Join(call.Body, nil)
		over, err := into.OpenRequest(weir.Generate, received(into, call))
		if err != nil {
			found.add("a request that was carried over is refused", rec.Path, "%v in %s", err, wire)
			return
		}
		after, err := over.Body()
		if err != nil {
			found.add("a request that was carried over cannot be decoded", rec.Path, "%v in %s", err, wire)
			return
		}
		if over.Stream != req.Stream {
			found.add("stream changes", rec.Path, "%v became %v", req.Stream, over.Stream)
		}
		gone := vanished(factsOf(before, from.Protocol()), factsOf(after, into.Protocol()), call.Losses)
		for _, f := range gone {
			found.add("a request says something that vanishes: "+className(f.class), rec.Path, "%s; losses %s", f, lossText(call.Losses))
		}
	})
}

// refusedAll proves that none of from's recorded requests is written in into, and
// that each refusal names what cannot be carried over. // P-04
func refusedAll(t *testing.T, from, into codec.Codec) {
	t.Helper()
	found := newFindings()
	defer found.report(t)
	eachRequest(t, from, func(rec *Recording, body []byte) {
		req, err := openRecorded(from, rec, body)
		if err != nil {
			return // TestCodec has seen it
		}
		_, err = into.EncodeRequest(req, target())
		if !errors.Is(err, weir.KindUnsupported) || weir.AsError(err).Param == "" {
			found.add("a request is not refused by name", rec.Path, "%v", err)
		}
	})
}

// className is a class of facts without the name of an unknown member.
func className(class string) string {
	if i := strings.Index(class, " member "); i >= 0 {
		return class[:i+7]
	}
	return class
}

func lossText(losses []weir.Loss) string {
	var b strings.Builder
	for _, l := range losses {
		fmt.Fprintf(&b, "[%s %s] ", l.Field, l.Action)
	}
	return b.String()
}

// checkStrict encodes the same request strictly.
func checkStrict(found *findings, where string, into codec.Codec, req *weir.Request, losses []weir.Loss) {
	strict := req.Clone()
	strict.Strict = true
	_, err := into.EncodeRequest(strict, target())
	lossy := false
	for _, l := range losses {
		lossy = lossy || l.Action == weir.LossDropped || l.Action == weir.LossApproximated
	}
	switch {
	case lossy && err == nil:
		found.add("a strict request is sent in spite of losses", where, "%s", lossText(losses))
	case !lossy && err != nil:
		found.add("a strict request is refused without losses", where, "%v", err)
	case lossy && !errors.Is(err, weir.KindUnsupported):
		found.add("a strict request is refused with the wrong kind", where, "%v", err)
	}
}
