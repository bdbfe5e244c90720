package gemini

import (
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// bodyWriter writes a canonical body as a request. Members come in a fixed order,
// so that equal requests give equal bytes (C-03).
type bodyWriter struct {
	req    *weir.Request
	body   *weir.Body
	target *codec.Target
	q      *codec.Quirks
	model  string
	gen    generation
	// same tells that the body came in this protocol: what was remembered is put
	// back, and what the client is responsible for is left to the upstream.
	same   bool
	buf    jsonx.Buffer
	losses codec.Losses
	names  *toolNames
	paths  codec.Paths
	called map[string]string // names of the called tools by the ids of the calls
	// instruction is added to the system text.
	instruction string
	batch       bool // an Embed request was written as batchEmbedContents
}

func newBodyWriter(req *weir.Request, body *weir.Body, target *codec.Target, model string) *bodyWriter {
	return &bodyWriter{
		req: req, body: body, target: target, q: target.Quirks, model: model, gen: generationOf(model),
		same: body.From == protocol, names: newToolNames(body, target.Quirks.ToolNameMax), paths: codec.NewPaths(body),
	}
}

func (w *bodyWriter) write() error {
	if w.req.Op == weir.Embed {
		return w.embed()
	}
	system, turns, err := w.turns()
	if err != nil {
		return err
	}
	if w.req.Op == weir.CountTokens {
		return w.count(system, turns)
	}
	start := w.begin()
	if err := w.conversation(system, turns); err != nil {
		return err
	}
	if err := w.toolConfig(); err != nil {
		return err
	}
	w.generationConfig()
	w.settings()
	w.extra(start, w.body.Extra, "")
	w.buf.EndObject()
	return nil
}

// conversation writes what the model is to read.
func (w *bodyWriter) conversation(system *turn, turns []turn) error {
	w.format()
	if err := w.system(system); err != nil {
		return err
	}
	w.key("contents", w.body.Extra)
	single := w.same && marked(w.body.Extra, "contents") != "" && len(turns) == 1
	if !single {
		w.buf.BeginArray()
	}
	for i := range turns {
		if err := w.content(&turns[i]); err != nil {
			return err
		}
	}
	if !single {
		w.buf.EndArray()
	}
	return w.tools()
}

// system writes the system text. For a foreign body it has no role.
func (w *bodyWriter) system(t *turn) error {
	if t == nil && w.instruction == "" {
		return nil
	}
	if t == nil {
		t = &turn{}
	}
	if w.instruction != "" {
		t.parts = append(t.parts, placed{Block: &weir.Block{Type: weir.BlockText, Text: w.instruction}})
	}
	w.key("systemInstruction", w.body.Extra)
	return w.content(t)
}

// content writes one turn.
func (w *bodyWriter) content(t *turn) error {
	start := w.begin()
	switch role := marked(t.extra, "role"); {
	case w.same && role == "null":
	case w.same && role != "" && role[0] == '"':
		w.buf.RawField("role", []byte(role))
	case w.same && role != "":
		w.buf.StringField("role", role)
	case t.role != "":
		w.buf.StringField("role", t.role)
	}
	single := w.same && marked(t.extra, "parts") != "" && len(t.parts) == 1
	if len(t.parts) > 0 || !w.same {
		w.key("parts", t.extra)
		if !single {
			w.buf.BeginArray()
		}
		for i := range t.parts {
			if err := w.part(&t.parts[i]); err != nil {
				return err
			}
		}
		if !single {
			w.buf.EndArray()
		}
	}
	w.extra(start, t.extra, w.paths.Message(t.at))
	w.buf.EndObject()
	return nil
}

// count writes a request for a number of tokens. The Gemini API takes system text
// and tools inside a request only, Vertex AI beside the contents only.
func (w *bodyWriter) count(system *turn, turns []turn) error {
	wrapped := marked(w.body.Extra, "generateContentRequest") != ""
	if !w.same {
		wrapped = !w.q.FlatCount && (system != nil || len(w.body.Tools) > 0)
	}
	w.buf.BeginObject()
	if wrapped {
		w.key("generateContentRequest", w.body.Extra)
		w.buf.BeginObject()
	}
	start := len(w.buf.B) - 1
	if wrapped && !w.same {
		w.buf.StringField("model", resourceName(w.model))
	}
	if err := w.conversation(system, turns); err != nil {
		return err
	}
	if w.same {
		if err := w.toolConfig(); err != nil {
			return err
		}
		w.generationConfig()
		w.settings()
		w.extra(start, w.body.Extra, "")
	}
	if wrapped {
		w.buf.EndObject()
	}
	w.buf.EndObject()
	return nil
}

// begin opens an object and tells where it begins.
func (w *bodyWriter) begin() int {
	w.buf.BeginObject()
	return len(w.buf.B) - 1
}

// key writes the name of a member as the client of this protocol wrote it.
func (w *bodyWriter) key(name string, extra weir.Fields) { w.buf.Key(w.spelling(name, extra)) }

func (w *bodyWriter) spelling(name string, extra weir.Fields) string {
	if !w.same {
		return name
	}
	for i := range extra {
		f := &extra[i]
		written := f.Name
		if isMark(f) {
			if written = f.Name[1:]; string(f.Value) != "true" {
				continue
			}
		}
		if f.Spelling && written != name && camel(written) == name {
			return written
		}
	}
	return name
}

// extra puts unknown members and spellings back into the object that began at
// start, where they came from this protocol and nothing else was written in their
// place; from another protocol they are losses.
func (w *bodyWriter) extra(start int, fields weir.Fields, path string) {
	if len(fields) == 0 {
		return
	}
	if !w.same {
		w.losses.DropExtra(path, fields)
		return
	}
	have := map[string]bool{}
	_ = jsonx.EachMember(w.buf.B[start:], func(k, _ []byte) error {
		have[camel(string(k))] = true
		return nil
	})
	for i := range fields {
		f := &fields[i]
		if isMark(f) || isInner(f.Name) || have[camel(f.Name)] || f.Spelling && w.isSetting(f) {
			continue
		}
		have[camel(f.Name)] = true
		w.buf.RawField(f.Name, f.Value)
	}
}

// isInner reports whether a field stands elsewhere than its name says.
func isInner(name string) bool {
	return strings.HasPrefix(name, configPath) || strings.HasPrefix(name, toolConfigPath) || strings.HasPrefix(name, requestPath)
}

const toolConfigPath = "toolConfig."

// isSetting reports whether a spelling is a whole member that has its own writer,
// which has decided whether it is written.
func (w *bodyWriter) isSetting(f *weir.Field) bool {
	if jsonx.IsNull(f.Value) {
		return false
	}
	switch camel(f.Name) {
	case "tools", "toolConfig", "generationConfig", "parameters", "parametersJsonSchema":
		return true
	}
	return false
}
