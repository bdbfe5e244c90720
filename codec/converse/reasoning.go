package converse

import (
	"encoding/base64"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// readReasoning reads {"reasoningText":{"text","signature"}} and
// {"redactedContent":"<base64>"}; format is the name of who made it.
func readReasoning(format string, at *path, v []byte) (weir.Block, error) {
	r := &weir.Reasoning{Format: format}
	b := weir.Block{Type: weir.BlockReasoning, Reasoning: r}
	err := at.EachSaid(v, &b.Extra, func(key string, at *path, v []byte) (err error) {
		switch key {
		case "reasoningText":
			return at.EachSaid(v, &r.Extra, func(key string, at *path, v []byte) (err error) {
				switch key {
				case "text":
					b.Text, err = at.Str(v)
				case "signature":
					r.Signature, err = at.Str(v)
				default:
					r.Extra.Add(key, v)
				}
				return err
			})
		case "redactedContent":
			var blob string
			blob, err = at.Str(v)
			r.Encrypted, r.Format = unblob(blob, format)
		default:
			b.Extra.Add(key, v)
		}
		return err
	})
	return b, err
}

// rawFormat is the Format of redacted thinking that is not what Claude's is at
// Anthropic, so that only this protocol can carry it.
const rawFormat = ownFormat + vendorAnthropic

// unblob is redacted thinking in the canonical form, with its Format. Claude's is
// text, which Anthropic's own API has as it is and Bedrock in base64 once more.
func unblob(blob, format string) (encrypted, as string) {
	if format != claudeFormat {
		return blob, format
	}
	raw, err := base64.StdEncoding.DecodeString(blob)
	if err != nil || len(raw) == 0 || base64.StdEncoding.EncodeToString(raw) != blob || !isGraphic(raw) {
		return blob, rawFormat
	}
	return string(raw), format
}

// blob is what unblob has read.
func blob(encrypted, format string) string {
	if format != claudeFormat {
		return encrypted
	}
	return base64.StdEncoding.EncodeToString([]byte(encrypted))
}

// isGraphic reports whether raw is plain text without white space, as base64 is.
func isGraphic(raw []byte) bool {
	for _, c := range raw {
		if c <= ' ' || c > '~' {
			return false
		}
	}
	return true
}

// appendReasoning writes the value of a reasoningContent block. state tells
// whether signature and redacted thinking may go along.
func appendReasoning(b *jsonx.Buffer, text string, r *weir.Reasoning, state, extra bool) {
	b.BeginObject()
	if state && r.Encrypted != "" {
		b.StringField("redactedContent", blob(r.Encrypted, r.Format))
	} else {
		b.Key("reasoningText")
		b.BeginObject()
		b.StringField("text", text)
		if state && r.Signature != "" {
			b.StringField("signature", r.Signature)
		}
		if extra {
			appendFields(b, r.Extra)
		}
		b.EndObject()
	}
	b.EndObject()
}
