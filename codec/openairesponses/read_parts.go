package openairesponses

import (
	"bytes"
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// partField is the spelling of a block that is kept by value: it was part of a
// message and not an item by itself.
const partField = "part"

// parts reads a list of content parts of a speaker, or of a tool's output.
func (r *reader) parts(at string, role weir.Role, raw []byte) []weir.Block {
	var blocks []weir.Block
	r.array(at, raw, func(at string, value []byte) {
		if jsonx.KindOf(value) != jsonx.KindObject {
			r.wrong(at, "an object", value)
			return
		}
		b := r.part(at, role, value)
		b.At = at
		blocks = append(blocks, b)
	})
	return blocks
}

// textType is the type of a text part by who says it.
func textType(role weir.Role) string {
	if role == weir.RoleAssistant {
		return "output_text"
	}
	return "input_text"
}

// part reads one content part. A type that is not known here is kept whole.
func (r *reader) part(at string, role weir.Role, raw []byte) weir.Block {
	kind := jsonx.Get(raw, "type")
	if kind == nil {
		r.fail(weir.Invalid(at+".type", "%s.type is required", at))
		return weir.Block{}
	}
	p := partReader{reader: r, at: at}
	typ := r.str(at+".type", kind)
	switch typ {
	case "input_text", "output_text", "text":
		p.b.Type = weir.BlockText
		if typ != textType(role) {
			spell(&p.b.Extra, "type", kind)
		}
	case "refusal":
		p.b.Type = weir.BlockRefusal
	case "input_image":
		p.b.Type, p.b.Media = weir.BlockImage, &weir.Media{}
	case "input_file":
		p.b.Type, p.b.Media = weir.BlockFile, &weir.Media{}
	case "input_audio":
		p.b.Type, p.b.Media = weir.BlockAudio, &weir.Media{}
	default:
		b := weir.Block{Type: weir.BlockOpaque, Opaque: &weir.Opaque{Protocol: protocol, Type: typ, Raw: bytes.Clone(raw)}}
		spell(&b.Extra, partField, []byte("true"))
		return b
	}
	r.object(at, raw, p.member)
	p.check()
	return p.b
}

// partReader reads the members of one part.
type partReader struct {
	*reader
	at   string
	b    weir.Block
	text bool // there was a text
}

func (p *partReader) member(key string, value []byte) {
	at := p.at + "." + key
	switch {
	case key == "type":
	case key == "prompt_cache_breakpoint" && !jsonx.IsNull(value):
		p.breakpoint(at, value)
	case p.b.Media != nil:
		p.media(key, at, value)
	case key == "text" && p.b.Type == weir.BlockText, key == "refusal" && p.b.Type == weir.BlockRefusal:
		p.b.Text, p.text = p.str(at, value), true
	case key == "annotations" && p.b.Type == weir.BlockText && jsonx.KindOf(value) == jsonx.KindArray:
		p.annotations(value)
	case key == "logprobs": // of an earlier answer
		spell(&p.b.Extra, key, value)
	default:
		keep(&p.b.Extra, key, value)
	}
}

// breakpoint reads a mark of the prompt cache (OpenAI models from gpt-5.6 on).
func (p *partReader) breakpoint(at string, raw []byte) {
	c := &weir.CacheControl{}
	p.object(at, raw, func(key string, value []byte) { spell(&c.Extra, key, value) })
	p.b.Cache = c
}

func (p *partReader) annotations(raw []byte) {
	_ = jsonx.EachElement(raw, func(_ int, a []byte) error {
		p.b.Citations = append(p.b.Citations, citation(a))
		return nil
	})
	if len(p.b.Citations) == 0 {
		spell(&p.b.Extra, "annotations", raw)
	}
}

func citation(raw []byte) weir.Citation {
	c := weir.Citation{Type: jsonx.StringOr(jsonx.Get(raw, "type"), ""), Raw: bytes.Clone(raw), From: protocol}
	if c.Type == "url_citation" {
		c.Type = "url"
	}
	c.URL = jsonx.StringOr(jsonx.Get(raw, "url"), "")
	if c.Title = jsonx.StringOr(jsonx.Get(raw, "title"), ""); c.Title == "" {
		c.Title = jsonx.StringOr(jsonx.Get(raw, "filename"), "")
	}
	if n, ok := jsonx.Int64(jsonx.Get(raw, "start_index")); ok {
		c.Start = int(n)
	}
	if n, ok := jsonx.Int64(jsonx.Get(raw, "end_index")); ok {
		c.End = int(n)
	}
	return c
}

func (p *partReader) media(key, at string, value []byte) {
	m := p.b.Media
	switch {
	case jsonx.IsNull(value):
		spell(&m.Extra, key, value)
	case key == "file_id":
		m.FileID = p.str(at, value)
	case key == "detail":
		m.Detail = p.str(at, value)
	case key == "image_url" && p.b.Type == weir.BlockImage, key == "file_url" && p.b.Type == weir.BlockFile:
		p.address(key, p.str(at, value), value)
	case key == "filename" && p.b.Type == weir.BlockFile:
		m.Name = p.str(at, value)
	case key == "file_data" && p.b.Type == weir.BlockFile:
		p.data(key, p.str(at, value), value)
	case key == "input_audio" && p.b.Type == weir.BlockAudio:
		p.audio(at, value)
	default:
		keep(&m.Extra, key, value)
	}
}

// address reads a URL, a data URL by its content. One that would be written
// otherwise is remembered as it was.
func (p *partReader) address(key, url string, raw []byte) {
	mime, data, ok := codec.ParseDataURL(url)
	if !ok {
		p.b.Media.URL = url
		return
	}
	p.b.Media.MIME, p.b.Media.Data = mime, data
	if codec.DataURL(mime, data) != url {
		spell(&p.b.Media.Extra, key, raw)
	}
}

// data reads the content of a file: a data URL, or base64 alone.
func (p *partReader) data(key, data string, raw []byte) {
	if strings.HasPrefix(data, "data:") {
		p.address(key, data, raw)
		return
	}
	p.b.Media.Data = data
	spell(&p.b.Media.Extra, key, raw)
}

// audioTypes maps input_audio.format to MIME types where the names differ.
var audioTypes = map[string]string{"mp3": "audio/mpeg", "pcm16": "audio/pcm"}

func (p *partReader) audio(at string, raw []byte) {
	m := p.b.Media
	p.object(at, raw, func(key string, value []byte) {
		switch {
		case key == "data" && !jsonx.IsNull(value):
			m.Data = p.str(at+".data", value)
		case key == "format" && !jsonx.IsNull(value):
			format := p.str(at+".format", value)
			if m.MIME = audioTypes[format]; m.MIME == "" {
				m.MIME = "audio/" + format
			}
		}
	})
	spell(&m.Extra, "input_audio", raw)
}

// check refuses a part without what it is about.
func (p *partReader) check() {
	m, missing := p.b.Media, ""
	switch {
	case p.err != nil:
	case p.b.Type == weir.BlockText && !p.text:
		missing = "text"
	case p.b.Type == weir.BlockRefusal && !p.text:
		missing = "refusal"
	case m == nil || m.Data+m.URL+m.FileID != "":
	case p.b.Type == weir.BlockImage:
		missing = "image_url"
	case p.b.Type == weir.BlockFile:
		missing = "file_data"
	case p.b.Type == weir.BlockAudio:
		missing = "input_audio"
	}
	if missing != "" {
		at := p.at + "." + missing
		p.fail(weir.Invalid(at, "%s is required", at))
	}
}
