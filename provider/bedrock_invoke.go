package provider

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/eventstream"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// bedrockInvoke carries Anthropic Messages to Claude on Bedrock (InvokeModel,
// InvokeModelWithResponseStream and CountTokens of the service bedrock-runtime;
// Anthropic's page on Bedrock and botocore's service model, read 2026-11-20).
//
// The model and the stream flag are in the path and not in the body, the version
// and the betas in the body and not in the header. A stream comes as AWS's
// frames, each with an event of Anthropic's in base64.
type bedrockInvoke struct{}

// bedrockVersion is the only value that Bedrock takes.
const bedrockVersion = "bedrock-2023-05-31"

// wrap implements envelope.
func (bedrockInvoke) wrap(call *codec.Call, op weir.Operation, t *codec.Target) error {
	body, top, err := wholeBody(call)
	if err != nil {
		return err
	}
	call.Header = maps.Clone(call.Header)
	edits := []jsonx.Edit{
		{Key: "model"}, {Key: "stream"},
		{Key: "anthropic_version", Value: jsonx.AppendString(nil, bedrockVersion)},
	}
	if betas := takeBetas(call.Header); len(betas) > 0 {
		edits = append(edits, jsonx.Edit{Key: "anthropic_beta", Value: stringList(betas)})
	}
	delete(call.Header, "Anthropic-Version")
	if call.Header == nil {
		call.Header = http.Header{}
	}
	call.Header["Accept"] = acceptJSON
	model := awsModel(t.Model)
	switch {
	case op == weir.CountTokens:
		edits = append(edits, enoughTokens(body, top)...)
		call.Path = "/model/" + awsModel(withoutRegion(t.Model)) + "/count-tokens"
		call.Body = countedBody(top.Splice(nil, body, edits))
		return nil
	case call.Stream:
		call.Path = "/model/" + model + "/invoke-with-response-stream"
	default:
		call.Path = "/model/" + model + "/invoke"
	}
	call.Body = top.Splice(nil, body, edits)
	return nil
}

// awsModel is a model's id as AWS's own SDKs write it into a path: they escape
// colons too.
func awsModel(id string) string { return strings.ReplaceAll(escapeModel(id), ":", "%3A") }

// geographies begin the ids of inference profiles.
var geographies = []string{"us", "eu", "apac", "au", "jp", "ca", "sa", "us-gov", "global"}

// withoutRegion is the id of the model that an inference profile is of: tokens
// are counted by models only ("The provided model doesn't support counting
// tokens.", recorded for us.anthropic.claude-sonnet-4).
func withoutRegion(id string) string {
	if head, rest, ok := strings.Cut(id, "."); ok && slices.Contains(geographies, head) {
		return rest
	}
	return id
}

func stringList(words []string) []byte {
	var b jsonx.Buffer
	b.BeginArray()
	for _, w := range words {
		b.String(w)
	}
	b.EndArray()
	return b.B
}

// enoughTokens sets the max_tokens that a body to be counted does not have and
// InvokeModel wants, more than what is set aside for thinking.
func enoughTokens(body []byte, top *jsonx.Top) []jsonx.Edit {
	if top.Has("max_tokens") {
		return nil
	}
	budget, _ := jsonx.Int64(jsonx.Get(top.Get(body, "thinking"), "budget_tokens"))
	var b jsonx.Buffer
	b.Int(max(4096, budget+1))
	return []jsonx.Edit{{Key: "max_tokens", Value: b.B}}
}

// countedBody is what CountTokens takes: the body of InvokeModel in base64.
func countedBody(pieces [][]byte) [][]byte {
	out := []byte(`{"input":{"invokeModel":{"body":"`)
	out = base64.StdEncoding.AppendEncode(out, bytes.Join(pieces, nil))
	return [][]byte{append(out, `"}}}`...)}
}

// open implements envelope.
func (bedrockInvoke) open(src io.Reader, h http.Header, op weir.Operation, maxFrame int) io.Reader {
	switch {
	case op == weir.CountTokens:
		return &tokenCount{src: src}
	case strings.HasPrefix(h.Get("Content-Type"), "application/vnd.amazon.eventstream"):
		h.Set("Content-Type", "text/event-stream")
		return &invokeStream{events: eventstream.NewSSE(src, maxFrame)}
	}
	return src
}

// fault implements envelope. The type of an error is in the header.
func (bedrockInvoke) fault(h http.Header, body []byte) ([]byte, weir.Protocol) {
	name, _, _ := strings.Cut(h.Get("X-Amzn-Errortype"), ":")
	var top jsonx.Top
	if name == "" || top.Scan(body) != nil || top.Has("__type") {
		return body, weir.BedrockConverse
	}
	typed := top.Splice(nil, body, []jsonx.Edit{{Key: "__type", Value: jsonx.AppendString(nil, name)}})
	return bytes.Join(typed, nil), weir.BedrockConverse
}

// tokenCount turns the answer of CountTokens, {"inputTokens":n}, into Anthropic's.
type tokenCount struct {
	src io.Reader
	out io.Reader
}

// maxCount is the longest answer of CountTokens that is believed, bytes.
const maxCount = 64 << 10

// Read implements io.Reader.
func (c *tokenCount) Read(p []byte) (int, error) {
	if c.out == nil {
		body, err := io.ReadAll(io.LimitReader(c.src, maxCount))
		if err != nil {
			return 0, err
		}
		if n, ok := jsonx.Int64(jsonx.Get(body, "inputTokens")); ok {
			var b jsonx.Buffer
			b.BeginObject()
			b.IntField("input_tokens", n)
			b.EndObject()
			body = b.B
		}
		c.out = bytes.NewReader(body)
	}
	return c.out.Read(p)
}

// invokeStream ends a stream that AWS has broken off with Anthropic's own event
// of an error.
type invokeStream struct {
	events io.Reader
	last   io.Reader // the error, once there is one
}

// Read implements io.Reader.
func (s *invokeStream) Read(p []byte) (int, error) {
	if s.last != nil {
		return s.last.Read(p)
	}
	n, err := s.events.Read(p)
	if e, ok := errors.AsType[*eventstream.Exception](err); ok {
		s.last = bytes.NewReader(exceptionEvent(e))
		return n, nil
	}
	return n, err
}

// exceptionKinds are Anthropic's words for the exceptions of AWS's streams
// (botocore bedrock-runtime, ResponseStream, 2026-08-07).
var exceptionKinds = map[string]string{
	"throttlingexception":         "rate_limit_error",
	"validationexception":         "invalid_request_error",
	"modeltimeoutexception":       "timeout_error",
	"serviceunavailableexception": "overloaded_error",
}

func exceptionEvent(e *eventstream.Exception) []byte {
	kind := exceptionKinds[strings.ToLower(e.Type)]
	if kind == "" {
		kind = "api_error"
	}
	var b jsonx.Buffer
	b.BeginObject()
	b.StringField("type", "error")
	b.Key("error")
	b.BeginObject()
	b.StringField("type", kind)
	b.StringField("message", e.Error())
	b.EndObject()
	b.EndObject()
	return append(append([]byte("event: error\ndata: "), b.B...), "\n\n"...)
}
