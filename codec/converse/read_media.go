package converse

import (
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// formats are the protocol's names of media types (ImageFormat, DocumentFormat,
// VideoFormat, AudioFormat). The first type of a format is the one that it is read
// as.
var formats = map[string][]struct{ format, mime string }{
	"image": {{"png", "image/png"}, {"jpeg", "image/jpeg"}, {"jpeg", "image/jpg"}, {"gif", "image/gif"}, {"webp", "image/webp"}},
	"document": {
		{"pdf", "application/pdf"}, {"txt", "text/plain"}, {"csv", "text/csv"}, {"html", "text/html"}, {"md", "text/markdown"},
		{"doc", "application/msword"}, {"docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
		{"xls", "application/vnd.ms-excel"}, {"xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
		{"txt", "application/json"}, {"txt", "text/xml"}, {"txt", "application/xml"}, {"md", "text/x-markdown"},
	},
	"video": {
		{"mp4", "video/mp4"}, {"mov", "video/quicktime"}, {"mkv", "video/x-matroska"}, {"webm", "video/webm"}, {"flv", "video/x-flv"},
		{"mpeg", "video/mpeg"}, {"mpg", "video/mpg"}, {"wmv", "video/x-ms-wmv"}, {"three_gp", "video/3gpp"},
	},
	"audio": {
		{"wav", "audio/wav"}, {"wav", "audio/x-wav"}, {"mp3", "audio/mp3"}, {"mp3", "audio/mpeg"}, {"opus", "audio/opus"}, {"aac", "audio/aac"},
		{"flac", "audio/flac"}, {"ogg", "audio/ogg"}, {"m4a", "audio/m4a"}, {"mp4", "audio/mp4"}, {"webm", "audio/webm"}, {"pcm", "audio/pcm"},
		{"mka", "audio/x-matroska"}, {"mpga", "audio/mpga"}, {"x-aac", "audio/x-aac"},
	},
}

// mimeOf is the media type of a format of a kind of block. A format of tomorrow
// has its own name in it.
func mimeOf(kind, format string) string {
	for _, f := range formats[kind] {
		if f.format == format {
			return f.mime
		}
	}
	if kind == "document" {
		kind = "application"
	}
	return kind + "/" + format
}

// formatName is the format that a media type has in a kind of block.
func formatName(kind, mime string) (format string, ok bool) {
	mime, _, _ = strings.Cut(strings.ToLower(mime), ";")
	for _, f := range formats[kind] {
		if f.mime == strings.TrimSpace(mime) {
			return f.format, true
		}
	}
	return "", false
}

var mediaTypes = map[string]weir.BlockType{
	"image": weir.BlockImage, "document": weir.BlockFile, "video": weir.BlockFile, "audio": weir.BlockAudio,
}

// readMedia reads the value of a block with media. One whose source is of a kind
// that has no word is left to be kept by value. What stands in S3 is a file that
// the provider keeps.
func readMedia(kind string, at *path, v []byte) (weir.Block, error) {
	m := &weir.Media{}
	b := weir.Block{Type: mediaTypes[kind], Media: m}
	known := true
	err := at.EachSaid(v, &b.Extra, func(key string, at *path, v []byte) (err error) {
		switch {
		case key == "format":
			var format string
			if format, err = at.Need(v); err == nil {
				m.MIME = mimeOf(kind, format)
				if back, ok := formatName(kind, m.MIME); !ok || back != format {
					spell(&b.Extra, key, v)
				}
			}
		case key == "source":
			known, err = readSource(m, at, v)
		case kind == "document" && key == "name":
			m.Name, err = at.Str(v)
		case kind == "document" && key == "context":
			m.Context, err = at.Str(v)
		case kind == "document" && key == "citations":
			err = readCitationSwitch(&b, at, v)
		default:
			b.Extra.Add(key, v)
		}
		return err
	})
	if err == nil && known && m.Data == "" && m.FileID == "" && m.Text == "" {
		known = false
	}
	if !known {
		return weir.Block{}, err
	}
	return b, err
}

// readSource reads a source and reports whether it is of a known kind.
func readSource(m *weir.Media, at *path, v []byte) (known bool, err error) {
	kind, value := onlyMember(v, func(k string) bool { return k != "" }, nil)
	inner := at.Key(kind)
	switch kind {
	case "bytes":
		m.Data, err = inner.Need(value)
	case "text":
		m.Text, err = inner.Str(value)
	case "s3Location":
		err = inner.EachSaid(value, &m.Extra, func(key string, at *path, v []byte) (err error) {
			if key != "uri" {
				m.Extra.Add(key, v)
				return nil
			}
			m.FileID, err = at.Need(v)
			return err
		})
	case "content":
		err = readParts(m, &inner, value)
	default:
		return false, nil
	}
	return true, err
}

// readParts reads a document that is given in parts, for finer citations.
func readParts(m *weir.Media, at *path, v []byte) error {
	spell(&m.Extra, "content", v)
	var parts []string
	err := at.List(v, func(_ int, at *path, v []byte) error {
		text := at.Key("text")
		s, err := text.Str(nullIfAbsent(jsonx.Get(v, "text")))
		parts = append(parts, s)
		return err
	})
	m.Text = strings.Join(parts, partBreak)
	return err
}

// partBreak stands between the parts of a document where it is one text.
const partBreak = "\n\n"

// readCitationSwitch reads {"enabled":…}; with more in it, the whole is kept by
// value.
func readCitationSwitch(b *weir.Block, at *path, v []byte) error {
	more := false
	err := at.Each(v, func(key string, at *path, v []byte) (err error) {
		if key != "enabled" {
			more = true
			return nil
		}
		b.Media.Citations, err = at.Boolean(v)
		return err
	})
	switch {
	case more:
		b.Media.Citations = nil
		b.Extra.Add("citations", v)
	case b.Media.Citations == nil:
		spell(&b.Extra, "citations", v)
	}
	return err
}
