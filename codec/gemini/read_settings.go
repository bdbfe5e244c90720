package gemini

import (
	"bytes"
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// configPath is in front of the names of members of generationConfig that have no
// word: they are kept at the top level, under the path that they have.
const configPath = "generationConfig."

// readSettings reads generationConfig (protocols.md §7.2).
func readSettings(b *weir.Body, at *path, raw []byte) error {
	var f formatReader
	err := at.Each(raw, func(key string, at *path, v []byte) error {
		if jsonx.IsNull(v) {
			return nil
		}
		name := camel(key)
		if known, err := f.member(name, at, v); known {
			return err
		}
		known, err := readSetting(b, name, at, v)
		if !known && err == nil {
			b.Extra.Add(configPath+key, v)
		}
		return err
	})
	if err == nil {
		f.finish(b)
	}
	return err
}

// readSetting reads a member that has a word.
func readSetting(b *weir.Body, name string, at *path, v []byte) (known bool, err error) {
	switch name {
	case "maxOutputTokens":
		b.MaxTokens, err = integer(at, v)
	case "temperature":
		b.Temperature, err = float(at, v)
	case "topP":
		b.TopP, err = float(at, v)
	case "topK":
		b.TopK, err = integer(at, v)
	case "frequencyPenalty":
		b.FrequencyPenalty, err = float(at, v)
	case "presencePenalty":
		b.PresencePenalty, err = float(at, v)
	case "seed":
		b.Seed, err = integer(at, v)
	case "candidateCount":
		b.N, err = integer(at, v)
	case "responseLogprobs":
		b.Logprobs, err = at.Boolean(v)
	case "logprobs":
		b.TopLogprobs, err = integer(at, v)
	case "stopSequences":
		_, err = list(at, v, func(_ int, at *path, v []byte) error {
			s, err := at.Str(v)
			b.Stop = append(b.Stop, s)
			return err
		})
	case "thinkingConfig":
		b.Reasoning, err = readThinking(at, v)
	default:
		return false, nil
	}
	return true, err
}

// readThinking reads thinkingConfig: a budget of -1 is as the model likes, of 0 is
// off (protocols.md §7.2).
func readThinking(at *path, raw []byte) (*weir.ReasoningConfig, error) {
	r := &weir.ReasoningConfig{}
	err := at.Each(raw, func(key string, at *path, v []byte) error {
		switch {
		case jsonx.IsNull(v):
		case camel(key) == "includeThoughts":
			on, err := at.Boolean(v)
			if r.Display = displayOmitted; on != nil && *on {
				r.Display = displaySummarized
			}
			return err
		case camel(key) == "thinkingBudget":
			return readBudget(r, at, v)
		case camel(key) == "thinkingLevel":
			level, err := at.Str(v)
			if r.Effort = strings.ToLower(level); r.Effort == "thinking_level_unspecified" {
				r.Effort = ""
			}
			return err
		default:
			r.Extra.Add(key, v)
		}
		return nil
	})
	return r, err
}

func readBudget(r *weir.ReasoningConfig, at *path, v []byte) error {
	n, err := integer(at, v)
	switch {
	case n == nil:
	case *n < 0:
		r.Mode = modeAdaptive
	case *n == 0:
		r.Mode = modeDisabled
	default:
		r.Mode, r.Budget = modeEnabled, n
	}
	return err
}

// Values of weir.ReasoningConfig.
const (
	modeEnabled       = "enabled"
	modeDisabled      = "disabled"
	modeAdaptive      = "adaptive"
	displayOmitted    = "omitted"
	displaySummarized = "summarized"
)

// formatReader gathers the members that together say the form of the answer.
type formatReader struct {
	mime, schema, jsonSchema []byte
	keys                     [3]string
}

const mimeJSON = "application/json"

func (f *formatReader) member(name string, at *path, v []byte) (known bool, err error) {
	switch name {
	case "responseMimeType":
		f.mime, f.keys[0] = v, at.Name()
	case "responseSchema":
		f.schema, f.keys[1] = v, at.Name()
	case "responseJsonSchema", "_responseJsonSchema":
		f.jsonSchema, f.keys[2] = v, at.Name()
	default:
		return false, nil
	}
	if name != "responseMimeType" && jsonx.KindOf(v) != jsonx.KindObject {
		return true, at.Wrong("a schema", v)
	}
	return true, nil
}

// finish makes the format. Media types other than JSON have no word, and neither
// has a schema beside them.
func (f *formatReader) finish(b *weir.Body) {
	switch mime := jsonx.StringOr(f.mime, ""); {
	case mime == mimeJSON && f.jsonSchema != nil:
		b.Format = &weir.Format{Type: weir.FormatJSONSchema, Schema: bytes.Clone(f.jsonSchema)}
		return
	case mime == mimeJSON && f.schema != nil:
		b.Format = &weir.Format{Type: weir.FormatJSONSchema, Schema: jsonSchema(f.schema)}
		return
	case mime == mimeJSON:
		b.Format = &weir.Format{Type: weir.FormatJSONObject}
		return
	case mime == "text/plain" && f.schema == nil && f.jsonSchema == nil:
		return
	}
	for i, raw := range [...][]byte{f.mime, f.schema, f.jsonSchema} {
		if raw != nil {
			b.Extra.Add(configPath+f.keys[i], raw)
		}
	}
}
