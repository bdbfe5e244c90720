package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/weir-gateway/weir"
)

// A printer shows one answer as it comes: text to standard output, thinking and
// facts to standard error, so that what is piped on is the answer alone.
type printer struct {
	options     *chatOptions
	out, errOut io.Writer
	collector   weir.Collector
	kinds       map[int32]weir.BlockType
	last        weir.BlockType
	newline     bool // the last thing written ended its line
}

func (p *printer) event(ev weir.Event) {
	p.collector.Add(ev)
	if p.options.json || ev.Choice != 0 {
		return
	}
	switch {
	case ev.Type == weir.EventBlockStart:
		p.start(ev)
	case ev.Type == weir.EventDelta && (ev.Part == weir.PartText || ev.Part == weir.PartArguments):
		p.text(p.kinds[ev.Index], ev.Text)
	}
}

func (p *printer) start(ev weir.Event) {
	if p.kinds == nil {
		p.kinds = map[int32]weir.BlockType{}
	}
	p.kinds[ev.Index] = ev.Block.Type
	if p.last != "" && p.last != ev.Block.Type {
		p.end()
	}
	p.last = ev.Block.Type
	if call := ev.Block.Call; call != nil {
		p.text(weir.BlockToolCall, call.Name+" "+call.Arguments)
		return
	}
	p.text(ev.Block.Type, ev.Block.Text)
}

func (p *printer) text(kind weir.BlockType, s string) {
	if s == "" {
		return
	}
	w := p.out
	if kind != weir.BlockText && kind != weir.BlockRefusal {
		if p.options.quiet {
			return
		}
		w = p.errOut
		s = dim(w, s)
	}
	fmt.Fprint(w, s)
	p.newline = strings.HasSuffix(s, "\n")
}

// end finishes a line that was begun.
func (p *printer) end() {
	if p.last == "" || p.newline || p.options.json {
		return
	}
	w := p.out
	if p.last == weir.BlockReasoning || p.last == weir.BlockToolCall {
		w = p.errOut
	}
	fmt.Fprintln(w)
	p.newline = true
}

// close says what the answer was, or prints it whole.
func (p *printer) close(c *weir.Completion) error {
	if p.options.json {
		return printJSON(p.out, jsonAnswer(c))
	}
	if line := closingLine(c); line != "" && !p.options.quiet && isTerminal(p.errOut) {
		fmt.Fprintln(p.errOut, dim(p.errOut, line))
	}
	return nil
}

// closingLine is model, tokens and what ended the answer.
func closingLine(c *weir.Completion) string {
	var parts []string
	for _, n := range c.Notes {
		if u, ok := n.(*weir.Upstream); ok {
			parts = append(parts, u.Deployment)
		}
	}
	if c.Usage.Has(weir.UsageInput | weir.UsageOutput) {
		parts = append(parts, fmt.Sprintf("%d in, %d out", c.Usage.InputTokens, c.Usage.OutputTokens))
	}
	if len(c.Choices) > 0 {
		if r := c.Choices[0].Finish.Reason; r != weir.FinishStop && r != "" {
			parts = append(parts, string(r))
		}
	}
	return strings.Join(parts, " · ")
}

// answerJSON is the shape of weir chat --json.
type answerJSON struct {
	Model     string     `json:"model"`
	Text      string     `json:"text"`
	Reasoning string     `json:"reasoning,omitempty"`
	ToolCalls []callJSON `json:"tool_calls,omitempty"`
	Finish    string     `json:"finish_reason"`
	Usage     *usageJSON `json:"usage"`
}

type callJSON struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	Arguments string `json:"arguments"`
}

// usageJSON is null as a whole when no usage was reported.
type usageJSON struct {
	Input     int64 `json:"input_tokens"`
	Output    int64 `json:"output_tokens"`
	CacheRead int64 `json:"cache_read_tokens"`
	Reasoning int64 `json:"reasoning_tokens"`
}

func jsonAnswer(c *weir.Completion) answerJSON {
	out := answerJSON{Model: c.Start.Model, Text: c.Text()}
	if len(c.Choices) > 0 {
		out.Finish = string(c.Choices[0].Finish.Reason)
		for _, b := range c.Choices[0].Message.Blocks {
			if b.Type == weir.BlockReasoning {
				out.Reasoning += b.Text
			}
		}
	}
	for _, call := range c.ToolCalls() {
		out.ToolCalls = append(out.ToolCalls, callJSON{call.ID, call.Name, call.Arguments})
	}
	if u := c.Usage; u != nil {
		out.Usage = &usageJSON{u.InputTokens, u.OutputTokens, u.CacheReadTokens, u.ReasoningTokens}
	}
	return out
}

// dim is s in grey on a terminal that wants colours.
func dim(w io.Writer, s string) string {
	if os.Getenv("NO_COLOR") != "" || !isTerminal(w) {
		return s
	}
	return "\x1b[2m" + s + "\x1b[0m"
}
