package openairesponses

import (
	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
)

// decoder is the state of reading one answer.
type decoder struct {
	q        *codec.Quirks
	provider string
	names    map[string]string
	custom   map[string]bool // functions that are custom tools for the client
	format   string          // of the reasoning that the upstream makes
	relay    bool            // content flows by as EventRelay
	// anew tells that frames hold names or forms of tools that the client does not
	// know, and so cannot be sent on.
	anew bool

	started bool // EventStart was sent
	content bool // something that the client would see was sent
	calls   bool // the model calls a tool of the client
	ended   bool // a terminal event was there
	blocks  int32
	items   map[int64]*item
	order   []*item // as they came
	// signatures are those of calls, from envelopes, by call id.
	signatures map[string]string

	in     fields
	events []weir.Event // of the current frame
	first  [8]weir.Event
	frame  weir.Frame
	held   []byte // frames that go with the next one
	joined []byte
	failed error // what the current frame reported, after its events

	onField func(key, value []byte) error // bound once
}

func newDecoder(a *codec.Answer) *decoder {
	d := &decoder{
		q:        a.Target.Quirks,
		provider: a.Target.Provider,
		names:    a.Names,
		custom:   a.Custom,
		format:   formatOf(a.Target.Provider),
		anew:     len(a.Names)+len(a.Custom) > 0,
	}
	d.relay = a.Relay && !d.anew
	d.events = d.first[:0]
	d.onField = d.in.take
	return d
}

func (d *decoder) emit(ev weir.Event) {
	if ev.IsContent() {
		d.content = true
	}
	d.events = append(d.events, ev)
}

// start opens a block.
func (d *decoder) start(b *weir.Block) int32 {
	i := d.blocks
	d.blocks++
	d.emit(weir.Event{Type: weir.EventBlockStart, Index: i, Block: b})
	return i
}

func (d *decoder) delta(index int32, part weir.Part, text string) {
	d.emit(weir.Event{Type: weir.EventDelta, Part: part, Index: index, Text: text})
}

func (d *decoder) end(index int32) {
	d.emit(weir.Event{Type: weir.EventBlockEnd, Index: index})
}

// block is a block that is complete at once.
func (d *decoder) block(b *weir.Block) { d.end(d.start(b)) }

// fields are the members of an event: slices of its frame.
type fields struct {
	typ, response, item, part, delta, text, annotation, logprobs []byte
	errRaw, code, message, param                                 []byte
	output, content, summary                                     []byte
}

func (f *fields) take(key, value []byte) error {
	switch string(key) {
	case "type":
		f.typ = value
	case "delta":
		f.delta = value
	case "output_index":
		f.output = value
	case "content_index":
		f.content = value
	case "summary_index":
		f.summary = value
	case "logprobs":
		f.logprobs = value
	case "item":
		f.item = value
	case "part":
		f.part = value
	case "response":
		f.response = value
	case "text", "arguments", "input", "refusal":
		f.text = value
	case "annotation":
		f.annotation = value
	case "error":
		f.errRaw = value
	case "code":
		f.code = value
	case "message":
		f.message = value
	case "param":
		f.param = value
	}
	return nil
}
