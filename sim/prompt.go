package sim

import (
	"strings"

	"github.com/weir-gateway/weir"
)

// A prompt is what the simulated model understands of a conversation.
type prompt struct {
	text    string // of the last user message that has some
	lang    language
	results []result // tool results since the last turn of the assistant
	images  int      // beside the last user text, as the two below
	sounds  int
	files   int
}

// A result is what a tool came back with.
type result struct {
	name    string
	text    string
	isError bool
}

// readPrompt goes through the conversation from its end.
func readPrompt(body *weir.Body) prompt {
	var p prompt
	turn := true // still behind the last assistant message
	for i := len(body.Messages) - 1; i >= 0 && (turn || p.text == ""); i-- {
		msg := &body.Messages[i]
		switch {
		case msg.Role == weir.RoleAssistant:
			turn = false
		case turn:
			p.readResults(msg.Blocks, body.Messages[:i])
		}
		if msg.Role == weir.RoleUser && p.text == "" {
			p.readUser(msg)
		}
	}
	p.lang = detect(p.text)
	return p
}

func (p *prompt) readUser(msg *weir.Message) {
	p.text = withoutContext(msg.Text())
	for i := range msg.Blocks {
		switch msg.Blocks[i].Type {
		case weir.BlockImage:
			p.images++
		case weir.BlockAudio:
			p.sounds++
		case weir.BlockFile:
			p.files++
		}
	}
}

// withoutContext is text without the elements that agents put in front of what
// their user said (<environment_context>…</environment_context> and the like),
// unless there is nothing else.
func withoutContext(text string) string {
	text = strings.TrimSpace(text)
	for rest := text; ; {
		name, _, ok := strings.Cut(strings.TrimPrefix(rest, "<"), ">")
		if !ok || !strings.HasPrefix(rest, "<") || name == "" || strings.ContainsFunc(name, notInName) {
			return rest
		}
		_, after, closed := strings.Cut(rest, "</"+name+">")
		if after = strings.TrimSpace(after); !closed || after == "" {
			return rest
		}
		rest = after
	}
}

func notInName(r rune) bool { return !inWord(r) && r != '-' && r != '_' }

// readResults puts the results of one message in front, since messages are
// read backwards.
func (p *prompt) readResults(blocks []weir.Block, before []weir.Message) {
	var found []result
	for i := range blocks {
		r := blocks[i].Result
		if r == nil {
			continue
		}
		name := r.Name
		if name == "" {
			name = callName(before, r.CallID)
		}
		found = append(found, result{name: name, text: blocksText(r.Content), isError: r.IsError})
	}
	p.results = append(found, p.results...)
}

// callName finds the tool that a call id belongs to.
func callName(msgs []weir.Message, id string) string {
	for i := len(msgs) - 1; i >= 0; i-- {
		for _, c := range msgs[i].ToolCalls() {
			if c.ID == id {
				return c.Name
			}
		}
	}
	return "tool"
}

// blocksText is what can be read aloud of blocks.
func blocksText(blocks []weir.Block) string {
	var parts []string
	for i := range blocks {
		switch b := &blocks[i]; {
		case b.Text != "":
			parts = append(parts, b.Text)
		case b.Media != nil && b.Media.Text != "":
			parts = append(parts, b.Media.Text)
		case b.Media != nil:
			parts = append(parts, "["+string(b.Type)+"]")
		}
	}
	return strings.Join(parts, "\n")
}
