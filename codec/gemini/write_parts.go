package gemini

import (
	"encoding/base64"
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
)

// part writes one part of a content.
func (w *bodyWriter) part(p *placed) error {
	b := p.Block
	if b.Type == weir.BlockOpaque && b.Opaque != nil {
		if b.Opaque.Protocol == protocol {
			w.buf.Raw(b.Opaque.Raw)
			return nil
		}
		return w.foreignOpaque(p)
	}
	at := w.paths.Block(p.at)
	start := w.begin()
	signature, err := w.inside(p, at)
	if err != nil {
		return err
	}
	if p.signature != "" {
		signature = p.signature
	}
	if signature != "" {
		w.key("thoughtSignature", b.Extra)
		w.buf.String(signature)
	}
	w.extra(start, b.Extra, at)
	w.buf.EndObject()
	w.notSaid(b, at)
	return nil
}

// inside writes what a part holds, and tells the signature that the block has
// itself.
func (w *bodyWriter) inside(p *placed, at string) (signature string, err error) {
	b := p.Block
	switch b.Type {
	case weir.BlockText, weir.BlockRefusal:
		w.buf.StringField("text", b.Text)
	case weir.BlockReasoning:
		return w.reasoning(b), nil
	case weir.BlockToolCall:
		return w.call(b, at)
	case weir.BlockToolResult:
		return "", w.result(b, at)
	case weir.BlockAudio:
		if p.Media != nil && p.Media.Data == "" && p.Media.Transcript != "" {
			// What a model said aloud is history, and its words are enough.
			w.losses.Approximate(at, "spoken words became their transcript")
			w.buf.StringField("text", p.Media.Transcript)
			return "", nil
		}
		return "", w.media(b, at)
	case weir.BlockImage, weir.BlockFile:
		return "", w.media(b, at)
	default:
		return "", unsupported(at, "the target has no part of type "+string(b.Type), "")
	}
	return "", nil
}

func unsupported(at, why, hint string) error {
	e := weir.Errorf(weir.KindUnsupported, "%s: %s", at, why)
	e.Param, e.Hint = at, hint
	return e
}

// notSaid notes what a block of another protocol says beside what it holds.
func (w *bodyWriter) notSaid(b *weir.Block, at string) {
	if w.same {
		return
	}
	if b.Cache != nil {
		w.losses.Drop(at+".cache_control", "the target caches without being asked")
	}
	if len(b.Citations) > 0 {
		w.losses.Drop(at+".citations", "citations cannot be sent back")
	}
}

// reasoning writes a thought, or a signature that has a part of its own.
func (w *bodyWriter) reasoning(b *weir.Block) string {
	r := b.Reasoning
	if r == nil {
		r = &weir.Reasoning{}
	}
	where := marked(b.Extra, "signature")
	if where == "bare" {
		return r.Signature
	}
	w.buf.StringField("text", b.Text)
	if b.Text != "" || r.Signature == "" || where == "thought" {
		w.buf.BoolField("thought", true)
	}
	return r.Signature
}

func (w *bodyWriter) call(b *weir.Block, at string) (signature string, err error) {
	c := b.Call
	if c == nil {
		c = &weir.ToolCall{}
	}
	args, err := arguments(c, at)
	if err != nil {
		return "", err
	}
	w.key("functionCall", b.Extra)
	start := w.begin()
	if id := w.callID(c.ID, c.Extra); id != "" {
		w.buf.StringField("id", id)
	}
	w.buf.StringField("name", w.names.sent(c.Name))
	if !w.same || marked(c.Extra, "args") == "" || c.Arguments != "{}" {
		w.buf.RawField("args", args)
	}
	w.extra(start, c.Extra, at)
	w.buf.EndObject()
	return c.Signature, nil
}

// arguments are a call's as an object. History that no model can read again is
// refused by name, not sent on (S-07).
func arguments(c *weir.ToolCall, at string) ([]byte, error) {
	if c.Type == weir.ToolCustom {
		return []byte(codec.WrapCustom(c.Arguments)), nil
	}
	object, ok := codec.RepairArguments(c.Arguments)
	if !ok {
		err := weir.Invalid(at, "%s: the arguments of the tool call %q are not a JSON object", at, c.ID)
		err.Hint = "send the arguments as the model wrote them, or leave out the call and its result"
		return nil, err
	}
	return []byte(object), nil
}

// callID is a call's id in the form that the target takes; empty where the client
// of this protocol sent none. Calls and results of one request are changed alike,
// so no map is needed.
func (w *bodyWriter) callID(id string, extra weir.Fields) string {
	switch {
	case w.same && marked(extra, "id") != "":
		return ""
	case w.q.ToolIDMax > 0:
		return codec.ShortenID(id, w.q.ToolIDMax)
	}
	return id
}

