package provider

import (
	"bufio"
	"context"
	"errors"
	"io"
	"iter"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// lines is a protocol of lines for these tests: "start", any text, "error
// <kind>" and "[DONE]", which ends an answer before its end.
type lines struct {
	codec.Server
	protocol weir.Protocol
	header   http.Header // as a codec that forgot to choose would send it
	pieces   [][]byte
	counts   bool
	losses   []weir.Loss
	path     string
	refuse   error
}

func (l *lines) Protocol() weir.Protocol { return l.protocol }

func (l *lines) EncodeRequest(req *weir.Request, target *codec.Target) (*codec.Call, error) {
	if l.refuse != nil {
		return nil, l.refuse
	}
	if req.Op == weir.CountTokens && !l.counts {
		return nil, weir.Errorf(weir.KindUnsupported, "tokens are not counted here")
	}
	c := &codec.Call{Path: l.path, Header: l.header, Body: l.pieces, Stream: req.Stream, Losses: l.losses}
	if c.Path == "" {
		c.Path = "/ask"
	}
	if c.Body == nil {
		c.Body = [][]byte{[]byte(`{"model":"`), []byte(target.Model), []byte(`"}`)}
	}
	return c, nil
}

func (l *lines) Decode(a *codec.Answer) iter.Seq2[weir.Event, error] {
	return func(yield func(weir.Event, error) bool) {
		r := bufio.NewReader(a.Body)
		for {
			line, err := r.ReadString('\n')
			text := strings.TrimSpace(line)
			kind, isError := strings.CutPrefix(text, "error ")
			switch {
			case text == "[DONE]":
				return
			case isError:
				k, _ := codec.KindNamed(kind)
				yield(weir.Event{}, weir.Errorf(k, "in disguise"))
				return
			case text == "start":
				if !yield(weir.Event{Type: weir.EventStart, Start: &weir.Start{}}, nil) {
					return
				}
			case text != "":
				if !yield(weir.Event{Type: weir.EventDelta, Text: text}, nil) {
					return
				}
			}
			if err == io.EOF {
				return
			}
			if err != nil {
				yield(weir.Event{}, weir.Errorf(weir.KindUpstream, "cut: %w", err))
				return
			}
		}
	}
}

func (l *lines) DecodeError(status int, h http.Header, body []byte, target *codec.Target) *weir.Error {
	return codec.ParseError(status, h, body, target.Quirks)
}

// upstreamServer starts a server and a Transport of its own.
func upstreamServer(t *testing.T, h http.HandlerFunc) (*httptest.Server, *Transport) {
	t.Helper()
	s := httptest.NewServer(h)
	tr := NewTransport(TransportOptions{})
	t.Cleanup(func() {
		tr.CloseIdleConnections()
		s.Close()
	})
	return s, tr
}

// single is Options with one endpoint of lines.
func single(s *httptest.Server, tr http.RoundTripper, l *lines, keys ...string) Options {
	if l.protocol == "" {
		l.protocol = "test.lines"
	}
	return Options{
		Name: "acme/m-eu", Provider: "acme", Model: "m", Transport: tr, Credentials: Keys(keys...),
		Endpoints: []Endpoint{{Codec: l, BaseURL: s.URL}},
	}
}

// outcome is all that a call yielded.
type outcome struct {
	texts     []string
	losses    []*weir.Loss
	upstreams []*weir.Upstream
	err       error
}

func (o *outcome) error(t *testing.T) *weir.Error {
	t.Helper()
	e, ok := errors.AsType[*weir.Error](o.err)
	if !ok {
		t.Fatalf("the error is %T %v, not a *weir.Error", o.err, o.err)
	}
	return e
}

func ask(t *testing.T, h weir.Handler, req *weir.Request) *outcome {
	t.Helper()
	return askContext(t.Context(), h, req)
}

func askContext(ctx context.Context, h weir.Handler, req *weir.Request) *outcome {
	var o outcome
	for ev, err := range h.Handle(ctx, req) {
		if err != nil {
			o.err = err
			continue
		}
		switch n := ev.Note.(type) {
		case *weir.Loss:
			o.losses = append(o.losses, n)
		case *weir.Upstream:
			o.upstreams = append(o.upstreams, n)
		}
		if ev.Type == weir.EventDelta {
			o.texts = append(o.texts, ev.Text)
		}
	}
	return &o
}

func must(t *testing.T, o Options) weir.Handler {
	t.Helper()
	h, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func question() *weir.Request {
	return weir.NewRequest("m", &weir.Body{Messages: []weir.Message{weir.UserText("hi")}})
}

func say(lines ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, strings.Join(lines, "\n")+"\n")
	}
}
