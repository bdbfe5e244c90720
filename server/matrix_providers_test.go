package server_test

import (
	"bytes"
	"maps"
	"slices"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/catalog"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/codec/all"
)

// A providerRow tells by which protocol a provider is called for each client,
// and what of the features its own deviations cost beyond what the pair does.
type providerRow struct {
	ID     string                         `json:"id"`
	Name   string                         `json:"name"`
	Via    map[string]string              `json:"via"`
	Limits map[string]map[string][]string `json:"limits,omitempty"`
}

// providerRows are those of the catalogue. The matrix itself tells the rest: a
// provider that is called by a protocol does what its column says.
func providerRows(t *testing.T, pairs []pair) []providerRow {
	t.Helper()
	var rows []providerRow
	for _, p := range catalogue().Providers() {
		row := providerRow{ID: p.ID, Name: p.Name, Via: map[string]string{}, Limits: map[string]map[string][]string{}}
		for _, c := range matrixClients {
			e := p.EndpointFor(c.protocol, "")
			if e == nil || all.For(e.Protocol) == nil {
				continue
			}
			i := slices.IndexFunc(matrixUpstreams, func(u side) bool { return u.protocol == e.Protocol })
			if i < 0 {
				continue
			}
			row.Via[c.name] = matrixUpstreams[i].name
			if limits := providerLimits(t, p, e, c, pairOf(pairs, c.name, matrixUpstreams[i].name)); len(limits) > 0 {
				row.Limits[c.name] = limits
			}
		}
		if len(row.Via) > 0 {
			rows = append(rows, row)
		}
	}
	return rows
}

func pairOf(pairs []pair, client, upstream string) pair {
	i := slices.IndexFunc(pairs, func(p pair) bool { return p.Client == client && p.Upstream == upstream })
	return pairs[i]
}

// providerLimits are the losses, or the field of the refusal, that the quirks of
// a provider add to each feature.
func providerLimits(t *testing.T, p *catalog.Provider, e *catalog.Endpoint, c side, known pair) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	target := &codec.Target{Provider: p.ID, Model: "m", Quirks: p.QuirksOf(e, nil)}
	always := lossesOf(e, target, asClient(c, say("hi")))
	for i := range features {
		req := asClient(c, features[i].ask())
		if req == nil {
			continue
		}
		call, err := all.For(e.Protocol).EncodeRequest(req, target)
		if err != nil {
			out[features[i].id] = []string{weir.AsError(err).Param + " " + refused}
			continue
		}
		losses := map[string]bool{}
		for _, l := range call.Losses {
			losses[l.Field+" "+string(l.Action)] = true
		}
		for l := range always {
			delete(losses, l)
		}
		for _, l := range known.Features[features[i].id].Losses {
			delete(losses, l)
		}
		if len(losses) > 0 {
			out[features[i].id] = slices.Sorted(maps.Keys(losses))
		}
	}
	return out
}

// asClient is a body as a client of a protocol sends it; nil when it cannot.
func asClient(c side, body *weir.Body) *weir.Request {
	speaks := all.For(c.protocol)
	call, err := speaks.EncodeRequest(weir.NewRequest("m", body), &codec.Target{Model: "m", Quirks: &codec.Quirks{}})
	if err != nil || len(call.Losses) > 0 {
		return nil
	}
	req, err := speaks.OpenRequest(weir.Generate, &weir.Wire{Protocol: c.protocol, Path: call.Path, Query: call.Query, Header: call.Header, Body: bytes.Join(call.Body, nil)})
	if err != nil {
		return nil
	}
	return req
}

// lossesOf are what every request to a provider costs, whatever it is about.
func lossesOf(e *catalog.Endpoint, target *codec.Target, req *weir.Request) map[string]bool {
	out := map[string]bool{}
	if req == nil {
		return out
	}
	if call, err := all.For(e.Protocol).EncodeRequest(req, target); err == nil {
		for _, l := range call.Losses {
			out[l.Field+" "+string(l.Action)] = true
		}
	}
	return out
}
