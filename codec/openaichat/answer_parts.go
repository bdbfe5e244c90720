package openaichat

import (
	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// answerPart reads one part of a content that is a list.
func (d *decoder) answerPart(c *choice, raw []byte) {
	switch jsonx.StringOr(jsonx.Get(raw, "type"), "") {
	case "text":
		d.visible(c, jsonx.StringOr(jsonx.Get(raw, "text"), ""))
	case "thinking":
		d.prose(c, openReasoning, weir.BlockReasoning, thinkingText(jsonx.Get(raw, "thinking")))
	case "image_url":
		d.image(c, raw)
	default:
		if jsonx.Valid(raw) != nil {
			return
		}
		d.endProse(c, notOpen)
		b := opaque(jsonx.StringOr(jsonx.Get(raw, "type"), ""), raw)
		d.end(c, d.start(c, &b))
	}
}

func (d *decoder) images(c *choice, raw []byte) {
	_ = jsonx.EachElement(raw, func(_ int, image []byte) error {
		d.image(c, image)
		return nil
	})
}

// image reads {type:"image_url",image_url:{url}}, as OpenRouter and Gemini's Chat
// face send pictures that a model made.
func (d *decoder) image(c *choice, raw []byte) {
	inner := jsonx.Get(raw, "image_url")
	if inner == nil || jsonx.Valid(inner) != nil {
		return
	}
	var r reader
	var b weir.Block
	r.image(&b, "image_url", inner)
	if r.err == nil {
		d.endProse(c, notOpen)
		d.end(c, d.start(c, &b))
	}
}

func (d *decoder) audio(c *choice, raw []byte) {
	var id, data, transcript string
	var extra weir.Fields
	_ = jsonx.EachMember(raw, func(key, value []byte) error {
		switch string(key) {
		case "id":
			id = jsonx.StringOr(value, "")
		case "data":
			data = jsonx.StringOr(value, "")
		case "transcript":
			transcript = jsonx.StringOr(value, "")
		default:
			keep(&extra, string(key), value)
		}
		return nil
	})
	if id == "" && data == "" && transcript == "" {
		return // Snowflake sends an empty object with every answer
	}
	if c.open[openAudio] == notOpen {
		d.endProse(c, openAudio)
		c.open[openAudio] = d.start(c, &weir.Block{Type: weir.BlockAudio, Media: &weir.Media{ID: id, Extra: extra}})
	}
	if data != "" {
		d.delta(c, c.open[openAudio], weir.PartAudio, data)
	}
	if transcript != "" {
		d.delta(c, c.open[openAudio], weir.PartTranscript, transcript)
	}
}

// citations reads annotations, which belong to the text.
func (d *decoder) citations(c *choice, raw []byte) {
	_ = jsonx.EachElement(raw, func(_ int, a []byte) error {
		if jsonx.Valid(a) == nil {
			d.citation(c, a)
		}
		return nil
	})
}

func (d *decoder) citation(c *choice, a []byte) {
	if c.open[openText] == notOpen {
		d.endProse(c, openText)
		c.open[openText] = d.start(c, &weir.Block{Type: weir.BlockText})
	}
	d.emit(weir.Event{
		Type: weir.EventDelta, Part: weir.PartCitation, Choice: c.n, Index: c.open[openText], Citation: citation(a),
	})
}

func citation(raw []byte) *weir.Citation {
	out := &weir.Citation{Type: jsonx.StringOr(jsonx.Get(raw, "type"), ""), Raw: cloneBytes(raw), From: protocol}
	inner := jsonx.Get(raw, out.Type)
	if out.Type == "url_citation" {
		out.Type = "url"
	}
	out.URL = jsonx.StringOr(jsonx.Get(inner, "url"), "")
	out.Title = jsonx.StringOr(jsonx.Get(inner, "title"), "")
	out.Cited = jsonx.StringOr(jsonx.Get(inner, "content"), "")
	if n, ok := jsonx.Int64(jsonx.Get(inner, "start_index")); ok {
		out.Start = int(n)
	}
	if n, ok := jsonx.Int64(jsonx.Get(inner, "end_index")); ok {
		out.End = int(n)
	}
	return out
}

// logprobs are passed on raw, at the text that is open.
func (d *decoder) logprobs(c *choice) {
	raw := d.chunk.logprobs
	if saysNothing(raw) || jsonx.Valid(raw) != nil {
		return
	}
	d.delta(c, max(c.open[openText], 0), weir.PartLogprobs, string(raw))
}
