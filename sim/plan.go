package sim

import (
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/weir-gateway/weir"
)

// ReasoningFormat is Reasoning.Format of the simulated model's thoughts: their
// signatures mean nothing to anyone else.
const ReasoningFormat = "sim"

// maxChoices bounds n, as upstreams do.
const maxChoices = 128

// plan decides what is answered: one script for every choice.
func (m *Model) plan(req *weir.Request, body *weir.Body) []*script {
	p := readPrompt(body)
	n := int64(1)
	if body.N != nil {
		n = min(max(*body.N, 1), maxChoices)
	}
	calls := m.callsFor(&p, body)
	list := make([]*script, n)
	for i := range list {
		s := &script{choice: int32(i), limit: -1}
		if body.MaxTokens != nil {
			s.limit = int(min(max(*body.MaxTokens, 0), 1<<30))
		}
		m.think(s, &p, req, body, len(calls) > 0)
		if len(calls) > 0 {
			m.callTools(s, calls, req, body)
		} else {
			m.speak(s, &p, body, i, int(n))
		}
		list[i] = s
	}
	return list
}

// think adds reasoning where it was asked for.
func (m *Model) think(s *script, p *prompt, req *weir.Request, body *weir.Body, tools bool) {
	r := body.Reasoning
	if !thinks(r) {
		return
	}
	w := speech[p.lang]
	phrase := w.thought
	if tools {
		phrase = w.thoughtTools
	}
	text := fmt.Sprintf(phrase, quote(p.text))
	if r.Display == "omitted" {
		text = ""
	}
	budget := -1
	if r.Budget != nil {
		budget = int(min(max(*r.Budget, 0), 1<<30))
	}
	s.reasoning(text, m.signature(req, body), budget)
}

// signature is that of a thought. Gemini's are bytes in base64 ("Thought
// signatures", Gemini API, 2026-08), and its clients decode them.
func (m *Model) signature(req *weir.Request, body *weir.Body) string {
	s := "sim-" + m.token(req, body)
	if req.Wire != nil && req.Wire.Protocol == weir.GeminiGenerate {
		return base64.StdEncoding.EncodeToString([]byte(s))
	}
	return s
}

func thinks(r *weir.ReasoningConfig) bool {
	switch {
	case r == nil, r.Mode == "disabled", r.Effort == "none":
		return false
	case r.Budget != nil && *r.Budget == 0:
		return false
	}
	return r.Mode != "" || r.Effort != "" || r.Budget != nil
}

// speak answers in text or, where a format was asked for, in JSON.
func (m *Model) speak(s *script, p *prompt, body *weir.Body, choice, of int) {
	text := m.o.Reply
	if text == "" {
		text = p.answer()
		if of > 1 {
			w := speech[p.lang]
			text += w.gap + fmt.Sprintf(w.alternative, choice+1, of)
		}
	}
	text = p.lengthen(text, m.o.Tokens)
	if f := body.Format; f != nil && m.o.Reply == "" {
		switch f.Type {
		case weir.FormatJSONObject:
			text = answerObject(text)
		case weir.FormatJSONSchema:
			text = string(instance(f.Schema, &hints{text: p.text, answer: text}))
		}
	}
	text, stop := cutAtStop(text, body.Stop)
	if text != "" {
		s.text(text)
	}
	if stop != "" {
		s.finish(weir.Finish{Reason: weir.FinishStopSequence, StopSequence: stop})
		return
	}
	s.finish(weir.Finish{Reason: weir.FinishStop})
}

// cutAtStop ends text before the first stop sequence in it.
func cutAtStop(text string, stops []string) (string, string) {
	at, met := len(text), ""
	for _, stop := range stops {
		if i := strings.Index(text, stop); stop != "" && i >= 0 && i < at {
			at, met = i, stop
		}
	}
	return text[:at], met
}
