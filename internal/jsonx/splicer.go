package jsonx

// splicer puts the pieces of one Splice together. Adjoining spans of the body
// become one piece.
type splicer struct {
	dst      [][]byte
	body     []byte
	from, to int  // the span that is not written yet
	previous int  // end of the member before the current one, kept or not
	filled   bool // a member has been written, so the next needs a comma
}

// span adds body[from:to].
func (w *splicer) span(from, to int) {
	if from != w.to {
		w.flush()
		w.from = from
	}
	w.to = to
}

// piece adds bytes that are not the body's.
func (w *splicer) piece(p []byte) {
	w.flush()
	w.dst = append(w.dst, p)
}

func (w *splicer) flush() {
	if w.from < w.to {
		w.dst = append(w.dst, w.body[w.from:w.to:w.to])
	}
	w.from = w.to
}

// separate adds the comma, with the white space around it, that stands before
// the member at start, unless no other member is left before it.
func (w *splicer) separate(start int) {
	if w.filled {
		w.span(w.previous, start)
	}
	w.filled = true
}

// member adds a member that was scanned, changed by e unless that is nil.
func (w *splicer) member(m *Member, e *Edit) {
	if e != nil && e.NewKey != "" {
		w.piece(AppendString(nil, e.NewKey))
		w.span(m.KeyEnd, m.Start)
	} else {
		w.span(m.KeyStart, m.Start)
	}
	if e != nil && len(e.Value) > 0 {
		w.piece(e.Value)
	} else {
		w.span(m.Start, m.End)
	}
}

// insert adds a new member after the last one.
func (w *splicer) insert(e *Edit) {
	key := make([]byte, 0, len(e.name())+len(`,"":`))
	if w.filled {
		key = append(key, ',')
	}
	w.filled = true
	w.piece(append(AppendString(key, e.name()), ':'))
	w.piece(e.Value)
}

// Len is the number of bytes in all the pieces together.
func Len(pieces [][]byte) int {
	n := 0
	for _, p := range pieces {
		n += len(p)
	}
	return n
}
