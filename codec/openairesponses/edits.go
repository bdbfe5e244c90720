package openairesponses

import (
	"slices"
	"strconv"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// editor makes a request what its target takes, at the top level.
type editor struct {
	*codec.Editor
	req     *weir.Request
	target  *codec.Target
	q       *codec.Quirks
	from    weir.Protocol // of the body, where it was written anew
	foreign bool          // the body is of another protocol
}

// plan makes all edits. Those of the quirks come last.
func (e *editor) plan() {
	e.Set("model", jsonx.AppendString(nil, e.target.Model))
	if e.req.Op == weir.Generate {
		e.Stream(e.req.Stream)
		if !e.req.Stream && e.Get("stream_options") != nil {
			e.Remove("stream_options") // an error without a stream
		}
		e.tokenCap()
	}
	e.Clamp("temperature", e.q.TemperatureMin, e.q.TemperatureMax)
	e.Clamp("top_p", nil, e.q.TopPMax)
	e.effort()
	e.choices()
	e.silently("store", "include")
	e.Params(e.q)
}

// silently leaves out members that Weir added itself and the target refuses.
func (e *editor) silently(keys ...string) {
	for _, key := range keys {
		if e.foreign && slices.Contains(e.q.DropParams, key) {
			e.Remove(key)
		}
	}
}

const (
	maxTokens         = "max_output_tokens"
	fallbackMaxTokens = 8192
)

// tokenCap fills the cap in where it is required and brings it under the model's
// limit.
func (e *editor) tokenCap() {
	if e.q.MaxTokensRequired && e.Get(maxTokens) == nil {
		e.Set(maxTokens, strconv.AppendInt(nil, e.defaultMaxTokens(), 10))
		return
	}
	e.AtMost(maxTokens, e.target.MaxOutput, "brought down to the model's limit of output tokens")
}

func (e *editor) defaultMaxTokens() int64 {
	switch {
	case e.q.MaxTokensDefault > 0:
		return e.q.MaxTokensDefault
	case e.target.MaxOutput > 0:
		return e.target.MaxOutput
	}
	return fallbackMaxTokens
}

// effort replaces an effort that the target does not take with the nearest one,
// and turns thinking off for a call without a stream where the upstream refuses
// the two together (T-10).
func (e *editor) effort() {
	raw := e.Get("reasoning")
	effort := jsonx.StringOr(jsonx.Get(raw, "effort"), "")
	if effort != "" {
		if clamped, changed := codec.ClampEffort(effort, e.q.Efforts); changed {
			e.Losses.Clamp("reasoning.effort", "the nearest effort that the target takes is "+clamped)
			raw, effort = withEffort(raw, clamped), clamped
			e.Set("reasoning", raw)
		}
	}
	if e.q.ThinkingNeedsStream && !e.req.Stream && effort != "none" {
		if effort != "" {
			e.Losses.Approximate("reasoning.effort", "the target thinks in streams only; thinking was turned off")
		}
		e.Set("reasoning", withEffort(raw, "none"))
	}
}

// withEffort is the object reasoning with another effort.
func withEffort(raw []byte, effort string) []byte {
	var b jsonx.Buffer
	b.BeginObject()
	b.StringField("effort", effort)
	if raw != nil {
		_ = jsonx.EachMember(raw, func(key, value []byte) error {
			if string(key) != "effort" {
				b.RawField(string(key), value)
			}
			return nil
		})
	}
	b.EndObject()
	return b.B
}

// choices replaces modes of tool_choice that the target refuses (P-01).
func (e *editor) choices() {
	raw := e.Get("tool_choice")
	if raw == nil || len(e.q.ToolChoices) == 0 {
		return
	}
	mode := jsonx.StringOr(raw, "")
	if mode == "" {
		switch mode = jsonx.StringOr(jsonx.Get(raw, "type"), ""); mode {
		case "function", "custom":
			mode = string(weir.ToolModeNamed)
		}
	}
	if !slices.Contains(e.q.ToolChoices, mode) {
		e.Set("tool_choice", []byte(`"auto"`))
		e.Losses.Approximate("tool_choice", "the target does not take this mode; it became auto")
	}
}
