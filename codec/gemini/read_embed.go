package gemini

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// requestPath is in front of the names of what stands beside the content of an
// input: it is kept in the input's message.
const requestPath = "request."

// readEmbed reads a member of an embedContent or batchEmbedContents request
// (protocols.md §7.8). Each content is one input, in the form of a message of the
// user. The settings of the first input are those of the body; another one's that
// differ are kept with it.
func (r *bodyReader) readEmbed(at *path, raw []byte) error {
	switch key := camel(at.Name()); {
	case key == "requests" && !jsonx.IsNull(raw):
		mark(&r.body.Extra, "requests", "true")
		_, err := list(at, raw, func(i int, at *path, v []byte) error {
			if jsonx.KindOf(v) != jsonx.KindObject {
				return at.Wrong("an object with a content", v)
			}
			m := weir.Message{Role: weir.RoleUser, At: at.String()}
			if err := at.Each(v, func(_ string, at *path, v []byte) error { return r.readInput(i, &m, at, v) }); err != nil {
				return err
			}
			r.contents = append(r.contents, m)
			r.silent(i)
			return nil
		})
		return err
	case len(r.contents) == 0:
		r.contents = append(r.contents, weir.Message{Role: weir.RoleUser, At: "content"})
	}
	return r.readInput(0, &r.contents[0], at, raw)
}

// silent remembers which settings of the first input another one does not have.
func (r *bodyReader) silent(i int) {
	m := &r.contents[i]
	for _, key := range embedSettings {
		said := slices.ContainsFunc(m.Extra, func(f weir.Field) bool { return camel(f.Name) == requestPath+key })
		if i > 0 && !said && len(embedValue(r.body.Embed, key)) > 0 {
			mark(&m.Extra, key, "none")
		}
	}
}

// readInput reads one member of an input's request into its message.
func (r *bodyReader) readInput(i int, m *weir.Message, at *path, raw []byte) error {
	key := camel(at.Name())
	if key == "content" && !jsonx.IsNull(raw) {
		c, err := r.readContent(at, raw)
		for k := range c.Blocks {
			if c.Blocks[k].At == "" {
				c.Blocks[k].At = fmt.Sprintf("%s.parts[%d]", at, k)
			}
		}
		m.Blocks, m.Extra = c.Blocks, slices.Concat(m.Extra, c.Extra)
		return err
	}
	known, err := r.embedSetting(i == 0, key, at, raw)
	m.Extra = append(m.Extra, weir.Field{
		Name: requestPath + at.Name(), Value: bytes.Clone(raw), Spelling: known || key == "model" || jsonx.IsNull(raw),
	})
	return err
}

// embedSetting reads a setting that has a word, and tells whether the body says
// it. Only the first input sets it.
func (r *bodyReader) embedSetting(first bool, key string, at *path, raw []byte) (says bool, err error) {
	if r.body.Embed == nil {
		r.body.Embed = &weir.EmbedConfig{}
	}
	e := r.body.Embed
	if first {
		switch key {
		case "taskType":
			e.Task, err = at.Str(raw)
		case "outputDimensionality":
			e.Dimensions, err = integer(at, raw)
		case "autoTruncate":
			e.Truncate, err = at.Boolean(raw)
		default:
			return false, nil
		}
		return err == nil, err
	}
	return bytes.Equal(embedValue(e, key), bytes.TrimSpace(raw)), nil
}

// embedValue is a setting as it is written, nil for none.
func embedValue(e *weir.EmbedConfig, key string) []byte {
	var b jsonx.Buffer
	switch {
	case e == nil:
	case key == "taskType" && e.Task != "":
		b.String(e.Task)
	case key == "outputDimensionality" && e.Dimensions != nil:
		b.Int(*e.Dimensions)
	case key == "autoTruncate" && e.Truncate != nil:
		b.Bool(*e.Truncate)
	}
	return b.B
}
