package thread

import (
	"time"

	"github.com/weir-gateway/weir"
)

// A Record is what is kept of one response. It holds prompts and answers.
type Record struct {
	// ID is the response's, as its client sees it but for a "resp_" in front,
	// which IDs are compared without.
	ID      string
	Created time.Time // to the second
	Model   string    // as the client asked for it
	// Deployment made the answer, and Provider serves it; empty while none has.
	Deployment, Provider string
	// Previous and Conversation are what the client bound its request to; empty
	// when not.
	Previous, Conversation string
	Status                 Status
	Background             bool
	// Native tells that Deployment's own upstream keeps the response under the
	// same id.
	Native bool
	// Upstream is the id under which the upstream of Deployment keeps the response
	// too; empty when it does not.
	Upstream string
	// Bare tells that the content is not kept, only where it was made: nobody
	// but the upstream can continue the response.
	Bare bool
	// Deadline is when a response that is still queued or in progress has
	// certainly come to an end, since nothing runs that long. Zero: none.
	Deadline time.Time
	// Base is what went before Input where Root is set: Previous and Conversation
	// lead to what is kept nowhere else, and are not followed.
	Base []weir.Message
	Root bool
	// Last is the id of the last item that the response added to Conversation.
	Last string
	// Input is the request's own messages, without its instructions, and Output
	// the answer.
	Input, Output []weir.Message
	// Finish is why the answer ended; empty when it did not.
	Finish weir.FinishReason
	Usage  *weir.Usage // nil when none was reported
	// Failure is why Status is Failed; nil otherwise.
	Failure  *Failure
	Metadata []weir.Pair
}

// A Failure is why a response failed.
type Failure struct {
	Code    string // in OpenAI's words
	Message string
}

// Status is how far a response has come.
type Status string

// Statuses (OpenAPI 2.3.0, 2026-08-21).
const (
	Queued     Status = "queued"
	InProgress Status = "in_progress"
	Completed  Status = "completed"
	Incomplete Status = "incomplete" // cut by a limit or a filter
	Failed     Status = "failed"
	Cancelled  Status = "cancelled"
)

// IsFinal reports whether the response will not change any more.
func (s Status) IsFinal() bool { return s != Queued && s != InProgress }

// statusOf is what an answer that ended for reason has become. What declines in
// words is complete where the protocol is the upstream's own (protocols.md §12.3).
func statusOf(reason weir.FinishReason, native bool) Status {
	switch reason {
	case weir.FinishLength, weir.FinishContextWindow, weir.FinishContentFilter, weir.FinishPause, "":
		return Incomplete
	case weir.FinishRefusal:
		if !native {
			return Incomplete
		}
	case weir.FinishError:
		return Failed
	}
	return Completed
}

// fail makes err the record's end.
func (r *Record) fail(err *weir.Error) {
	r.Output, r.Finish, r.Failure = nil, "", nil
	if err.Kind == weir.KindCanceled {
		r.Status = Cancelled
		return
	}
	code := err.Code
	if code == "" {
		code = err.Kind.Code()
	}
	r.Status, r.Failure = Failed, &Failure{Code: code, Message: err.Message}
}

// answered reports whether there is an answer to go on from.
func (r *Record) answered() bool { return r.Status == Completed || r.Status == Incomplete }

// continuable is why a response cannot be continued; nil when it can.
func (r *Record) continuable(id string) *weir.Error {
	switch {
	case r.answered():
		return nil
	case !r.Status.IsFinal():
		e := weir.Errorf(weir.KindConflict, "response '%s' is not complete yet", bounded(id))
		e.Param, e.Hint = "previous_response_id", "wait until it is"
		return e
	}
	return noPrevious(id, "it ended as "+string(r.Status))
}

// noPrevious is the error for a response that cannot be continued.
func noPrevious(id, why string) *weir.Error {
	e := weir.Invalid("previous_response_id", "Previous response with id '%s' not found: %s.", bounded(id), why)
	e.Code = "previous_response_not_found"
	e.Hint = "send the whole conversation in input, without previous_response_id"
	return e
}

// bounded keeps a message about a client's id short.
func bounded(id string) string {
	if len(id) > 64 {
		return id[:64] + "…"
	}
	return id
}
