package gemini

import (
	"bytes"
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// A place is where in the conversation a part stands: the number of its message
// among those of the conversation and its own in its content; turn is -1 in the
// system text.
type place struct{ turn, part int }

// A part is one part of a content, taken apart (protocols.md §7.3).
type part struct {
	kind      string // of what it holds, in camelCase; empty for nothing
	key       string // kind as it was written
	data      []byte
	thought   bool
	signature string
	extra     weir.Fields // its other members and spellings
	opaque    bool        // only the protocol itself understands it
}

// takePart takes a part apart. What it holds decides the kind of its block; parts
// that hold several things, or things without a word, are kept by value.
func takePart(at *path, raw []byte) (part, error) {
	p := part{}
	if jsonx.KindOf(raw) != jsonx.KindObject {
		return p, at.Wrong("an object", raw)
	}
	unknown := ""
	err := eachSaid(at, raw, &p.extra, func(key string, at *path, v []byte) (err error) {
		switch key {
		case "text", "inlineData", "fileData", "functionCall", "functionResponse":
			p.opaque = p.opaque || p.kind != ""
			p.kind, p.key, p.data = key, at.Name(), v
		case "thought":
			is, wrong := at.Boolean(v)
			if p.thought = is != nil && *is; !p.thought {
				spell(&p.extra, at.Name(), v)
			}
			err = wrong
		case "thoughtSignature":
			p.signature, err = at.Str(v)
		case "videoMetadata", "mediaResolution", "partMetadata":
			p.extra.Add(at.Name(), v)
		default:
			if unknown == "" {
				unknown = key
			}
			p.extra.Add(at.Name(), v)
		}
		return err
	})
	if p.kind == "" {
		p.kind, p.opaque = unknown, unknown != "" || p.signature == ""
	}
	return p, err
}

// readPart reads one part of a request as blocks of m.
func (r *bodyReader) readPart(m *weir.Message, at place, where *path, raw []byte) error {
	p, err := takePart(where, raw)
	if err != nil {
		return err
	}
	first := len(m.Blocks)
	if err := r.readBlock(m, &p, at, where, raw); err != nil {
		return err
	}
	for i := first; i < len(m.Blocks); i++ {
		if i != at.part {
			m.Blocks[i].At = where.String()
		}
	}
	return nil
}

// readBlock adds the blocks of a part. A signature is part of a call or a thought;
// beside anything else it becomes a block of its own, behind the one that it
// belongs to (T-05).
func (r *bodyReader) readBlock(m *weir.Message, p *part, at place, where *path, raw []byte) error {
	b := weir.Block{Extra: p.extra}
	inside := where.Key(p.key)
	var err error
	switch {
	case p.opaque || p.kind == "inlineData" && p.thought:
		m.Blocks = append(m.Blocks, opaqueBlock(p.kind, raw))
		return nil
	case p.kind == "":
		b = signatureBlock(p, "bare")
		m.Blocks = append(m.Blocks, b)
		return nil
	case p.kind == "text":
		return readText(m, p, &inside)
	case p.kind == "functionCall":
		b.Type, b.Call = weir.BlockToolCall, nil
		b.Call, err = r.readCall(p, at, &inside)
		spellThought(&b.Extra, p)
	case p.kind == "functionResponse":
		b.Type = weir.BlockToolResult
		b.Result, err = r.readResult(p, at, &inside)
		spellThought(&b.Extra, p)
	default:
		b.Type, b.Media, err = readMedia(p.kind, &inside, p.data)
		spellThought(&b.Extra, p)
	}
	m.Blocks = append(m.Blocks, b)
	if p.signature != "" && b.Call == nil && err == nil {
		m.Blocks = append(m.Blocks, signatureBlock(&part{signature: p.signature}, "before"))
	}
	return err
}

// spellThought remembers that a part that is no thought said that it was one.
func spellThought(f *weir.Fields, p *part) {
	if p.thought {
		spell(f, "thought", []byte("true"))
	}
}

func readText(m *weir.Message, p *part, at *path) error {
	text, err := at.Str(p.data)
	if err != nil {
		return err
	}
	switch {
	case p.thought:
		b := thoughtBlock(text, p)
		if text == "" {
			mark(&b.Extra, "signature", "thought")
		}
		m.Blocks = append(m.Blocks, b)
	case text == "" && p.signature != "":
		m.Blocks = append(m.Blocks, signatureBlock(p, ""))
	default:
		m.Blocks = append(m.Blocks, weir.Block{Type: weir.BlockText, Text: text, Extra: p.extra})
		if p.signature != "" {
			m.Blocks = append(m.Blocks, signatureBlock(&part{signature: p.signature}, "before"))
		}
	}
	return nil
}

// thoughtBlock is a summary of the model's thinking.
func thoughtBlock(text string, p *part) weir.Block {
	return weir.Block{
		Type: weir.BlockReasoning, Text: text, Extra: p.extra,
		Reasoning: &weir.Reasoning{Format: reasoningFormat, Signature: p.signature, Summary: true},
	}
}

// signatureBlock is a signature that stands beside no thought.
func signatureBlock(p *part, where string) weir.Block {
	b := weir.Block{
		Type: weir.BlockReasoning, Extra: p.extra,
		Reasoning: &weir.Reasoning{Format: reasoningFormat, Signature: p.signature},
	}
	if where != "" {
		mark(&b.Extra, "signature", where)
	}
	return b
}

func opaqueBlock(typ string, raw []byte) weir.Block {
	return weir.Block{Type: weir.BlockOpaque, Opaque: &weir.Opaque{Protocol: protocol, Type: typ, Raw: bytes.Clone(raw)}}
}

// readMedia reads inlineData and fileData.
func readMedia(kind string, at *path, raw []byte) (weir.BlockType, *weir.Media, error) {
	m := &weir.Media{}
	err := eachSaid(at, raw, &m.Extra, func(key string, at *path, v []byte) (err error) {
		switch {
		case key == "mimeType":
			m.MIME, err = at.Str(v)
		case key == "displayName":
			m.Name, err = at.Str(v)
		case key == "data" && kind == "inlineData":
			m.Data, err = at.Need(v)
			m.Data = standardBase64(m.Data, &m.Extra)
		case key == "fileUri" && kind == "fileData":
			var uri string
			uri, err = at.Need(v)
			readAddress(m, uri)
		default:
			m.Extra.Add(at.Name(), v)
		}
		return err
	})
	if err == nil && m.Data+m.URL+m.FileID == "" {
		missing := at.Key("data")
		if kind == "fileData" {
			missing = at.Key("fileUri")
		}
		err = missing.Wrong("a string", nil)
	}
	return mediaType(m.MIME), m, err
}

// readAddress tells a public address from one that only Google can read.
func readAddress(m *weir.Media, uri string) {
	if strings.HasPrefix(uri, "gs://") || strings.HasPrefix(uri, "https://generativelanguage.googleapis.com/") {
		m.FileID = uri
		return
	}
	m.URL = uri
}

func mediaType(mime string) weir.BlockType {
	switch {
	case strings.HasPrefix(mime, "image/"):
		return weir.BlockImage
	case strings.HasPrefix(mime, "audio/"):
		return weir.BlockAudio
	}
	return weir.BlockFile
}

// standardBase64 is data in the usual alphabet; protobuf also takes the one for
// URLs, without padding (recordings of a Python client).
func standardBase64(data string, extra *weir.Fields) string {
	if !strings.ContainsAny(data, "-_") {
		return data
	}
	mark(extra, "data", "base64url")
	data = strings.NewReplacer("-", "+", "_", "/").Replace(data)
	if n := len(data) % 4; n > 0 && !strings.HasSuffix(data, "=") {
		mark(extra, "padding", "none")
		data += strings.Repeat("=", 4-n)
	}
	return data
}

// writtenBase64 is m's data in the alphabet that the client used.
func writtenBase64(m *weir.Media) string {
	if marked(m.Extra, "data") == "" {
		return m.Data
	}
	data := strings.NewReplacer("+", "-", "/", "_").Replace(m.Data)
	if marked(m.Extra, "padding") != "" {
		data = strings.TrimRight(data, "=")
	}
	return data
}
