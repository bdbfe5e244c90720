package anthropic

import (
	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// decodeMedia reads an image or document block. A source of a kind that has no
// word (a document made of blocks) keeps the block by value.
func decodeMedia(typ string, at *path, v []byte) (weir.Block, error) {
	m := &weir.Media{}
	b := weir.Block{Type: weir.BlockImage, Media: m}
	if typ == "document" {
		b.Type = weir.BlockFile
	}
	source := at.Key("source")
	raw := jsonx.Get(v, "source")
	if jsonx.KindOf(raw) != jsonx.KindObject {
		return b, source.Wrong("an object", raw)
	}
	kind := source.Key("type")
	name, err := kind.Need(jsonx.Get(raw, "type"))
	if err != nil {
		return b, err
	}
	if !knownSource(typ, name) {
		return opaqueBlock(typ, v), nil
	}
	if err := decodeSource(m, name, &source, raw); err != nil {
		return b, err
	}
	err = at.EachSaid(v, &b.Extra, func(key string, at *path, v []byte) error {
		return mediaMember(&b, key, at, v)
	})
	return b, err
}

func knownSource(typ, source string) bool {
	switch source {
	case "base64", "url", "file":
		return true
	case "text":
		return typ == "document"
	}
	return false
}

func mediaMember(b *weir.Block, key string, at *path, v []byte) (err error) {
	m := b.Media
	switch {
	case key == "type" || key == "source":
	case key == "title" && b.Type == weir.BlockFile:
		m.Name, err = at.Str(v)
	case key == "context" && b.Type == weir.BlockFile:
		m.Context, err = at.Str(v)
	case key == "citations" && b.Type == weir.BlockFile:
		err = decodeCitationSwitch(b, at, v)
	default:
		err = common(b, key, at, v)
	}
	return err
}

// decodeCitationSwitch reads {"enabled":…}; with more in it, the whole is kept
// by value.
func decodeCitationSwitch(b *weir.Block, at *path, v []byte) error {
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

func decodeSource(m *weir.Media, kind string, at *path, v []byte) error {
	err := at.EachSaid(v, &m.Extra, func(key string, at *path, v []byte) (err error) {
		switch {
		case key == "type":
		case key == "media_type" && (kind == "base64" || kind == "text"):
			m.MIME, err = at.Need(v)
		case key == "data" && kind == "base64":
			m.Data, err = at.Need(v)
		case key == "data" && kind == "text":
			m.Text, err = at.Str(v)
		case key == "url" && kind == "url":
			m.URL, err = at.Need(v)
		case key == "file_id" && kind == "file":
			m.FileID, err = at.Need(v)
		default:
			m.Extra.Add(key, v)
		}
		return err
	})
	if err != nil {
		return err
	}
	switch kind {
	case "base64":
		return present(at, "media_type", m.MIME, "data", m.Data)
	case "url":
		return present(at, "url", m.URL)
	case "file":
		return present(at, "file_id", m.FileID)
	}
	return nil
}
