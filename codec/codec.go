// Package codec says what a wire protocol is to Weir, and holds what all of
// them share: quirks of vendors as data, the relay that sends bytes on as they
// were received, and the passage of one request from a client's protocol to an
// upstream's.
//
// A protocol is one package below this one (openaichat, anthropic …), written
// on both sides: the server half reads requests and writes answers, the client
// half writes requests and reads answers, so that each half is the other's
// test. Package codec/all lists them.
//
// Begin with the Codec interface in this file, then quirks.go and relay.go.
package codec

import (
	"io"
	"iter"
	"net/http"

	"github.com/weir-gateway/weir"
)

// A Codec speaks one protocol on both sides. It holds no state and is safe for
// concurrent use.
type Codec interface {
	Protocol() weir.Protocol
	Server
	Client
}

// Server is the half that faces clients.
type Server interface {
	// OpenRequest makes a Request of what was received for op, at the cost of
	// one scan of the top level: Model, Stream and Wire are set, the canonical
	// body is decoded on first use. w.Body stays shared with the Request.
	// Errors are KindInvalid *Error that name the line or the field.
	OpenRequest(op weir.Operation, w *weir.Wire) (*weir.Request, error)
	// NewEncoder makes the writer of one answer.
	NewEncoder(req *weir.Request) Encoder
	// AppendError appends the body of an error answer. The upstream's own
	// bytes are used where it spoke this protocol.
	AppendError(dst []byte, err *weir.Error) []byte
	// RequestHeaders are the canonical names of the client's headers that
	// belong to the protocol and go on to an upstream of the same protocol.
	RequestHeaders() []string
}

// An Encoder writes one answer as its client reads it. It is used by one
// goroutine.
//
// Streaming, every call of Encode may append bytes, to be flushed unless
// ev.More. Not streaming, everything is appended by Close. Notes append
// nothing. An Event of the same protocol whose frame comes back whole and
// untouched is written as the bytes of the frame.
type Encoder interface {
	// ContentType is that of the answer.
	ContentType() string
	// Encode appends what ev adds to the answer. It keeps nothing of ev that
	// is borrowed.
	Encode(dst []byte, ev weir.Event) []byte
	// Close appends the end: what is missing after a complete answer when err
	// is nil, else the error in the form that it has inside a stream. When
	// nothing was encoded and the answer is not streamed, an err is the
	// caller's to write with AppendError.
	Close(dst []byte, err *weir.Error) []byte
	// KeepAlive appends what may be sent to a silent client at this point
	// without being taken for content; nothing when the answer is not streamed.
	KeepAlive(dst []byte) []byte
	// Losses are what of the answer could not be carried over so far.
	Losses() []weir.Loss
}

// A Failer is an Encoder of an answer that is not streamed which may find only
// at Close that the answer cannot be written, since a tool's arguments are no
// JSON and cannot be mended. The server then sends the error in its place.
type Failer interface {
	// Failed is why, nil when the answer was written. Call it after Close.
	Failed() *weir.Error
}

// Client is the half that faces upstreams.
type Client interface {
	// EncodeRequest writes req for an upstream. Where req.Wire is of this
	// protocol, its bytes are kept but for what target demands. An operation
	// that the protocol does not have is a KindUnsupported error. A request that
	// another protocol has bound to state kept elsewhere is refused with
	// RefuseThread.
	EncodeRequest(req *weir.Request, target *Target) (*Call, error)
	// Decode reads an answer of status 2xx. The sequence follows the rules of
	// weir.Event; its last pair is an error when the answer is cut, malformed
	// or an error in disguise. It does not close body.
	Decode(answer *Answer) iter.Seq2[weir.Event, error]
	// DecodeError reads an answer of any other status. body may be anything:
	// HTML, empty, cut.
	DecodeError(status int, header http.Header, body []byte, target *Target) *weir.Error
}

// A Target is what a request is written for. It is shared and not modified.
type Target struct {
	Provider string // for errors and provenance of reasoning state
	Model    string // the provider's own name of the model
	// MaxOutput is the model's limit of output tokens, 0 when not known.
	MaxOutput int64
	// Quirks are never nil.
	Quirks *Quirks
}

// A Call is a request as it goes to an upstream.
type Call struct {
	// Method is that of HTTP; empty is POST.
	Method string
	// Path is appended to the endpoint's base URL, "/chat/completions".
	Path string
	// Query is without "?", usually empty.
	Query string
	// Header holds the protocol's headers, without credentials. May be nil.
	Header http.Header
	// Body is the body in pieces, which may point into the request's bytes.
	Body [][]byte
	// Stream tells that the answer will be a stream.
	Stream bool
	// Losses are what could not be carried over.
	Losses []weir.Loss
	// Names maps tool names that had to be shortened back to the client's
	// own; it goes into the Answer. Nil when none was.
	Names map[string]string
	// Custom names the tools, as the upstream knows them, that are free text for
	// the client and were declared as functions since the protocol knows no
	// other (S-13); it goes into the Answer. Nil when there is none.
	Custom map[string]bool
}

// An Answer is what an upstream sent, to be decoded.
type Answer struct {
	// Status is that of the answer, 2xx; 0 is 200.
	Status int
	// Method is that of the request; empty is POST.
	Method string
	Header http.Header
	Body   io.Reader
	// Stream tells that a stream was asked for. The content type decides when
	// an upstream answers otherwise.
	Stream bool
	// Op is what was asked.
	Op weir.Operation
	// Relay tells that content may flow by as EventRelay.
	Relay  bool
	Target *Target
	// Names and Custom are the Call's.
	Names  map[string]string
	Custom map[string]bool
	// MaxFrame bounds a single SSE event and MaxBody a whole JSON answer, in
	// bytes; 0 is 64 MiB each.
	MaxFrame, MaxBody int
}
