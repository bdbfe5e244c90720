package jsonx

import (
	"bytes"
	"fmt"
	"strconv"
)

// SyntaxError says where a text stops being the JSON that was expected.
type SyntaxError struct {
	Offset int    // byte offset into the text that was passed in
	Msg    string // what is wrong there
}

// Error gives the message with its offset. It never quotes the text itself,
// so it is safe to log.
func (e *SyntaxError) Error() string {
	return "invalid JSON at offset " + strconv.Itoa(e.Offset) + ": " + e.Msg
}

// DuplicateKeyError is returned by Top.Scan for a body that names a top-level
// member twice: two readers of such a body may disagree about what it says.
type DuplicateKeyError struct {
	Key    string // unescaped
	Offset int    // where the second one's key begins
}

// Error names the key and the offset of its second appearance.
func (e *DuplicateKeyError) Error() string {
	return fmt.Sprintf("duplicate key %q at offset %d", e.Key, e.Offset)
}

// Position turns an offset into a line and a column, both counted from 1 and
// the column in bytes. An offset outside the body is moved to its nearest end.
func Position(body []byte, offset int) (line, column int) {
	before := body[:min(max(offset, 0), len(body))]
	line = 1 + bytes.Count(before, []byte{'\n'})
	column = len(before) - bytes.LastIndexByte(before, '\n')
	return line, column
}

const (
	msgEnd        = "unexpected end of text"
	msgOpenString = "string is not closed"
	msgDepth      = "nested too deeply"
	msgPairing    = "bracket does not match the one it closes"
	msgValue      = "expected a value"
	msgName       = "expected a member name in quotes"
	msgColon      = "expected a colon after the member name"
	msgMember     = "expected a comma or the closing brace"
	msgElement    = "expected a comma or the closing bracket"
	msgObject     = "expected an object"
	msgArray      = "expected an array"
	msgString     = "expected a string"
	msgTrailing   = "unexpected text after the value"
	msgEscape     = "invalid escape in a string"
	msgControl    = "control character in a string"
	msgUTF8       = "invalid UTF-8 in a string"
	msgNumber     = "invalid number"
	msgLiteral    = "invalid literal"
	msgBOM        = "byte order mark before the object"
)

// fail makes the error for offset i, or for the end when i is past the text.
func fail(b []byte, i int, msg string) *SyntaxError {
	if i >= len(b) {
		return &SyntaxError{Offset: len(b), Msg: msgEnd}
	}
	return &SyntaxError{Offset: i, Msg: msg}
}
