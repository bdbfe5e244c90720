package jsonx

// Equal reports whether a and b are the same JSON value. White space, the order
// of keys, the spelling of numbers (compared exactly, at any size) and of
// strings do not count; of duplicate keys the last wins. A text that is not
// Valid equals nothing. It allocates: it is meant for tests and comparisons.
func Equal(a, b []byte) bool {
	return Valid(a) == nil && Valid(b) == nil && equal(trimSpace(a), trimSpace(b))
}

// equal compares two valid texts.
func equal(a, b []byte) bool {
	kind := KindOf(a)
	if kind != KindOf(b) {
		return false
	}
	switch kind {
	case KindString:
		return StringOr(a, "") == StringOr(b, "")
	case KindNumber:
		x, _ := parseDecimal(a)
		y, _ := parseDecimal(b)
		return x.equal(&y)
	case KindArray:
		return equalElements(a, b)
	case KindObject:
		return equalMembers(a, b)
	}
	return string(a) == string(b)
}

func equalElements(a, b []byte) bool {
	x, y := elementsOf(a), elementsOf(b)
	if len(x) != len(y) {
		return false
	}
	for i := range x {
		if !equal(x[i], y[i]) {
			return false
		}
	}
	return true
}

func elementsOf(raw []byte) (values [][]byte) {
	_ = EachElement(raw, func(_ int, value []byte) error {
		values = append(values, value)
		return nil
	})
	return values
}

func equalMembers(a, b []byte) bool {
	x, y := membersOf(a), membersOf(b)
	if len(x) != len(y) {
		return false
	}
	for key, value := range x {
		other, ok := y[key]
		if !ok || !equal(value, other) {
			return false
		}
	}
	return true
}

func membersOf(raw []byte) map[string][]byte {
	values := map[string][]byte{}
	_ = EachMember(raw, func(key, value []byte) error {
		values[string(key)] = value
		return nil
	})
	return values
}
