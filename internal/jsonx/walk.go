package jsonx

// members walks one object. After next has returned true the spans are those
// of a member: b[key:keyEnd] with its quotes, b[val:valEnd] trimmed.
type members struct {
	b                        []byte
	pos                      int // where the next member, comma or brace is
	begun                    bool
	key, keyEnd, val, valEnd int
	keyEscaped               bool
	seen                     *names // of the members below, nil when nobody asks
}

// openMembers begins a walk at the brace b[i].
func openMembers(b []byte, i int) members {
	return members{b: b, pos: i + 1}
}

// next goes to the next member; false at the closing brace, past which pos is
// then, and on an error.
func (m *members) next() (bool, *SyntaxError) {
	b, i := m.b, skipSpace(m.b, m.pos)
	if i < len(b) && b[i] == '}' {
		m.pos = i + 1
		return false, nil
	}
	if m.begun {
		if i >= len(b) || b[i] != ',' {
			return false, fail(b, i, msgMember)
		}
		i = skipSpace(b, i+1)
	}
	m.begun = true
	return m.member(i)
}

// member reads the name at b[i], the colon and the value.
func (m *members) member(i int) (bool, *SyntaxError) {
	b := m.b
	if i >= len(b) || b[i] != '"' {
		return false, fail(b, i, msgName)
	}
	m.key = i
	m.keyEnd, m.keyEscaped = keyEnd(b, i)
	if m.keyEnd < 0 {
		return false, &SyntaxError{Offset: i, Msg: msgOpenString}
	}
	i = skipSpace(b, m.keyEnd)
	if i >= len(b) || b[i] != ':' {
		return false, fail(b, i, msgColon)
	}
	m.val = skipSpace(b, i+1)
	end, err := skipValue(b, m.val, m.seen)
	if err != nil {
		return false, err
	}
	m.valEnd, m.pos = end, end
	return true, nil
}

// name is the unescaped name of the current member: a slice of the text when
// it has no escapes, else a new one.
func (m *members) name() ([]byte, *SyntaxError) {
	if !m.keyEscaped {
		return m.b[m.key+1 : m.keyEnd-1], nil
	}
	name, err := unescape(nil, m.b[m.key+1:m.keyEnd-1])
	if err != nil {
		err.Offset += m.key + 1
	}
	return name, err
}

// elements walks one array in the manner of members.
type elements struct {
	b           []byte
	pos         int
	begun       bool
	val, valEnd int
}

func openElements(b []byte, i int) elements {
	return elements{b: b, pos: i + 1}
}

// next goes to the next element; false at the closing bracket and on an error.
func (e *elements) next() (bool, *SyntaxError) {
	b, i := e.b, skipSpace(e.b, e.pos)
	if i < len(b) && b[i] == ']' {
		e.pos = i + 1
		return false, nil
	}
	if e.begun {
		if i >= len(b) || b[i] != ',' {
			return false, fail(b, i, msgElement)
		}
		i = skipSpace(b, i+1)
	}
	e.begun = true
	end, err := skipValue(b, i, nil)
	if err != nil {
		return false, err
	}
	e.val, e.valEnd, e.pos = i, end, end
	return true, nil
}

// ended refuses anything but white space from b[i] on.
func ended(b []byte, i int) error {
	if i = skipSpace(b, i); i < len(b) {
		return &SyntaxError{Offset: i, Msg: msgTrailing}
	}
	return nil
}
