package converse

import (
	"bytes"
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// readCited reads {"content":[{"text"}],"citations":[…]}: a text with where it is
// from.
func readCited(at *path, v []byte) (weir.Block, error) {
	b := weir.Block{Type: weir.BlockText}
	spell(&b.Extra, "citationsContent", v)
	err := at.Each(v, func(key string, at *path, v []byte) error {
		switch key {
		case "content":
			return at.List(v, func(_ int, at *path, v []byte) error {
				text := at.Key("text")
				s, err := text.Str(nullIfAbsent(jsonx.Get(v, "text")))
				b.Text += s
				return err
			})
		case "citations":
			return at.List(v, func(_ int, _ *path, v []byte) error {
				b.Citations = append(b.Citations, readCitation(v))
				return nil
			})
		}
		b.Extra.Add("citationsContent."+key, v)
		return nil
	})
	return b, err
}

func nullIfAbsent(v []byte) []byte {
	if v == nil {
		return []byte("null")
	}
	return v
}

// readCitation reads what protocols have in common of a citation. It supports the
// whole block, so there is no place in the text.
func readCitation(v []byte) weir.Citation {
	location, at := onlyMember(jsonx.Get(v, "location"), func(string) bool { return true }, nil)
	c := weir.Citation{
		Type:  location,
		URL:   jsonx.StringOr(jsonx.Get(at, "url"), ""),
		Title: jsonx.StringOr(jsonx.Get(v, "title"), ""),
		Raw:   bytes.Clone(v),
		From:  protocol,
	}
	if source := jsonx.StringOr(jsonx.Get(v, "source"), ""); c.URL == "" && isWeb(source) {
		c.URL = source
	}
	if c.URL != "" {
		c.Type = "url"
	}
	_ = jsonx.EachElement(jsonx.Get(v, "sourceContent"), func(_ int, part []byte) error {
		c.Cited += jsonx.StringOr(jsonx.Get(part, "text"), "")
		return nil
	})
	return c
}

func isWeb(s string) bool { return strings.HasPrefix(s, "https://") || strings.HasPrefix(s, "http://") }

// appendCitation writes a citation that isCitable: as it came, or with what other
// protocols know of it.
func appendCitation(b *jsonx.Buffer, c *weir.Citation) {
	if c.From == protocol && c.Raw != nil {
		b.Raw(c.Raw)
		return
	}
	b.BeginObject()
	if c.Title != "" {
		b.StringField("title", c.Title)
	}
	if c.Cited != "" {
		b.Key("sourceContent")
		b.BeginArray()
		b.BeginObject()
		b.StringField("text", c.Cited)
		b.EndObject()
		b.EndArray()
	}
	if c.URL != "" {
		b.Key("location")
		b.BeginObject()
		b.Key("web")
		b.BeginObject()
		b.StringField("url", c.URL)
		b.EndObject()
		b.EndObject()
	}
	b.EndObject()
}
