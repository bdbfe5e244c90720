package server

import (
	"bytes"
	"net/http"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
	"github.com/weir-gateway/weir/stage/thread"
)

// What follows writes and reads items of the Responses API with its codec, whose
// requests are lists of items.

// writeItems answers a list of items.
func (s *Server) writeItems(w http.ResponseWriter, items []thread.Item, more bool) error {
	var b jsonx.Buffer
	b.BeginObject()
	b.StringField("object", "list")
	b.Key("data")
	b.BeginArray()
	for i := range items {
		raw, err := s.itemJSON(&items[i])
		if err != nil {
			return err
		}
		b.Raw(raw)
	}
	b.EndArray()
	for _, edge := range []struct {
		key string
		i   int
	}{{"first_id", 0}, {"last_id", len(items) - 1}} {
		b.Key(edge.key)
		if len(items) == 0 {
			b.Null()
			continue
		}
		b.String(items[edge.i].ID)
	}
	b.BoolField("has_more", more)
	b.EndObject()
	writeJSON(w, http.StatusOK, b.B)
	return nil
}

// itemJSON is an item as clients read it, with the id under which it is kept.
func (s *Server) itemJSON(it *thread.Item) ([]byte, error) {
	raw := it.Raw
	if raw == nil {
		raw = foreignThought(&it.Message)
	}
	if raw == nil {
		c := s.codecs[weir.OpenAIResponses]
		body := &weir.Body{From: weir.OpenAIResponses, Messages: []weir.Message{it.Message}}
		call, err := c.EncodeRequest(weir.NewRequest("-", body), &codec.Target{Model: "-", Quirks: &codec.Quirks{}})
		if err != nil {
			return nil, err
		}
		raw = firstItem(bytes.Join(call.Body, nil), it.Message.Role)
	}
	var top jsonx.Top
	if err := top.Scan(raw); err != nil {
		return nil, weir.Errorf(weir.KindInternal, "an item that is kept cannot be read: %w", err)
	}
	edits := []jsonx.Edit{{Key: "id", Value: jsonx.AppendString(nil, it.ID)}}
	if text := top.Get(raw, "content"); jsonx.KindOf(text) == jsonx.KindString {
		edits = append(edits, jsonx.Edit{Key: "content", Value: textPart(it.Message.Role, text)})
	}
	if !top.Has("type") {
		edits = append(edits, jsonx.Edit{Key: "type", Value: []byte(`"message"`)})
	}
	return bytes.Join(top.Splice(nil, raw, edits), nil), nil
}

// textPart is a text as the list of parts that items have.
func textPart(role weir.Role, text []byte) []byte {
	if role == weir.RoleAssistant {
		return []byte(`[{"type":"output_text","text":` + string(text) + `,"annotations":[]}]`)
	}
	return []byte(`[{"type":"input_text","text":` + string(text) + `}]`)
}

// foreignThought is an item of reasoning that another provider made: what of it
// people can read. Nil when it is something else.
func foreignThought(m *weir.Message) []byte {
	if len(m.Blocks) != 1 || m.Blocks[0].Type != weir.BlockReasoning {
		return nil
	}
	var b jsonx.Buffer
	b.BeginObject()
	b.StringField("type", "reasoning")
	b.Key("summary")
	b.BeginArray()
	if text := m.Blocks[0].Text; text != "" {
		b.BeginObject()
		b.StringField("type", "summary_text")
		b.StringField("text", text)
		b.EndObject()
	}
	b.EndArray()
	b.EndObject()
	return b.B
}

// firstItem is the one item of a request. A text alone is written as a string,
// and system text stands beside the input.
func firstItem(request []byte, role weir.Role) []byte {
	var first []byte
	text := jsonx.Get(request, "input")
	_ = jsonx.EachElement(jsonx.Get(request, "input"), func(_ int, v []byte) error {
		if first == nil {
			first = v
		}
		return nil
	})
	if first != nil {
		return first
	}
	if instructions := jsonx.Get(request, "instructions"); instructions != nil {
		text = instructions
	}
	if jsonx.KindOf(text) != jsonx.KindString {
		text = []byte(`""`)
	}
	return []byte(`{"type":"message","role":"` + string(role) + `","content":[{"type":"input_text","text":` + string(text) + `}]}`)
}

// readItems reads a list of items that a client sent.
func (s *Server) readItems(raw []byte) ([]thread.Item, error) {
	if raw == nil || jsonx.IsNull(raw) {
		return nil, nil
	}
	if jsonx.KindOf(raw) != jsonx.KindArray {
		return nil, weir.Invalid("items", "items: expected a list, got %s", jsonx.KindOf(raw))
	}
	request := []byte(`{"model":"-","input":` + string(raw) + `}`)
	req, err := s.codecs[weir.OpenAIResponses].OpenRequest(weir.Generate, &weir.Wire{Protocol: weir.OpenAIResponses, Body: request})
	if err != nil {
		return nil, err
	}
	body, err := req.Body()
	if err != nil {
		return nil, err
	}
	items := thread.SplitItems(body.Messages)
	var raws [][]byte
	_ = jsonx.EachElement(raw, func(_ int, v []byte) error { raws = append(raws, bytes.Clone(v)); return nil })
	if len(raws) == len(items) {
		for i := range items {
			items[i].Raw = raws[i]
		}
	}
	return items, nil
}
