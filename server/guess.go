package server

import (
	"bytes"
	"net/url"
	"slices"

	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// guess is where a body is likely to be sent, by members that only one protocol
// has, and what has told.
func guess(body []byte, model string) (path, why string, err error) {
	top := new(jsonx.Top)
	if err := top.Scan(body); err != nil {
		return "", "", codec.InvalidJSON(body, err)
	}
	has := func(names ...string) string {
		for _, name := range names {
			if top.Has(name) {
				return name
			}
		}
		return ""
	}
	if has("contents") != "" {
		if model == "" {
			model = jsonx.StringOr(top.Get(body, "model"), "")
		}
		return "/v1beta/models/" + (&url.URL{Path: model}).EscapedPath() + ":generateContent", "it has the member contents", nil
	}
	if has("messages") != "" {
		path, why := guessMessages(body, top, has)
		return path, why, nil
	}
	for _, g := range []struct {
		path    string
		members []string
	}{
		{"/v1/rerank", []string{"documents"}},
		{"/v1/embeddings", []string{"encoding_format", "dimensions"}},
		{"/v1/audio/speech", []string{"voice"}},
		{"/v1/responses", []string{"input", "previous_response_id", "conversation"}},
		{"/v1/images/generations", []string{"size", "quality"}},
		{"/v1/completions", []string{"prompt"}},
	} {
		if name := has(g.members...); name != "" {
			return g.path, "it has the member " + name, nil
		}
	}
	return chatPath, "nothing tells otherwise", nil
}

const chatPath = "/v1/chat/completions"

// guessMessages tells the protocols apart that call a conversation messages.
func guessMessages(body []byte, top *jsonx.Top, has func(...string) string) (path, why string) {
	if name := has("system", "stop_sequences", "anthropic_version", "output_config", "mcp_servers", "container"); name != "" {
		return "/v1/messages", "it has messages and the member " + name
	}
	if name := has("options", "keep_alive", "think"); name != "" {
		return "/api/chat", "it has messages and the member " + name
	}
	// Deeper in, names that only Anthropic's blocks and tools have.
	for _, name := range []string{"input_schema", "tool_use_id"} {
		if bytes.Contains(body, []byte(`"`+name+`"`)) && has("max_tokens") != "" && !hasFunctions(body, top) {
			return "/v1/messages", "it has messages, max_tokens and " + name
		}
	}
	return chatPath, "it has messages, and nothing of another protocol"
}

// hasFunctions reports whether tools are declared as Chat Completions has them.
func hasFunctions(body []byte, top *jsonx.Top) bool {
	var types []string
	_ = jsonx.EachElement(top.Get(body, "tools"), func(_ int, tool []byte) error {
		types = append(types, jsonx.StringOr(jsonx.Get(tool, "type"), ""))
		return nil
	})
	return slices.Contains(types, "function")
}
