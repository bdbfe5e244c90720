package openairesponses

import (
	"encoding/base64"
	"strings"

	"github.com/weir-gateway/weir/internal/jsonx"
)

// An envelope carries reasoning state of other protocols through a client of
// this one (T-03, T-05, protocols.md §10). It stands in the encrypted_content of
// a reasoning item, which clients send back as it is: a prefix that nobody else
// uses, and JSON in base64 that says whose state it is. What stands in it goes
// to nobody but its maker (T-04); an upstream of this protocol never sees one.
type envelope struct {
	// format is whose the state is, as in weir.Reasoning; empty where a model
	// thought without signing it, and then there is nothing but the mark.
	format    string
	id        string
	text      string // what was signed: not every client sends the text back
	signature string
	encrypted string
	// full tells that what stands as a summary is the thinking itself: the client
	// asked for summaries, and this is what there was.
	full bool
	// calls are the signatures of tool calls behind the item, by call id.
	calls []callSignature
}

type callSignature struct{ id, signature string }

const envelopePrefix = "weir.v1:"

func isEnvelope(encrypted string) bool { return strings.HasPrefix(encrypted, envelopePrefix) }

// String is the envelope as it is sent.
func (e *envelope) String() string {
	var b jsonx.Buffer
	member := func(key, value string) {
		if value != "" {
			b.StringField(key, value)
		}
	}
	b.BeginObject()
	member("format", e.format)
	member("id", e.id)
	member("text", e.text)
	member("signature", e.signature)
	member("encrypted", e.encrypted)
	if e.full {
		b.BoolField("full", true)
	}
	if len(e.calls) > 0 {
		b.Key("calls")
		b.BeginObject()
		for _, c := range e.calls {
			b.StringField(c.id, c.signature)
		}
		b.EndObject()
	}
	b.EndObject()
	return envelopePrefix + base64.StdEncoding.EncodeToString(b.B)
}

// parseEnvelope reads what String has written; false when it was damaged on the
// way.
func parseEnvelope(s string) (e envelope, ok bool) {
	raw, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(s, envelopePrefix))
	if err != nil || jsonx.Valid(raw) != nil || jsonx.KindOf(raw) != jsonx.KindObject {
		return e, false
	}
	_ = jsonx.EachMember(raw, func(key, value []byte) error {
		switch string(key) {
		case "format":
			e.format = jsonx.StringOr(value, "")
		case "id":
			e.id = jsonx.StringOr(value, "")
		case "text":
			e.text = jsonx.StringOr(value, "")
		case "signature":
			e.signature = jsonx.StringOr(value, "")
		case "encrypted":
			e.encrypted = jsonx.StringOr(value, "")
		case "full":
			e.full, _ = jsonx.Bool(value)
		case "calls":
			e.calls = readCallSignatures(value)
		}
		return nil
	})
	return e, true
}

func readCallSignatures(raw []byte) (out []callSignature) {
	if jsonx.KindOf(raw) != jsonx.KindObject {
		return nil
	}
	_ = jsonx.EachMember(raw, func(id, signature []byte) error {
		out = append(out, callSignature{string(id), jsonx.StringOr(signature, "")})
		return nil
	})
	return out
}

// damaged is the Format of an envelope that cannot be read any more. Nobody owns
// it, and so nobody is sent it.
const damaged = "weir-damaged"
