package gateway

import (
	"slices"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/catalog"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
	"github.com/weir-gateway/weir/provider"
	"github.com/weir-gateway/weir/stage/replay"
	"github.com/weir-gateway/weir/stage/structured"
)

// demands are what a deployment wants of the stages around it, as the protocols
// and quirks of its endpoints tell. A request that speaks the protocol of one of
// them goes there and is its client's own business; any other goes to the first.
type demands struct {
	spoken      []weir.Protocol
	native      bool // speaks the Responses API
	nativeStore bool // and keeps what it answered
	needs       replay.Needs
	support     structured.Support
	choice      weir.ToolMode
}

func demandsOf(o *provider.Options, m *catalog.Model) demands {
	var d demands
	for i := range o.Endpoints {
		e := &o.Endpoints[i]
		q := e.Quirks
		if q == nil {
			q = &codec.Quirks{}
		}
		p := e.Codec.Protocol()
		d.spoken = append(d.spoken, p)
		d.needs |= needsOf(p, q)
		if p == weir.OpenAIResponses {
			d.native, d.nativeStore = true, q.KeepsResponses
		}
		if i == 0 {
			d.support, d.choice = supportOf(p, q, m), strongest(q.ToolChoices)
		}
	}
	return d
}

func needsOf(p weir.Protocol, q *codec.Quirks) replay.Needs {
	switch p {
	case weir.AnthropicMessages, weir.OpenAIResponses, weir.BedrockConverse:
		return replay.State
	case weir.GeminiGenerate:
		return replay.Calls | replay.State
	}
	if q.ReasoningReplay == "tool_turns" {
		return replay.Text
	}
	return 0
}

// supportOf is what a model does by itself for structured output. What nothing
// is known of is left to the upstream (B-12).
func supportOf(p weir.Protocol, q *codec.Quirks, m *catalog.Model) structured.Support {
	var s structured.Support
	if m == nil || m.Tools == nil || *m.Tools {
		s = structured.Tool
	}
	knowsNone := m != nil && m.StructuredOutput != nil && !*m.StructuredOutput
	switch p {
	case weir.AnthropicMessages, weir.BedrockConverse:
		if knowsNone {
			return s
		}
		return s | structured.Schema
	case weir.OpenAIChat:
		for _, format := range q.Formats {
			switch weir.FormatType(format) {
			case weir.FormatJSONSchema:
				s |= structured.Schema
			case weir.FormatJSONObject:
				s |= structured.JSONObject
			case weir.FormatText:
			}
		}
		if len(q.Formats) > 0 {
			return s
		}
	}
	return s | structured.Native
}

// strongest is the strongest choice of tools among those that are accepted.
func strongest(accepted []string) weir.ToolMode {
	for _, mode := range []weir.ToolMode{weir.ToolModeNamed, weir.ToolModeRequired} {
		if len(accepted) == 0 || slices.Contains(accepted, string(mode)) {
			return mode
		}
	}
	return weir.ToolModeAuto
}

// carries reports whether the client of a request carries the upstream's state
// itself: it speaks the upstream's own protocol, and one that has a place for it.
// Chat has none that all clients know.
func (d *demands) carries(req *weir.Request) bool {
	w := req.Wire
	return w != nil && w.Protocol != weir.OpenAIChat && slices.Contains(d.spoken, w.Protocol)
}

// hasTools reports whether an answer may hold state to be kept.
func (d *demands) hasTools(req *weir.Request) bool {
	if req.Op != weir.Generate || d.carries(req) {
		return false
	}
	return hasMember(req, "tools", "functions", "toolConfig", "include")
}

// hasHistory reports whether the request may lack state of an earlier turn.
func (d *demands) hasHistory(req *weir.Request) bool {
	return req.Op == weir.Generate && !d.carries(req) && mayHoldState(req)
}

// mayHoldState reports whether a request may have calls of tools, or reasoning
// that only its maker can read.
func mayHoldState(req *weir.Request) bool {
	top := scan(req)
	return top == nil || slices.ContainsFunc([]string{
		"tool_calls", "call_id", "tool_use_id", "input_schema", "functionCall", "function_call", "signature",
		"encrypted_content", "thoughtSignature", "thought_signature",
	}, top.MayHaveBelow)
}

// hasFormat reports whether a request may want an answer of a certain form.
func hasFormat(req *weir.Request) bool {
	return req.Op == weir.Generate && hasMember(req, "response_format", "text", "output_config", "output_format", "generationConfig", "generation_config", "format", "outputConfig")
}

// hasMember reports whether a request has one of the members; a doubt is a yes.
func hasMember(req *weir.Request, names ...string) bool {
	top := scan(req)
	return top == nil || slices.ContainsFunc(names, top.Has)
}

// scan is the scan that was made at the door; nil where there is none.
func scan(req *weir.Request) *jsonx.Top {
	if req.Wire == nil {
		return nil
	}
	top, err := codec.TopOf(req.Wire)
	if err != nil {
		return nil
	}
	return top
}

// goesOn reports whether a deployment goes on with an assistant's message at the
// end of a conversation. Nothing said is no: an upstream that begins anew would
// say everything twice.
func goesOn(o *provider.Options) bool {
	if len(o.Endpoints) == 0 || o.Endpoints[0].Quirks == nil {
		return false
	}
	p := o.Endpoints[0].Quirks.Prefill
	return p != "" && p != "refused"
}
