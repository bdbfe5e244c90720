package eventstream

import (
	"encoding/binary"
	"hash/crc32"
)

// AppendFrame appends a frame of headers, made with AppendHeader, and a payload.
// Both together must be shorter than 4 GiB.
func AppendFrame(dst, headers, payload []byte) []byte {
	at := len(dst)
	dst = append(dst, make([]byte, preludeLength)...)
	dst = append(dst, headers...)
	return closeFrame(dst, at, len(headers), payload)
}

// AppendEvent appends an event of that type with a JSON payload, in the order of
// headers that AWS has.
func AppendEvent(dst []byte, eventType string, payload []byte) []byte {
	return appendMessage(dst, headerEventType, eventType, "event", payload)
}

// EventHeaders are the headers that AppendEvent writes for that type, for whoever
// writes many of them with AppendFrame.
func EventHeaders(eventType string) []byte {
	return appendHeaders(nil, headerEventType, eventType, "event")
}

// AppendException appends an error that the service's model names, with a JSON
// payload. Nothing may follow it.
func AppendException(dst []byte, exceptionType string, payload []byte) []byte {
	return appendMessage(dst, headerExceptionType, exceptionType, "exception", payload)
}

// AppendError appends an error that the service's model does not name. Nothing
// may follow it.
func AppendError(dst []byte, code, message string) []byte {
	var headers []byte
	headers = AppendString(headers, headerErrorCode, code)
	headers = AppendString(headers, headerErrorMessage, message)
	headers = AppendString(headers, headerMessageType, "error")
	return AppendFrame(dst, headers, nil)
}

func appendMessage(dst []byte, nameHeader, name, messageType string, payload []byte) []byte {
	at := len(dst)
	dst = append(dst, "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"...)
	dst = appendHeaders(dst, nameHeader, name, messageType)
	return closeFrame(dst, at, len(dst)-at-preludeLength, payload)
}

func appendHeaders(dst []byte, nameHeader, name, messageType string) []byte {
	dst = AppendString(dst, nameHeader, name)
	dst = AppendString(dst, headerContentType, "application/json")
	return AppendString(dst, headerMessageType, messageType)
}

// closeFrame adds payload and checksum to a frame that begins at dst[at] and
// fills in its prelude.
func closeFrame(dst []byte, at, headers int, payload []byte) []byte {
	dst = append(dst, payload...)
	frame := dst[at:]
	binary.BigEndian.PutUint32(frame, uint32(len(frame)+4))
	binary.BigEndian.PutUint32(frame[4:], uint32(headers))
	binary.BigEndian.PutUint32(frame[8:], crc32.ChecksumIEEE(frame[:8]))
	return binary.BigEndian.AppendUint32(dst, crc32.ChecksumIEEE(frame))
}

// AppendString appends a header whose value is text; see AppendHeader.
func AppendString(dst []byte, name, value string) []byte {
	value = value[:min(len(value), maxValue)]
	dst = appendName(dst, name, ValueString)
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(value)))
	return append(dst, value...)
}

// AppendHeader appends a header. value is as EachHeader gives it, and has to have
// the length that its type has. Names are 1 to 255 bytes and values of free
// length at most 32,767; what is longer is cut.
func AppendHeader(dst []byte, name string, t ValueType, value []byte) []byte {
	dst = appendName(dst, name, t)
	if sizes[t] < 0 {
		value = value[:min(len(value), maxValue)]
		dst = binary.BigEndian.AppendUint16(dst, uint16(len(value)))
	}
	return append(dst, value...)
}

const (
	maxName  = 255
	maxValue = 1<<15 - 1
)

func appendName(dst []byte, name string, t ValueType) []byte {
	name = name[:min(len(name), maxName)]
	dst = append(dst, byte(len(name)))
	dst = append(dst, name...)
	return append(dst, byte(t))
}
