package jsonx

import (
	"bytes"
	"unicode/utf8"
)

// Member is one member of a scanned body: its name and where it stands.
type Member struct {
	Key              string // unescaped
	KeyStart, KeyEnd int    // the name with its quotes
	Start, End       int    // the value, without white space around it
}

// Top is the one scan of a body at the door: the members of its object, in
// order. The zero Top is ready; scanning again reuses its memory and makes the
// earlier Members invalid. Between scans it may be read by many goroutines.
//
// Get and Splice take the body again rather than keep it: it has to be the one
// that was scanned, byte for byte.
type Top struct {
	Members []Member

	inside int            // just past the opening brace
	below  names          // of members further down
	index  map[string]int // of Members by key; only for objects with many
}

// manyMembers is where looking names up one by one stops being the fastest, and
// where it would begin to help someone who sends a million of them.
const manyMembers = 32

// keepMembers is how much memory, in members, a Top keeps for the next scan.
const keepMembers = 1024

// Scan reads body, which has to be exactly one JSON object. It checks the
// structure: commas, colons, numbers and literals among the members, closed
// strings and pairing brackets everywhere, at most 512 levels; not the insides
// of nested values. It refuses a byte order mark, names that are not UTF-8 and
// text after the object.
//
// The error is nil, a *SyntaxError, or a *DuplicateKeyError when two members
// have the same name, however it is escaped. After an error there are no
// Members.
func (t *Top) Scan(body []byte) error {
	t.reset()
	err := t.scan(body)
	if err != nil {
		t.reset()
	}
	return err
}

func (t *Top) reset() {
	t.Members = t.Members[:0]
	if cap(t.Members) > keepMembers {
		t.Members = nil
	}
	t.index = nil
	t.below = names{}
}

// MayHaveBelow reports whether an object further down may have a member of that
// name. False is certain, but for names that are written with escapes or with
// white space other than one blank before the colon; true is a hint to look.
func (t *Top) MayHaveBelow(name string) bool { return t.below.mayHave(name) }

func (t *Top) scan(body []byte) error {
	i := skipSpace(body, 0)
	if i == len(body) || body[i] != '{' {
		if bytes.HasPrefix(body, []byte("\xef\xbb\xbf")) {
			return &SyntaxError{Offset: 0, Msg: msgBOM}
		}
		return fail(body, i, msgObject)
	}
	t.inside = i + 1
	m := openMembers(body, i)
	m.seen = &t.below
	for {
		ok, err := m.next()
		if err != nil {
			return err
		}
		if !ok {
			return ended(body, m.pos)
		}
		if err := t.add(&m); err != nil {
			return err
		}
	}
}

// usualMembers is how many members a request has at most, mostly.
const usualMembers = 12

// add takes over the member m stands at.
func (t *Top) add(m *members) error {
	name, err := m.name()
	if err != nil {
		return err
	}
	if classOf[m.b[m.val]] == plain {
		if end, err := validScalar(m.b, m.val); err != nil {
			return err
		} else if end != m.valEnd {
			return &SyntaxError{Offset: end, Msg: msgMember}
		}
	}
	key := intern(name)
	if !utf8.ValidString(key) {
		return &SyntaxError{Offset: m.key, Msg: msgUTF8}
	}
	if t.find(key) >= 0 {
		return &DuplicateKeyError{Key: key, Offset: m.key}
	}
	if t.Members == nil {
		t.Members = make([]Member, 0, usualMembers)
	}
	t.Members = append(t.Members, Member{key, m.key, m.keyEnd, m.val, m.valEnd})
	t.note(key)
	return nil
}

// note keeps the index once there are many members.
func (t *Top) note(key string) {
	switch n := len(t.Members); {
	case n < manyMembers:
	case n == manyMembers:
		t.index = make(map[string]int, 2*manyMembers)
		for i := range t.Members {
			t.index[t.Members[i].Key] = i
		}
	default:
		t.index[key] = n - 1
	}
}

// find returns the index of the member of that name, -1 when there is none.
func (t *Top) find(key string) int {
	if t.index != nil {
		if i, ok := t.index[key]; ok {
			return i
		}
		return -1
	}
	for i := range t.Members {
		if t.Members[i].Key == key {
			return i
		}
	}
	return -1
}

// Get returns the raw value of the member of that name, a slice of body, nil
// when there is none.
func (t *Top) Get(body []byte, key string) []byte {
	i := t.find(key)
	if i < 0 {
		return nil
	}
	m := &t.Members[i]
	return body[m.Start:m.End:m.End]
}

// Has reports whether the body has a member of that name.
func (t *Top) Has(key string) bool { return t.find(key) >= 0 }
