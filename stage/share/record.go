package share

import (
	"encoding/json"
	"errors"
	"unicode/utf8"

	"github.com/weir-gateway/weir"
)

// A value in a Store is a byte that says what it is, the digest of what was
// asked, and behind that who claimed it, or the answer.
const (
	stateClaimed = 'c'
	stateDone    = '1' // the version of the form of an answer
)

func claimOf(mark digest, owner string) []byte {
	return append(append([]byte{stateClaimed}, mark[:]...), owner...)
}

// A record is an answer as it is kept.
type record struct {
	Deployment, Provider, Model string
	ID                          string
	Frames                      []weir.Frame
	Events                      []eventRecord
	Err                         *errorRecord
}

// eventRecord is an event: a field for each that can be set. Bytes is Text that
// is no valid UTF-8, which JSON does not carry.
type eventRecord struct {
	Type     weir.EventType
	Part     weir.Part      `json:",omitzero"`
	Choice   int32          `json:",omitzero"`
	Index    int32          `json:",omitzero"`
	Text     string         `json:",omitzero"`
	Bytes    []byte         `json:",omitzero"`
	Start    *weir.Start    `json:",omitzero"`
	Block    *weir.Block    `json:",omitzero"`
	Citation *weir.Citation `json:",omitzero"`
	Finish   *weir.Finish   `json:",omitzero"`
	Usage    *weir.Usage    `json:",omitzero"`
	Vector   *weir.Vector   `json:",omitzero"`
	Loss     *weir.Loss     `json:",omitzero"`
	Frame    int            `json:",omitzero"` // its number in Frames, from 1
	FrameSeq int32          `json:",omitzero"`
}

// errorRecord is an error without what only the process that had it knows.
type errorRecord struct {
	Kind                            weir.Kind
	Message, Param, Code, Hint      string
	Status                          int
	Provider, Deployment, RequestID string
	Wire                            *weir.ErrorWire
}

// encode is the flight's answer for a Store. Of notes only losses are kept.
func (f *flight) encode() ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	rec := record{Deployment: f.answered.Deployment, Provider: f.answered.Provider, Model: f.answered.Model, ID: f.req.ID}
	var last *weir.Frame
	for i := range f.log {
		ev := &f.log[i]
		loss, _ := ev.Note.(*weir.Loss)
		if ev.Type == weir.EventNote && loss == nil {
			continue
		}
		e := eventRecord{
			Type: ev.Type, Part: ev.Part, Choice: ev.Choice, Index: ev.Index, Text: ev.Text, Start: ev.Start, Block: ev.Block,
			Citation: ev.Citation, Finish: ev.Finish, Usage: ev.Usage, Vector: ev.Vector, Loss: loss, FrameSeq: ev.FrameSeq,
		}
		if !utf8.ValidString(e.Text) {
			e.Text, e.Bytes = "", []byte(ev.Text)
		}
		if ev.Frame != nil {
			if ev.Frame != last {
				rec.Frames = append(rec.Frames, *ev.Frame)
				last = ev.Frame
			}
			e.Frame = len(rec.Frames)
		}
		rec.Events = append(rec.Events, e)
	}
	if e := f.err; e != nil {
		rec.Err = &errorRecord{
			Kind: e.Kind, Message: e.Message, Param: e.Param, Code: e.Code, Hint: e.Hint, Status: e.Status,
			Provider: e.Provider, Deployment: e.Deployment, RequestID: e.RequestID, Wire: e.Wire,
		}
	}
	body, err := json.Marshal(&rec)
	if err != nil {
		return nil, err
	}
	return append(append([]byte{stateDone}, f.mark[:]...), body...), nil
}

var errRecord = errors.New("not a kept answer")

// decode reads the answer behind the digest of a value.
func decode(value []byte) (*record, error) {
	if len(value) <= 1+len(digest{}) || value[0] != stateDone {
		return nil, errRecord
	}
	rec := new(record)
	if err := json.Unmarshal(value[1+len(digest{}):], rec); err != nil {
		return nil, err
	}
	for i := range rec.Events {
		if e := &rec.Events[i]; e.Frame < 0 || e.Frame > len(rec.Frames) || !e.sound() {
			return nil, errRecord
		}
	}
	return rec, nil
}

// sound reports whether an event has what its type needs.
func (e *eventRecord) sound() bool {
	switch e.Type {
	case weir.EventStart:
		return e.Start != nil
	case weir.EventBlockStart:
		return e.Block != nil
	case weir.EventDelta:
		return e.Part != weir.PartCitation || e.Citation != nil
	case weir.EventFinish:
		return e.Finish != nil
	case weir.EventUsage:
		return e.Usage != nil
	case weir.EventVector:
		return e.Vector != nil
	case weir.EventNote:
		return e.Loss != nil
	}
	return true
}

// replay is the answer as a sequence, with the note that says what it is.
func (rec *record) replay(yield func(weir.Event, error) bool) {
	note := &Reused{How: Replayed, ID: rec.ID, Deployment: rec.Deployment, Provider: rec.Provider, Model: rec.Model}
	if !yield(weir.NoteEvent(note), nil) {
		return
	}
	for i := range rec.Events {
		e := &rec.Events[i]
		ev := weir.Event{
			Type: e.Type, Part: e.Part, Choice: e.Choice, Index: e.Index, Text: e.Text + string(e.Bytes), Start: e.Start, Block: e.Block,
			Citation: e.Citation, Finish: e.Finish, Usage: e.Usage, Vector: e.Vector, FrameSeq: e.FrameSeq,
			More: i+1 < len(rec.Events),
		}
		if e.Loss != nil {
			ev.Note = e.Loss
		}
		if e.Frame > 0 {
			ev.Frame = &rec.Frames[e.Frame-1]
		}
		if !yield(ev, nil) {
			return
		}
	}
	if e := rec.Err; e != nil {
		yield(weir.Event{}, &weir.Error{
			Kind: e.Kind, Message: e.Message, Param: e.Param, Code: e.Code, Hint: e.Hint, Status: e.Status,
			Provider: e.Provider, Deployment: e.Deployment, RequestID: e.RequestID, Wire: e.Wire,
		})
	}
}
