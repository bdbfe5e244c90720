package sim

import (
	"fmt"
	"slices"
	"strings"

	"github.com/weir-gateway/weir"
)

// A plannedCall is a tool that will be called.
type plannedCall struct {
	tool  *weir.Tool
	hints hints
}

// callsFor decides which tools are called, none when the answer is text.
func (m *Model) callsFor(p *prompt, body *weir.Body) []plannedCall {
	offered := callable(body)
	if len(offered) == 0 {
		return nil
	}
	mode := weir.ToolModeAuto
	if body.ToolChoice != nil {
		mode = body.ToolChoice.Mode
	}
	var tools []*weir.Tool
	switch {
	case mode == weir.ToolModeNone:
		return nil
	case mode == weir.ToolModeNamed, mode == weir.ToolModeRequired:
		tools = orFirst(asked(p.text, offered), offered)
	case len(p.results) > 0, m.o.ToolCalls == ToolCallsNever:
		return nil
	case m.o.ToolCalls == ToolCallsAlways:
		tools = orFirst(asked(p.text, offered), offered)
	default:
		tools = asked(p.text, offered)
		if len(tools) == 0 && asksForTool(p.text) {
			tools = offered[:1]
		}
	}
	return p.spread(tools, body)
}

// callable are the tools that the request lets the model call.
func callable(body *weir.Body) []*weir.Tool {
	var out []*weir.Tool
	for i := range body.Tools {
		t := &body.Tools[i]
		if t.Type == weir.ToolHosted {
			continue
		}
		if c := body.ToolChoice; c != nil && len(c.Names) > 0 && !slices.Contains(c.Names, t.Name) {
			continue
		}
		out = append(out, t)
	}
	return out
}

func orFirst(some, all []*weir.Tool) []*weir.Tool {
	if len(some) > 0 {
		return some
	}
	return all[:1]
}

// spread turns tools into calls: each once, or one of them several times when
// the text says so, and only one call where parallel ones are forbidden.
func (p *prompt) spread(tools []*weir.Tool, body *weir.Body) []plannedCall {
	if len(tools) == 0 {
		return nil
	}
	if body.ParallelToolCalls != nil && !*body.ParallelToolCalls {
		tools = tools[:1]
		return []plannedCall{{tool: tools[0], hints: hints{text: p.text}}}
	}
	if n := timesAsked(p.text); len(tools) == 1 && n > 1 {
		tools = slices.Repeat(tools, n)
	}
	var calls []plannedCall
	for i, t := range tools {
		calls = append(calls, plannedCall{tool: t, hints: hints{text: p.text, turn: i}})
	}
	return calls
}

// callTools writes the calls and the finish that waits for their results.
func (m *Model) callTools(s *script, calls []plannedCall, req *weir.Request, body *weir.Body) {
	id := m.token(req, body)
	for i, c := range calls {
		call := &weir.ToolCall{ID: fmt.Sprintf("call_%s_%d_%d", id, s.choice, i), Name: c.tool.Name, Type: c.tool.Type}
		args := string(instance(c.tool.Schema, &c.hints))
		if c.tool.Type == weir.ToolCustom {
			args = c.hints.text
		}
		s.call(call, args)
	}
	s.finish(weir.Finish{Reason: weir.FinishToolCalls})
}

// asksForTool reports whether text wants some tool, without saying which.
func asksForTool(text string) bool {
	text = strings.ToLower(text)
	for _, phrase := range []string{
		"call a tool", "call the tool", "use a tool", "use the tool", "use your tool", "use tools",
		"call a function", "call the function", "tool call", "调用工具", "使用工具", "用工具", "调用函数", "ツールを",
	} {
		if strings.Contains(text, phrase) {
			return true
		}
	}
	return false
}
