package jsonx

// Kind is the sort of a JSON value.
type Kind byte

// The kinds. KindInvalid is the zero value and also stands for "no value".
const (
	KindInvalid Kind = iota
	KindNull
	KindBool
	KindNumber
	KindString
	KindArray
	KindObject
)

// String names the kind as an error message would ("string", "object", …).
func (k Kind) String() string {
	switch k {
	case KindNull:
		return "null"
	case KindBool:
		return "boolean"
	case KindNumber:
		return "number"
	case KindString:
		return "string"
	case KindArray:
		return "array"
	case KindObject:
		return "object"
	}
	return "invalid"
}

// KindOf tells the kind by the first byte that is not white space. It looks at
// nothing else, so it is not a check: KindOf("tomato") is KindBool. Empty and
// nil give KindInvalid.
func KindOf(raw []byte) Kind {
	i := skipSpace(raw, 0)
	if i == len(raw) {
		return KindInvalid
	}
	return kindOfByte[raw[i]]
}

var kindOfByte = [256]Kind{
	'"': KindString, '{': KindObject, '[': KindArray,
	't': KindBool, 'f': KindBool, 'n': KindNull, '-': KindNumber,
	'0': KindNumber, '1': KindNumber, '2': KindNumber, '3': KindNumber, '4': KindNumber,
	'5': KindNumber, '6': KindNumber, '7': KindNumber, '8': KindNumber, '9': KindNumber,
}

// IsNull reports whether raw is the literal null. Nil and empty are not null:
// an absent member and a null one are different things.
func IsNull(raw []byte) bool {
	return string(trimSpace(raw)) == "null"
}

// Bool gives the value of a JSON true or false; ok is false for anything else.
func Bool(raw []byte) (value, ok bool) {
	switch string(trimSpace(raw)) {
	case "true":
		return true, true
	case "false":
		return false, true
	}
	return false, false
}
