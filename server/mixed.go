package server

import (
	"encoding/base64"
	"fmt"
	"mime/multipart"
	"net/textproto"
	"slices"
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
)

// wantsParts reports whether the client wants a whole answer as multipart/mixed:
// the answer itself, and every image and sound in it as a part of its own, which
// spares both sides a third of the bytes and the decoding of base64. A stream
// has its own form and stays as it is.
func (a *answer) wantsParts(req *weir.Request) bool {
	if req.Stream || req.Op != weir.Generate {
		return false
	}
	switch a.face.codec.Protocol() {
	case weir.OpenAIChat, weir.AnthropicMessages:
		return strings.Contains(a.r.Header.Get("Accept"), "multipart/mixed")
	}
	return false
}

// mixed writes an answer as multipart/mixed (RFC 2046 §5.1.3). The first part is
// the answer as it would be, with "cid:…" (RFC 2392) where the data of an image
// or a sound stood; the other parts are those, with their own types and a
// Content-ID each.
type mixed struct {
	codec.Encoder
	boundary string
	parts    []*mediaPart
	open     map[place]*mediaPart // sounds that still grow
	failed   *weir.Error
}

type place struct{ choice, index int32 }

type mediaPart struct {
	id, mime string
	base64   []byte
}

func newMixed(inner codec.Encoder, id string) *mixed {
	return &mixed{Encoder: inner, boundary: "weir-" + id, open: map[place]*mediaPart{}}
}

// ContentType implements codec.Encoder.
func (m *mixed) ContentType() string {
	return `multipart/mixed; boundary="` + m.boundary + `"`
}

// Encode implements codec.Encoder.
func (m *mixed) Encode(dst []byte, ev weir.Event) []byte {
	switch {
	case ev.Type == weir.EventBlockStart && ev.Block.Media != nil && ev.Block.Media.URL == "":
		ev = m.start(ev)
	case ev.Type == weir.EventDelta && ev.Part == weir.PartAudio:
		if p := m.open[place{ev.Choice, ev.Index}]; p != nil {
			p.base64 = append(p.base64, ev.Text...)
			return dst
		}
	case ev.Frame != nil:
		ev = ev.Detach() // the answer is written anew
	}
	return m.Encoder.Encode(dst, ev)
}

// start takes the data out of a block.
func (m *mixed) start(ev weir.Event) weir.Event {
	block := ev.Block.Clone()
	media := block.Media
	if block.Type != weir.BlockImage && block.Type != weir.BlockAudio {
		return ev.Detach()
	}
	p := &mediaPart{id: fmt.Sprintf("%s-%d@weir", block.Type, len(m.parts)+1), mime: media.MIME, base64: []byte(media.Data)}
	m.parts = append(m.parts, p)
	media.Data = ""
	if block.Type == weir.BlockImage {
		media.URL = "cid:" + p.id
	} else {
		media.Data = "cid:" + p.id
		m.open[place{ev.Choice, ev.Index}] = p
	}
	ev = ev.Detach()
	ev.Block = &block
	return ev
}

// Close implements codec.Encoder.
func (m *mixed) Close(dst []byte, err *weir.Error) []byte {
	body := m.Encoder.Close(nil, err)
	if f, ok := m.Encoder.(codec.Failer); ok {
		m.failed = f.Failed()
	}
	out := appender{dst}
	w := multipart.NewWriter(&out)
	if w.SetBoundary(m.boundary) != nil {
		m.boundary = w.Boundary()
	}
	m.part(w, textproto.MIMEHeader{"Content-Type": {m.Encoder.ContentType()}}, body)
	for _, p := range m.parts {
		data, err := base64.StdEncoding.DecodeString(string(p.base64))
		if err != nil {
			m.failed = weir.Errorf(weir.KindUpstream, "an image or a sound of the answer is not base64")
			return dst
		}
		m.part(w, textproto.MIMEHeader{"Content-Type": {partType(p)}, "Content-Id": {"<" + p.id + ">"}}, data)
	}
	_ = w.Close() // writing to memory does not fail
	return out.b
}

func partType(p *mediaPart) string {
	switch {
	case p.mime != "":
		return p.mime
	case strings.HasPrefix(p.id, "image"):
		return "image/png"
	}
	return "audio/wav"
}

func (*mixed) part(w *multipart.Writer, header textproto.MIMEHeader, body []byte) {
	if part, err := w.CreatePart(header); err == nil {
		_, _ = part.Write(body)
	}
}

// Failed implements codec.Failer.
func (m *mixed) Failed() *weir.Error { return m.failed }

// Losses implements codec.Encoder: what has a part of its own is not lost.
func (m *mixed) Losses() []weir.Loss {
	losses := m.Encoder.Losses()
	if len(m.parts) == 0 {
		return losses
	}
	return slices.DeleteFunc(slices.Clone(losses), func(l weir.Loss) bool {
		return strings.Contains(l.Field, "image") || strings.Contains(l.Field, "audio")
	})
}

// appender is a writer that appends.
type appender struct{ b []byte }

// Write implements io.Writer.
func (a *appender) Write(p []byte) (int, error) {
	a.b = append(a.b, p...)
	return len(p), nil
}
