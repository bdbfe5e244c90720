package sse

import "bytes"

// span is a part of the Reader's buffer by offsets, which outlive its moves.
type span struct{ from, to int }

// fields is what has been collected of the current frame.
type fields struct {
	any       bool // some field has been seen, so a blank line is needed
	hasEvent  bool
	event     span
	dataLines int
	data      span   // of the first data line
	joined    []byte // all data lines, once there are two
}

// clear makes the fields ready for the next frame but keeps the memory.
func (f *fields) clear() {
	f.any, f.hasEvent, f.dataLines, f.joined = false, false, 0, f.joined[:0]
}

// move follows a move of the buffer's contents towards its start.
func (f *fields) move(by int) {
	f.event = span{f.event.from - by, f.event.to - by}
	f.data = span{f.data.from - by, f.data.to - by}
}

// take reads the line buf[from:to] and reports whether it closes the frame:
// a blank line does, and a comment does when no field came before it.
func (f *fields) take(buf []byte, from, to int) (closed bool) {
	line := buf[from:to]
	if len(line) == 0 {
		return true
	}
	if line[0] == ':' {
		return !f.any
	}
	f.any = true
	if n := valueOf(line, "data"); n >= 0 {
		f.addData(buf, span{from + n, to})
	} else if n := valueOf(line, "event"); n >= 0 {
		f.hasEvent, f.event = true, span{from + n, to}
	}
	return false
}

// valueOf returns where the value begins in a line of that field, -1 for a line
// of another. One space after the colon is not part of the value; a line
// without a colon is a field with an empty value.
func valueOf(line []byte, field string) int {
	n := len(field)
	if len(line) < n || string(line[:n]) != field {
		return -1
	}
	if len(line) == n {
		return n
	}
	if line[n] != ':' {
		return -1
	}
	if n++; n < len(line) && line[n] == ' ' {
		n++
	}
	return n
}

// addData takes one more data line. A single one stays where it is.
func (f *fields) addData(buf []byte, s span) {
	switch f.dataLines++; f.dataLines {
	case 1:
		f.data = s
		return
	case 2:
		f.joined = append(f.joined, buf[f.data.from:f.data.to]...)
	}
	f.joined = append(f.joined, '\n')
	f.joined = append(f.joined, buf[s.from:s.to]...)
}

// store puts what was collected into frame.
func (f *fields) store(frame *Frame, buf []byte) {
	frame.Event, frame.Data, frame.HasData = nil, nil, f.dataLines > 0
	if f.hasEvent {
		frame.Event = buf[f.event.from:f.event.to:f.event.to]
	}
	switch {
	case f.dataLines == 1:
		frame.Data = buf[f.data.from:f.data.to:f.data.to]
	case f.dataLines > 1:
		frame.Data = f.joined
	}
}

var bom = []byte("\xef\xbb\xbf")

// afterBOM is from, moved past a byte order mark that begins the line.
func afterBOM(buf []byte, from, to int) int {
	if bytes.HasPrefix(buf[from:to], bom) {
		return from + len(bom)
	}
	return from
}
