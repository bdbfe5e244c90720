package openairest

import (
	"bytes"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// vectorEncoder writes embeddings as one body. The upstream's own goes on byte for
// byte, unless the client asked for numbers or for base64 and its vectors are written
// in the other way: then they are put in the one that was asked for, since the program
// that uses them knows only that.
type vectorEncoder struct {
	req    *weir.Request
	base64 bool
	asked  bool // the client asked for one of the two ways that are known here
	all    weir.Collector
	run    codec.Run
	raw    []byte // the answer as it was received, when it came back whole
	any    bool
	losses codec.Losses
	failed *weir.Error
}

func newVectorEncoder(req *weir.Request) *vectorEncoder {
	encoding := encodingFor(req)
	return &vectorEncoder{req: req, base64: encoding == "base64", asked: encoding == "base64" || encoding == "float"}
}

// encodingFor is how the client wants the vectors: "float", "base64", another word of
// its vendor, or empty where it said nothing.
func encodingFor(req *weir.Request) string {
	if w := req.Wire; w != nil {
		if w.Protocol != protocol {
			return ""
		}
		top, err := codec.TopOf(w)
		if err != nil {
			return ""
		}
		return jsonx.StringOr(top.Get(w.Body, "encoding_format"), "")
	}
	body, err := req.Body()
	if err != nil || body.Embed == nil {
		return ""
	}
	return body.Embed.Encoding
}

// ContentType implements codec.Encoder.
func (e *vectorEncoder) ContentType() string { return "application/json" }

// Losses implements codec.Encoder.
func (e *vectorEncoder) Losses() []weir.Loss { return e.losses }

// KeepAlive implements codec.Encoder: nothing can be sent ahead of JSON.
func (e *vectorEncoder) KeepAlive(dst []byte) []byte { return dst }

// Failed implements codec.Failer: a vector of the upstream was no vector.
func (e *vectorEncoder) Failed() *weir.Error { return e.failed }

// Encode implements codec.Encoder.
func (e *vectorEncoder) Encode(dst []byte, ev weir.Event) []byte {
	if ev.Type == weir.EventNote || ev.Type == weir.EventPing {
		return dst
	}
	e.any = true
	f := ev.Frame
	whole := f != nil && f.Protocol == protocol && f.Whole && e.raw == nil
	if !whole || ev.FrameSeq > 0 && !e.run.Continues(ev) {
		e.abandon()
		e.all.Add(ev.Detach())
		return dst
	}
	if e.run.Add(ev); ev.FrameSeq == f.Events-1 {
		e.received(f.Raw)
	}
	return dst
}

// received keeps a whole answer as it is, unless its vectors have to be put in
// another way.
func (e *vectorEncoder) received(raw []byte) {
	for _, ev := range e.run.Held() {
		if v := ev.Vector; v != nil && e.asked && (v.Base64 != "") != e.base64 {
			return
		}
	}
	e.raw = bytes.Clone(raw)
}

// abandon turns to writing by value.
func (e *vectorEncoder) abandon() {
	for _, ev := range e.run.Held() {
		e.all.Add(ev)
	}
	e.run.Clear()
	e.raw = nil
}

// Close implements codec.Encoder.
func (e *vectorEncoder) Close(dst []byte, err *weir.Error) []byte {
	switch {
	case err != nil && !e.any:
		return dst
	case err != nil:
		return rest{}.AppendError(dst, err)
	case e.raw != nil:
		return append(dst, e.raw...)
	}
	e.abandon()
	return e.list(dst)
}

// list writes what was collected.
func (e *vectorEncoder) list(dst []byte) []byte {
	done := e.all.Completion()
	b := jsonx.Buffer{B: dst}
	b.BeginObject()
	b.StringField("object", "list")
	b.Key("data")
	b.BeginArray()
	for i := range done.Vectors {
		e.vector(&b, i, &done.Vectors[i], done.Start.From == protocol)
	}
	b.EndArray()
	model := e.req.Model
	if model == "" {
		model = done.Start.Model
	}
	b.StringField("model", model)
	if u := done.Usage; u.Has(weir.UsageInput) {
		b.Key("usage")
		b.BeginObject()
		b.IntField("prompt_tokens", u.InputTokens)
		b.IntField("total_tokens", u.Total())
		b.EndObject()
	}
	if done.Start.From == protocol {
		for _, f := range done.Start.Extra {
			b.RawField(f.Name, f.Value)
		}
	}
	b.EndObject()
	if e.failed != nil {
		return dst
	}
	return b.B
}

// vector writes one embedding; an input without one is left out.
// own tells that it comes from an upstream of this protocol.
func (e *vectorEncoder) vector(b *jsonx.Buffer, i int, v *weir.Vector, own bool) {
	if v.JSON == nil && v.Base64 == "" {
		return
	}
	b.BeginObject()
	b.StringField("object", "embedding")
	b.IntField("index", int64(i))
	var err error
	if e.base64 {
		var text string
		text, err = v.AsBase64()
		b.StringField("embedding", text)
	} else {
		var numbers []byte
		numbers, err = v.AsJSON()
		b.RawField("embedding", numbers)
	}
	if own {
		for _, f := range v.Extra {
			b.RawField(f.Name, f.Value)
		}
	}
	b.EndObject()
	if err != nil && e.failed == nil {
		e.failed = weir.AsError(err)
	}
}
