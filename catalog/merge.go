package catalog

import (
	"reflect"
	"slices"

	"github.com/weir-gateway/weir/codec"
)

// With is a new catalogue with overrides merged in, in order. An override is a
// Provider with only the fields set that differ; models are matched by id or
// alias, endpoints by protocol (and by their models where a protocol has
// several), and merged field by field; lists (aliases,
// prices, efforts …) are replaced as a whole. Providers, models and endpoints
// that are not there yet are added; added endpoints come after the known ones.
//
// The receiver is not changed, so a newer catalogue With the same overrides
// keeps everything that the user set. The overrides are not kept or modified.
// The error is of KindInvalid and lists every problem.
func (c *Catalog) With(overrides ...*Provider) (*Catalog, error) {
	merged := slices.Clone(c.providers)
	var bad problems
	for _, o := range overrides {
		if o == nil {
			continue
		}
		i := slices.IndexFunc(merged, func(p *Provider) bool {
			return p.ID == o.ID || slices.Contains(p.Aliases, o.ID)
		})
		if i < 0 {
			merged, i = append(merged, &Provider{ID: o.ID}), len(merged)
		}
		p := mergeProvider(merged[i], o)
		bad.addAll("provider "+o.ID, p.Validate())
		merged[i] = p
	}
	bad.addAll("", checkNames(merged))
	if len(bad) > 0 {
		return nil, invalid(bad...)
	}
	return index(merged), nil
}

func mergeProvider(base, o *Provider) *Provider {
	p := overlay(*base, o)
	p.ID = base.ID
	p.Quirks = mergeQuirks(base.Quirks, o.Quirks)
	p.Endpoints = mergeEndpoints(base.Endpoints, o.Endpoints)
	p.Models = mergeModels(base.Models, o.Models)
	return &p
}

func mergeEndpoints(base, over []Endpoint) []Endpoint {
	out := slices.Clone(base)
	for _, o := range over {
		i := slices.IndexFunc(out, func(e Endpoint) bool {
			return e.Protocol == o.Protocol && (len(o.Models) == 0 || len(e.Models) == 0 || slices.Equal(o.Models, e.Models))
		})
		if i < 0 {
			out, i = append(out, Endpoint{}), len(out)
		}
		quirks := mergeQuirks(out[i].Quirks, o.Quirks)
		out[i] = overlay(out[i], &o)
		out[i].Quirks = quirks
	}
	return out
}

func mergeModels(base, over []*Model) []*Model {
	out := slices.Clone(base)
	for _, o := range over {
		if o == nil {
			continue
		}
		i := slices.IndexFunc(out, func(m *Model) bool {
			return m.ID == o.ID || slices.Contains(m.Aliases, o.ID)
		})
		if i < 0 {
			out, i = append(out, &Model{ID: o.ID}), len(out)
		}
		m := overlay(*out[i], o)
		m.ID = out[i].ID
		m.Quirks = mergeQuirks(out[i].Quirks, o.Quirks)
		out[i] = &m
	}
	return out
}

func mergeQuirks(base, o *codec.Quirks) *codec.Quirks {
	if o == nil {
		return base
	}
	return base.Merge(o)
}

// overlay is base with every field that o sets copied over. It runs when a
// configuration is loaded, never on a request.
func overlay[T any](base T, o *T) T {
	dst, src := reflect.ValueOf(&base).Elem(), reflect.ValueOf(o).Elem()
	for i := range src.NumField() {
		if !src.Field(i).IsZero() {
			dst.Field(i).Set(src.Field(i))
		}
	}
	return base
}
