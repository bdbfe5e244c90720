package openaichat

import (
	"fmt"
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// AppendError implements codec.Server. The upstream's own words are passed on
// where it spoke this protocol and they hold nothing that looks like a
// credential; what it says of the gateway's credential is never passed on.
func (chat) AppendError(dst []byte, err *weir.Error) []byte {
	if own := upstreamBody(err); own != nil {
		return append(dst, own...)
	}
	b := jsonx.Buffer{B: dst}
	b.BeginObject()
	b.Key("error")
	b.BeginObject()
	b.StringField("message", errorMessage(err))
	b.StringField("type", err.Kind.Type(protocol))
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

func upstreamBody(err *weir.Error) []byte {
	w := err.Wire
	if w == nil || w.Protocol != protocol || err.Kind == weir.KindUpstreamAuth ||
		err.Kind == weir.KindUnavailable || len(err.Attempts) > 1 {
		return nil
	}
	if jsonx.KindOf(w.Body) != jsonx.KindObject || jsonx.Get(w.Body, "error") == nil || jsonx.Valid(w.Body) != nil {
		return nil
	}
	if text := string(w.Body); codec.Scrub(text) != text || strings.ContainsAny(text, "\r\n") && len(text) > 64<<10 {
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
