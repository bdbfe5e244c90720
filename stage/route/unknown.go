package route

import (
	"cmp"
	"slices"
	"strings"

	"github.com/weir-gateway/weir"
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
	type candidate struct {
		name string
		away int
	}
	var found []candidate
	asked := strings.ToLower(name)
	limit := max(2, len(asked)/3)
	for _, m := range t.Models(p) {
		known := m.ID()
		if !strings.Contains(asked, "/") {
			known = m.Name
		}
		if d := distance(asked, strings.ToLower(known), limit); d <= limit {
			found = append(found, candidate{m.ID(), d})
		}
	}
	slices.SortStableFunc(found, func(a, b candidate) int { return cmp.Compare(a.away, b.away) })
	var out []string
	for _, c := range found[:min(hints, len(found))] {
		out = append(out, c.name)
	}
	return out
}

// distance is how many bytes must be changed, added or taken away to make b of
// a; more than limit when it is.
func distance(a, b string, limit int) int {
	if d := len(a) - len(b); d > limit || -d > limit {
		return limit + 1
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			step := diagonal
			if a[i] != b[j] {
				step++
			}
			diagonal = row[j+1]
			row[j+1] = min(step, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}
