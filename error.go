package weir

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// An Error is why a call failed. Its text never holds a credential or prompt
// text; Wire may, since it is what the upstream said, and is for a client of
// the same protocol only.
type Error struct {
	Kind Kind
	// Message is one sentence for the caller.
	Message string
	// Param is the path of the field at fault, empty when there is none.
	Param string
	// Code is a finer name than Kind, in the vendor's or OpenAI's words.
	Code string
	// Hint is the way out, where there is one.
	Hint string
	// Status is the HTTP status that the upstream sent, 0 when it is not the
	// upstream who spoke; see HTTPStatus.
	Status int
	// Provider is who spoke, empty when it was Weir.
	Provider string
	// Deployment is the deployment of the attempt that failed.
	Deployment string
	// RequestID is the upstream's id of the call.
	RequestID string
	// RetryAfter is how long to wait before trying again; 0 when not known.
	RetryAfter time.Duration
	// Attempts are all that were made when every candidate failed.
	Attempts []*Attempt
	// Wire is the upstream's answer, kept for a client of the same protocol.
	Wire *ErrorWire
	// Err is the cause.
	Err error
}

// ErrorWire is an upstream's error as it was received.
type ErrorWire struct {
	Protocol    Protocol
	Status      int
	ContentType string
	Body        []byte
}

// Errorf makes an Error of a kind. The format must not be given prompt text or
// credentials. A %w operand becomes the cause.
func Errorf(kind Kind, format string, args ...any) *Error {
	err := fmt.Errorf(format, args...)
	return &Error{Kind: kind, Message: err.Error(), Err: errors.Unwrap(err)}
}

// Invalid is a KindInvalid Error about the field param.
func Invalid(param, format string, args ...any) *Error {
	e := Errorf(KindInvalid, format, args...)
	e.Param = param
	return e
}

// Error names who spoke, the kind and the message.
func (e *Error) Error() string {
	var b strings.Builder
	if e.Provider != "" {
		b.WriteString(e.Provider)
		b.WriteString(": ")
	}
	b.WriteString(e.Kind.String())
	if e.Status != 0 {
		fmt.Fprintf(&b, " (%d)", e.Status)
	}
	if e.Message != "" {
		b.WriteString(": ")
		b.WriteString(e.Message)
	}
	return b.String()
}

// Unwrap is the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is reports whether target is the Kind of e, so that errors.Is(err,
// weir.KindRateLimit) works.
func (e *Error) Is(target error) bool {
	k, ok := target.(Kind)
	return ok && k == e.Kind
}

// IsUpstream reports whether the upstream sent the error, and not Weir.
func (e *Error) IsUpstream() bool { return e.Status != 0 || e.Wire != nil }

// HTTPStatus is the status that a client of protocol p is to see: the
// upstream's own where it spoke, else the kind's.
func (e *Error) HTTPStatus(p Protocol) int {
	if e.Status >= 400 && e.Status <= 599 {
		return e.Status
	}
	return e.Kind.Status(p)
}

// AsError is err as an *Error. A context's error becomes KindCanceled or
// KindTimeout; what is no *Error becomes KindInternal. Nil is nil.
func AsError(err error) *Error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	switch {
	case errors.Is(err, context.Canceled):
		return &Error{Kind: KindCanceled, Message: "the caller went away", Err: err}
	case errors.Is(err, context.DeadlineExceeded):
		return &Error{Kind: KindTimeout, Message: "the time limit of the request was reached", Err: err}
	}
	return &Error{Kind: KindInternal, Message: err.Error(), Err: err}
}
