package provider

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/catalog"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// An envelope is the form in which a cloud carries a protocol of somebody else.
// It edits what a codec has written and undoes the cloud's own form of the
// answer; of a body only the members that it names change. It holds no state.
type envelope interface {
	// wrap edits a call, which is the caller's own.
	wrap(call *codec.Call, op weir.Operation, t *codec.Target) error
	// open is the body of an answer of status 2xx in the protocol's form. It
	// may change the header to match.
	open(src io.Reader, h http.Header, op weir.Operation, maxFrame int) io.Reader
	// fault is the body of an error as the codec can read it, and whose bytes
	// it was: empty for the protocol's own.
	fault(h http.Header, body []byte) ([]byte, weir.Protocol)
}

// envelopeNamed is nil for no envelope; ok is false for one that is not known.
func envelopeNamed(name string) (e envelope, ok bool) {
	switch name {
	case "":
		return nil, true
	case catalog.EnvelopeBedrockInvoke:
		return bedrockInvoke{}, true
	case catalog.EnvelopeVertexAnthropic:
		return vertexAnthropic{}, true
	case catalog.EnvelopeAzureDeployments:
		return azureDeployments{}, true
	}
	return nil, false
}

// asItIs is for clouds that answer in the protocol's own form.
type asItIs struct{}

func (asItIs) open(src io.Reader, _ http.Header, _ weir.Operation, _ int) io.Reader { return src }

func (asItIs) fault(_ http.Header, body []byte) ([]byte, weir.Protocol) { return body, "" }

// encode writes the call of a request for the endpoint.
func (e *endpoint) encode(req *weir.Request) (*codec.Call, error) {
	call, err := e.codec.EncodeRequest(req, &e.target)
	if err == nil && e.envelope != nil {
		err = e.envelope.wrap(call, req.Op, &e.target)
	}
	if err != nil {
		return nil, err
	}
	return call, nil
}

// wholeBody is a call's body in one piece, with its top level.
func wholeBody(call *codec.Call) ([]byte, *jsonx.Top, error) {
	body := bytes.Join(call.Body, nil)
	top := new(jsonx.Top)
	if top.Scan(body) != nil {
		return nil, nil, weir.Errorf(weir.KindInternal, "the body of the call is not a JSON object")
	}
	return body, top, nil
}

// escapeModel is a model's name as one segment of a path.
func escapeModel(model string) string { return url.PathEscape(model) }

// takeBetas takes anthropic-beta, which comes in any number of lines and words,
// out of a header.
func takeBetas(h http.Header) (betas []string) {
	for _, line := range h["Anthropic-Beta"] {
		for word := range strings.SplitSeq(line, ",") {
			if word = strings.TrimSpace(word); word != "" {
				betas = append(betas, word)
			}
		}
	}
	delete(h, "Anthropic-Beta")
	return betas
}
