package codec

import (
	"errors"
	"slices"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// ErrorIn200 is the error that the body, or the first frame, of a 2xx answer is
// in truth, nil when it is none (E-02). {"error":…}, {"detail":…} without an
// answer beside it, and {"object":"error"} or {"type":"error"} are recognised
// everywhere, the vendors' own shapes where q.ErrorIn200 names them. Status is
// the HTTP status that the body gives, else 200. q may be nil.
func ErrorIn200(body []byte, q *Quirks) *weir.Error {
	if !isErrorBody(body, q) {
		return nil
	}
	s := readSaid(body)
	status := s.status
	if status == 0 {
		status = 200
	}
	e := s.toError(status, q)
	if e.Message == "" {
		e.Message = "the upstream answered with an error that has no message"
	}
	return e
}

// errSomething ends a walk at its first step.
var errSomething = errors.New("something is there")

// found is what isErrorBody has seen of a body's top level.
type found struct{ err, answer, detail, vendor bool }

func isErrorBody(body []byte, q *Quirks) bool {
	if jsonx.KindOf(body) != jsonx.KindObject {
		return false
	}
	var f found
	_ = jsonx.EachMember(body, func(key, value []byte) error {
		f.see(key, value, q)
		return nil
	})
	return f.err || f.vendor || f.detail && !f.answer
}

func (f *found) see(key, value []byte, q *Quirks) {
	switch string(key) {
	case "error":
		f.err = f.err || says(value)
	case "object", "type":
		f.err = f.err || string(value) == `"error"`
	case "choices", "content", "candidates", "output":
		f.answer = true
	case "detail":
		f.detail = says(value)
	case "base_resp":
		f.vendor = f.vendor || wants(q, "base_resp") && notZero(jsonx.Get(value, "status_code"))
	case "code", "error_code":
		f.vendor = f.vendor || wants(q, string(key)) && notZero(value)
	}
}

func wants(q *Quirks, shape string) bool { return q != nil && slices.Contains(q.ErrorIn200, shape) }

// says reports whether a member holds an error: some servers write an empty one
// beside every good answer.
func says(value []byte) bool {
	switch jsonx.KindOf(value) {
	case jsonx.KindString:
		return len(value) > 2
	case jsonx.KindObject:
		return jsonx.EachMember(value, func(_, _ []byte) error { return errSomething }) != nil
	case jsonx.KindArray:
		return jsonx.EachElement(value, func(int, []byte) error { return errSomething }) != nil
	}
	return false
}

// notZero reports whether a code says that something went wrong.
func notZero(value []byte) bool {
	switch t := text(value); t {
	case "", "0", "200", "20000", "false", "success", "Success", "ok":
		return false
	}
	return true
}
