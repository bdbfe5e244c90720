package codec

import (
	"fmt"
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// AppendOpenAIError appends an error in the envelope that OpenAI's protocols
// share (OpenAI error codes guide, 2026-08-21), as protocol p has it. The
// upstream's own words are passed on where it spoke p and they hold nothing that
// looks like a credential; what it says of the gateway's credential is never
// passed on.
func AppendOpenAIError(dst []byte, err *weir.Error, p weir.Protocol) []byte {
	if own := openAIBody(err, p); own != nil {
		return append(dst, own...)
	}
	b := jsonx.Buffer{B: dst}
	b.BeginObject()
	b.Key("error")
	b.BeginObject()
	b.StringField("message", errorMessage(err))
	b.StringField("type", err.Kind.Type(p))
	b.Key("param")
	if err.Param != "" {
		b.String(err.Param)
	} else {
		b.Null()
	}
	code := err.Code
	if code == "" || err.Kind == weir.KindContextLength {
		code = err.Kind.Code() // the one code that clients read
	}
	b.StringField("code", code)
	b.EndObject()
	b.EndObject()
	return b.B
}

// openAIBody is the upstream's own error where a client of p may have it, else
// nil.
func openAIBody(err *weir.Error, p weir.Protocol) []byte {
	w := err.Wire
	if w == nil || w.Protocol != p || err.Kind == weir.KindUpstreamAuth ||
		err.Kind == weir.KindUnavailable || len(err.Attempts) > 1 {
		return nil
	}
	if jsonx.KindOf(w.Body) != jsonx.KindObject || jsonx.Get(w.Body, "error") == nil || jsonx.Valid(w.Body) != nil {
		return nil
	}
	if text := string(w.Body); Scrub(text) != text || strings.ContainsAny(text, "\r\n") && len(text) > 64<<10 {
		return nil
	}
	return w.Body
}

// errorMessage is the message with its way out and, when several attempts were
// made, what became of each (E-05).
func errorMessage(err *weir.Error) string {
	var s strings.Builder
	s.WriteString(err.Message)
	if err.Message == "" {
		s.WriteString(err.Kind.String())
	}
	if err.Hint != "" {
		s.WriteString(" (" + err.Hint + ")")
	}
	if err.Kind != weir.KindUnavailable && len(err.Attempts) < 2 {
		return s.String()
	}
	for i, a := range err.Attempts {
		separator := "; "
		if i == 0 {
			separator = ". Attempts: "
		}
		fmt.Fprintf(&s, "%s%d. %s", separator, a.Number, a.Deployment)
		if a.Err == nil {
			continue
		}
		s.WriteString(": " + a.Err.Kind.String())
		if a.Err.Status != 0 {
			fmt.Fprintf(&s, " (%d)", a.Err.Status)
		}
		if a.Err.Message != "" {
			s.WriteString(": " + a.Err.Message)
		}
	}
	return s.String()
}
