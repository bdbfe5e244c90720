package route

import (
	"maps"
	"slices"
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/nearest"
)

// hints is how many similar names an error offers.
const hints = 3

// unknown is the error for a name that stands for nothing. It names what looks
// similar among what the Principal may use.
func (t *Table) unknown(req *weir.Request) *weir.Error {
	err := weir.Errorf(weir.KindModelNotFound, "the model %.100q does not exist here", req.Model)
	err.Param = "model"
	err.Hint = "GET /v1/models lists the models; provider/model calls one that is not listed"
	if near := t.nearest(req.Principal, req.Model); len(near) > 0 {
		err.Hint = "did you mean " + strings.Join(near, ", ") + "?"
	}
	return err
}

func ambiguous(name string, offers []Model) *weir.Error {
	err := weir.Invalid("model", "the model %.100q is offered by several providers", name)
	err.Code = "ambiguous_model"
	err.Hint = "name one of " + joinIDs(offers)
	return err
}

func joinIDs(models []Model) string {
	ids := make([]string, len(models))
	for i, m := range models {
		ids[i] = m.ID()
	}
	slices.Sort(ids)
	return strings.Join(ids, ", ")
}

// nearest are the names most like the one asked for. Without a provider in it,
// only the model's part is compared.
func (t *Table) nearest(p *weir.Principal, name string) []string {
	ids := map[string][]string{} // by the name that is compared
	for _, m := range t.Models(p) {
		known := m.ID()
		if !strings.Contains(name, "/") {
			known = m.Name
		}
		ids[known] = append(ids[known], m.ID())
	}
	var out []string
	for _, known := range nearest.Names(name, maps.Keys(ids), hints) {
		out = append(out, ids[known]...)
	}
	return out[:min(hints, len(out))]
}
