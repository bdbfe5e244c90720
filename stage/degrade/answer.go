package degrade

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/weir-gateway/weir"
)

// maxChoices bounds how often an answer is repeated for n > 1.
const maxChoices = 16

// Mark is the member of the answer that says that it is degraded: an object with
// the source, {"source":"degraded"}. Clients ignore members that they do not
// know.
const Mark = "weir"

var mark = []byte(`{"source":"` + Source + `"}`)

// values are what is filled in at the places of a text.
func (s *stage) values(req *weir.Request, err *weir.Error, r *rule, caught []string) func(string) string {
	return func(name string) string {
		switch name {
		case "model":
			return req.Model
		case "id":
			return req.ID
		case "kind":
			return err.Kind.String()
		case "retry_after":
			if err.RetryAfter <= 0 {
				return ""
			}
			return strconv.FormatInt(int64((err.RetryAfter+time.Second-1)/time.Second), 10)
		case "date":
			return time.Now().In(s.zone).Format(time.DateOnly)
		case "time":
			return time.Now().In(s.zone).Format("15:04")
		}
		if group, ok := strings.CutPrefix(name, groupPrefix); ok && caught != nil {
			if i := r.pattern.SubexpIndex(group); i >= 0 {
				return caught[i]
			}
		}
		return ""
	}
}

// An answer is one text as a usual answer.
type answer struct {
	req  *weir.Request
	body *weir.Body
	text string
}

// give yields the events. The usage is known: nothing was used.
func (a *answer) give(yield func(weir.Event, error) bool) {
	n := int64(1)
	if a.body.N != nil {
		n = min(max(*a.body.N, 1), maxChoices)
	}
	if !yield(weir.Event{Type: weir.EventStart, Start: a.start()}, nil) {
		return
	}
	for choice := range int32(n) {
		for _, ev := range []weir.Event{
			{Type: weir.EventBlockStart, Block: &weir.Block{Type: weir.BlockText}},
			{Type: weir.EventDelta, Text: a.text},
			{Type: weir.EventBlockEnd},
			{Type: weir.EventFinish, Finish: &weir.Finish{Reason: weir.FinishStop}},
		} {
			ev.Choice, ev.More = choice, true
			if !yield(ev, nil) {
				return
			}
		}
	}
	u := &weir.Usage{}
	u.Set(weir.UsageInput, 0)
	u.Set(weir.UsageOutput, 0)
	yield(weir.Event{Type: weir.EventUsage, Usage: u}, nil)
}

// start carries the mark in the client's own protocol, so that its codec writes
// it among the members of the answer.
func (a *answer) start() *weir.Start {
	s := &weir.Start{Model: a.req.Model, Created: time.Now().Unix(), From: a.body.From}
	if a.req.Wire != nil {
		s.From = a.req.Wire.Protocol
	}
	if s.From != "" {
		s.Extra = weir.Fields{{Name: Mark, Value: slices.Clone(mark)}}
	}
	return s
}
