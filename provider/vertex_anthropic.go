package provider

import (
	"maps"
	"net/http"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// vertexAnthropic carries Anthropic Messages to Claude on Vertex AI, whose
// addresses end in "/publishers/anthropic" (Anthropic's SDK for Vertex, read
// 2026-11-20). The model is in the path, the version in the body; betas stay in
// the header. A count names its model in the body.
type vertexAnthropic struct{ asItIs }

const vertexVersion = "vertex-2023-10-16"

// wrap implements envelope.
func (vertexAnthropic) wrap(call *codec.Call, op weir.Operation, t *codec.Target) error {
	body, top, err := wholeBody(call)
	if err != nil {
		return err
	}
	edits := []jsonx.Edit{{Key: "anthropic_version", Value: jsonx.AppendString(nil, vertexVersion)}}
	switch {
	case op == weir.CountTokens:
		call.Path = "/models/count-tokens:rawPredict"
	case call.Stream:
		call.Path = "/models/" + escapeModel(t.Model) + ":streamRawPredict"
		edits = append(edits, jsonx.Edit{Key: "model"})
	default:
		call.Path = "/models/" + escapeModel(t.Model) + ":rawPredict"
		edits = append(edits, jsonx.Edit{Key: "model"})
	}
	call.Body = top.Splice(nil, body, edits)
	call.Header = maps.Clone(call.Header)
	delete(call.Header, "Anthropic-Version")
	return nil
}

// fault implements envelope: what Google says itself is in Google's form.
func (vertexAnthropic) fault(_ http.Header, body []byte) ([]byte, weir.Protocol) {
	if jsonx.StringOr(jsonx.Get(body, "type"), "") == "error" {
		return body, ""
	}
	return body, weir.GeminiGenerate
}
