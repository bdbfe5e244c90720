package openairest_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/codec/openairest"
	"github.com/weir-gateway/weir/weirtest"
)

func neutral(model string) *codec.Target {
	return &codec.Target{Provider: "test", Model: model, Quirks: &codec.Quirks{}}
}

// wire is a request as it was received, in JSON.
func wire(path, body string) *weir.Wire {
	return &weir.Wire{Protocol: weir.OpenAIREST, Method: http.MethodPost, Path: path, ContentType: "application/json", Body: []byte(body)}
}

func open(t testing.TB, op weir.Operation, w *weir.Wire) *weir.Request {
	t.Helper()
	req, err := openairest.New().OpenRequest(op, w)
	if err != nil {
		t.Fatal(err)
	}
	return req
}

func sent(t testing.TB, req *weir.Request, to *codec.Target) (string, *codec.Call) {
	t.Helper()
	call, err := openairest.New().EncodeRequest(req, to)
	if err != nil {
		t.Fatal(err)
	}
	return string(bytes.Join(call.Body, nil)), call
}

// answer is what an upstream sent.
func answer(op weir.Operation, typ string, body io.Reader) *codec.Answer {
	return &codec.Answer{Header: http.Header{"Content-Type": {typ}}, Body: body, Op: op, Target: neutral("m")}
}

// decoded is a whole answer, with its events checked.
func decoded(t testing.TB, a *codec.Answer) ([]weir.Event, error) {
	t.Helper()
	var events []weir.Event
	var last error
	var frames weir.FrameCloner
	for ev, err := range openairest.New().Decode(a) {
		if last != nil {
			t.Error("an error was not the last pair")
		}
		if err != nil {
			last = err
			continue
		}
		events = append(events, frames.Clone(ev))
	}
	check := weirtest.CheckPartial
	if last == nil {
		check = weirtest.CheckEvents
	}
	if err := check(events); err != nil {
		t.Errorf("the events are not well-formed: %v", err)
	}
	if _, typed := errors.AsType[*weir.Error](last); last != nil && !typed {
		t.Errorf("an error of type %T: %v", last, last)
	}
	return events, last
}

// written is what a client of req gets.
func written(req *weir.Request, events []weir.Event) (string, codec.Encoder) {
	enc := openairest.New().NewEncoder(req)
	var out []byte
	for _, ev := range events {
		out = enc.Encode(out, ev)
	}
	return string(enc.Close(out, nil)), enc
}

func usageOf(events []weir.Event) *weir.Usage {
	var c weir.Collector
	for _, ev := range events {
		c.Add(ev)
	}
	return c.Completion().Usage
}
