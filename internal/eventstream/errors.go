package eventstream

import (
	"encoding/json"
	"strconv"
)

// TooLongError is returned by Next for a frame longer than the Reader's limit.
type TooLongError struct{ Limit int } // in bytes

// Error gives the limit.
func (e *TooLongError) Error() string {
	return "event stream frame is longer than " + strconv.Itoa(e.Limit) + " bytes"
}

// CorruptError is returned by Next for bytes that are no frame.
type CorruptError struct{ Msg string }

// Error says what is wrong. It never quotes the bytes.
func (e *CorruptError) Error() string { return "corrupt event stream: " + e.Msg }

// An Exception is a frame that ends a stream with an error: of :message-type
// exception, which the service's model names, or error, which it does not.
type Exception struct {
	// Type is the value of :exception-type or :error-code, "throttlingException".
	Type string
	// Message is for people, empty when there is none.
	Message string
	// Payload is the frame's, as it was received.
	Payload []byte
}

// Error gives type and message.
func (e *Exception) Error() string {
	if e.Message == "" {
		return e.Type
	}
	return e.Type + ": " + e.Message
}

// Body is the exception as AWS writes errors that are answers of their own:
// {"__type":…,"message":…}.
func (e *Exception) Body() []byte {
	body, _ := json.Marshal(struct { // of two strings: cannot fail
		Type    string `json:"__type"`
		Message string `json:"message"`
	}{e.Type, e.Message})
	return body
}

// messageOf is the message of an exception's payload; services spell the member
// in two ways.
func messageOf(payload []byte) string {
	var said struct{ Message string } // matched without regard to case
	if json.Unmarshal(payload, &said) != nil {
		return ""
	}
	return said.Message
}
