package tokens

import "unicode"

// unit is one token in the meter's fixed point.
const unit = 16

// Weights of what a text consists of, in units. They were set by hand against
// the recordings of TestEstimatesAgainstRecordings.
const (
	wordHead   = 6  // letters that a word may have for one token
	wordStep   = 4  // letters for each further token
	upperStep  = 3  // capitals for each token, after the first
	digitStep  = 2  // digits for a token; some vocabularies have one each
	hanCost    = 20 // a Chinese character
	kanaCost   = 16 // a Japanese syllable
	hangulCost = 20 // a Korean syllable
	alphaCost  = 9  // a letter of another alphabet: Cyrillic, Greek, Arabic
	indicCost  = 16 // a letter of an Indic or South-East Asian script
	otherCost  = 40 // emoji and symbols, which are written byte by byte
	markCost   = unit
	lineCost   = unit
	spaceStep  = 8  // blanks in a row for a token, after the first
	solidHead  = 24 // letters and digits on end that may still be a word
	solidCost  = 14 // each beyond that: keys, hashes, base64
)

// class is what a character is.
type class uint8

const (
	classSpace class = iota // zero, so that the first word is not preceded by a mark
	classLine
	classLower
	classUpper
	classDigit
	classMark
	classOther
)

var classes = func() (t [128]class) {
	for c := range t {
		switch {
		case c == '\n' || c == '\r':
			t[c] = classLine
		case c <= ' ' || c == 127:
			t[c] = classSpace
		case c >= '0' && c <= '9':
			t[c] = classDigit
		case c >= 'a' && c <= 'z':
			t[c] = classLower
		case c >= 'A' && c <= 'Z':
			t[c] = classUpper
		default:
			t[c] = classMark
		}
	}
	return t
}()

// A meter adds up a text character by character. The zero value is ready.
type meter struct {
	units int64
	run   int // characters of the current run that are paid for already
	solid int // letters and digits since the last blank or mark
	last  class
	mark  byte // of the current run of marks
}

// start makes the next character the first of a text.
func (m *meter) start() { m.last, m.run, m.solid = classSpace, 0, 0 }

// ascii takes a character below 128.
func (m *meter) ascii(c byte) {
	k := classes[c&127]
	if k != classLower && k != classUpper && k != classDigit {
		m.solid = 0
	} else if m.solid++; m.solid > solidHead {
		m.units += solidCost
		return
	}
	switch k {
	case classLower:
		m.lower()
	case classUpper:
		m.step(k, upperStep)
	case classDigit:
		m.step(k, digitStep)
	case classMark:
		m.marks(c)
	case classLine:
		if m.last != classLine {
			m.units += lineCost
		}
	case classSpace:
		m.space()
	}
	m.last = k
}

// lower goes on with a word, which may have begun with a capital.
func (m *meter) lower() {
	switch {
	case m.last == classUpper:
		m.run = 2
	case m.last != classLower:
		m.run = 1
		m.units += unit
	default:
		if m.run++; m.run > wordHead && (m.run-wordHead)%wordStep == 1 {
			m.units += unit
		}
	}
}

// step charges the first and every step-th character of a run.
func (m *meter) step(k class, step int) {
	if m.last != k {
		m.run = 0
	}
	if m.run%step == 0 {
		m.units += unit
	}
	m.run++
}

// marks charges each mark, and repeated ones ("----") as little as vocabularies do.
func (m *meter) marks(c byte) {
	if m.last == classMark && m.mark == c {
		if m.run++; m.run%4 != 0 {
			return
		}
	} else {
		m.run = 0
	}
	m.mark = c
	m.units += markCost
}

// space is free before a word; indentation is not.
func (m *meter) space() {
	if m.last != classSpace {
		m.run = 0
	}
	if m.run++; m.run%spaceStep == 2 {
		m.units += unit
	}
}

// wide takes a character from 128 on.
func (m *meter) wide(r rune) {
	m.last, m.run, m.solid = classOther, 0, 0
	switch {
	case r >= 0x4E00 && r <= 0x9FFF, r >= 0x3400 && r <= 0x4DBF:
		m.units += hanCost
	case r >= 0x3040 && r <= 0x30FF:
		m.units += kanaCost
	case r >= 0xAC00 && r <= 0xD7AF:
		m.units += hangulCost
	case r >= 0x3000 && r <= 0x303F, r >= 0xFF00 && r <= 0xFFEF:
		m.units += markCost
	case r >= 0x2010 && r <= 0x2027, r == 0xA0:
		m.units += markCost
	case r < 0x0900 && unicode.IsLetter(r):
		m.units += alphaCost
	case r < 0x1200 || r >= 0x1780 && r <= 0x17FF:
		m.units += indicCost
	default:
		m.units += otherCost
	}
}

// tokens is the sum, rounded up.
func (m *meter) tokens() int64 { return (m.units + unit - 1) / unit }
