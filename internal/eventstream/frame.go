package eventstream

import "encoding/binary"

// A Frame is one message of a stream. It belongs to its Reader and is overwritten
// by the next call of Next.
type Frame struct {
	Raw     []byte // every byte of the frame, lengths and checksums included
	Headers []byte // the headers as they stand in Raw; see EachHeader
	Payload []byte

	Type MessageType
	// Name is the value of :event-type, :exception-type or :error-code, whichever
	// belongs to Type; nil when there was none.
	Name []byte
	// Detail is the value of :error-message; nil when there was none.
	Detail []byte
}

// MessageType is the value of :message-type.
type MessageType uint8

// Message types. The zero value is any that is not known, to be passed over.
const (
	TypeUnknown MessageType = iota
	TypeEvent
	TypeException // an error that the service's model names
	TypeError     // any other error
)

// Exception is the error that the frame is, nil when it is none. It keeps
// nothing of the frame.
func (f *Frame) Exception() *Exception {
	if f.Type != TypeException && f.Type != TypeError {
		return nil
	}
	e := &Exception{Type: string(f.Name), Message: string(f.Detail), Payload: append([]byte(nil), f.Payload...)}
	if e.Type == "" {
		e.Type = "unknownException"
	}
	if e.Message == "" {
		e.Message = messageOf(f.Payload)
	}
	return e
}

// ValueType is the type of a header's value.
type ValueType uint8

// Value types, as they are numbered on the wire.
const (
	ValueTrue ValueType = iota
	ValueFalse
	ValueByte
	ValueInt16
	ValueInt32
	ValueInt64
	ValueBytes
	ValueString
	ValueTimestamp // milliseconds since 1970, 8 bytes
	ValueUUID      // 16 bytes

	valueTypes
)

// sizes are the lengths of the values that have one; below 0: two bytes tell it.
var sizes = [valueTypes]int{
	ValueByte: 1, ValueInt16: 2, ValueInt32: 4, ValueInt64: 8,
	ValueBytes: -1, ValueString: -1, ValueTimestamp: 8, ValueUUID: 16,
}

var (
	errName  = &CorruptError{"a header's name is cut or empty"}
	errType  = &CorruptError{"a header has a value of an unknown type"}
	errValue = &CorruptError{"a header's value is cut"}
)

// EachHeader calls fn for every header of a frame's headers, in order. name and
// value are slices of raw; value is without its length. An error of fn stops the
// walk and is returned as it is; else the error is nil or a *CorruptError.
func EachHeader(raw []byte, fn func(name []byte, t ValueType, value []byte) error) error {
	for len(raw) > 0 {
		name, t, value, rest, err := nextHeader(raw)
		if err != nil {
			return err
		}
		if err := fn(name, t, value); err != nil {
			return err
		}
		raw = rest
	}
	return nil
}

func nextHeader(raw []byte) (name []byte, t ValueType, value, rest []byte, corrupt *CorruptError) {
	n := int(raw[0])
	if n == 0 || len(raw) < 1+n+1 {
		return nil, 0, nil, nil, errName
	}
	name, t, raw = raw[1:1+n:1+n], ValueType(raw[1+n]), raw[1+n+1:]
	if t >= valueTypes {
		return nil, 0, nil, nil, errType
	}
	size := sizes[t]
	if size < 0 {
		if len(raw) < 2 {
			return nil, 0, nil, nil, errValue
		}
		size, raw = int(binary.BigEndian.Uint16(raw)), raw[2:]
	}
	if len(raw) < size {
		return nil, 0, nil, nil, errValue
	}
	return name, t, raw[:size:size], raw[size:], nil
}

// readHeaders takes from the headers what the frame is.
func (f *Frame) readHeaders() *CorruptError {
	f.Type, f.Name, f.Detail = TypeUnknown, nil, nil
	for raw := f.Headers; len(raw) > 0; {
		name, t, value, rest, err := nextHeader(raw)
		if err != nil {
			return err
		}
		raw = rest
		if t != ValueString || name[0] != ':' {
			continue
		}
		switch string(name) {
		case headerMessageType:
			f.Type = messageType(value)
		case headerEventType, headerExceptionType, headerErrorCode:
			f.Name = value
		case headerErrorMessage:
			f.Detail = value
		}
	}
	return nil
}

// The headers that every service has.
const (
	headerMessageType   = ":message-type"
	headerEventType     = ":event-type"
	headerExceptionType = ":exception-type"
	headerErrorCode     = ":error-code"
	headerErrorMessage  = ":error-message"
	headerContentType   = ":content-type"
)

func messageType(value []byte) MessageType {
	switch string(value) {
	case "event":
		return TypeEvent
	case "exception":
		return TypeException
	case "error":
		return TypeError
	}
	return TypeUnknown
}

// Parse is the first frame of raw, whose slices point into raw. The checksums are
// not looked at again: raw is what Next has given. The error is a *CorruptError
// when raw is no frame.
func Parse(raw []byte) (Frame, error) {
	if len(raw) < overhead {
		return Frame{}, errCut
	}
	total, headers := binary.BigEndian.Uint32(raw), binary.BigEndian.Uint32(raw[4:])
	if total < overhead || headers > total-overhead || uint64(total) > uint64(len(raw)) {
		return Frame{}, errCut
	}
	end := preludeLength + int(headers)
	f := Frame{Raw: raw[:total:total], Headers: raw[preludeLength:end:end], Payload: raw[end : total-4 : total-4]}
	if err := f.readHeaders(); err != nil {
		return Frame{}, err
	}
	return f, nil
}

var errCut = &CorruptError{"a frame is cut"}
