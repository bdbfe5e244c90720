package structured

import "github.com/weir-gateway/weir"

// A giver makes events of whole blocks.
type giver struct {
	out    []weir.Event
	choice int32
	index  int32 // of the next block
}

// events are those of a whole answer: the JSON in place of what it came in, and
// everything else as it was.
func (a *answer) events(usage *weir.Usage) []weir.Event {
	var g giver
	start := a.whole.Start
	g.out = append(g.out, weir.Event{Type: weir.EventStart, Start: &start})
	a.dropped = 0
	for i := range a.whole.Choices {
		g.choice, g.index = int32(i), 0
		a.one(&g, &a.whole.Choices[i], a.texts[i])
	}
	if usage != nil {
		g.out = append(g.out, weir.Event{Type: weir.EventUsage, Usage: usage})
	}
	return g.out
}

// one writes a choice whose answer is text.
func (a *answer) one(g *giver, ch *weir.Choice, text string) {
	called := a.toolCall(ch)
	given := false
	for i := range ch.Message.Blocks {
		b := &ch.Message.Blocks[i]
		switch {
		case i == called:
			g.block(&weir.Block{Type: weir.BlockText, Text: text})
		case called >= 0 && (b.Type == weir.BlockText || b.Call != nil):
			a.dropped++
		case b.Type != weir.BlockText:
			g.block(b)
		case !given:
			given = true
			g.block(asText(ch, b, text))
		}
	}
	if called < 0 && text == ch.Message.Text() {
		g.logprobs(ch.Logprobs)
	}
	if ch.Finish.Reason != "" {
		f := finished(ch.Finish, called >= 0)
		g.out = append(g.out, weir.Event{Type: weir.EventFinish, Choice: g.choice, Finish: &f})
	}
}

// asText is the text of a choice as one block, with its citations if it is as it
// came: they count its characters.
func asText(ch *weir.Choice, first *weir.Block, text string) *weir.Block {
	b := *first
	if b.Text = text; text != first.Text || text != ch.Message.Text() {
		b.Citations = nil
	}
	return &b
}

// finished is why a choice ended: a call of the tool is an answer.
func finished(f weir.Finish, called bool) weir.Finish {
	if called && f.Reason == weir.FinishToolCalls {
		return weir.Finish{Reason: weir.FinishStop}
	}
	return f
}

// block writes a block: what it is, what grows, its end.
func (g *giver) block(b *weir.Block) {
	begun := b.Clone()
	begun.Text, begun.Citations = "", nil
	g.add(weir.Event{Type: weir.EventBlockStart, Block: &begun})
	g.delta(weir.PartText, b.Text)
	if r := b.Reasoning; r != nil {
		begun.Reasoning.Signature, begun.Reasoning.Encrypted = "", ""
		g.delta(weir.PartEncrypted, r.Encrypted)
		g.delta(weir.PartSignature, r.Signature)
	}
	if b.Call != nil {
		begun.Call.Arguments = ""
		g.delta(weir.PartArguments, b.Call.Arguments)
	}
	if b.Media != nil && b.Type == weir.BlockAudio {
		begun.Media.Data, begun.Media.Transcript = "", ""
		g.delta(weir.PartAudio, b.Media.Data)
		g.delta(weir.PartTranscript, b.Media.Transcript)
	}
	for i := range b.Citations {
		g.add(weir.Event{Type: weir.EventDelta, Part: weir.PartCitation, Citation: &b.Citations[i]})
	}
	g.add(weir.Event{Type: weir.EventBlockEnd})
	g.index++
}

func (g *giver) delta(part weir.Part, text string) {
	if text != "" {
		g.add(weir.Event{Type: weir.EventDelta, Part: part, Text: text})
	}
}

func (g *giver) add(ev weir.Event) {
	ev.Choice, ev.Index = g.choice, g.index
	g.out = append(g.out, ev)
}

func (g *giver) logprobs(raw [][]byte) {
	for i := range raw {
		g.out = append(g.out, weir.Event{Type: weir.EventDelta, Choice: g.choice, Part: weir.PartLogprobs, Text: string(raw[i])})
	}
}
