package anthropic

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// messageEncoder writes an answer that is not streamed: as it came, when it came
// whole in this protocol, else what was gathered.
type messageEncoder struct {
	req    *weir.Request
	losses codec.Losses
	all    weir.Collector
	any    bool
	end    ending
	whole  wholeRun
	failed *weir.Error
}

func newMessageEncoder(req *weir.Request) *messageEncoder { return &messageEncoder{req: req} }

// ContentType implements codec.Encoder.
func (e *messageEncoder) ContentType() string { return "application/json" }

// Losses implements codec.Encoder.
func (e *messageEncoder) Losses() []weir.Loss { return e.losses }

// KeepAlive implements codec.Encoder.
func (e *messageEncoder) KeepAlive(dst []byte) []byte { return dst }

// Failed implements codec.Failer.
func (e *messageEncoder) Failed() *weir.Error { return e.failed }

// Encode implements codec.Encoder.
func (e *messageEncoder) Encode(dst []byte, ev weir.Event) []byte {
	switch {
	case ev.Type == weir.EventNote || ev.Type == weir.EventPing || ev.Type == weir.EventNone:
		return dst
	case ev.Choice != 0:
		dropOnce(&e.losses, "choices", "the client's protocol has one choice; the first one was sent")
		return dst
	case ev.Type == weir.EventDelta && ev.Part == weir.PartLogprobs:
		dropOnce(&e.losses, "logprobs", "the client's protocol has none")
		return dst
	}
	e.any = true
	for _, ev := range e.whole.take(ev) {
		e.all.Add(ev)
	}
	return dst
}

// Close implements codec.Encoder.
func (e *messageEncoder) Close(dst []byte, err *weir.Error) []byte {
	switch {
	case err != nil && !e.any:
		return dst
	case err != nil:
		return appendError(dst, err)
	case e.whole.raw != nil:
		return append(dst, e.whole.raw...)
	}
	for _, ev := range e.whole.rest() {
		e.all.Add(ev)
	}
	out, failed := e.message(dst, e.all.Completion())
	if failed != nil {
		e.failed = failed
		return appendError(dst, failed)
	}
	return out
}

// wholeRun recognises a whole answer of this protocol whose Events all came back
// unedited.
type wholeRun struct {
	raw     []byte // the answer, once it is complete
	pending []weir.Event
	first   [4]weir.Event
	frame   *weir.Frame
}

// take gives the Events that are to be gathered by value.
func (r *wholeRun) take(ev weir.Event) []weir.Event {
	f := ev.Frame
	fits := f != nil && f.Protocol == protocol && f.Whole && int(ev.FrameSeq) == len(r.pending) &&
		(r.frame == nil || r.frame == f) && r.raw == nil
	if !fits {
		r.raw = nil
		return append(r.rest(), ev)
	}
	if r.pending == nil {
		r.pending = r.first[:0]
	}
	r.frame, r.pending = f, append(r.pending, ev)
	if len(r.pending) == int(f.Events) {
		r.raw = bytes.Clone(f.Raw)
	}
	return nil
}

// rest gives up the run and what it held.
func (r *wholeRun) rest() []weir.Event {
	held := r.pending
	r.pending = nil
	return held
}

// message writes a gathered answer. The error is that of an answer whose tool
// arguments are no object.
func (e *messageEncoder) message(dst []byte, c *weir.Completion) ([]byte, *weir.Error) {
	var choice weir.Choice
	if len(c.Choices) > 0 {
		choice = c.Choices[0]
	}
	b := jsonx.Buffer{B: dst}
	at := len(dst)
	start := &c.Start
	appendHead(&b, e.req, start)
	b.Key("content")
	b.BeginArray()
	for i := range choice.Message.Blocks {
		if err := e.block(&b, &choice.Message.Blocks[i], &choice.Finish, start.From == protocol); err != nil {
			return dst[:at], err
		}
	}
	b.EndArray()
	appendStop(&b, &choice.Finish, e.end)
	if choice.Finish.From == protocol {
		appendFields(&b, choice.Finish.Extra)
	}
	b.Key("usage")
	appendUsage(&b, c.Usage, weir.UsageInput|weir.UsageOutput)
	b.EndObject()
	return b.B, nil
}

func (e *messageEncoder) block(b *jsonx.Buffer, blk *weir.Block, fin *weir.Finish, same bool) *weir.Error {
	e.end.last = false
	switch blk.Type {
	case weir.BlockText, weir.BlockRefusal:
		e.text(b, blk, blk.Text, same)
	case weir.BlockAudio:
		dropOnce(&e.losses, "content.audio", "the sound was left out, its words were sent as text")
		if blk.Media != nil {
			e.text(b, blk, blk.Media.Transcript, false)
		}
	case weir.BlockReasoning:
		e.thinking(b, blk)
	case weir.BlockToolCall:
		return e.call(b, blk, fin)
	case weir.BlockOpaque:
		if o := blk.Opaque; o != nil && o.Protocol == protocol {
			b.Raw(o.Raw)
			return nil
		}
		dropOnce(&e.losses, "content.opaque", "only its own protocol understands it")
	default:
		dropOnce(&e.losses, "content."+string(blk.Type), "the client's protocol has no such block in answers")
	}
	return nil
}

