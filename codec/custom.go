package codec

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// What follows carries custom tools, whose input is free text, over to protocols
// that know functions only (S-13): the tool is declared as a function with one
// text, its calls are wrapped on the way there and unwrapped on the way back.

// customInput is the one parameter of a custom tool that is declared as a function.
const customInput = "input"

// CustomSchema is the schema of a custom tool's arguments at a target that knows
// functions only. It is shared and not to be modified.
func CustomSchema() []byte { return customSchema }

var customSchema = []byte(`{"type":"object","properties":{"input":{"type":"string","description":"The input of the tool, as plain text."}},"required":["input"],"additionalProperties":false}`)

// CustomDescription is a custom tool's description with what the form of its
// input was to be, since a function cannot demand it. format is the raw member
// of that name, nil when there was none.
func CustomDescription(description string, format []byte) string {
	grammar, _ := jsonx.String(jsonx.Get(format, "definition"))
	if inner := jsonx.Get(format, "grammar"); grammar == "" && inner != nil {
		grammar, _ = jsonx.String(jsonx.Get(inner, "definition"))
	}
	if grammar == "" {
		return description
	}
	return strings.TrimSpace(description + "\n\nThe input must follow this grammar:\n" + grammar)
}

// WrapCustom is the input of a custom tool as the arguments of its function.
func WrapCustom(input string) string {
	return string(append(jsonx.AppendString([]byte(`{"`+customInput+`":`), input), '}'))
}

// FunctionOf is what a custom tool is declared with at a target that knows
// functions only, beside its name and CustomSchema: its description, and the
// members of its Extra that the form of its input does not stand in. A grammar is
// part of the description and noted as approximated, since nothing enforces it;
// at is the tool's path in the client's words.
func (l *Losses) FunctionOf(t *weir.Tool, at string) (description string, rest weir.Fields) {
	path, format := at+".format", t.Extra.Value("format")
	inner := t.Extra.Value("custom") // Chat has the definition in an object of its own
	if v := jsonx.Get(inner, "format"); v != nil {
		path, format = at+".custom.format", v
	}
	if kind := jsonx.StringOr(jsonx.Get(format, "type"), "text"); kind != "text" {
		l.Approximate(path, "the target does not enforce a grammar; it became part of the description")
	}
	for _, f := range t.Extra {
		if f.Name != "format" && f.Name != "custom" {
			rest = append(rest, f)
		}
	}
	_ = jsonx.EachMember(inner, func(key, value []byte) error {
		switch string(key) {
		case "name", "description", "format":
		default:
			rest.Add("custom."+string(key), value)
		}
		return nil
	})
	return CustomDescription(t.Description, format), rest
}

// UnwrapCustom is the input that a model wrote as arguments of such a function.
// Arguments that are of another form are the input as they stand: models do
// write free text where they were told to. An empty object is an empty input.
func UnwrapCustom(arguments string) string {
	var c CustomInput
	input := c.Piece(arguments)
	return input + c.End()
}

// A CustomInput unwraps the input of a custom tool from the pieces of its
// arguments, as soon as it can be told. The zero value is ready for one call.
type CustomInput struct {
	head    []byte // what came before the text, while the form is not known
	matched int    // how much of customPrefix that is, white space left aside
	state   customState
	// pending is an escape, or the first half of a pair, that is not complete.
	pending string
}

type customState uint8

const (
	customHead  customState = iota // in front of the text
	customEmpty                    // behind an empty object
	customText                     // inside
	customTail                     // behind
	customPlain                    // of another form: free text as it stands
)

// customPrefix is what wrapped arguments begin with, without spaces.
const customPrefix = `{"` + customInput + `":"`

// maxHead bounds what is held back in front of the text, in bytes.
const maxHead = 1 << 10

// Piece is what of the input piece adds.
func (c *CustomInput) Piece(piece string) string {
	for i := range len(piece) {
		switch c.state {
		case customPlain:
			return string(c.take()) + piece[i:]
		case customTail:
			return ""
		case customText:
			c.head = nil
			return c.text(piece[i:])
		}
		c.step(piece[i])
	}
	if c.state == customPlain {
		return string(c.take())
	}
	return ""
}

// step looks at one byte in front of the text.
func (c *CustomInput) step(b byte) {
	if c.state == customEmpty && b == '{' {
		// Some send an empty object ahead of the true one (S-04).
		c.head, c.state = c.head[:0], customHead
	}
	c.head = append(c.head, b)
	switch {
	case len(c.head) > maxHead:
		c.state = customPlain
	case b == ' ' || b == '\t' || b == '\n' || b == '\r':
	case c.state == customEmpty:
		c.state = customPlain
	case b == customPrefix[c.matched]:
		if c.matched++; c.matched == len(customPrefix) {
			c.state = customText
		}
	case b == '}' && c.matched == 1:
		c.matched, c.state = 0, customEmpty
	default:
		c.state = customPlain
	}
}

func (c *CustomInput) take() []byte {
	head := c.head
	c.head = nil
	return head
}

// End is what of the input is left when the arguments are over.
func (c *CustomInput) End() string {
	if c.state == customHead {
		return string(c.take())
	}
	return ""
}

// text unescapes a piece of the JSON string up to its end.
func (c *CustomInput) text(piece string) string {
	s := c.pending + piece
	c.pending = ""
	var out strings.Builder
	for len(s) > 0 {
		switch i := strings.IndexAny(s, `"\`); {
		case i < 0:
			out.WriteString(s)
			return out.String()
		case s[i] == '"':
			out.WriteString(s[:i])
			c.state = customTail
			return out.String()
		default:
			out.WriteString(s[:i])
			n, ok := unescape(&out, s[i:])
			if !ok {
				c.pending = s[i:]
				return out.String()
			}
			s = s[i+n:]
		}
	}
	return out.String()
}

var escapes = map[byte]byte{'n': '\n', 't': '\t', 'r': '\r', 'b': '\b', 'f': '\f', '"': '"', '\\': '\\', '/': '/'}

// unescape writes the character of the escape that s begins with and tells how
// long it was; false when more of it has to come.
func unescape(out *strings.Builder, s string) (int, bool) {
	if len(s) < 2 {
		return 0, false
	}
	if s[1] != 'u' {
		if b, ok := escapes[s[1]]; ok {
			out.WriteByte(b)
		}
		return 2, true
	}
	r, ok := hex4(s)
	if !ok {
		return 0, false
	}
	if !utf16.IsSurrogate(r) {
		out.WriteRune(r)
		return 6, true
	}
	if len(s) >= 8 && s[6:8] != `\u` || len(s) == 7 && s[6] != '\\' {
		out.WriteRune(utf8.RuneError)
		return 6, true
	}
	low, ok := hex4(s[6:])
	if !ok {
		return 0, false
	}
	out.WriteRune(utf16.DecodeRune(r, low))
	return 12, true
}

// hex4 is the number of an escape \uXXXX; false when it is not all there.
func hex4(s string) (rune, bool) {
	if len(s) < 6 {
		return 0, false
	}
	var r rune
	for _, c := range []byte(s[2:6]) {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return utf8.RuneError, true
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// CustomTools are the names of a body's custom tools, as sent says that the
// target knows them; nil when there is none. It is what a Call's Custom holds.
func CustomTools(b *weir.Body, sent func(name string) string) map[string]bool {
	var out map[string]bool
	for i := range b.Tools {
		if b.Tools[i].Type == weir.ToolCustom {
			if out == nil {
				out = map[string]bool{}
			}
			out[sent(b.Tools[i].Name)] = true
		}
	}
	return out
}
