package gemini

import (
	"bytes"
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// What a client wrote and the canonical form need not say is remembered as a
// weir.Field with Spelling set, so that an edited request differs from what the
// client wrote in the edit only. A field whose name begins with a colon is a mark
// and no member:
//
//	:inline_data   the member inlineData had its snake_case name
//	:role          the role as it was written, null for none
//	:parts         "one": the list was one value without its array
//	:next          a content of the same role that began here, without its parts
//	:empty         a part with an empty text that stood here
//	:id            null: there was no id, and the one in its place was made up
//	:args          null: there were no arguments
//	:response      the member of response that holds the result
//	:data          "base64url": the data is in the alphabet for URLs
//	:taskType      "none": an input has no such setting, while the first one has
//	:signature     where the signature stood: "before" on the part before this
//	               block, "bare" in a part of its own without text, "thought" in
//	               a thought without text
const markSign = ':'

// mark remembers something about how a part of a request was written.
func mark(f *weir.Fields, name, value string) {
	*f = append(*f, weir.Field{Name: string(markSign) + name, Value: []byte(value), Spelling: true})
}

// marked is the value of a mark, empty when there is none.
func marked(f weir.Fields, name string) string {
	for i := range f {
		if n := f[i].Name; f[i].Spelling && len(n) == len(name)+1 && n[0] == markSign && n[1:] == name {
			return string(f[i].Value)
		}
	}
	return ""
}

// isMark reports whether a field is no member.
func isMark(f *weir.Field) bool { return f.Spelling && f.Name != "" && f.Name[0] == markSign }

// spell remembers a member as it was written.
func spell(f *weir.Fields, name string, raw []byte) {
	*f = append(*f, weir.Field{Name: name, Value: bytes.Clone(raw), Spelling: true})
}

// camel is the camelCase name of a member.
func camel(name string) string {
	if strings.IndexByte(name, '_') <= 0 {
		return name
	}
	out := make([]byte, 0, len(name))
	up := false
	for i := range len(name) {
		c := name[i]
		switch {
		case c == '_' && i > 0:
			up = true
		case up && c >= 'a' && c <= 'z':
			out, up = append(out, c-'a'+'A'), false
		default:
			out, up = append(out, c), false
		}
	}
	return string(out)
}

// eachSaid walks an object by the camelCase names of its members, whichever they
// were written with; at has the name as written. Members that are null say nothing
// and become spellings in extra.
func eachSaid(p *path, raw []byte, extra *weir.Fields, fn func(key string, at *path, value []byte) error) error {
	return p.Each(raw, func(key string, at *path, value []byte) error {
		if jsonx.IsNull(value) {
			spell(extra, key, value)
			return nil
		}
		name := camel(key)
		if name != key {
			mark(extra, key, "true")
		}
		return fn(name, at, value)
	})
}

// get is the member of that camelCase name of an object, under either name, and
// the name that it has.
func get(raw []byte, name string) (value []byte, key string) {
	_ = jsonx.EachMember(raw, func(k, v []byte) error {
		if value == nil && (string(k) == name || bytes.IndexByte(k, '_') > 0 && camel(string(k)) == name) {
			value, key = v, string(k)
		}
		return nil
	})
	return value, key
}

// topGet is get for a scanned body.
func topGet(top *jsonx.Top, body []byte, name string) (value []byte, key string) {
	for i := range top.Members {
		m := &top.Members[i]
		if m.Key == name || strings.IndexByte(m.Key, '_') > 0 && camel(m.Key) == name {
			return body[m.Start:m.End:m.End], m.Key
		}
	}
	return nil, ""
}
