package gemini

import (
	"bytes"
	"unicode/utf8"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// grounding makes citations of groundingMetadata: one for every source of every
// stretch of text that is supported, or one for every source where the stretches
// are not said. The metadata as a whole is kept with the Finish.
func (d *chunkDecoder) grounding(c *choice, raw []byte) {
	chunks, supports := jsonx.Get(raw, "groundingChunks"), jsonx.Get(raw, "groundingSupports")
	if chunks == nil || bytes.Equal(raw, c.grounds) {
		return // some upstreams repeat it in every chunk
	}
	c.grounds = bytes.Clone(raw)
	if !hasElements(supports) {
		_ = jsonx.EachElement(chunks, func(_ int, source []byte) error {
			d.cite(c, groundingSource(source))
			return nil
		})
		return
	}
	_ = jsonx.EachElement(supports, func(_ int, support []byte) error {
		segment := jsonx.Get(support, "segment")
		cited := jsonx.StringOr(jsonx.Get(segment, "text"), "")
		from, to := c.stretch(segment, cited)
		return jsonx.EachElement(jsonx.Get(support, "groundingChunkIndices"), func(_ int, index []byte) error {
			n, ok := jsonx.Int64(index)
			if source := element(chunks, int(n)); ok && source != nil {
				cit := groundingSource(source)
				cit.Cited, cit.Start, cit.End = cited, from, to
				d.cite(c, cit)
			}
			return nil
		})
	})
}

// groundingSource is a source, of the web, of a store of documents or of a map.
func groundingSource(raw []byte) *weir.Citation {
	c := &weir.Citation{Type: "url", Raw: bytes.Clone(raw), From: protocol}
	_ = jsonx.EachMember(raw, func(key, v []byte) error {
		c.URL = jsonx.StringOr(jsonx.Get(v, "uri"), c.URL)
		c.Title = jsonx.StringOr(jsonx.Get(v, "title"), c.Title)
		if c.URL == "" {
			c.Type = string(key)
		}
		return nil
	})
	return c
}

// citations reads citationMetadata: the stretches that the model has taken from
// somewhere. The Gemini API and Vertex AI have different names for the list.
func (d *chunkDecoder) citations(c *choice, raw []byte) {
	_ = jsonx.EachMember(raw, func(key, list []byte) error {
		if name := string(key); name == "citations" || name == "citationSources" {
			if marked(c.extra, "citationMetadata") == "" {
				mark(&c.extra, "citationMetadata", name)
			}
			return jsonx.EachElement(list, func(_ int, source []byte) error {
				cit := &weir.Citation{Type: "citation", Raw: bytes.Clone(source), From: protocol}
				if cit.URL = jsonx.StringOr(jsonx.Get(source, "uri"), ""); cit.URL != "" {
					cit.Type = "url"
				}
				cit.Title = jsonx.StringOr(jsonx.Get(source, "title"), "")
				cit.Start, cit.End = c.stretch(source, "")
				d.cite(c, cit)
				return nil
			})
		}
		return nil
	})
}

// cite adds a citation to the text, which is opened again where it has ended.
func (d *chunkDecoder) cite(c *choice, cit *weir.Citation) {
	if c.open != weir.BlockText {
		d.openProse(c, weir.BlockText)
	}
	d.emit(weir.Event{Type: weir.EventDelta, Part: weir.PartCitation, Choice: c.n, Index: c.at, Citation: cit})
}

// stretch is a segment in characters of the whole text. On the wire it is in
// bytes, of the part or of the text; what it is to say settles which.
func (c *choice) stretch(segment []byte, says string) (from, to int) {
	a, _ := jsonx.Int64(jsonx.Get(segment, "startIndex"))
	b, ok := jsonx.Int64(jsonx.Get(segment, "endIndex"))
	if !ok && says == "" {
		return 0, 0
	}
	if a < 0 || b < a || b > int64(len(c.text)) || says != "" && string(c.text[a:b]) != says {
		at := bytes.Index(c.text, []byte(says))
		if says == "" || at < 0 {
			return 0, 0
		}
		a, b = int64(at), int64(at+len(says))
	}
	return utf8.RuneCount(c.text[:a]), utf8.RuneCount(c.text[:b])
}

// isCitationSource reports whether a citation of this protocol came from
// citationMetadata.
func isCitationSource(c *weir.Citation) bool {
	if c.From != protocol || c.Raw == nil {
		return false
	}
	for _, name := range []string{"startIndex", "endIndex", "uri", "license", "publicationDate"} {
		if jsonx.Get(c.Raw, name) != nil {
			return true
		}
	}
	return false
}

// appendCitations writes the citations of a candidate: those of citationMetadata
// as they came, and those of another protocol as groundingMetadata. places are
// those of the text in bytes.
func appendCitations(b *jsonx.Buffer, all []weir.Citation, text []byte, listName string) {
	if listName == "" {
		listName = "citationSources"
	}
	own, foreign := 0, 0
	for i := range all {
		switch {
		case isCitationSource(&all[i]):
			own++
		case all[i].From != protocol:
			foreign++
		}
	}
	if own > 0 {
		b.Key("citationMetadata")
		b.BeginObject()
		b.Key(listName)
		b.BeginArray()
		for i := range all {
			if isCitationSource(&all[i]) {
				b.Raw(all[i].Raw)
			}
		}
		b.EndArray()
		b.EndObject()
	}
	if foreign > 0 {
		appendGrounding(b, all, text)
	}
}

func appendGrounding(b *jsonx.Buffer, all []weir.Citation, text []byte) {
	b.Key("groundingMetadata")
	b.BeginObject()
	b.Key("groundingChunks")
	b.BeginArray()
	for i := range all {
		if c := &all[i]; c.From != protocol {
			b.BeginObject()
			b.Key("web")
			b.BeginObject()
			b.StringField("uri", c.URL)
			if c.Title != "" {
				b.StringField("title", c.Title)
			}
			b.EndObject()
			b.EndObject()
		}
	}
	b.EndArray()
	b.Key("groundingSupports")
	b.BeginArray()
	n := 0
	for i := range all {
		c := &all[i]
		if c.From == protocol {
			continue
		}
		b.BeginObject()
		b.Key("segment")
		b.BeginObject()
		appendSegment(b, c, text)
		b.EndObject()
		b.Key("groundingChunkIndices")
		b.BeginArray()
		b.Int(int64(n))
		b.EndArray()
		b.EndObject()
		n++
	}
	b.EndArray()
	b.EndObject()
}

func appendSegment(b *jsonx.Buffer, c *weir.Citation, text []byte) {
	from, to := byteOf(text, c.Start), byteOf(text, c.End)
	if to <= from {
		return
	}
	if from > 0 {
		b.IntField("startIndex", int64(from))
	}
	b.IntField("endIndex", int64(to))
	b.Key("text")
	b.Bytes(text[from:to])
}

// byteOf is where character n of a text begins, in bytes.
func byteOf(text []byte, n int) int {
	at := 0
	for ; n > 0 && at < len(text); n-- {
		_, size := utf8.DecodeRune(text[at:])
		at += size
	}
	return at
}
