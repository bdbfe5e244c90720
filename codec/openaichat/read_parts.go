package openaichat

import (
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// parts reads a list of content parts.
func (r *reader) parts(at string, raw []byte) []weir.Block {
	blocks := []weir.Block{}
	r.array(at, raw, func(at string, value []byte) {
		if jsonx.KindOf(value) != jsonx.KindObject {
			r.wrong(at, "an object", value)
			return
		}
		blocks = append(blocks, r.part(at, value))
	})
	return blocks
}

// part reads one content part. A type that is not known here is kept whole.
func (r *reader) part(at string, raw []byte) weir.Block {
	kind := jsonx.Get(raw, "type")
	if kind == nil {
		r.fail(weir.Invalid(at+".type", "%s.type is required", at))
		return weir.Block{}
	}
	var b weir.Block
	var inside string
	switch typ := r.str(at+".type", kind); typ {
	case "text":
		b.Type, inside = weir.BlockText, "text"
	case "refusal":
		b.Type, inside = weir.BlockRefusal, "refusal"
		spell(&b.Extra, "refusal", kind) // a part, and not the message's own member
	case "image_url", "input_audio", "file":
		inside = typ
	case "thinking":
		return r.thinkingPart(raw)
	default:
		return opaque(typ, raw)
	}
	var value []byte
	r.object(at, raw, func(key string, v []byte) {
		switch key {
		case "type":
		case inside:
			value = v
		case "cache_control":
			if b.Cache = r.cache(at+"."+key, v); b.Cache == nil {
				spell(&b.Extra, key, v)
			}
		default:
			keep(&b.Extra, key, v)
		}
	})
	if value == nil {
		r.fail(weir.Invalid(at+"."+inside, "%s.%s is required", at, inside))
		return b
	}
	r.inside(&b, at+"."+inside, inside, value)
	return b
}

func opaque(typ string, raw []byte) weir.Block {
	return weir.Block{Type: weir.BlockOpaque, Opaque: &weir.Opaque{Protocol: protocol, Type: typ, Raw: cloneBytes(raw)}}
}

func (r *reader) inside(b *weir.Block, at, name string, value []byte) {
	switch name {
	case "text", "refusal":
		b.Text = r.str(at, value)
	case "image_url":
		r.image(b, at, value)
	case "input_audio":
		r.audio(b, at, value)
	case "file":
		r.file(b, at, value)
	}
}

// thinkingPart reads Mistral's {type:"thinking",thinking:[{type:"text",text}]}.
// The whole part is remembered, to be sent back as it came.
func (r *reader) thinkingPart(raw []byte) weir.Block {
	b := weir.Block{Type: weir.BlockReasoning, Text: thinkingText(jsonx.Get(raw, "thinking"))}
	spell(&b.Extra, "thinking", raw)
	return b
}

// thinkingText is the text of a Mistral thinking part, a list or a string.
func thinkingText(raw []byte) string {
	if s, err := jsonx.String(raw); err == nil {
		return s
	}
	var text strings.Builder
	_ = jsonx.EachElement(raw, func(_ int, part []byte) error {
		text.WriteString(jsonx.StringOr(jsonx.Get(part, "text"), ""))
		return nil
	})
	return text.String()
}

// image reads image_url, an object, or with some clients the address itself.
func (r *reader) image(b *weir.Block, at string, raw []byte) {
	b.Type, b.Media = weir.BlockImage, &weir.Media{}
	if jsonx.KindOf(raw) == jsonx.KindString {
		spell(&b.Extra, "image_url", raw)
		r.address(b.Media, r.str(at, raw))
		return
	}
	var url string
	r.object(at, raw, func(key string, value []byte) {
		switch {
		case key == "url":
			url = r.str(at+".url", value)
		case key == "detail" && !jsonx.IsNull(value):
			b.Media.Detail = r.str(at+".detail", value)
		default:
			keep(&b.Media.Extra, key, value)
		}
	})
	if url == "" && r.err == nil {
		r.fail(weir.Invalid(at+".url", "%s.url is required", at))
	}
	if !r.address(b.Media, url) {
		spell(&b.Extra, "image_url", raw)
	}
}

// address puts a URL into m, a data URL by its content, and reports whether the
// same URL would be written again.
func (r *reader) address(m *weir.Media, url string) bool {
	mime, data, ok := codec.ParseDataURL(url)
	if !ok {
		m.URL = url
		return true
	}
	m.MIME, m.Data = mime, data
	return codec.DataURL(mime, data) == url
}

// audioTypes maps input_audio.format to MIME types where the names differ.
var audioTypes = map[string]string{"mp3": "audio/mpeg", "pcm16": "audio/pcm"}

func (r *reader) audio(b *weir.Block, at string, raw []byte) {
	b.Type, b.Media = weir.BlockAudio, &weir.Media{}
	if jsonx.KindOf(raw) == jsonx.KindString { // Mistral's form: the content or its address
		spell(&b.Extra, "input_audio", raw)
		if b.Media.Data = r.str(at, raw); isURL(b.Media.Data) {
			b.Media.URL, b.Media.Data = b.Media.Data, ""
		}
		return
	}
	r.object(at, raw, func(key string, value []byte) {
		switch {
		case key == "data":
			b.Media.Data = r.str(at+".data", value)
		case key == "format" && !jsonx.IsNull(value):
			format := r.str(at+".format", value)
			if b.Media.MIME = audioTypes[format]; b.Media.MIME == "" {
				b.Media.MIME = "audio/" + format
			}
		default:
			keep(&b.Media.Extra, key, value)
		}
	})
	// Qwen's form: a data URL or an address where base64 is expected.
	if _, data, ok := codec.ParseDataURL(b.Media.Data); ok {
		b.Media.Data = data
		spell(&b.Extra, "input_audio", raw)
	} else if isURL(b.Media.Data) {
		b.Media.URL, b.Media.Data = b.Media.Data, ""
		spell(&b.Extra, "input_audio", raw)
	}
}

func isURL(s string) bool {
	return strings.HasPrefix(s, "https://") || strings.HasPrefix(s, "http://")
}

func (r *reader) file(b *weir.Block, at string, raw []byte) {
	b.Type, b.Media = weir.BlockFile, &weir.Media{}
	same := true
	r.object(at, raw, func(key string, value []byte) {
		switch {
		case jsonx.IsNull(value):
			spell(&b.Media.Extra, key, value)
		case key == "file_id":
			b.Media.FileID = r.str(at+".file_id", value)
		case key == "filename":
			b.Media.Name = r.str(at+".filename", value)
		case key == "file_data":
			data := r.str(at+".file_data", value)
			same = r.address(b.Media, data)
			if b.Media.URL != "" && !isURL(data) { // base64 without the data URL around it
				b.Media.URL, b.Media.Data, same = "", data, false
			}
		default:
			keep(&b.Media.Extra, key, value)
		}
	})
	if !same {
		spell(&b.Extra, "file", raw)
	}
}
