package ollama

import (
	"slices"
	"time"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// writer writes the lines of an answer by value, in the words of the endpoint that
// was asked.
type writer struct {
	req     *weir.Request
	form    form
	start   *weir.Start // nil while it is not known
	created time.Time
	head    []byte // `{"model":…,"created_at":…,`; made when the start is known
	blocks  []outBlock
	calls   int64  // written so far
	broken  string // the tool of a call whose arguments are no object, with %q around it
	finish  *weir.Finish
	usage   weir.Usage
	losses  codec.Losses
}

// outBlock is what is known of a block.
type outBlock struct {
	typ       weir.BlockType
	call      *weir.ToolCall // waits until its arguments are complete
	arguments []byte
}

// lose reports once that a part of an answer is left out: it may come in every one
// of its pieces.
func (w *writer) lose(field, detail string) {
	if !slices.ContainsFunc(w.losses, func(l weir.Loss) bool { return l.Field == field }) {
		w.losses.Drop(field, detail)
	}
}

// block is the state of block i, of text where it was never begun.
func (w *writer) block(i int32) *outBlock {
	for int(i) >= len(w.blocks) {
		w.blocks = append(w.blocks, outBlock{typ: weir.BlockText})
	}
	return &w.blocks[i]
}

// event appends the lines of an event of the first choice.
func (w *writer) event(dst []byte, ev *weir.Event) []byte {
	if ev.Choice != 0 {
		w.lose("choices", "the client's protocol has one choice; the first one was sent")
		return dst
	}
	switch ev.Type {
	case weir.EventStart:
		w.begin(ev.Start)
	case weir.EventUsage:
		w.usage.Merge(ev.Usage)
	case weir.EventFinish:
		w.finish = ev.Finish
	case weir.EventBlockStart:
		return w.blockStart(dst, ev)
	case weir.EventDelta:
		return w.delta(dst, ev)
	case weir.EventBlockEnd:
		return w.endCall(dst, w.block(ev.Index))
	}
	return dst
}

func (w *writer) begin(s *weir.Start) {
	if w.start == nil {
		w.start, w.head = s, nil
	}
}

// note registers a block that begins.
func (w *writer) note(ev *weir.Event) *outBlock {
	b := w.block(ev.Index)
	*b = outBlock{typ: ev.Block.Type}
	return b
}

func (w *writer) blockStart(dst []byte, ev *weir.Event) []byte {
	b, in := w.note(ev), ev.Block
	switch in.Type {
	case weir.BlockToolCall:
		if in.Call != nil {
			b.call = in.Call
			b.arguments = append(b.arguments, in.Call.Arguments...)
		}
		return dst
	case weir.BlockImage:
		return w.image(dst, in.Media)
	case weir.BlockAudio:
		w.lose("message.audio", "the sound was left out, its words were sent as text")
		if in.Media != nil {
			dst = w.text(dst, "content", in.Media.Transcript)
		}
		return dst
	case weir.BlockOpaque:
		w.lose("message.content", "only its own protocol understands it")
		return dst
	case weir.BlockReasoning:
		w.loseState(in.Reasoning)
	}
	if len(in.Citations) > 0 {
		w.loseCitations()
	}
	return w.text(dst, member(in.Type), in.Text)
}

// loseState tells what of a thought is left out: its text is in the answer.
func (w *writer) loseState(r *weir.Reasoning) {
	if r != nil && r.Signature != "" {
		w.lose("message.thinking.signature", "the client's protocol has no place for the provider's signature; the text is there")
	}
	if r != nil && r.Encrypted != "" {
		w.lose("message.thinking.encrypted", "the client's protocol has no place for what only the provider can read")
	}
}

func (w *writer) loseCitations() { w.lose("message.citations", "the client's protocol has none") }

// member is where the text of a block stands.
func member(t weir.BlockType) string {
	if t == weir.BlockReasoning {
		return "thinking"
	}
	return "content"
}

func (w *writer) delta(dst []byte, ev *weir.Event) []byte {
	b := w.block(ev.Index)
	switch ev.Part {
	case weir.PartText, weir.PartTranscript:
		return w.text(dst, member(b.typ), ev.Text)
	case weir.PartArguments:
		if b.call != nil {
			b.arguments = append(b.arguments, ev.Text...)
		}
	case weir.PartSignature:
		w.loseState(&weir.Reasoning{Signature: ev.Text})
	case weir.PartEncrypted:
		w.loseState(&weir.Reasoning{Encrypted: ev.Text})
	case weir.PartCitation:
		w.loseCitations()
	case weir.PartLogprobs:
		return w.logprobs(dst, ev.Text)
	}
	return dst
}

// heading is what every line begins with. The model is the one that the client
// asked for where another protocol names it otherwise (protocols.md §13.20).
func (w *writer) heading() []byte {
	if w.head != nil {
		return w.head
	}
	s := w.start
	if s == nil {
		s = new(weir.Start)
	}
	if w.created.IsZero() {
		w.created = time.Now().UTC()
	}
	if s.Created > 0 {
		w.created = time.Unix(s.Created, 0).UTC()
	}
	model := w.req.Model
	if s.Model != "" && (s.From == protocol || model == "") {
		model = s.Model
	}
	b := jsonx.Buffer{}
	b.BeginObject()
	b.StringField("model", model)
	if s.From == protocol {
		appendFields(&b, s.Extra)
	}
	b.StringField("created_at", w.created.Format(time.RFC3339Nano))
	b.B = append(b.B, ',')
	if w.start != nil {
		w.head = b.B
	}
	return b.B
}

// appendFields writes unknown members, without line ends.
func appendFields(b *jsonx.Buffer, fields weir.Fields) {
	for _, f := range fields {
		if !f.Spelling {
			b.RawField(f.Name, jsonx.Compact(nil, f.Value))
		}
	}
}

const lineEnd = ",\"done\":false}\n"

// text writes a line of text, none when there is none.
func (w *writer) text(dst []byte, member, text string) []byte {
	if text == "" {
		return dst
	}
	return w.piece(dst, member, text)
}

// piece writes a line with a text, which may be empty.
func (w *writer) piece(dst []byte, member, text string) []byte {
	dst = append(dst, w.heading()...)
	generate := w.form == formGenerate
	switch {
	case generate && member == "content":
		dst = jsonx.AppendString(append(dst, `"response":`...), text)
	case generate:
		dst = jsonx.AppendString(append(dst, `"response":"","thinking":`...), text)
	case member == "content":
		dst = append(jsonx.AppendString(append(dst, `"message":{"role":"assistant","content":`...), text), '}')
	default:
		dst = append(jsonx.AppendString(append(dst, `"message":{"role":"assistant","content":"","thinking":`...), text), '}')
	}
	return append(dst, lineEnd...)
}

func (w *writer) image(dst []byte, m *weir.Media) []byte {
	data := imageData(m)
	switch {
	case data == "":
		w.lose("message.images", "the client's protocol has images by value only")
		return dst
	case w.form == formGenerate:
		w.lose("images", "answers of /api/generate have none")
		return dst
	}
	b := jsonx.Buffer{B: append(append(dst, w.heading()...), `"message":{"role":"assistant","content":"","images":[`...)}
	b.String(data)
	return append(append(b.B, "]}"...), lineEnd...)
}

// imageData is an image in base64, empty where it is elsewhere.
func imageData(m *weir.Media) string {
	if m == nil {
		return ""
	}
	if _, data, ok := codec.ParseDataURL(m.URL); ok && m.Data == "" {
		return data
	}
	return m.Data
}

// logprobs writes the tokens of a piece, which is in the form of Chat.
func (w *writer) logprobs(dst []byte, piece string) []byte {
	tokens := jsonx.Get([]byte(piece), "content")
	if jsonx.KindOf(tokens) != jsonx.KindArray {
		w.lose("logprobs", "the client's protocol has those of text only")
		return dst
	}
	dst = w.piece(dst, "content", "")
	b := jsonx.Buffer{B: dst[:len(dst)-len(lineEnd)]}
	b.RawField("logprobs", jsonx.Compact(nil, tokens))
	return append(b.B, lineEnd...)
}
