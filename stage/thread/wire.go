package thread

import "github.com/weir-gateway/weir"

// What follows is how canonical messages are written into a store: one struct
// for each of the root package's, with short names, and raw JSON as base64 so
// that it comes back byte for byte. A member that is added later must be
// optional; a change of meaning needs another version (see record_wire.go).

type wireField struct {
	Name     text   `json:"n"`
	Value    []byte `json:"v"`
	Spelling bool   `json:"s,omitempty"`
}

type wireMessage struct {
	Role   text        `json:"role"`
	Blocks []wireBlock `json:"blocks,omitempty"`
	Name   text        `json:"name,omitempty"`
	Plain  bool        `json:"plain,omitempty"`
	At     text        `json:"at,omitempty"`
	Extra  []wireField `json:"extra,omitempty"`
}

type wireBlock struct {
	Type      text           `json:"type"`
	Text      text           `json:"text,omitempty"`
	Media     *wireMedia     `json:"media,omitempty"`
	Reasoning *wireReasoning `json:"reasoning,omitempty"`
	Call      *wireCall      `json:"call,omitempty"`
	Result    *wireResult    `json:"result,omitempty"`
	Citations []wireCitation `json:"citations,omitempty"`
	Cache     *wireCache     `json:"cache,omitempty"`
	Opaque    *wireOpaque    `json:"opaque,omitempty"`
	At        text           `json:"at,omitempty"`
	Extra     []wireField    `json:"extra,omitempty"`
}

type wireMedia struct {
	MIME       text        `json:"mime,omitempty"`
	Data       text        `json:"data,omitempty"`
	URL        text        `json:"url,omitempty"`
	FileID     text        `json:"file_id,omitempty"`
	Text       text        `json:"text,omitempty"`
	Name       text        `json:"name,omitempty"`
	Detail     text        `json:"detail,omitempty"`
	Context    text        `json:"context,omitempty"`
	ID         text        `json:"id,omitempty"`
	Transcript text        `json:"transcript,omitempty"`
	Citations  *bool       `json:"citations,omitempty"`
	Extra      []wireField `json:"extra,omitempty"`
}

type wireReasoning struct {
	ID        text        `json:"id,omitempty"`
	Format    text        `json:"format,omitempty"`
	Signature text        `json:"signature,omitempty"`
	Encrypted text        `json:"encrypted,omitempty"`
	Summary   bool        `json:"summary,omitempty"`
	Extra     []wireField `json:"extra,omitempty"`
}

type wireCall struct {
	ID        text        `json:"id,omitempty"`
	Name      text        `json:"name,omitempty"`
	Type      text        `json:"type,omitempty"`
	Arguments text        `json:"arguments,omitempty"`
	Signature text        `json:"signature,omitempty"`
	Extra     []wireField `json:"extra,omitempty"`
}

type wireResult struct {
	CallID  text        `json:"call_id,omitempty"`
	Name    text        `json:"name,omitempty"`
	Content []wireBlock `json:"content,omitempty"`
	Plain   bool        `json:"plain,omitempty"`
	IsError bool        `json:"is_error,omitempty"`
	Extra   []wireField `json:"extra,omitempty"`
}

type wireCitation struct {
	Type  text   `json:"type,omitempty"`
	URL   text   `json:"url,omitempty"`
	Title text   `json:"title,omitempty"`
	Cited text   `json:"cited,omitempty"`
	Start int    `json:"start,omitempty"`
	End   int    `json:"end,omitempty"`
	Raw   []byte `json:"raw,omitempty"`
	From  text   `json:"from,omitempty"`
}

type wireCache struct {
	TTL   text        `json:"ttl,omitempty"`
	Extra []wireField `json:"extra,omitempty"`
}

type wireOpaque struct {
	Protocol text   `json:"protocol,omitempty"`
	Type     text   `json:"type,omitempty"`
	Raw      []byte `json:"raw,omitempty"`
}

type wireUsage struct {
	Input           int64       `json:"input,omitempty"`
	Output          int64       `json:"output,omitempty"`
	CacheRead       int64       `json:"cache_read,omitempty"`
	CacheCreation   int64       `json:"cache_creation,omitempty"`
	CacheCreation1h int64       `json:"cache_creation_1h,omitempty"`
	Reasoning       int64       `json:"reasoning,omitempty"`
	AudioInput      int64       `json:"audio_input,omitempty"`
	AudioOutput     int64       `json:"audio_output,omitempty"`
	Known           uint16      `json:"known,omitempty"`
	Estimated       bool        `json:"estimated,omitempty"`
	Extra           []wireField `json:"extra,omitempty"`
	From            text        `json:"from,omitempty"`
}

// each is fn of every element, nil for none.
func each[A, B any](in []A, fn func(*A) B) []B {
	if len(in) == 0 {
		return nil
	}
	out := make([]B, len(in))
	for i := range in {
		out[i] = fn(&in[i])
	}
	return out
}

// opt is fn of what p points to, nil for nil.
func opt[A, B any](p *A, fn func(*A) B) *B {
	if p == nil {
		return nil
	}
	v := fn(p)
	return &v
}

func toFields(in weir.Fields) []wireField {
	return each(in, func(f *weir.Field) wireField { return wireField{text(f.Name), f.Value, f.Spelling} })
}

func fromFields(in []wireField) weir.Fields {
	return each(in, func(f *wireField) weir.Field {
		return weir.Field{Name: string(f.Name), Value: f.Value, Spelling: f.Spelling}
	})
}
