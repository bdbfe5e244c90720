package codec

import (
	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// Losses collects what a translation could not carry over as it was. The zero
// value is empty and ready. Fields are paths in the client's words, details one
// clause that never holds the value itself.
type Losses []weir.Loss

// Drop notes that field was left out.
func (l *Losses) Drop(field, detail string) { l.add(weir.LossDropped, field, detail) }

// Approximate notes that field was put in other terms that mean nearly the same.
func (l *Losses) Approximate(field, detail string) { l.add(weir.LossApproximated, field, detail) }

// Move notes that field was put in another place of the request.
func (l *Losses) Move(field, detail string) { l.add(weir.LossMoved, field, detail) }

// Clamp notes that field was brought into the range that the target accepts.
func (l *Losses) Clamp(field, detail string) { l.add(weir.LossClamped, field, detail) }

// Rename notes that field goes by another name.
func (l *Losses) Rename(field, detail string) { l.add(weir.LossRenamed, field, detail) }

func (l *Losses) add(action weir.LossAction, field, detail string) {
	*l = append(*l, weir.Loss{Field: field, Action: action, Detail: detail})
}

// Refuse is nil, or for a strict request the KindUnsupported error that names
// the first field that was dropped or approximated. What was moved, renamed or
// clamped still says what the client meant and refuses nothing.
func (l Losses) Refuse(strict bool) error {
	if !strict {
		return nil
	}
	for i := range l {
		switch l[i].Action {
		case weir.LossDropped, weir.LossApproximated:
			e := weir.Errorf(weir.KindUnsupported, "%s cannot be carried over: %s", l[i].Field, l[i].Detail)
			e.Param = l[i].Field
			e.Hint = "leave the field out, or allow losses by not asking for strict treatment"
			return e
		}
	}
	return nil
}

// DropExtra notes every field of extra that another protocol than its own has
// to leave out, under its path in front of the name ("messages[2]", empty for
// the top level). Mere spellings lose nothing and are passed over.
func (l *Losses) DropExtra(path string, extra weir.Fields) {
	for i := range extra {
		f := &extra[i]
		switch {
		case f.Spelling || jsonx.IsNull(f.Value):
		case isPrompt(path):
			l.Approximate(path, "a text to be continued became a message to be answered")
		default:
			l.Drop(join(path, f.Name), "the target's protocol has no such field")
		}
	}
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
