package anthropic

import (
	"net/http"
	"slices"
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// EncodeRequest implements codec.Client. The bytes of a client of this protocol
// are kept but for the model's name and what target's quirks demand; anything
// else is written from the canonical body. Errors are KindInvalid for a
// conversation that the protocol cannot hold, and KindUnsupported for what may
// not be left out.
func (anthropicCodec) EncodeRequest(req *weir.Request, target *codec.Target) (*codec.Call, error) {
	if req.Op != weir.Generate && req.Op != weir.CountTokens {
		return nil, weir.Errorf(weir.KindUnsupported, "Messages has no operation %s", req.Op)
	}
	call := &codec.Call{Path: "/v1/messages", Stream: req.Stream}
	if req.Op == weir.CountTokens {
		call.Path, call.Stream = "/v1/messages/count_tokens", false
	}
	w, losses, err := wireFor(req, target, call)
	if err != nil {
		return nil, err
	}
	edits, err := edits(w, req, target, &losses)
	if err != nil {
		return nil, err
	}
	if w != req.Wire {
		tellClient(losses, req)
	}
	if err := losses.Refuse(req.Strict); err != nil {
		return nil, err
	}
	body, err := codec.RelayBody(w, edits)
	if err != nil {
		return nil, err
	}
	call.Body, call.Losses = body, losses
	return call, nil
}

// wireFor is the body before the quirks: the client's bytes, or new ones. It sets
// the call's header and what the answer has to be read with.
func wireFor(req *weir.Request, target *codec.Target, call *codec.Call) (*weir.Wire, codec.Losses, error) {
	if req.Wire != nil && req.Wire.Protocol == protocol {
		rewrite, err := mustRewrite(req, target.Quirks)
		if err != nil {
			return nil, nil, err
		}
		if !rewrite {
			call.Header = headerFor(req.Wire.Header, target)
			return req.Wire, nil, nil
		}
	}
	body, err := req.Body()
	if err != nil {
		return nil, nil, err
	}
	if err := codec.RefuseThread(body); err != nil {
		return nil, nil, err
	}
	e := &bodyEncoder{req: req, body: body, target: target, q: target.Quirks, paths: codec.NewPaths(body), same: body.From == protocol}
	if err := e.encode(); err != nil {
		return nil, nil, err
	}
	var header http.Header
	if e.same {
		header = body.Header
	}
	call.Header = headerFor(header, target)
	call.Names, call.Custom = e.names.Back(), codec.CustomTools(body, e.names.Sent)
	return &weir.Wire{Protocol: protocol, Body: e.buf.B}, e.losses, nil
}

// chatWords are what Chat, and with it the shared table of words, calls the
// settings of this protocol that losses name.
var chatWords = map[string]string{
	"thinking":             "reasoning",
	"thinking.type":        "reasoning",
	"output_config.effort": "reasoning_effort",
	"stop_sequences":       "stop",
}

// tellClient puts losses in the words of the client of a request that was written
// anew.
func tellClient(losses codec.Losses, req *weir.Request) {
	body, err := req.Body()
	if err != nil {
		return
	}
	for i := range losses {
		if word, ok := chatWords[losses[i].Field]; ok && body.From != protocol && codec.ClientWord(body.From, word) != word {
			losses[i].Field = word
		}
	}
	codec.InClientWords(losses, body.From)
}

// mustRewrite reports whether target's quirks reach into the messages, so that
// the bytes cannot be kept. The body is decoded only for such targets.
func mustRewrite(req *weir.Request, q *codec.Quirks) (bool, error) {
	if !q.SystemFirst && !q.StrictAlternation && q.ReasoningReplay == "" {
		return false, nil
	}
	body, err := req.Body()
	if err != nil {
		return false, err
	}
	var before weir.Role
	for i := range body.Messages {
		m := &body.Messages[i]
		if q.SystemFirst && i > 0 && m.Role == weir.RoleSystem ||
			q.StrictAlternation && m.Role == before ||
			m.Role == weir.RoleAssistant && replayDiffers(m.Blocks, q.ReasoningReplay) {
			return true, nil
		}
		before = m.Role
	}
	return false, nil
}

// replayDiffers reports whether an assistant turn carries thinking where it must
// not, or none where it must.
func replayDiffers(blocks []weir.Block, replay string) bool {
	thinking := slices.IndexFunc(blocks, func(b weir.Block) bool { return b.Type == weir.BlockReasoning })
	call := slices.IndexFunc(blocks, func(b weir.Block) bool { return b.Type == weir.BlockToolCall })
	switch replay {
	case replayNever:
		return thinking >= 0
	case replayToolTurns:
		return call >= 0 && (thinking < 0 || thinking > call)
	}
	return false
}

// Values of Quirks.ReasoningReplay.
const (
	replayNever     = "never"
	replayToolTurns = "tool_turns"
)

// headerFor makes the header of a call. The version is set, never appended to: a
// doubled one is a 400 (protocols.md §6.1). Betas go to Anthropic as they came,
// to others by their list, each once (C-01).
func headerFor(from http.Header, target *codec.Target) http.Header {
	version := from.Get(headerVersion)
	if version == "" {
		version = version2023
	}
	if target.Quirks.AnthropicVersion != "" {
		version = target.Quirks.AnthropicVersion
	}
	out := http.Header{headerVersion: {version}}
	betas := from.Values(headerBeta)
	switch allowed := target.Quirks.BetaHeaders; {
	case len(betas) == 0:
	case slices.Contains(allowed, "*") || allowed == nil && target.Provider == "anthropic":
		out[headerBeta] = betas
	default:
		if kept := filterBetas(betas, allowed); kept != "" {
			out[headerBeta] = []string{kept}
		}
	}
	return out
}

func filterBetas(betas, allowed []string) string {
	var kept []string
	for _, line := range betas {
		for name := range strings.SplitSeq(line, ",") {
			name = strings.TrimSpace(name)
			if slices.Contains(allowed, name) && !slices.Contains(kept, name) {
				kept = append(kept, name)
			}
		}
	}
	return strings.Join(kept, ",")
}

// DecodeError implements codec.Client.
func (anthropicCodec) DecodeError(status int, header http.Header, body []byte, target *codec.Target) *weir.Error {
	e := codec.ParseError(status, header, body, target.Quirks)
	e.Provider = target.Provider
	e.Wire = &weir.ErrorWire{
		Protocol: protocol, Status: status, ContentType: header.Get("Content-Type"), Body: slices.Clone(body),
	}
	if id := jsonx.StringOr(jsonx.Get(body, "request_id"), ""); e.RequestID == "" && id != "" {
		e.RequestID = id
	}
	return e
}
