package codec

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"sync"
)

// A Source is an answer's body whose beginning has been looked at: what kind of
// answer it is shows in its first byte that is not white space. Its buffer is
// pooled, since every answer needs one and most are shorter than it.
//
// Not safe for concurrent use.
type Source struct {
	src  io.Reader
	buf  []byte // all that was read and not yet passed on by Read
	at   int    // what Read has passed on of buf
	err  error  // of the last read from src
	slot *[]byte
}

// ErrTooLong is ReadAll's error for a body beyond the limit.
var ErrTooLong = errors.New("longer than the limit")

const (
	// maxLead bounds the white space before an answer: upstreams that are
	// queueing keep connections alive with blank lines (DeepSeek, for up to ten
	// minutes).
	maxLead = 64 << 10
	// maxPooled keeps one long answer from pinning its memory.
	maxPooled = 256 << 10
)

var sources = sync.Pool{New: func() any { b := make([]byte, 0, 4<<10); return &b }}

// NewSource reads as much of src as it takes to see the first byte that says
// something: one read is not enough, since what an answer is must not depend on
// how it was split. Release must be called.
func NewSource(src io.Reader) (s *Source, first byte) {
	slot, _ := sources.Get().(*[]byte)
	s = &Source{src: src, slot: slot, buf: (*slot)[:0]}
	looked := 0 // white space is looked at once, however slowly it comes
	for s.err == nil && len(s.buf) <= maxLead {
		s.fill()
		if looked == 0 {
			looked = s.skipMark()
		}
		for ; looked >= 0 && looked < len(s.buf); looked++ {
			if c := s.buf[looked]; c != ' ' && c != '\n' && c != '\r' && c != '\t' {
				return s, c
			}
		}
		looked = max(looked, 0)
	}
	return s, 0
}

// skipMark is how long the byte order mark at the beginning is, below 0 while
// it is not all there.
func (s *Source) skipMark() int {
	const mark = "\xef\xbb\xbf"
	switch {
	case bytes.HasPrefix(s.buf, []byte(mark)):
		return len(mark)
	case len(s.buf) < len(mark) && len(s.buf) > 0 && mark[:len(s.buf)] == string(s.buf) && s.err == nil:
		return -1
	}
	return 0
}

// fill reads once from the source.
func (s *Source) fill() {
	if len(s.buf) == cap(s.buf) {
		s.buf = slices.Grow(s.buf, len(s.buf)+1) // twice: the answers that outgrow it may be megabytes
	}
	n, err := s.src.Read(s.buf[len(s.buf):cap(s.buf)])
	s.buf, s.err = s.buf[:len(s.buf)+n], err
}

// Err is the error that the source ended with so far; io.EOF for an end.
func (s *Source) Err() error { return s.err }

// Read implements io.Reader: the body from its beginning.
func (s *Source) Read(p []byte) (int, error) {
	if s.at < len(s.buf) {
		n := copy(p, s.buf[s.at:])
		s.at += n
		if s.at == len(s.buf) {
			s.giveBack() // a stream goes on for long without it
		}
		return n, nil
	}
	if s.err != nil {
		return 0, s.err
	}
	return s.src.Read(p)
}

// ReadAll is the whole body, of at most limit bytes; it is valid until Release.
// It must not be mixed with Read.
func (s *Source) ReadAll(limit int) ([]byte, error) {
	for empty := 0; s.err == nil; {
		before := len(s.buf)
		s.fill()
		if len(s.buf) > limit {
			return nil, ErrTooLong
		}
		if empty++; len(s.buf) > before {
			empty = 0
		} else if empty > 100 {
			return nil, io.ErrNoProgress
		}
	}
	switch {
	case s.err != io.EOF: //nolint:errorlint // a reader's end is io.EOF itself
		return nil, s.err
	case len(s.buf) > limit:
		return nil, ErrTooLong
	}
	return s.buf, nil
}

// Keep is body, which ReadAll has returned, as the caller's own: it outlives Release.
// A long one is not copied, since its buffer is not used again.
func (s *Source) Keep(body []byte) []byte {
	if cap(s.buf) > maxPooled {
		return body
	}
	return bytes.Clone(body)
}

// Release gives the buffer back. Nothing that was read may be used afterwards, but for
// what Keep has returned.
func (s *Source) Release() {
	s.giveBack()
	s.err = io.EOF
}

func (s *Source) giveBack() {
	if s.slot != nil && cap(s.buf) <= maxPooled {
		*s.slot = s.buf[:0]
		sources.Put(s.slot)
	}
	s.slot, s.buf, s.at = nil, nil, 0
}
