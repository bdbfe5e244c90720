package ollama

import (
	"slices"
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
)

const optionsPrefix = "options."

// options writes the model's settings, and those without a word of a client of
// this protocol.
func (w *bodyWriter) options() {
	var o jsonx.Buffer
	o.BeginObject()
	w.numbers(&o)
	if stop := w.in.Stop; stop != nil {
		o.Key("stop")
		if raw := w.spelled("options.stop"); len(stop) == 1 && jsonx.KindOf(raw) == jsonx.KindString {
			o.String(stop[0])
		} else {
			o.BeginArray()
			for _, s := range stop {
				o.String(s)
			}
			o.EndArray()
		}
	}
	if w.native() {
		w.otherOptions(&o)
	}
	o.EndObject()
	if len(o.B) > len("{}") || w.spelled("options") != nil {
		w.RawField("options", o.B)
	}
}

func (w *bodyWriter) numbers(o *jsonx.Buffer) {
	b := w.in
	whole := func(key string, v *int64) {
		if v != nil {
			o.IntField(key, *v)
		}
	}
	number := func(key string, v *float64) {
		if v != nil {
			o.Key(key)
			o.Float(*v)
		}
	}
	whole("num_predict", b.MaxTokens)
	number("temperature", b.Temperature)
	number("top_p", b.TopP)
	whole("top_k", b.TopK)
	whole("seed", b.Seed)
	number("frequency_penalty", b.FrequencyPenalty)
	number("presence_penalty", b.PresencePenalty)
}

// otherOptions puts options back that have no word, and those that said nothing
// and still do.
func (w *bodyWriter) otherOptions(o *jsonx.Buffer) {
	have := membersOf(o.B)
	for _, f := range w.in.Extra {
		name, ok := strings.CutPrefix(f.Name, optionsPrefix)
		if ok && !have[name] && (!f.Spelling || name != "stop" || jsonx.IsNull(f.Value)) {
			have[name] = true
			o.RawField(name, f.Value)
		}
	}
}

// generateOnly are the members of /api/generate that /api/chat does not have.
var generateOnly = []string{"suffix", "template", "context", "raw", "prompt", "system", "images"}

// extra puts members back that have no word in the canonical form, and those that
// said nothing and still do; from another protocol they are losses.
func (w *bodyWriter) extra(f form) {
	if !w.native() {
		w.losses.DropExtra("", w.in.Extra)
		return
	}
	wrote := membersOf(w.B)
	for _, x := range w.in.Extra {
		switch {
		case x.Name == marker || strings.HasPrefix(x.Name, optionsPrefix) || wrote[x.Name]:
		case x.Name == "options" && x.Spelling, x.Name == "stream" && !jsonx.IsNull(x.Value):
		case f == formChat && w.wasGenerate() && slices.Contains(generateOnly, x.Name):
			w.losses.DropExtra("", weir.Fields{x})
		default:
			wrote[x.Name] = true
			w.RawField(x.Name, x.Value)
		}
	}
}

// wasGenerate reports whether the client wrote a request of /api/generate.
func (w *bodyWriter) wasGenerate() bool {
	return jsonx.StringOr(w.in.Extra.Value(marker), "") == formNames[formGenerate]
}

// membersOf are the names of the members of an object that is not closed yet.
func membersOf(open []byte) map[string]bool {
	names := map[string]bool{}
	_ = jsonx.EachMember(open, func(key, _ []byte) error {
		names[string(key)] = true
		return nil
	})
	return names
}
