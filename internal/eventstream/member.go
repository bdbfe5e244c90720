package eventstream

import "bytes"

// stringMember is what stands between the quotes of the text that an object's
// own member of that name has, escapes as they are; nil when there is none. It
// looks at structure only and does not check the object.
func stringMember(object []byte, name string) []byte {
	depth, isName := 0, false
	var key []byte
	for i := 0; i < len(object); i++ {
		switch object[i] {
		case '{', '[':
			depth++
			isName = object[i] == '{'
		case '}', ']':
			depth--
		case ',':
			isName = true
		case '"':
			end := closingQuote(object, i+1)
			if end < 0 {
				return nil
			}
			text := object[i+1 : end]
			switch {
			case depth != 1:
			case isName:
				key, isName = text, false
			case string(key) == name:
				return text
			}
			i = end
		}
	}
	return nil
}

// closingQuote is the index of the quote that ends the string whose text begins
// at b[i], -1 when there is none.
func closingQuote(b []byte, i int) int {
	for {
		k := bytes.IndexByte(b[i:], '"')
		if k < 0 {
			return -1
		}
		at := i + k
		slashes := 0
		for at-1-slashes >= i && b[at-1-slashes] == '\\' {
			slashes++
		}
		if slashes%2 == 0 {
			return at
		}
		i = at + 1
	}
}
