package openairesponses

import (
	"slices"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// answerWriter writes an answer by value, as events or, quiet, as a response that
// is written when it is complete: both are made by the same steps and so mean the
// same (W-12). Items keep their number while others begin and end, so that
// parallel calls stay apart (S-01). An item is closed when the next one begins or
// the answer ends: only then it is known whether it was cut (S-06).
type answerWriter struct {
	req    *weir.Request
	quiet  bool
	losses codec.Losses

	start     weir.Start
	shown     bool // the client has seen the upstream's own name of the model
	id        string
	around    around
	announced bool // response.created was written
	begun     bool // and response.in_progress
	ended     bool // a terminal event was written
	seq       int64
	next      int64 // output_index of the next item
	items     []*outItem
	first     int // all items in front of it are closed
	blocks    map[int32]*outBlock
	finish    *weir.Finish
	usage     *weir.Usage
}

const (
	statusInProgress = "in_progress"
	statusCompleted  = "completed"
	statusIncomplete = "incomplete"
	statusFailed     = "failed"
)

// lose reports once that something of the answer is left out.
func (w *answerWriter) lose(field, detail string) { w.note(weir.LossDropped, field, detail) }

func (w *answerWriter) note(action weir.LossAction, field, detail string) {
	if !slices.ContainsFunc(w.losses, func(l weir.Loss) bool { return l.Field == field }) {
		w.losses = append(w.losses, weir.Loss{Field: field, Action: action, Detail: detail})
	}
}

func (w *answerWriter) account(u *weir.Usage) {
	if w.usage == nil {
		w.usage = new(weir.Usage)
	}
	w.usage.Merge(u)
}

// event writes what ev adds.
func (w *answerWriter) event(dst []byte, ev *weir.Event) []byte {
	if w.ended {
		return dst
	}
	if ev.Choice != 0 {
		w.lose("choices", "the client's protocol has one choice; the first one was sent")
		return dst
	}
	switch ev.Type {
	case weir.EventStart:
		if w.begun {
			return dst
		}
		w.start = *ev.Start
		return w.begin(dst)
	case weir.EventUsage:
		w.account(ev.Usage)
	case weir.EventFinish:
		w.finish = ev.Finish
		return w.closeAll(w.begin(dst), isCut(ev.Finish))
	case weir.EventBlockStart:
		return w.blockStart(w.begin(dst), ev)
	case weir.EventDelta:
		return w.delta(dst, ev)
	case weir.EventBlockEnd:
		return w.blockEnd(dst, ev.Index)
	}
	return dst
}

// isCut reports whether an answer ended in the middle.
func isCut(f *weir.Finish) bool {
	switch f.Reason {
	case weir.FinishLength, weir.FinishContextWindow:
		return true
	}
	return false
}

// open begins an event of the stream; its object is open.
func (w *answerWriter) open(dst []byte, typ string) jsonx.Buffer {
	dst = append(dst, "event: "...)
	dst = append(dst, typ...)
	dst = append(dst, "\ndata: "...)
	b := jsonx.Buffer{B: dst}
	b.BeginObject()
	b.StringField("type", typ)
	b.IntField("sequence_number", w.seq)
	w.seq++
	return b
}

func endEvent(b *jsonx.Buffer) []byte {
	b.EndObject()
	return append(b.B, "\n\n"...)
}

// begin writes the first two events, as far as they are not written.
func (w *answerWriter) begin(dst []byte) []byte {
	if w.begun {
		return dst
	}
	w.begun = true
	if w.quiet {
		return dst
	}
	for _, typ := range [...]string{"response.created", "response.in_progress"} {
		if typ == "response.created" && w.announced {
			continue
		}
		b := w.open(dst, typ)
		b.Key("response")
		w.response(&b, statusInProgress, nil)
		dst = endEvent(&b)
	}
	return dst
}

// itemEvent writes an event about an item as a whole.
func (w *answerWriter) itemEvent(dst []byte, typ string, it *outItem, raw []byte) []byte {
	b := w.open(dst, typ)
	b.IntField("output_index", it.index)
	b.Key("item")
	if raw != nil {
		b.Raw(raw)
	} else {
		it.write(&b, statusInProgress)
	}
	return endEvent(&b)
}

// add makes an item and writes that it begins.
func (w *answerWriter) add(dst []byte, it *outItem) []byte {
	it.index = w.next
	w.next++
	if it.id == "" || it.raw == nil && slices.ContainsFunc(w.items, func(o *outItem) bool { return o.id == it.id }) {
		it.id = w.itemID(it)
	}
	w.items = append(w.items, it)
	it.added = true
	if w.quiet {
		return dst
	}
	return w.itemEvent(dst, "response.output_item.added", it, it.raw)
}

// settle closes the items that are complete, but for one that goes on.
func (w *answerWriter) settle(dst []byte, but *outItem) []byte {
	for w.first < len(w.items) && w.items[w.first].closed {
		w.first++
	}
	for _, it := range w.items[w.first:] {
		if !it.closed && it.open == 0 && it != but {
			dst = w.closeItem(dst, it, statusCompleted)
		}
	}
	return dst
}

// closeAll closes every item. Of an answer that was cut the last one is not
// complete, nor is any call whose arguments are not.
func (w *answerWriter) closeAll(dst []byte, cut bool) []byte {
	for i, it := range w.items {
		if it.closed {
			continue
		}
		status := statusCompleted
		if cut && (i == len(w.items)-1 || it.kind == outFunction || it.kind == outSearch) && !it.isWhole() {
			status = statusIncomplete
		}
		dst = w.closeItem(dst, it, status)
	}
	return dst
}

// isWhole reports whether an item can have been cut nowhere: a call with
// arguments that are JSON.
func (it *outItem) isWhole() bool {
	return (it.kind == outFunction || it.kind == outSearch) && len(it.arguments) > 0 && jsonx.Valid(it.arguments) == nil
}

// closeItem writes the end of an item.
func (w *answerWriter) closeItem(dst []byte, it *outItem, status string) []byte {
	it.closed = true
	for _, p := range it.parts {
		if p.open && !p.closed {
			dst = w.closePart(dst, it, p)
		}
	}
	switch it.kind {
	case outFunction, outCustom, outSearch:
		dst = w.closeCall(dst, it)
	}
	if it.raw == nil {
		var b jsonx.Buffer
		it.write(&b, status)
		it.raw = b.B
	}
	if w.quiet {
		return dst
	}
	return w.itemEvent(dst, "response.output_item.done", it, it.raw)
}

// callNames are the words of the events of calls.
func callNames(kind outKind) (event, member string) {
	if kind == outCustom {
		return "response.custom_tool_call_input", "input"
	}
	return "response.function_call_arguments", "arguments"
}

// closeCall writes the end of a call's arguments. A function without any has an
// empty object (S-04).
func (w *answerWriter) closeCall(dst []byte, it *outItem) []byte {
	if len(it.arguments) == 0 && it.kind == outFunction {
		dst = w.argue(dst, it, "{}")
	}
	if it.kind == outSearch {
		if _, ok := codec.RepairArguments(string(it.arguments)); !ok {
			w.lose("output.arguments", "the arguments of a search are an object, and the model wrote something else")
		}
		return dst
	}
	if w.quiet || it.argued {
		return dst
	}
	event, member := callNames(it.kind)
	b := w.open(dst, event+".done")
	b.StringField("item_id", it.id)
	b.IntField("output_index", it.index)
	if it.kind == outFunction {
		b.StringField("name", it.name)
	}
	b.Key(member)
	b.Bytes(it.arguments)
	return endEvent(&b)
}

// argue writes a piece of a call's arguments.
func (w *answerWriter) argue(dst []byte, it *outItem, s string) []byte {
	it.arguments = append(it.arguments, s...)
	if w.quiet || it.kind == outSearch { // a search is told of as a whole
		return dst
	}
	event, _ := callNames(it.kind)
	b := w.open(dst, event+".delta")
	b.StringField("item_id", it.id)
	b.IntField("output_index", it.index)
	b.StringField("delta", s)
	return endEvent(&b)
}

// close ends a complete answer with its terminal event.
func (w *answerWriter) close(dst []byte) []byte {
	if w.ended {
		return dst
	}
	dst = w.closeAll(w.begin(dst), w.finish != nil && isCut(w.finish))
	dst = w.explain(dst)
	w.ended = true
	status := w.status()
	b := w.open(dst, "response."+terminalOf(status))
	b.Key("response")
	w.response(&b, status, nil)
	return endEvent(&b)
}

// terminalOf is the terminal event of a status. What was not over when it was
// asked for ends with what a client can read as an end.
func terminalOf(status string) string {
	switch status {
	case statusIncomplete, statusFailed:
		return status
	}
	return statusCompleted
}

// fail ends an answer with an error. Texts are closed, so that what there is of
// them can be read; a call that is not complete is left open, since clients run
// the calls that are done, and so is what went by undecoded.
func (w *answerWriter) fail(dst []byte, err *weir.Error) []byte {
	if w.ended {
		return dst
	}
	dst = w.begin(dst)
	for _, it := range w.items {
		switch {
		case it.closed, it.blind:
		case !it.kind.isCall():
			dst = w.closeItem(dst, it, statusIncomplete)
		case it.open == 0 && it.isWhole():
			dst = w.closeItem(dst, it, statusCompleted)
		}
	}
	w.ended = true
	b := w.open(dst, "response.failed")
	b.Key("response")
	w.response(&b, statusFailed, err)
	return endEvent(&b)
}

// explain writes why a model of another protocol declined, where it said so
// (protocols.md §13.16).
func (w *answerWriter) explain(dst []byte) []byte {
	f := w.finish
	if f == nil || f.Reason != weir.FinishRefusal || f.From == protocol {
		return dst
	}
	why := jsonx.StringOr(jsonx.Get(f.Details, "explanation"), "")
	if why == "" {
		return dst
	}
	it := &outItem{kind: outMessage}
	dst = w.add(dst, it)
	p := &outPart{typ: outputRefusal}
	it.parts = append(it.parts, p)
	dst = w.say(dst, it, p, why)
	return w.closeItem(dst, it, statusCompleted)
}
