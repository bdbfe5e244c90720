package openaichat

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/weir-gateway/weir"
)

// message is what of a choice has to be the same in every form of an answer:
// the order of text and thinking among themselves does not survive a body.
type message struct {
	Text, Reasoning, Refusal string
	Signatures, Encrypted    string
	Calls                    []string
	Media                    []string
	Citations                int
	Logprobs                 int
	Finish                   weir.FinishReason
}

func messageOf(c *weir.Choice) message {
	m := message{Finish: c.Finish.Reason}
	for i := range c.Message.Blocks {
		b := &c.Message.Blocks[i]
		m.Citations += len(b.Citations)
		switch b.Type {
		case weir.BlockText:
			m.Text += b.Text
		case weir.BlockReasoning:
			m.Reasoning += b.Text
			if b.Reasoning != nil {
				m.Signatures += b.Reasoning.Signature
				m.Encrypted += b.Reasoning.Encrypted
			}
		case weir.BlockRefusal:
			m.Refusal += b.Text
		case weir.BlockToolCall:
			m.Calls = append(m.Calls, b.Call.ID+" "+b.Call.Name+" "+b.Call.Arguments+" "+b.Call.Signature)
		case weir.BlockImage, weir.BlockAudio:
			m.Media = append(m.Media, b.Media.ID+b.Media.Data+b.Media.URL+b.Media.Transcript)
		}
	}
	for _, p := range c.Logprobs {
		m.Logprobs += bytes.Count(p, []byte(`"logprob"`))
	}
	return m
}

// differ tells what is different between two completions, empty for nothing.
func differ(a, b *weir.Completion) string {
	if len(a.Choices) != len(b.Choices) {
		return fmt.Sprintf("%d choices against %d", len(a.Choices), len(b.Choices))
	}
	for i := range a.Choices {
		x, y := asJSON(messageOf(&a.Choices[i])), asJSON(messageOf(&b.Choices[i]))
		if x != y {
			return fmt.Sprintf("choice %d:\n%s\n%s", i, x, y)
		}
	}
	x, y := usageOf(a.Usage), usageOf(b.Usage)
	if x != y {
		return "usage: " + x + " against " + y
	}
	return ""
}

func usageOf(u *weir.Usage) string {
	if u == nil || u.Known == 0 {
		return "none"
	}
	c := *u
	c.Extra, c.From = nil, ""
	return asJSON(c)
}

func asJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// sameEvents tells what is different between two decodings. Frames that say
// nothing are not compared: a lone line end may be one of its own.
func sameEvents(a, b decoded) string {
	if fmt.Sprint(a.err) != fmt.Sprint(b.err) {
		return fmt.Sprintf("errors %v and %v", a.err, b.err)
	}
	if !bytes.Equal(a.raw, b.raw) {
		return "the frames differ"
	}
	x, y := told(a.events), told(b.events)
	if x != y {
		return firstDifference(x, y)
	}
	return ""
}

func told(events []weir.Event) string {
	var s strings.Builder
	for _, ev := range events {
		if ev.Type != weir.EventPing {
			ev.FrameSeq = 0
			s.WriteString(asJSON(ev) + "\n")
		}
	}
	return s.String()
}

func firstDifference(x, y string) string {
	a, b := strings.Split(x, "\n"), strings.Split(y, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Sprintf("event %d:\n%s\n%s", i, a[i], b[i])
		}
	}
	return fmt.Sprintf("%d and %d events", len(a), len(b))
}
