package openairesponses

import (
	"crypto/rand"
	"strconv"
	"strings"
	"time"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// around is what stands around every answer to one request: the request's own
// members, as the API repeats them.
type around struct {
	made bool
	body []byte
	top  *jsonx.Top
}

// asked is the client's request. One that did not come as bytes of this protocol
// is written in it.
func (w *answerWriter) asked() *around {
	a := &w.around
	if a.made {
		return a
	}
	a.made = true
	wire := w.req.Wire
	if wire == nil || wire.Protocol != protocol {
		body, err := w.req.Body()
		if err != nil {
			return a
		}
		out := newWriter(body, &codec.Target{Model: w.req.Model, Quirks: &codec.Quirks{}})
		written, err := out.body()
		if err != nil {
			return a
		}
		wire = &weir.Wire{Body: written}
	}
	if top, err := codec.TopOf(wire); err == nil {
		a.body, a.top = wire.Body, top
	}
	return a
}

// get is a member of the request, nil when it is missing or null.
func (a *around) get(name string) []byte {
	if a.top == nil {
		return nil
	}
	if raw := a.top.Get(a.body, name); says(raw) {
		return raw
	}
	return nil
}

// repeated are the members of a response that repeat the request, with what they
// are when nothing was said (OpenAPI 2.3.0; recordings of OpenAI, 2026-08).
var repeated = []struct{ name, missing string }{
	{"instructions", "null"},
	{"max_output_tokens", "null"},
	{"max_tool_calls", "null"},
	{"parallel_tool_calls", "true"},
	{"previous_response_id", "null"},
	{"prompt_cache_key", "null"},
	{"reasoning", `{"effort":null,"summary":null}`},
	{"safety_identifier", "null"},
	{"service_tier", `"default"`},
	{"store", "true"},
	{"temperature", "1"},
	{"text", `{"format":{"type":"text"}}`},
	{"tool_choice", `"auto"`},
	{"tools", "[]"},
	{"top_logprobs", "0"},
	{"top_p", "1"},
	{"truncation", `"disabled"`},
	{"user", "null"},
	{"metadata", "{}"},
}

// response writes the response object as it stands with a status. err is why it
// failed.
func (w *answerWriter) response(b *jsonx.Buffer, status string, err *weir.Error) {
	over := status != statusInProgress
	b.BeginObject()
	b.StringField("id", w.responseID())
	b.StringField("object", "response")
	b.IntField("created_at", w.created())
	b.StringField("status", status)
	w.background(b)
	if status == statusCompleted {
		b.IntField("completed_at", time.Now().Unix())
	}
	b.Key("error")
	if err != nil {
		writeFailure(b, err)
	} else {
		b.Null()
	}
	b.Key("incomplete_details")
	w.incomplete(b, status)
	b.StringField("model", w.model())
	b.Key("output")
	b.BeginArray()
	for _, it := range w.items {
		if over && it.closed {
			b.Raw(it.raw)
		}
	}
	b.EndArray()
	w.repeat(b, over)
	b.Key("usage")
	if over && w.usage != nil && w.usage.Known != 0 {
		writeUsage(b, w.usage)
	} else {
		b.Null()
	}
	b.EndObject()
}

// background is what the upstream says of it, or the request.
func (w *answerWriter) background(b *jsonx.Buffer) {
	raw := w.own(false).Value("background")
	if raw == nil {
		raw = w.asked().get("background")
	}
	if raw == nil {
		raw = []byte("false")
	}
	b.RawField("background", raw)
}

// own are the members that an upstream of this protocol put around the answer: at
// its beginning, or once it is over.
func (w *answerWriter) own(over bool) weir.Fields {
	switch f := w.finish; {
	case over && f != nil && f.From == protocol && len(f.Extra) > 0:
		return f.Extra
	case w.start.From == protocol:
		return w.start.Extra
	}
	return nil
}

// repeat writes the members around the answer: as the upstream of this protocol
// gave them, else as they were asked for.
func (w *answerWriter) repeat(b *jsonx.Buffer, over bool) {
	own := w.own(over)
	for i := range repeated {
		raw := own.Value(repeated[i].name)
		if raw == nil {
			raw = w.asked().get(repeated[i].name)
		}
		if raw == nil {
			raw = []byte(repeated[i].missing)
		}
		b.RawField(repeated[i].name, raw)
	}
	if raw := w.asked().get("conversation"); raw != nil && own.Value("conversation") == nil {
		w.conversation(b, raw)
	}
	for i := range own {
		if !isRepeated(own[i].Name) {
			b.RawField(own[i].Name, own[i].Value)
		}
	}
}

// conversation is an object in answers, whatever it was in the request.
func (w *answerWriter) conversation(b *jsonx.Buffer, raw []byte) {
	b.Key("conversation")
	if jsonx.KindOf(raw) == jsonx.KindObject {
		b.Raw(raw)
		return
	}
	b.BeginObject()
	b.RawField("id", raw)
	b.EndObject()
}

func isRepeated(name string) bool {
	for i := range repeated {
		if repeated[i].name == name {
			return true
		}
	}
	return !isAround(name) || name == "background"
}

func (w *answerWriter) model() string {
	if w.shown && w.start.Model != "" || w.req.Model == "" {
		return w.start.Model
	}
	return w.req.Model
}

func (w *answerWriter) created() int64 {
	if w.start.Created == 0 {
		w.start.Created = time.Now().Unix()
	}
	return w.start.Created
}

const idPrefix = "resp_"

// responseID is the upstream's id in the client's style, or one that follows from
// the request, so that all events have the same.
func (w *answerWriter) responseID() string {
	if w.id != "" {
		return w.id
	}
	switch id := w.start.ID; {
	case id == "" && w.req.ID != "":
		w.id = idPrefix + w.req.ID
	case id == "":
		w.id = idPrefix + rand.Text()
	case w.start.From == protocol || strings.HasPrefix(id, idPrefix):
		w.id = id
	default:
		w.id = idPrefix + id
	}
	return w.id
}

// suffix is what the ids of the items of this answer end with.
func (w *answerWriter) suffix(index int64) string {
	return strings.TrimPrefix(w.responseID(), idPrefix) + "_" + strconv.FormatInt(index, 10)
}

// itemID is the id of an item that has none: with the prefix of its kind, since
// the API refuses others (protocols.md §1.3).
func (w *answerWriter) itemID(it *outItem) string {
	prefix := "item_"
	switch it.kind {
	case outMessage:
		prefix = "msg_"
	case outReasoning:
		prefix = "rs_"
	case outFunction:
		prefix = "fc_"
	case outCustom:
		prefix = "ctc_"
	case outSearch:
		prefix = "tsc_"
	}
	return prefix + w.suffix(it.index)
}

// status is what a complete answer ended as. An upstream of this protocol may
// answer before it is done, when it was asked to work in the background.
func (w *answerWriter) status() string {
	f := w.finish
	if f == nil {
		return statusCompleted
	}
	switch f.Reason {
	case weir.FinishLength, weir.FinishContextWindow, weir.FinishContentFilter, weir.FinishPause:
		return statusIncomplete
	case weir.FinishRefusal:
		if f.From == protocol {
			return statusCompleted
		}
		return statusIncomplete
	case weir.FinishOther:
		if f.From != protocol {
			return statusCompleted
		}
		switch f.Native {
		case "queued", statusInProgress:
			return f.Native
		case statusCompleted, "":
			return statusCompleted
		}
		return statusIncomplete
	}
	return statusCompleted
}

// incomplete writes why an answer is not complete (protocols.md §12.3).
func (w *answerWriter) incomplete(b *jsonx.Buffer, status string) {
	if status != statusIncomplete {
		b.Null()
		return
	}
	f := w.finish
	if f.From == protocol && says(f.Details) {
		b.Raw(f.Details)
		return
	}
	reason := "max_output_tokens"
	switch f.Reason {
	case weir.FinishContentFilter, weir.FinishRefusal:
		reason = "content_filter"
	case weir.FinishOther:
		reason = f.Native
	case weir.FinishPause:
		reason = reasonPause
		w.note(weir.LossApproximated, "incomplete_details.reason",
			"the upstream's own tool loop waits to be continued, which the Responses API cannot say")
	}
	b.BeginObject()
	b.StringField("reason", reason)
	b.EndObject()
}
