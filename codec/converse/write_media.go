package converse

import (
	"encoding/base64"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

func (e *bodyEncoder) media(b *weir.Block, at string) error {
	m := b.Media
	if m == nil {
		return unsupported(at, "the block has no content")
	}
	start := e.begin()
	if raw := b.Extra.Value("guardContent"); raw != nil && e.same && guardsImage(raw, m) {
		addMissing(&e.buf, start, b.Extra)
		e.buf.EndObject()
		return nil
	}
	own := *m
	if mime, data, ok := codec.ParseDataURL(own.URL); ok {
		own.URL, own.Data, own.MIME = "", data, mime
	}
	if err := e.canSend(&own, at); err != nil {
		return err
	}
	kind, format, err := e.kindOf(b, &own, at)
	if err != nil {
		return err
	}
	e.buf.Key(kind)
	inner := e.begin()
	if format != "" {
		e.buf.StringField("format", format)
	}
	if kind == "document" {
		e.document(&own, at)
	} else if d := own.Detail; d != "" && d != "auto" {
		e.losses.Drop(at+".detail", "the target has no such setting")
	}
	e.source(&own, at, kind)
	e.extra(inner, b.Extra, at)
	e.buf.EndObject()
	e.buf.EndObject()
	return nil
}

// guardsImage reports whether a guardContent block still holds the image.
func guardsImage(raw []byte, m *weir.Media) bool {
	return jsonx.StringOr(jsonx.GetPath(raw, "image", "source", "bytes"), "") == m.Data
}

// kindOf is the kind and the format of the block that media is written as.
func (e *bodyEncoder) kindOf(b *weir.Block, m *weir.Media, at string) (kind, format string, err error) {
	mime := strings.ToLower(m.MIME)
	switch {
	case b.Type == weir.BlockImage:
		kind = "image"
	case b.Type == weir.BlockAudio || strings.HasPrefix(mime, "audio/"):
		kind = "audio"
	case strings.HasPrefix(mime, "video/"):
		kind = "video"
	default:
		kind = "document"
	}
	if own := b.Extra.Value("format"); own != nil && e.same {
		return kind, jsonx.StringOr(own, ""), nil // of tomorrow, or spelled in another way
	}
	if format, ok := formatName(kind, mime); ok {
		return kind, format, nil
	}
	switch {
	case kind == "document" && m.Text != "" && e.same:
		return kind, "", nil
	case kind == "document" && m.Text != "":
		return kind, "txt", nil
	case kind == "document" && mime == "":
		if dot := strings.LastIndexByte(m.Name, '.'); dot >= 0 && mimeOf(kind, strings.ToLower(m.Name[dot+1:])) != "" {
			if format := strings.ToLower(m.Name[dot+1:]); isFormat(kind, format) {
				return kind, format, nil
			}
		}
	case kind == "document" && strings.HasPrefix(mime, "text/"):
		return kind, "txt", nil
	}
	return "", "", unsupported(at, "the target takes no "+kind+" of this media type")
}

func isFormat(kind, format string) bool {
	for _, f := range formats[kind] {
		if f.format == format {
			return true
		}
	}
	return false
}

// document writes what only documents have.
func (e *bodyEncoder) document(m *weir.Media, at string) {
	e.buf.StringField("name", e.documentName(m.Name, at))
	if m.Context != "" {
		e.buf.StringField("context", m.Context)
	}
	if m.Citations != nil {
		e.buf.Key("citations")
		e.buf.BeginObject()
		e.buf.BoolField("enabled", *m.Citations)
		e.buf.EndObject()
	}
}

// maxDocumentName is how long the name of a document may be, in characters.
const maxDocumentName = 200

// documentName is a document's name of the characters that the API takes: letters,
// digits, single spaces, hyphens, parentheses and square brackets (DocumentBlock
// reference, 2026-08-07), and no other document's.
func (e *bodyEncoder) documentName(name, at string) string {
	if e.same {
		return name
	}
	legal := legalDocumentName(name)
	if legal != name && name != "" {
		e.losses.Rename(at, "the name of the document has characters that the target does not take")
	}
	if e.documents == nil {
		e.documents = map[string]bool{}
	}
	unique := legal
	for n := 2; e.documents[unique]; n++ {
		unique = legal + " " + strconv.Itoa(n)
	}
	e.documents[unique] = true
	if unique != legal && name != "" {
		e.losses.Rename(at, "another document has the same name")
	}
	return unique
}

func legalDocumentName(name string) string {
	out := make([]byte, 0, len(name))
	for _, r := range name {
		c := byte('-')
		switch {
		case r == ' ' || r == '\t' || r == '\n':
			c = ' '
		case r < utf8.RuneSelf && (isUnreserved(byte(r)) && strings.IndexByte("._~", byte(r)) < 0 || strings.IndexByte("()[]", byte(r)) >= 0):
			c = byte(r)
		}
		if c == ' ' && (len(out) == 0 || out[len(out)-1] == ' ') {
			continue
		}
		out = append(out, c)
	}
	if len(out) > maxDocumentName-10 { // room for a number
		out = out[:maxDocumentName-10]
	}
	if legal := strings.TrimRight(string(out), " "); strings.Trim(legal, "- ") != "" {
		return legal
	}
	return "document"
}

// canSend refuses what Bedrock could not get at: nothing is fetched on the way, it
// takes content by value or from S3.
func (e *bodyEncoder) canSend(m *weir.Media, at string) error {
	var why string
	switch {
	case e.same || m.Data != "" || m.Text != "" || isS3(m.FileID):
		return nil
	case m.URL != "":
		why = "the target does not fetch addresses"
	case m.FileID != "":
		why = "a file id is known to the provider that keeps the file only"
	default:
		why = "there is no content"
	}
	err := weir.Errorf(weir.KindUnsupported, "%s: %s", at, why)
	err.Param, err.Hint = at, "send the content itself, in base64"
	return err
}

func isS3(id string) bool { return strings.HasPrefix(id, "s3://") }

// source writes where the content is.
func (e *bodyEncoder) source(m *weir.Media, at, kind string) {
	e.buf.Key("source")
	start := e.begin()
	switch {
	case m.FileID != "":
		e.buf.Key("s3Location")
		location := e.begin()
		e.buf.StringField("uri", m.FileID)
		e.extra(location, m.Extra, at)
		e.buf.EndObject()
	case m.Text != "" && kind == "document":
		e.textSource(m, at)
	default:
		e.buf.StringField("bytes", m.Data)
		e.extra(start, m.Extra, at)
	}
	e.buf.EndObject()
}

// textSource writes a document that is plain text: in parts, where it came so;
// Claude takes it as it is, other models as a file.
func (e *bodyEncoder) textSource(m *weir.Media, at string) {
	if raw := m.Extra.Value("content"); e.same && raw != nil {
		root := path{}
		var was weir.Media
		if readParts(&was, &root, raw) == nil && was.Text == m.Text {
			e.buf.RawField("content", raw)
			return
		}
	}
	if !e.same {
		e.losses.DropExtra(at, m.Extra)
	}
	if e.same || isClaude(e.model) {
		e.buf.StringField("text", m.Text)
		return
	}
	e.buf.StringField("bytes", base64.StdEncoding.EncodeToString([]byte(m.Text)))
}