// foreignOpaque writes the one block of another protocol that is text in disguise
// (protocols.md §12.5), and drops every other.
func (w *bodyWriter) foreignOpaque(p *placed) error {
	at := w.paths.Block(p.at)
	w.buf.BeginObject()
	if words, ok := codec.SearchResultText(p.Block); ok {
		w.buf.StringField("text", words)
	} else {
		w.losses.Drop(at, "only its own protocol understands it")
		w.buf.StringField("text", "")
	}
	w.buf.EndObject()
	return nil
}

// media writes a part with a medium by value or by address.
func (w *bodyWriter) media(b *weir.Block, at string) error {
	m, err := w.source(b, at)
	if err != nil {
		return err
	}
	member, address := "inlineData", m.URL+m.FileID
	if address != "" {
		member = "fileData"
	}
	w.key(member, b.Extra)
	start := w.begin()
	if m.MIME != "" {
		w.key("mimeType", m.Extra)
		w.buf.String(m.MIME)
	}
	switch {
	case address != "":
		w.key("fileUri", m.Extra)
		w.buf.String(address)
	default:
		w.buf.StringField("data", writtenBase64(&m))
	}
	if m.Name != "" && w.same {
		w.key("displayName", m.Extra)
		w.buf.String(m.Name)
	}
	w.extra(start, m.Extra, at)
	w.buf.EndObject()
	w.mediaLosses(&m, at)
	return nil
}

func (w *bodyWriter) mediaLosses(m *weir.Media, at string) {
	if w.same {
		return
	}
	for _, lost := range []struct {
		set  bool
		name string
	}{
		{m.Detail != "" && m.Detail != "auto", "detail"},
		{m.Name != "", "name"},
		{m.Context != "", "context"},
		{m.Citations != nil && *m.Citations, "citations"},
	} {
		if lost.set {
			w.losses.Drop(at+"."+lost.name, "the target has no such setting")
		}
	}
}

// source is the medium of a block as the target takes it: data URLs are taken
// apart, other URLs stay URLs and are fetched by the target (P-10).
func (w *bodyWriter) source(b *weir.Block, at string) (weir.Media, error) {
	if b.Media == nil {
		return weir.Media{}, unsupported(at, "the block has no content", "")
	}
	m := *b.Media
	if mime, data, ok := codec.ParseDataURL(m.URL); ok {
		m.URL, m.Data = "", data
		if mime != "" {
			m.MIME = mime
		}
	}
	if w.same {
		return m, nil
	}
	switch {
	case m.FileID != "":
		return m, unsupported(at, "a file id is known to the provider that keeps the file only", "send the content or a URL")
	case m.Text != "":
		m.MIME, m.Data, m.Text = "text/plain", base64.StdEncoding.EncodeToString([]byte(m.Text)), ""
	case m.MIME == "" && m.URL != "":
		if m.MIME = mimeOfName(m.URL); m.MIME == "" && b.Type != weir.BlockFile {
			m.MIME = defaultMIME(b.Type, "")
			w.losses.Approximate(at, "the type of what is at the address is not said; it was taken for "+m.MIME)
		}
	case m.MIME == "":
		m.MIME = mimeOfData(m.Data, m.Name)
	}
	if m.Data != "" && m.MIME == "" {
		return m, unsupported(at, "the type of the data is not said", "name its media type")
	}
	if m.Data+m.URL == "" {
		return m, unsupported(at, "the block has no content", "")
	}
	return m, nil
}

// mimeOfName is the media type that the ending of a URL or file name stands for,
// empty when there is none or it is not known.
func mimeOfName(name string) string {
	name, _, _ = strings.Cut(name, "?")
	name, _, _ = strings.Cut(name, "#")
	dot := strings.LastIndexByte(name, '.')
	if dot < 0 {
		return ""
	}
	return mimeTypes[strings.ToLower(name[dot+1:])]
}

// mimeTypes are those that the models take (Gemini API, file input methods page,
// 2026-08).
var mimeTypes = map[string]string{
	"png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "webp": "image/webp", "gif": "image/gif",
	"heic": "image/heic", "heif": "image/heif", "pdf": "application/pdf", "txt": "text/plain", "md": "text/markdown",
	"csv": "text/csv", "html": "text/html", "xml": "text/xml", "json": "application/json",
	"wav": "audio/wav", "mp3": "audio/mp3", "aac": "audio/aac", "ogg": "audio/ogg", "flac": "audio/flac", "aiff": "audio/aiff",
	"mp4": "video/mp4", "mov": "video/mov", "webm": "video/webm", "mpeg": "video/mpeg",
}

// mimeOfData knows the usual media by how their base64 begins.
func mimeOfData(data, name string) string {
	for _, known := range [...]struct{ prefix, mime string }{
		{"iVBORw0KGgo", "image/png"}, {"/9j/", "image/jpeg"}, {"R0lGOD", "image/gif"}, {"JVBERi", "application/pdf"},
	} {
		if strings.HasPrefix(data, known.prefix) {
			return known.mime
		}
	}
	return mimeOfName(name)
}
