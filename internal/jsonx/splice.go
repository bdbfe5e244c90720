package jsonx

import "slices"

// Edit is one change to a top-level member. Edits name members as they were
// scanned; of several with the same Key the last counts.
type Edit struct {
	Key    string
	Value  []byte // raw JSON; nil or empty deletes, or keeps when NewKey is set
	NewKey string // the new name; empty for none
}

// name is what the member is called afterwards.
func (e *Edit) name() string {
	if e.NewKey != "" {
		return e.NewKey
	}
	return e.Key
}

// deletes reports whether the edit takes the member away.
func (e *Edit) deletes() bool { return len(e.Value) == 0 && e.NewKey == "" }

// Splice appends to dst the scanned body with the edits applied, as pieces that
// point into body and into the edits' values. Nothing but the names of inserted
// and renamed members is written anew; every byte that is not edited stays, and
// a deleted member takes exactly one comma with it. Setting a member that is
// absent puts it after the last one; renaming or deleting an absent one without
// a value does nothing.
//
// No name comes twice: a renamed or inserted member displaces one that had the
// name before, and of two edits that end in the same name the later wins.
//
// The pieces are valid as long as body and the values are, and must not be
// written to. Splice does not change t, so one Top may be spliced many times,
// from several goroutines too.
func (t *Top) Splice(dst [][]byte, body []byte, edits []Edit) [][]byte {
	w := splicer{dst: dst, body: body}
	head, tail := t.bounds()
	w.span(0, head)
	for i := range t.Members {
		m := &t.Members[i]
		if t.keeps(edits, m.Key) {
			w.separate(m.KeyStart)
			w.member(m, editOf(edits, m.Key))
		}
		w.previous = m.End
	}
	for i := range edits {
		if e := &edits[i]; len(e.Value) > 0 && !t.Has(e.Key) && t.counts(edits, i) {
			w.insert(e)
		}
	}
	w.span(tail, len(body))
	w.flush()
	return w.dst
}

// bounds tells where the first member begins and the last one ends.
func (t *Top) bounds() (head, tail int) {
	if n := len(t.Members); n > 0 {
		return t.Members[0].KeyStart, t.Members[n-1].End
	}
	return t.inside, t.inside
}

// lastFor returns the index of the edit that counts for the member of that
// name, -1 when there is none.
func lastFor(edits []Edit, key string) int {
	for i, edit := range slices.Backward(edits) {
		if edit.Key == key {
			return i
		}
	}
	return -1
}

// editOf is lastFor as a pointer, nil when there is none.
func editOf(edits []Edit, key string) *Edit {
	if i := lastFor(edits, key); i >= 0 {
		return &edits[i]
	}
	return nil
}

// keeps reports whether the body still has what is the member key now, be it
// with another value or name.
func (t *Top) keeps(edits []Edit, key string) bool {
	if i := lastFor(edits, key); i >= 0 {
		return !edits[i].deletes() && t.counts(edits, i)
	}
	return !t.produced(edits, 0, key)
}

// counts reports whether edit i is not overruled by a later one.
func (t *Top) counts(edits []Edit, i int) bool {
	e := &edits[i]
	return lastFor(edits, e.Key) == i && !t.produced(edits, i+1, e.name())
}

// produced reports whether one of the edits from index from on leaves behind a
// member of that name.
func (t *Top) produced(edits []Edit, from int, name string) bool {
	for i := from; i < len(edits); i++ {
		e := &edits[i]
		if e.name() == name && !e.deletes() && lastFor(edits, e.Key) == i &&
			(len(e.Value) > 0 || t.Has(e.Key)) {
			return true
		}
	}
	return false
}