func (e *messageEncoder) text(b *jsonx.Buffer, blk *weir.Block, text string, same bool) {
	if text == "" {
		if len(blk.Citations) > 0 {
			dropOnce(&e.losses, "content.citations", "a citation without a text cannot be written")
		}
		return
	}
	b.BeginObject()
	b.StringField("type", "text")
	b.StringField("text", text)
	var list jsonx.Buffer
	list.BeginArray()
	for i := range blk.Citations {
		if c := &blk.Citations[i]; c.From == protocol && c.Raw != nil {
			list.Raw(c.Raw)
		} else {
			dropOnce(&e.losses, "content.citations", "citations of another protocol cannot be written")
		}
	}
	list.EndArray()
	if len(list.B) > len("[]") {
		b.RawField("citations", list.B)
	}
	if same {
		appendFields(b, blk.Extra)
	}
	b.EndObject()
}

func (e *messageEncoder) thinking(b *jsonx.Buffer, blk *weir.Block) {
	r := blk.Reasoning
	if r == nil {
		r = &weir.Reasoning{}
	}
	own := ofProtocol(r.Format)
	if !own && (r.Signature != "" || r.Encrypted != "") {
		dropOnce(&e.losses, "content.thinking.signature", "the state of another provider's thinking cannot be carried")
	}
	switch {
	case own && r.Encrypted != "":
		b.BeginObject()
		b.StringField("type", "redacted_thinking")
		b.StringField("data", r.Encrypted)
	case hasInk(blk.Text) || own && r.Signature != "":
		b.BeginObject()
		b.StringField("type", "thinking")
		b.StringField("thinking", blk.Text)
		if own {
			b.StringField("signature", r.Signature)
		} else {
			b.StringField("signature", "")
		}
	default:
		return
	}
	if own {
		appendFields(b, r.Extra)
	}
	b.EndObject()
}

// call writes a tool call. One that was cut by the token cap is left out, since
// it must not look finished (S-06); other arguments that are no object fail the
// answer (§13.2).
func (e *messageEncoder) call(b *jsonx.Buffer, blk *weir.Block, fin *weir.Finish) *weir.Error {
	c := blk.Call
	if c == nil {
		return nil
	}
	input, ok := codec.RepairArguments(c.Arguments)
	if c.Type == weir.ToolCustom {
		input, ok = codec.WrapCustom(c.Arguments), true
	}
	if !ok && (fin.Reason == weir.FinishLength || fin.Reason == weir.FinishContextWindow) {
		dropOnce(&e.losses, "content.tool_use", "the call was cut by the token cap")
		return nil
	}
	if !ok {
		return weir.Errorf(weir.KindUpstream, "the model called the tool %q with arguments that are not a JSON object", c.Name)
	}
	e.end = ending{true, true}
	b.BeginObject()
	appendCall(b, c, []byte(input))
	b.EndObject()
	return nil
}

// appendCall writes the members of a tool_use block into an open object.
func appendCall(b *jsonx.Buffer, c *weir.ToolCall, input []byte) {
	id := c.ID
	if id == "" {
		id = "toolu_" + randomID()
	}
	b.StringField("type", "tool_use")
	b.StringField("id", id)
	b.StringField("name", c.Name)
	b.RawField("input", input)
	appendFields(b, c.Extra)
}

// appendFields writes unknown members. Answers are not written back in every
// spelling: what says nothing is left out (W-10).
func appendFields(b *jsonx.Buffer, fields weir.Fields) {
	for _, f := range fields {
		if !f.Spelling {
			b.RawField(f.Name, f.Value)
		}
	}
}

func randomID() string {
	var raw [12]byte
	_, _ = rand.Read(raw[:]) // never fails (crypto/rand)
	return hex.EncodeToString(raw[:])
}

// appendHead opens a message and writes what is known at its start. The model is
// the one that the client asked for where another protocol names it otherwise
// (protocols.md §13.20).
func appendHead(b *jsonx.Buffer, req *weir.Request, s *weir.Start) {
	if s == nil {
		s = &weir.Start{}
	}
	model := s.Model
	if s.From != protocol && req.Model != "" {
		model = req.Model
	}
	b.BeginObject()
	b.StringField("id", messageID(s))
	b.StringField("type", "message")
	b.StringField("role", "assistant")
	b.StringField("model", model)
	if s.From == protocol {
		appendFields(b, s.Extra)
	}
}

// messageID is an id in the protocol's style, made of the upstream's.
func messageID(s *weir.Start) string {
	if s.From == protocol && s.ID != "" {
		return s.ID
	}
	id := strings.TrimPrefix(s.ID, "chatcmpl-")
	if id == "" {
		return "msg_" + randomID()
	}
	return "msg_" + codec.ShortenID(id, 0)
}

// appendStop writes how a message ended.
func appendStop(b *jsonx.Buffer, f *weir.Finish, end ending) {
	b.StringField("stop_reason", stopReason(f, end))
	b.Key("stop_sequence")
	if f.StopSequence != "" {
		b.String(f.StopSequence)
	} else {
		b.Null()
	}
	if f.From == protocol && f.Details != nil {
		b.RawField("stop_details", f.Details)
	}
}
