package weirtest

import (
	"bytes"
	"maps"
	"net/http"
	"slices"
	"testing"

	"github.com/weir-gateway/weir"
)

// requestSnapshot is a Request by value, to be compared with reflect.DeepEqual.
type requestSnapshot struct {
	ID, Model             string
	Op                    weir.Operation
	Stream, Strict, Relay bool
	Principal             weir.Principal
	Labels                map[string]string
	Deployments           []string
	Wire                  []byte
	Protocol              weir.Protocol
	Header                http.Header
	Body                  *weir.Body
	Raw                   [][]byte
}

func snapshot(t *testing.T, r *weir.Request) requestSnapshot {
	t.Helper()
	s := requestSnapshot{ID: r.ID, Model: r.Model, Op: r.Op, Stream: r.Stream, Strict: r.Strict, Relay: r.Relay,
		Labels: maps.Clone(r.Labels)}
	if r.Principal != nil {
		s.Principal = weir.Principal{Name: r.Principal.Name, Models: slices.Clone(r.Principal.Models)}
	}
	for _, d := range r.Deployments {
		s.Deployments = append(s.Deployments, d.Name)
	}
	if r.Wire != nil {
		s.Wire, s.Protocol, s.Header = bytes.Clone(r.Wire.Body), r.Wire.Protocol, r.Wire.Header.Clone()
	}
	body, err := r.Body()
	if err != nil {
		t.Fatalf("the request has no body: %v", err)
	}
	s.Body = body.Clone()
	s.Raw = rawOf(body)
	return s
}

// rawOf copies the raw JSON of a body, which Clone shares.
func rawOf(b *weir.Body) [][]byte {
	var out [][]byte
	add := func(fields weir.Fields) {
		for _, f := range fields {
			out = append(out, bytes.Clone(f.Value))
		}
	}
	add(b.Extra)
	for i := range b.Tools {
		out = append(out, bytes.Clone(b.Tools[i].Schema), bytes.Clone(b.Tools[i].Raw))
		add(b.Tools[i].Extra)
	}
	if b.Format != nil {
		out = append(out, bytes.Clone(b.Format.Schema))
	}
	for i := range b.Messages {
		add(b.Messages[i].Extra)
		for j := range b.Messages[i].Blocks {
			add(b.Messages[i].Blocks[j].Extra)
		}
	}
	return out
}
