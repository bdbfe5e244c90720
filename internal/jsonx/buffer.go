package jsonx

import "strconv"

// Buffer builds JSON by appending to B. Commas are put where they belong; that
// brackets pair and that every Key is followed by one value is up to the
// caller. The zero Buffer is ready, and B may be set, cut or appended to in
// between: whether a comma is due is read from B's last byte, so text in front
// of the JSON must not end in a quote, a bracket, a letter or a digit.
type Buffer struct{ B []byte }

// endsValue marks the bytes that can be the last of a value.
var endsValue = [256]bool{
	'"': true, '}': true, ']': true,
	'e': true, 'l': true, // true, false, null
	'0': true, '1': true, '2': true, '3': true, '4': true,
	'5': true, '6': true, '7': true, '8': true, '9': true,
}

// comma puts the comma between a value and what comes next.
func (b *Buffer) comma() {
	if n := len(b.B); n > 0 && endsValue[b.B[n-1]] {
		b.B = append(b.B, ',')
	}
}

// BeginObject opens an object.
func (b *Buffer) BeginObject() { b.comma(); b.B = append(b.B, '{') }

// EndObject closes an object.
func (b *Buffer) EndObject() { b.B = append(b.B, '}') }

// BeginArray opens an array.
func (b *Buffer) BeginArray() { b.comma(); b.B = append(b.B, '[') }

// EndArray closes an array.
func (b *Buffer) EndArray() { b.B = append(b.B, ']') }

// Key writes a member's name and the colon; its value has to follow.
func (b *Buffer) Key(name string) {
	b.comma()
	b.B = AppendString(b.B, name)
	b.B = append(b.B, ':')
}

// String writes s as a JSON string.
func (b *Buffer) String(s string) { b.comma(); b.B = AppendString(b.B, s) }

// Bytes writes the text s as a JSON string.
func (b *Buffer) Bytes(s []byte) { b.comma(); b.B = AppendString(b.B, s) }

// Raw writes v, which is JSON already, without the white space around it. Nil
// and empty are written as null, so that the result stays JSON.
func (b *Buffer) Raw(v []byte) {
	v = trimSpace(v)
	if len(v) == 0 {
		b.Null()
		return
	}
	b.comma()
	b.B = append(b.B, v...)
}

// Int writes a whole number.
func (b *Buffer) Int(n int64) { b.comma(); b.B = strconv.AppendInt(b.B, n, 10) }

// Float writes a number as AppendFloat does.
func (b *Buffer) Float(f float64) { b.comma(); b.B = AppendFloat(b.B, f) }

// Bool writes true or false.
func (b *Buffer) Bool(v bool) { b.comma(); b.B = strconv.AppendBool(b.B, v) }

// Null writes null.
func (b *Buffer) Null() { b.comma(); b.B = append(b.B, "null"...) }

// StringField writes a member whose value is the string s.
func (b *Buffer) StringField(key, s string) { b.Key(key); b.String(s) }

// RawField writes a member whose value is the JSON v, null when v is empty.
func (b *Buffer) RawField(key string, v []byte) { b.Key(key); b.Raw(v) }

// IntField writes a member whose value is a whole number.
func (b *Buffer) IntField(key string, n int64) { b.Key(key); b.Int(n) }

// BoolField writes a member whose value is true or false.
func (b *Buffer) BoolField(key string, v bool) { b.Key(key); b.Bool(v) }
