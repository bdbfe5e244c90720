package weirtest

import (
	"bytes"
	"errors"
	"fmt"
	"testing"
	"testing/iotest"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// FuzzAnswers fuzzes the client half of a codec with answers, seeded by its own
// encoder: whatever the bytes are, the events are well-formed, the error is an
// *weir.Error, splitting changes nothing, and an untouched answer is sent on as
// a part of the bytes that came.
func FuzzAnswers(f *testing.F, c codec.Codec) {
	f.Helper()
	for _, body := range simulatedBodies() {
		events := simulate(f, body)
		for _, stream := range []bool{true, false} {
			req, err := simpleRequest(c, stream)
			if err != nil {
				f.Fatal(err)
			}
			wire, _ := encode(c, req, events, nil)
			f.Add(wire, stream)
		}
	}
	f.Fuzz(func(t *testing.T, wire []byte, stream bool) { fuzzAnswer(t, c, wire, stream) })
}

func fuzzAnswer(t *testing.T, c codec.Codec, wire []byte, stream bool) {
	r := reading{stream: stream}
	events, err := r.decode(c, bytes.NewReader(wire))
	if isContract(err) {
		t.Fatalf("%v\nin %q", err, wire)
	}
	if _, typed := errors.AsType[*weir.Error](err); err != nil && !typed {
		t.Fatalf("an error of type %T: %v", err, err)
	}
	split, splitErr := r.decode(c, iotest.OneByteReader(bytes.NewReader(wire)))
	whole := events
	if bytes.IndexByte(wire, '\r') >= 0 {
		// A \r that nothing follows yet ends its line at once: a \n that comes
		// later belongs to the next frame.
		whole, split = detached(whole), detached(split)
	}
	if diff := eventsDiffer(whole, split); diff != "" || fmt.Sprint(err) != fmt.Sprint(splitErr) {
		t.Fatalf("split differently: %s, %v became %v\nin %q", diff, err, splitErr, wire)
	}
	req, reqErr := simpleRequest(c, stream)
	if reqErr != nil {
		t.Fatal(reqErr)
	}
	_, _ = encode(c, req, detached(events), weir.AsError(err))
}

// FuzzRequests fuzzes the server half of a codec with requests: a request is
// refused with KindInvalid or KindUnsupported or can be written again, both as
// it came and edited, and what is written is JSON.
func FuzzRequests(f *testing.F, c codec.Codec) {
	f.Helper()
	for _, body := range simulatedBodies() {
		call, err := c.EncodeRequest(weir.NewRequest("m", body), target())
		if err != nil {
			f.Fatal(err)
		}
		f.Add(bytes.Join(call.Body, nil))
	}
	f.Fuzz(func(t *testing.T, wire []byte) { fuzzRequest(t, c, wire) })
}

func fuzzRequest(t *testing.T, c codec.Codec, wire []byte) {
	req, err := c.OpenRequest(weir.Generate, &weir.Wire{Protocol: c.Protocol(), Body: wire})
	if err != nil {
		checkRefusal(t, err)
		return
	}
	if _, err := req.Body(); err != nil {
		checkRefusal(t, err)
		return
	}
	edited, err := req.Edit(func(*weir.Body) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	call, err := c.EncodeRequest(edited, target())
	if err != nil {
		checkRefusal(t, err)
		return
	}
	if out := bytes.Join(call.Body, nil); jsonx.Valid(out) != nil && jsonx.Valid(wire) == nil {
		t.Fatalf("%v in %s", jsonx.Valid(out), out)
	}
}

func checkRefusal(t *testing.T, err error) {
	t.Helper()
	if k := weir.AsError(err).Kind; k != weir.KindInvalid && k != weir.KindUnsupported && k != weir.KindTooLarge {
		t.Fatalf("refused as %s: %v", k, err)
	}
}
