package gemini

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/weir-gateway/weir/internal/jsonx"
)

// partialCall is a call whose arguments come in pieces, as Vertex AI sends them
// where streamFunctionCallArguments was asked for (aiplatform v1 tool.proto,
// 2026-08-22): each piece names the place of a value, texts grow.
type partialCall struct {
	fields callFields
	root   argument
}

// isPartial reports whether a call of the answer is not complete.
func (d *chunkDecoder) isPartial() bool {
	for _, c := range d.choices {
		if c.partial != nil {
			return true
		}
	}
	return false
}

// piece takes a piece of a call. The one that says no more that it goes on is the
// last.
func (d *chunkDecoder) piece(c *choice, f *callFields) error {
	if c.partial != nil && f.name != "" && f.name != c.partial.fields.name {
		d.endPartial(c)
	}
	if c.partial == nil {
		if f.name == "" {
			return nil
		}
		d.endOpen(c)
		c.partial = &partialCall{fields: *f}
	}
	p := c.partial
	if p.fields.signature == "" {
		p.fields.signature = f.signature
	}
	if f.args != nil {
		p.fields.args = bytes.Clone(f.args)
	}
	if f.partial != nil {
		if err := jsonx.EachElement(f.partial, func(_ int, arg []byte) error {
			p.root.take(arg)
			return nil
		}); err != nil {
			return err
		}
	}
	if !f.goesOn {
		d.endPartial(c)
	}
	return nil
}

// endPartial emits the call that is being put together.
func (d *chunkDecoder) endPartial(c *choice) {
	p := c.partial
	if p == nil {
		return
	}
	c.partial = nil
	if p.root.kind != argNone {
		var b jsonx.Buffer
		p.root.write(&b)
		p.fields.args = b.B
	}
	d.wholeCall(c, &p.fields)
}

// An argument is a value that is put together of pieces.
type argument struct {
	kind  argKind
	text  []byte // of argText, or the raw value of argRaw
	names []string
	kids  []*argument // of an object by names, of an array by number
}

type argKind uint8

const (
	argNone argKind = iota
	argRaw
	argText
	argObject
	argArray
)

// Bounds on what pieces may name.
const (
	maxArgIndex = 1 << 12
	maxArgDepth = 64
)

// take takes a piece: {"jsonPath":"$.a[0]","stringValue":"…"}.
func (a *argument) take(raw []byte) {
	at := a
	for i, step := range pathSteps(jsonx.StringOr(jsonx.Get(raw, "jsonPath"), "")) {
		if i >= maxArgDepth {
			return
		}
		if at = at.kid(step); at == nil {
			return
		}
	}
	if at == a {
		return // the arguments as a whole are no text
	}
	_ = jsonx.EachMember(raw, func(key, v []byte) error {
		switch string(key) {
		case "stringValue":
			if at.kind == argNone || at.kind == argText {
				at.kind = argText
				at.text, _ = jsonx.AppendUnquoted(at.text, v)
			}
		case "numberValue", "boolValue":
			at.kind, at.text = argRaw, bytes.Clone(v)
		case "nullValue":
			at.kind, at.text = argRaw, []byte("null")
		}
		return nil
	})
}

// A pathStep is a name or a number.
type pathStep struct {
	name  string
	index int // below 0 for a name
}

// pathSteps takes a JSON path apart: $.a.b[0]['c d'].
func pathSteps(path string) []pathStep {
	var out []pathStep
	path = strings.TrimPrefix(path, "$")
	for path != "" {
		switch path[0] {
		case '.':
			end := strings.IndexAny(path[1:], ".[")
			if end < 0 {
				end = len(path) - 1
			}
			out = append(out, pathStep{path[1 : 1+end], -1})
			path = path[1+end:]
		case '[':
			end := strings.IndexByte(path, ']')
			if end < 0 {
				return out
			}
			inside := path[1:end]
			if n, err := strconv.Atoi(inside); err == nil && n >= 0 {
				out = append(out, pathStep{"", n})
			} else {
				out = append(out, pathStep{strings.Trim(inside, `'"`), -1})
			}
			path = path[end+1:]
		default:
			return out
		}
	}
	return out
}

// kid is the value at a step, made when it is first named; nil where the value is
// of another kind already.
func (a *argument) kid(s pathStep) *argument {
	if s.index >= 0 {
		if a.kind == argNone {
			a.kind = argArray
		}
		if a.kind != argArray || s.index > maxArgIndex {
			return nil
		}
		for len(a.kids) <= s.index {
			a.kids = append(a.kids, &argument{})
		}
		return a.kids[s.index]
	}
	if a.kind == argNone {
		a.kind = argObject
	}
	if a.kind != argObject {
		return nil
	}
	for i, name := range a.names {
		if name == s.name {
			return a.kids[i]
		}
	}
	if len(a.names) > maxArgIndex {
		return nil
	}
	a.names, a.kids = append(a.names, s.name), append(a.kids, &argument{})
	return a.kids[len(a.kids)-1]
}

func (a *argument) write(b *jsonx.Buffer) {
	switch a.kind {
	case argRaw:
		b.Raw(a.text)
	case argText:
		b.Bytes(a.text)
	case argObject:
		b.BeginObject()
		for i, name := range a.names {
			b.Key(name)
			a.kids[i].write(b)
		}
		b.EndObject()
	case argArray:
		b.BeginArray()
		for _, kid := range a.kids {
			kid.write(b)
		}
		b.EndArray()
	default:
		b.Null()
	}
}
