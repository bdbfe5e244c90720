package jsonx

// EachMember calls fn for every member of the object raw, in order, duplicates
// included.
//
// key is unescaped and only valid during the call (it is a slice of raw when it
// has no escapes); value is a trimmed slice of raw. An error of fn stops the
// walk and is returned as it is. The literal null has no members and gives no
// error; anything else that is not one object, and nil, gives a *SyntaxError,
// possibly after some calls of fn.
//
// Values are skipped by structure only: strings are closed and brackets pair,
// but `{"a": [1 2], "b": tru}` is walked without complaint.
func EachMember(raw []byte, fn func(key, value []byte) error) error {
	i := skipSpace(raw, 0)
	if i == len(raw) || raw[i] != '{' {
		return nullOr(raw, i, msgObject)
	}
	m := openMembers(raw, i)
	for {
		ok, err := m.next()
		if err != nil {
			return err
		}
		if !ok {
			return ended(raw, m.pos)
		}
		name, err := m.name()
		if err != nil {
			return err
		}
		if err := fn(name, raw[m.val:m.valEnd:m.valEnd]); err != nil {
			return err
		}
	}
}

// EachElement calls fn for every element of the array raw with its index, under
// the same rules as EachMember.
func EachElement(raw []byte, fn func(i int, value []byte) error) error {
	i := skipSpace(raw, 0)
	if i == len(raw) || raw[i] != '[' {
		return nullOr(raw, i, msgArray)
	}
	e := openElements(raw, i)
	for n := 0; ; n++ {
		ok, err := e.next()
		if err != nil {
			return err
		}
		if !ok {
			return ended(raw, e.pos)
		}
		if err := fn(n, raw[e.val:e.valEnd:e.valEnd]); err != nil {
			return err
		}
	}
}

// nullOr is what a walk over something else than its container comes to.
func nullOr(raw []byte, i int, msg string) error {
	if IsNull(raw) {
		return nil
	}
	return fail(raw, i, msg)
}

// Get returns the raw value of the first member of that name: a trimmed slice
// of raw. It is nil when there is none, when raw is not an object, and when the
// text before the member is malformed; what follows the member is not read.
func Get(raw []byte, key string) []byte {
	i := skipSpace(raw, 0)
	if i == len(raw) || raw[i] != '{' {
		return nil
	}
	m := openMembers(raw, i)
	for {
		ok, err := m.next()
		if !ok || err != nil {
			return nil
		}
		name, err := m.name()
		if err != nil {
			return nil
		}
		if string(name) == key {
			return raw[m.val:m.valEnd:m.valEnd]
		}
	}
}

// GetPath is Get applied once for each key, nil as soon as one is missing. With
// no keys it returns raw.
func GetPath(raw []byte, keys ...string) []byte {
	for _, key := range keys {
		if raw = Get(raw, key); raw == nil {
			return nil
		}
	}
	return raw
}
