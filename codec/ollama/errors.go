package ollama

import (
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// AppendError implements codec.Server: {"error":"text"}. The upstream's own words
// are passed on where it spoke this protocol and they hold nothing that looks like
// a credential; what it says of the gateway's credential is never passed on.
func (ollama) AppendError(dst []byte, err *weir.Error) []byte {
	if own := upstreamBody(err); own != nil {
		return append(dst, own...)
	}
	b := jsonx.Buffer{B: dst}
	b.BeginObject()
	b.StringField("error", errorMessage(err))
	b.EndObject()
	return b.B
}

// upstreamBody is the upstream's error in one line, nil when it is not to be passed
// on.
func upstreamBody(err *weir.Error) []byte {
	w := err.Wire
	if w == nil || w.Protocol != protocol || err.Kind == weir.KindUpstreamAuth ||
		err.Kind == weir.KindUnavailable || len(err.Attempts) > 1 {
		return nil
	}
	if jsonx.KindOf(jsonx.Get(w.Body, "error")) != jsonx.KindString || jsonx.Valid(w.Body) != nil {
		return nil
	}
	if text := string(w.Body); codec.Scrub(text) != text {
		return nil
	}
	return jsonx.Compact(nil, w.Body)
}

// refine reads what only the wording says: `model "x" not found, try pulling it
// first`, where other things may be missing too.
func refine(e *weir.Error) {
	if strings.HasPrefix(e.Message, "model ") && strings.Contains(e.Message, " not found") && (e.Kind == weir.KindNotFound || e.Kind == weir.KindUpstream) {
		e.Kind = weir.KindModelNotFound
	}
}

// errorMessage is the message with its way out and, when several attempts were
// made, what became of each (E-05).
func errorMessage(err *weir.Error) string {
	var s strings.Builder
	if s.WriteString(err.Message); err.Message == "" {
		s.WriteString(err.Kind.String())
	}
	if err.Hint != "" {
		s.WriteString(" (" + err.Hint + ")")
	}
	if err.Kind != weir.KindUnavailable && len(err.Attempts) < 2 {
		return s.String()
	}
	for i, a := range err.Attempts {
		if s.WriteString("; "); i == 0 {
			s.WriteString("attempts: ")
		}
		s.WriteString(a.Deployment)
		if a.Err != nil {
			s.WriteString(": " + a.Err.Kind.String())
		}
	}
	return s.String()
}
