package anthropic

import (
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// OpenRequest implements codec.Server. It looks at model, stream, messages and
// max_tokens only; everything else is checked when the canonical body is
// decoded, and left to the upstream when it never is.
func (anthropicCodec) OpenRequest(op weir.Operation, w *weir.Wire) (*weir.Request, error) {
	w.Protocol = protocol
	top, err := codec.ScanTop(w)
	if err != nil {
		return nil, err
	}
	req := weir.NewWireRequest(w, func() (*weir.Body, error) { return decodeBody(op, w) })
	req.Op = op
	if err := atDoor(req, top, w.Body); err != nil {
		return nil, err
	}
	return req, nil
}

// atDoor reads what admission needs.
func atDoor(req *weir.Request, top *jsonx.Top, body []byte) (err error) {
	root := path{}
	model := root.Key("model")
	if req.Model, err = model.Need(top.Get(body, "model")); err != nil {
		return err
	}
	messages := root.Key("messages")
	if raw := top.Get(body, "messages"); jsonx.KindOf(raw) != jsonx.KindArray {
		return messages.Wrong("an array of messages", raw)
	}
	if req.Op != weir.Generate {
		return nil
	}
	maxTokens := root.Key("max_tokens")
	if raw := top.Get(body, "max_tokens"); jsonx.KindOf(raw) != jsonx.KindNumber {
		return maxTokens.Wrong("a whole number of tokens", raw)
	}
	if raw := top.Get(body, "stream"); raw != nil {
		stream := root.Key("stream")
		on, err := stream.Boolean(raw)
		if err != nil {
			return err
		}
		req.Stream = on != nil && *on
	}
	return nil
}

// checkVersion answers what the API answers for a version header that it cannot
// read: a doubled value, or one that is no date. A date that Weir does not know
// passes, so that a new release of a client does not fail on its day (C-09).
func checkVersion(w *weir.Wire) (version string, err error) {
	values := w.Header.Values(headerVersion)
	if len(values) == 0 {
		return "", nil
	}
	v := strings.TrimSpace(values[0])
	if len(values) > 1 || !isDate(v) {
		e := weir.Invalid("anthropic-version", "anthropic-version: expected one date, such as %s", version2023)
		e.Hint = "set the header once and do not append to it"
		return "", e
	}
	return v, nil
}

func isDate(s string) bool {
	if len(s) != len(version2023) {
		return false
	}
	for i := range len(s) {
		if dash := i == 4 || i == 7; dash != (s[i] == '-') || !dash && (s[i] < '0' || s[i] > '9') {
			return false
		}
	}
	return true
}

// checkStrictVersion answers the three refusals that came with version
// 2026-10-21 (protocols.md §6.1), so that a client meets one behaviour whatever
// upstream serves it. A relay leaves them to the upstream.
func checkStrictVersion(b *weir.Body) error {
	sampling := []struct {
		name string
		set  bool
	}{{"temperature", b.Temperature != nil}, {"top_p", b.TopP != nil}, {"top_k", b.TopK != nil}}
	for _, s := range sampling {
		if s.set {
			return refused(s.name, "is not accepted")
		}
	}
	return nil
}

// checkStrictBlock is checkStrictVersion for a block directly in a message.
func checkStrictBlock(role weir.Role, at *path, b *weir.Block, raw []byte) error {
	switch {
	case role == weir.RoleAssistant:
		if jsonx.StringOr(jsonx.Get(raw, "type"), "") == "document" {
			return refused(at.String(), "a document block is not accepted in an assistant message")
		}
	case b.Type == weir.BlockText && len(b.Citations) > 0:
		citations := at.Key("citations")
		return refused(citations.String(), "is not accepted on a text block of a user message")
	case b.Type == weir.BlockOpaque && b.Opaque.Type == "search_result":
		return checkSearchResult(at, raw)
	case b.Type == weir.BlockToolResult:
		return checkStrictResult(role, at, raw)
	}
	return nil
}

func checkStrictResult(role weir.Role, at *path, raw []byte) error {
	inner := jsonx.Get(raw, "content")
	if jsonx.KindOf(inner) != jsonx.KindArray {
		return nil
	}
	content := at.Key("content")
	return content.List(inner, func(_ int, at *path, raw []byte) error {
		b, err := decodeBlock(at, raw)
		if err != nil {
			return err
		}
		return checkStrictBlock(role, at, &b, raw)
	})
}

func checkSearchResult(at *path, raw []byte) error {
	content := at.Key("content")
	return content.List(jsonx.Get(raw, "content"), func(_ int, at *path, value []byte) error {
		c := jsonx.Get(value, "citations")
		if jsonx.KindOf(c) != jsonx.KindArray || len(jsonx.Compact(nil, c)) <= len("[]") {
			return nil
		}
		citations := at.Key("citations")
		return refused(citations.String(), "is not accepted inside a search_result block")
	})
}

func refused(at, why string) error {
	e := weir.Invalid(at, "%s: %s under anthropic-version %s", at, why, version2026)
	e.Hint = "leave it out, or send anthropic-version: " + version2023
	return e
}
