package thread

import (
	"encoding/json"
	"time"

	"github.com/weir-gateway/weir"
)

// version is that of what is written into a store. A reader takes its own and
// older ones; anything newer was written by a later Weir, whose meaning cannot
// be known.
const version = 1

type wireRecord struct {
	V            int           `json:"v"`
	ID           text          `json:"id"`
	Created      int64         `json:"created"`
	Model        text          `json:"model,omitempty"`
	Deployment   text          `json:"deployment,omitempty"`
	Provider     text          `json:"provider,omitempty"`
	Previous     text          `json:"previous,omitempty"`
	Conversation text          `json:"conversation,omitempty"`
	Status       text          `json:"status"`
	Background   bool          `json:"background,omitempty"`
	Native       bool          `json:"native,omitempty"`
	Upstream     text          `json:"upstream,omitempty"`
	Bare         bool          `json:"bare,omitempty"`
	Deadline     int64         `json:"deadline,omitempty"`
	Base         []wireMessage `json:"base,omitempty"`
	Root         bool          `json:"root,omitempty"`
	Last         text          `json:"last,omitempty"`
	Input        []wireMessage `json:"input,omitempty"`
	Output       []wireMessage `json:"output,omitempty"`
	Finish       text          `json:"finish,omitempty"`
	Usage        *wireUsage    `json:"usage,omitempty"`
	Failure      *wireFailure  `json:"failure,omitempty"`
	Metadata     []wirePair    `json:"metadata,omitempty"`
}

type wireFailure struct {
	Code    text `json:"code,omitempty"`
	Message text `json:"message,omitempty"`
}

type wirePair struct {
	Key   text `json:"k"`
	Value text `json:"v"`
}

type wireConversation struct {
	V        int        `json:"v"`
	ID       text       `json:"id"`
	Created  int64      `json:"created"`
	Metadata []wirePair `json:"metadata,omitempty"`
}

type wireItem struct {
	V       int         `json:"v"`
	Message wireMessage `json:"message"`
	Join    bool        `json:"join,omitempty"`
	Raw     []byte      `json:"raw,omitempty"`
}

func toPair(p *weir.Pair) wirePair   { return wirePair{text(p.Key), text(p.Value)} }
func fromPair(p *wirePair) weir.Pair { return weir.Pair{Key: string(p.Key), Value: string(p.Value)} }

func toFailure(f *Failure) wireFailure { return wireFailure{text(f.Code), text(f.Message)} }
func fromFailure(f *wireFailure) Failure {
	return Failure{Code: string(f.Code), Message: string(f.Message)}
}

// unix is t in seconds, 0 for the zero time, and fromUnix the other way round.
func unix(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}

func fromUnix(s int64) time.Time {
	if s == 0 {
		return time.Time{}
	}
	return time.Unix(s, 0).UTC()
}

func (r *Record) encode() ([]byte, error) {
	return marshal(wireRecord{
		V: version, ID: text(r.ID), Created: unix(r.Created), Model: text(r.Model),
		Deployment: text(r.Deployment), Provider: text(r.Provider),
		Previous: text(r.Previous), Conversation: text(r.Conversation), Status: text(r.Status),
		Background: r.Background, Native: r.Native, Upstream: text(r.Upstream), Bare: r.Bare, Deadline: unix(r.Deadline),
		Base: each(r.Base, toMessage), Root: r.Root, Last: text(r.Last),
		Input: each(r.Input, toMessage), Output: each(r.Output, toMessage),
		Finish: text(r.Finish), Usage: opt(r.Usage, toUsage), Failure: opt(r.Failure, toFailure),
		Metadata: each(r.Metadata, toPair),
	})
}

func decodeRecord(b []byte) (*Record, error) {
	var w wireRecord
	if err := unmarshal(b, &w, &w.V); err != nil {
		return nil, err
	}
	return &Record{
		ID: string(w.ID), Created: fromUnix(w.Created), Model: string(w.Model),
		Deployment: string(w.Deployment), Provider: string(w.Provider),
		Previous: string(w.Previous), Conversation: string(w.Conversation), Status: Status(w.Status),
		Background: w.Background, Native: w.Native, Upstream: string(w.Upstream), Bare: w.Bare, Deadline: fromUnix(w.Deadline),
		Base: each(w.Base, fromMessage), Root: w.Root, Last: string(w.Last),
		Input: each(w.Input, fromMessage), Output: each(w.Output, fromMessage),
		Finish: weir.FinishReason(w.Finish), Usage: opt(w.Usage, fromUsage), Failure: opt(w.Failure, fromFailure),
		Metadata: each(w.Metadata, fromPair),
	}, nil
}

func (c *Conversation) encode() ([]byte, error) {
	return marshal(wireConversation{V: version, ID: text(c.ID), Created: unix(c.Created), Metadata: each(c.Metadata, toPair)})
}

func decodeConversation(b []byte) (*Conversation, error) {
	var w wireConversation
	if err := unmarshal(b, &w, &w.V); err != nil {
		return nil, err
	}
	return &Conversation{ID: string(w.ID), Created: fromUnix(w.Created), Metadata: each(w.Metadata, fromPair)}, nil
}

func (it *Item) encode() (Entry, error) {
	b, err := marshal(wireItem{V: version, Message: toMessage(&it.Message), Join: it.join, Raw: it.Raw})
	return Entry{ID: it.ID, Value: b}, err
}

func decodeItem(e *Entry) (Item, error) {
	var w wireItem
	if err := unmarshal(e.Value, &w, &w.V); err != nil {
		return Item{}, err
	}
	return Item{ID: e.ID, Message: fromMessage(&w.Message), join: w.Join, Raw: w.Raw}, nil
}

func marshal(v any) ([]byte, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, weir.Errorf(weir.KindInternal, "a response could not be written for the store")
	}
	return b, nil
}

// unmarshal reads b into w, whose member v is the version. The errors name no
// content.
func unmarshal(b []byte, w any, v *int) error {
	if err := json.Unmarshal(b, w); err != nil {
		return weir.Errorf(weir.KindInternal, "the store holds what cannot be read")
	}
	if *v < 1 || *v > version {
		return weir.Errorf(weir.KindInternal, "the store holds what version %d wrote, this Weir reads up to version %d", *v, version)
	}
	return nil
}
