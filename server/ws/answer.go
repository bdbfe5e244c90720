package ws

import (
	"io"
	"net/http"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// maxError bounds the body of an error that is kept.
const maxError = 64 << 10

// An answer is where a handler writes. A stream goes on through a pipe, an error
// is kept. It is used by one goroutine at a time, and read when the handler is
// done.
type answer struct {
	header http.Header
	stream io.Writer
	status int // 0 before the head
	body   []byte
}

func newAnswer(stream io.Writer) *answer { return &answer{header: http.Header{}, stream: stream} }

// Header implements http.ResponseWriter.
func (a *answer) Header() http.Header { return a.header }

// WriteHeader implements http.ResponseWriter.
func (a *answer) WriteHeader(status int) {
	if a.status == 0 && status >= 200 {
		a.status = status
	}
}

// Write implements http.ResponseWriter.
func (a *answer) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	if a.status == http.StatusOK {
		return a.stream.Write(p)
	}
	if room := maxError - len(a.body); room > 0 {
		a.body = append(a.body, p[:min(len(p), room)]...)
	}
	return len(p), nil
}

// FlushError lets http.ResponseController flush: what is written is sent at once.
func (a *answer) FlushError() error { return nil }

// verdict is the event for an answer that was no stream to its end.
func (a *answer) verdict() []byte {
	if object := jsonx.Get(a.body, "error"); a.status > 299 && jsonx.KindOf(object) == jsonx.KindObject && jsonx.Valid(a.body) == nil {
		return errorEvent(a.status, object, a.header)
	}
	err := weir.Errorf(weir.KindUpstream, "the stream of the response ended before its last event")
	if a.status > 299 {
		err = &weir.Error{Kind: weir.KindOfStatus(a.status), Status: a.status, Message: http.StatusText(a.status)}
	}
	return errorOf(err)
}
