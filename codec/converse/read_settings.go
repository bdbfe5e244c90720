package converse

import (
	"slices"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// The members read here are objects that hold settings. Each is kept as it was
// written, as a spelling of its own name, and goes back so for as long as it still
// says what the canonical form says (settings.sameAs); members of theirs that have
// no word are kept under their path, "inferenceConfig.topK", so that another
// protocol reports them one by one.

// unknown keeps a member under its path.
func unknown(b *weir.Body, at *path, v []byte) {
	if !jsonx.IsNull(v) {
		b.Extra.Add(at.String(), v)
	}
}

func readInference(b *weir.Body, at *path, v []byte) error {
	return at.Each(v, func(key string, at *path, v []byte) (err error) {
		switch key {
		case "maxTokens":
			b.MaxTokens, err = at.Integer(v)
		case "temperature":
			b.Temperature, err = at.Float(v)
		case "topP":
			b.TopP, err = at.Float(v)
		case "stopSequences":
			b.Stop, err = stringsAt(at, v)
		default:
			unknown(b, at, v)
		}
		return err
	})
}

// stringsAt reads a list of strings; null is nil.
func stringsAt(p *path, v []byte) ([]string, error) {
	if jsonx.IsNull(v) {
		return nil, nil
	}
	out := []string{}
	err := p.List(v, func(_ int, at *path, v []byte) error {
		s, err := at.Str(v)
		out = append(out, s)
		return err
	})
	return out, err
}

// readTier reads {"type":"priority"}.
func readTier(b *weir.Body, at *path, v []byte) error {
	return at.Each(v, func(key string, at *path, v []byte) (err error) {
		if key != "type" {
			unknown(b, at, v)
			return nil
		}
		b.ServiceTier, err = at.Str(v)
		return err
	})
}

// readOutput reads outputConfig: the form of the answer and the effort.
func readOutput(b *weir.Body, at *path, v []byte) error {
	return at.Each(v, func(key string, at *path, v []byte) error {
		switch key {
		case "effort":
			effort, err := at.Str(v)
			if effort != "" {
				reasoningOf(b).Effort = effort
			}
			return err
		case "textFormat":
			return readFormat(b, at, v)
		}
		unknown(b, at, v)
		return nil
	})
}

// readFormat reads {"type":"json_schema","structure":{"jsonSchema":{"schema":…}}}.
// The schema is JSON in a string.
func readFormat(b *weir.Body, at *path, v []byte) error {
	if jsonx.IsNull(v) {
		return nil
	}
	f := &weir.Format{}
	err := at.Each(v, func(key string, at *path, v []byte) error {
		switch key {
		case "type":
			s, err := at.Str(v)
			f.Type = weir.FormatType(s)
			return err
		case "structure":
			return at.Each(v, func(key string, at *path, v []byte) error {
				if key == "jsonSchema" {
					return readSchema(b, f, at, v)
				}
				unknown(b, at, v)
				return nil
			})
		}
		unknown(b, at, v)
		return nil
	})
	if f.Type != "" {
		b.Format = f
	}
	return err
}

func readSchema(b *weir.Body, f *weir.Format, at *path, v []byte) error {
	return at.Each(v, func(key string, at *path, v []byte) (err error) {
		switch key {
		case "name":
			f.Name, err = at.Str(v)
		case "description":
			f.Description, err = at.Str(v)
		case "schema":
			text, err := at.Str(v)
			if err == nil && jsonx.Valid([]byte(text)) != nil {
				err = weir.Invalid(at.String(), "%s: expected a JSON Schema in a string", at)
			}
			f.Schema = []byte(text)
			return err
		default:
			unknown(b, at, v)
		}
		return err
	})
}

func reasoningOf(b *weir.Body) *weir.ReasoningConfig {
	if b.Reasoning == nil {
		b.Reasoning = new(weir.ReasoningConfig)
	}
	return b.Reasoning
}

// readAdditional reads additionalModelRequestFields, whose members are the model's
// own: the switches for thinking that the makers have, and top_k. What is of
// another form than expected is for the model to judge.
func readAdditional(b *weir.Body, at *path, v []byte) {
	if jsonx.KindOf(v) != jsonx.KindObject {
		unknown(b, at, v)
		return
	}
	_ = at.Each(v, func(key string, at *path, v []byte) error {
		if !readKnob(b, key, at, v) {
			unknown(b, at, v)
		}
		return nil
	})
}

func readKnob(b *weir.Body, key string, at *path, v []byte) bool {
	switch key {
	case "top_k":
		n, ok := jsonx.Int64(v)
		if ok {
			b.TopK = &n
		}
		return ok
	case "reasoning_effort":
		return readEffort(b, v)
	case "thinking", "reasoning_config", "reasoningConfig", "reasoning", "output_config":
		if key == "reasoning_config" && jsonx.KindOf(v) == jsonx.KindString {
			return readEffort(b, v)
		}
		return readThinking(b, at, v)
	case "inferenceConfig": // Nova's
		return readInner(b, at, v, func(key string, v []byte) bool {
			n, ok := jsonx.Int64(v)
			if ok = ok && key == "topK"; ok {
				b.TopK = &n
			}
			return ok
		})
	}
	return false
}

func readEffort(b *weir.Body, v []byte) bool {
	effort := jsonx.StringOr(v, "")
	if effort != "" {
		reasoningOf(b).Effort = effort
	}
	return effort != ""
}

// readInner reads an object of additionalModelRequestFields of which only some
// members are known; the others are kept under their paths. False when it is no
// object.
func readInner(b *weir.Body, at *path, v []byte, known func(key string, v []byte) bool) bool {
	if jsonx.KindOf(v) != jsonx.KindObject {
		return false
	}
	_ = at.Each(v, func(key string, at *path, v []byte) error {
		if !known(key, v) {
			unknown(b, at, v)
		}
		return nil
	})
	return true
}

// readThinking reads the objects that makers switch thinking with: Claude's
// {"type","budget_tokens","display"}, Nova's {"type","maxReasoningEffort"} and
// OpenAI's {"effort"}, which Claude's output_config has too.
func readThinking(b *weir.Body, at *path, v []byte) bool {
	return readInner(b, at, v, func(key string, v []byte) bool {
		switch key {
		case "type":
			if s := jsonx.StringOr(v, ""); s != "" {
				reasoningOf(b).Mode = s
				return true
			}
		case "budget_tokens":
			if n, ok := jsonx.Int64(v); ok {
				reasoningOf(b).Budget = &n
				return true
			}
		case "display":
			if s := jsonx.StringOr(v, ""); s != "" {
				reasoningOf(b).Display = s
				return true
			}
		case "maxReasoningEffort", "effort":
			return readEffort(b, v)
		}
		return false
	})
}

// settings are the members of a body that this file reads, as they were written.
type settings struct{ inference, additional, output, tier []byte }

func settingsOf(extra weir.Fields) settings {
	return settings{
		inference: extra.Value("inferenceConfig"), additional: extra.Value("additionalModelRequestFields"),
		output: extra.Value("outputConfig"), tier: extra.Value("serviceTier"),
	}
}

// read is a body that says what the settings say and nothing else.
func (s settings) read() *weir.Body {
	b := &weir.Body{}
	root := path{}
	for _, x := range []struct {
		raw  []byte
		read func(b *weir.Body, at *path, v []byte) error
	}{
		{s.inference, readInference}, {s.output, readOutput}, {s.tier, readTier},
		{s.additional, func(b *weir.Body, at *path, v []byte) error { readAdditional(b, at, v); return nil }},
	} {
		if x.raw != nil {
			_ = x.read(b, &root, x.raw) // read before without an error
		}
	}
	return b
}

func samePtr[T comparable](a, b *T) bool {
	return a == nil && b == nil || a != nil && b != nil && *a == *b
}

func sameInference(a, b *weir.Body) bool {
	return samePtr(a.MaxTokens, b.MaxTokens) && samePtr(a.Temperature, b.Temperature) &&
		samePtr(a.TopP, b.TopP) && slices.Equal(a.Stop, b.Stop)
}

// sameModelSettings compares what additionalModelRequestFields and outputConfig
// hold together.
func sameModelSettings(a, b *weir.Body) bool {
	return samePtr(a.TopK, b.TopK) && sameReasoning(a.Reasoning, b.Reasoning) && sameFormat(a.Format, b.Format)
}

func sameReasoning(a, b *weir.ReasoningConfig) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Mode == b.Mode && a.Effort == b.Effort && samePtr(a.Budget, b.Budget) && a.Display == b.Display
}

func sameFormat(a, b *weir.Format) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Type == b.Type && a.Name == b.Name && a.Description == b.Description && string(a.Schema) == string(b.Schema)
}
