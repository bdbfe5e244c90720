package server_test

import (
	"encoding/json"
	"strings"
)

// A heard is what a client makes of an answer. It is read here without Weir's
// codecs, from the protocols' own documents.
type heard struct {
	text   string
	starts int    // how often an answer was begun; 0 where the protocol does not say
	whole  bool   // the protocol's own end was seen
	failed string // the error inside the answer; empty without one
}

// A said is every field that the answers of all five protocols are read by.
type said struct {
	Type    string          `json:"type"`
	Error   json.RawMessage `json:"error"`
	Choices []struct {
		Delta, Message struct {
			Content string `json:"content"`
		}
		Finish string `json:"finish_reason"`
	} `json:"choices"`
	Delta    json.RawMessage `json:"delta"`
	Response *said           `json:"response"`
	Status   string          `json:"status"`
	Output   []struct {
		Content []saidText `json:"content"`
	} `json:"output"`
	Content    []saidText `json:"content"`
	StopReason string     `json:"stop_reason"`
	Candidates []struct {
		Content struct {
			Parts []saidText `json:"parts"`
		} `json:"content"`
		FinishReason string `json:"finishReason"`
	} `json:"candidates"`
	Message json.RawMessage `json:"message"`
	Done    bool            `json:"done"`
}

type saidText struct {
	Text string `json:"text"`
}

func texts(list []saidText) string {
	var b strings.Builder
	for _, t := range list {
		b.WriteString(t.Text)
	}
	return b.String()
}

// hear reads an answer with status 200. What is no JSON where JSON belongs is
// an error, as it is to a real client.
func hear(face string, stream bool, body string) heard {
	var h heard
	for _, piece := range pieces(face, stream, body) {
		if piece == "[DONE]" { // clients take it as the end, whatever came before
			h.whole = true
			continue
		}
		var s said
		if err := json.Unmarshal([]byte(piece), &s); err != nil {
			return heard{text: h.text, failed: "NOT JSON: " + piece}
		}
		if len(s.Error) > 0 && string(s.Error) != "null" {
			h.failed = string(s.Error)
		}
		switch face {
		case "chat":
			for _, c := range s.Choices {
				h.text += c.Delta.Content + c.Message.Content
				h.whole = h.whole || c.Finish != ""
			}
		case "responses":
			h.responses(&s, stream)
		case "messages":
			h.messages(&s, stream)
		case "gemini":
			for _, c := range s.Candidates {
				h.text += texts(c.Content.Parts)
				h.whole = h.whole || c.FinishReason != ""
			}
		case "ollama":
			var m struct {
				Content string `json:"content"`
			}
			_ = json.Unmarshal(s.Message, &m)
			h.text += m.Content
			h.whole = h.whole || s.Done
		}
	}
	return h
}

func (h *heard) responses(s *said, stream bool) {
	if !stream {
		for _, o := range s.Output {
			h.text += texts(o.Content)
		}
		h.whole = s.Status == "completed"
		return
	}
	switch s.Type {
	case "response.created":
		h.starts++
	case "response.output_text.delta":
		h.delta(s.Delta)
	case "response.completed":
		h.whole = true
	case "response.failed":
		h.failed = string(s.Response.Error)
	case "error":
		h.failed = s.Type + string(s.Error)
	}
}

func (h *heard) messages(s *said, stream bool) {
	if !stream {
		h.text, h.whole = texts(s.Content), s.StopReason != ""
		return
	}
	switch s.Type {
	case "message_start":
		h.starts++
	case "content_block_delta":
		h.delta(s.Delta)
	case "message_stop":
		h.whole = true
	}
}

// delta takes a piece of text in, be it the text itself or an object with it.
func (h *heard) delta(raw json.RawMessage) {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		h.text += text
		return
	}
	var t saidText
	_ = json.Unmarshal(raw, &t)
	h.text += t.Text
}

// pieces are the JSON texts of an answer.
func pieces(face string, stream bool, body string) (out []string) {
	if !stream {
		return []string{body}
	}
	for line := range strings.Lines(body) {
		line = strings.TrimRight(line, "\r\n")
		data, isData := strings.CutPrefix(line, "data:")
		switch {
		case face == "ollama" && line != "":
			out = append(out, line)
		case isData:
			out = append(out, strings.TrimPrefix(data, " "))
		}
	}
	return out
}

// isError reports whether a body is an error in a face's own form: whatever the
// official clients of that protocol look at.
func isError(face, body string, status int) bool {
	var e struct {
		Type  string          `json:"type"`
		Error json.RawMessage `json:"error"`
	}
	// Gemini's streams carry their errors in a list.
	if json.Unmarshal([]byte(strings.Trim(body, "[]\n")), &e) != nil {
		return false
	}
	if face == "ollama" {
		var text string
		return json.Unmarshal(e.Error, &text) == nil && text != ""
	}
	var inner struct {
		Type, Message, Status string
		Code                  any
	}
	if json.Unmarshal(e.Error, &inner) != nil || inner.Message == "" {
		return false
	}
	switch face {
	case "messages":
		return e.Type == "error" && inner.Type != ""
	case "gemini":
		return inner.Code == float64(status) && inner.Status != ""
	}
	return inner.Type != ""
}
