package weir

import (
	"bytes"
	"iter"
	"strings"
)

// A Completion is a whole answer.
type Completion struct {
	Start   Start
	Choices []Choice
	// Vectors are the results of Embed, in the order of the inputs.
	Vectors []Vector
	// Usage is nil when none was reported.
	Usage *Usage
	// Notes are the facts of the call in order.
	Notes []Note
}

// A Choice is one alternative of an answer.
type Choice struct {
	Message Message
	// Finish is the zero value when the answer was cut.
	Finish Finish
	// Logprobs are the raw pieces in order, in the upstream's protocol.
	Logprobs [][]byte
}

// Text is the text of the first choice.
func (c *Completion) Text() string {
	if len(c.Choices) == 0 {
		return ""
	}
	return c.Choices[0].Message.Text()
}

// ToolCalls are the tool calls of the first choice.
func (c *Completion) ToolCalls() []*ToolCall {
	if len(c.Choices) == 0 {
		return nil
	}
	return c.Choices[0].Message.ToolCalls()
}

// Collect ranges over a call and gathers its answer. With an error it returns
// what had arrived until then.
func Collect(events iter.Seq2[Event, error]) (*Completion, error) {
	var c Collector
	for ev, err := range events {
		if err != nil {
			return c.Completion(), err
		}
		c.Add(ev)
	}
	return c.Completion(), nil
}

// A Collector gathers Events into a Completion. The zero value is ready to use.
// Not safe for concurrent use.
type Collector struct {
	done    Completion
	choices []*choiceBuilder
}

// Add takes one Event over. It keeps nothing that is borrowed.
func (c *Collector) Add(ev Event) {
	switch ev.Type {
	case EventStart:
		c.done.Start = *ev.Start
	case EventUsage:
		if c.done.Usage == nil {
			c.done.Usage = new(Usage)
		}
		c.done.Usage.Merge(ev.Usage)
	case EventNote:
		c.done.Notes = append(c.done.Notes, ev.Note)
	case EventFinish:
		c.choice(ev.Choice).finish = *ev.Finish
	case EventBlockStart:
		c.choice(ev.Choice).start(int(ev.Index), ev.Block)
	case EventDelta:
		c.choice(ev.Choice).delta(ev)
	case EventVector:
		c.vector(int(ev.Index), ev.Vector)
	}
}

// vector keeps a copy of the result for input i.
func (c *Collector) vector(i int, v *Vector) {
	if i >= len(c.done.Vectors) {
		c.done.Vectors = append(c.done.Vectors, make([]Vector, i+1-len(c.done.Vectors))...)
	}
	c.done.Vectors[i] = Vector{JSON: bytes.Clone(v.JSON), Base64: v.Base64, Extra: v.Extra}
}

// Completion is what has been gathered so far.
func (c *Collector) Completion() *Completion {
	out := c.done
	for _, b := range c.choices {
		out.Choices = append(out.Choices, b.build())
	}
	return &out
}

func (c *Collector) choice(n int32) *choiceBuilder {
	for int(n) >= len(c.choices) {
		c.choices = append(c.choices, new(choiceBuilder))
	}
	return c.choices[n]
}

type choiceBuilder struct {
	blocks   []*blockBuilder
	finish   Finish
	logprobs [][]byte
}

// blockBuilder keeps what grows apart from the block, since adding to a string
// piece by piece costs the square of its length.
type blockBuilder struct {
	block Block
	parts [partCount]strings.Builder
}

func (c *choiceBuilder) at(i int) *blockBuilder {
	for i >= len(c.blocks) {
		c.blocks = append(c.blocks, new(blockBuilder))
	}
	return c.blocks[i]
}

func (c *choiceBuilder) start(i int, b *Block) { c.at(i).block = b.Clone() }

func (c *choiceBuilder) delta(ev Event) {
	switch ev.Part {
	case PartLogprobs:
		c.logprobs = append(c.logprobs, []byte(ev.Text))
	case PartCitation:
		b := c.at(int(ev.Index))
		b.block.Citations = append(b.block.Citations, *ev.Citation)
	default:
		if ev.Part >= partCount {
			return
		}
		c.at(int(ev.Index)).parts[ev.Part].WriteString(ev.Text)
	}
}

func (c *choiceBuilder) build() Choice {
	out := Choice{Message: Message{Role: RoleAssistant}, Finish: c.finish, Logprobs: c.logprobs}
	for _, b := range c.blocks {
		out.Message.Blocks = append(out.Message.Blocks, b.build())
	}
	return out
}

func (b *blockBuilder) build() Block {
	out := b.block.Clone()
	out.Text += b.parts[PartText].String()
	if out.Call != nil {
		out.Call.Arguments = joinArguments(out.Call, b.parts[PartArguments].String())
		out.Call.Signature += b.parts[PartSignature].String()
		return out
	}
	if sig, enc := b.parts[PartSignature].String(), b.parts[PartEncrypted].String(); sig != "" || enc != "" {
		if out.Reasoning == nil {
			out.Reasoning = new(Reasoning)
		}
		out.Reasoning.Signature += sig
		out.Reasoning.Encrypted += enc
	}
	if out.Media != nil {
		out.Media.Data += b.parts[PartAudio].String()
		out.Media.Transcript += b.parts[PartTranscript].String()
	}
	return out
}

// joinArguments puts a call's arguments together. A call without any has an
// empty object, for a function.
func joinArguments(c *ToolCall, more string) string {
	args := c.Arguments + more
	if strings.TrimSpace(args) == "" && c.Type != ToolCustom {
		return "{}"
	}
	return args
}
