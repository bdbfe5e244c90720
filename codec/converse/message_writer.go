package converse

import (
	"bytes"

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
	calls  bool
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
	b.BeginObject()
	b.Key("output")
	b.BeginObject()
	b.Key("message")
	b.BeginObject()
	b.StringField("role", "assistant")
	b.Key("content")
	b.BeginArray()
	for i := range choice.Message.Blocks {
		if err := e.block(&b, &choice.Message.Blocks[i], &choice.Finish, c.Start.From == protocol); err != nil {
			return dst[:at], err
		}
	}
	b.EndArray()
	b.EndObject()
	b.EndObject()
	appendFinish(&b, &choice.Finish, e.calls)
	loseUsage(&e.losses, c.Usage)
	if hasCounts(c.Usage) {
		b.Key("usage")
		appendUsage(&b, c.Usage)
		appendBeside(&b, c.Usage)
	}
	b.EndObject()
	return b.B, nil
}

func (e *messageEncoder) block(b *jsonx.Buffer, blk *weir.Block, fin *weir.Finish, same bool) *weir.Error {
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
		return e.call(b, blk, fin, same)
	case weir.BlockImage:
		if !hasImage(blk) {
			dropOnce(&e.losses, "content.image", "the client's protocol cannot show the image")
			return nil
		}
		b.BeginObject()
		b.Key("image")
		appendImage(b, blk.Media)
		b.EndObject()
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
	var citations []weir.Citation
	for _, c := range blk.Citations {
		if isCitable(&c) {
			citations = append(citations, c)
		} else {
			dropOnce(&e.losses, "content.citations", "citations that say neither source nor text cannot be written")
		}
	}
	if text == "" && len(citations) == 0 {
		return
	}
	b.BeginObject()
	if len(citations) > 0 {
		b.Key("citationsContent")
		appendCited(b, text, citations)
	} else {
		b.StringField("text", text)
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
		dropOnce(&e.losses, "content.reasoningContent.signature", "the state of another provider's thinking cannot be carried")
	}
	if !hasInk(blk.Text) && (!own || r.Signature == "" && r.Encrypted == "") {
		return
	}
	b.BeginObject()
	b.Key("reasoningContent")
	appendReasoning(b, blk.Text, r, own, own)
	b.EndObject()
}

// call writes a tool call. One that was cut by the token cap is left out, since it
// must not look finished (S-06); other arguments that are no object fail the answer
// (§13.2).
func (e *messageEncoder) call(b *jsonx.Buffer, blk *weir.Block, fin *weir.Finish, same bool) *weir.Error {
	c := blk.Call
	if c == nil {
		return nil
	}
	if c.Signature != "" {
		dropOnce(&e.losses, "content.toolUse.signature", "the state of another provider's call cannot be carried")
	}
	input, ok := codec.RepairArguments(c.Arguments)
	switch {
	case c.Type == weir.ToolCustom:
		input, ok = codec.WrapCustom(c.Arguments), true
	case !ok && same && jsonx.Valid([]byte(c.Arguments)) == nil:
		input, ok = c.Arguments, true // a document need not be an object here
	}
	if !ok && (fin.Reason == weir.FinishLength || fin.Reason == weir.FinishContextWindow) {
		dropOnce(&e.losses, "content.toolUse", "the call was cut by the token cap")
		return nil
	}
	if !ok {
		return weir.Errorf(weir.KindUpstream, "the model called the tool %q with arguments that are not a JSON object", c.Name)
	}
	e.calls = true
	b.BeginObject()
	b.Key("toolUse")
	b.BeginObject()
	b.StringField("toolUseId", callIDOf(c))
	b.StringField("name", c.Name)
	b.RawField("input", []byte(input))
	if same {
		appendFields(b, c.Extra)
	}
	b.EndObject()
	b.EndObject()
	return nil
}
