package anthropic

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/weir-gateway/weir/internal/jsonx"
	"github.com/weir-gateway/weir/internal/sse"
)

// wireRules checks a stream against the state machine of protocols.md §6.6, more
// strictly than any client: exactly one message_start, blocks numbered from 0 and
// never overlapping, deltas that fit the open block, no empty text or thinking,
// one signature and last, one message_delta with usage, one message_stop last.
func wireRules(stream []byte) error {
	r := sse.NewReader(bytes.NewReader(stream), 0)
	defer r.Release()
	var c wireChecker
	for {
		f, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		if err := c.frame(f); err != nil {
			return fmt.Errorf("%w at %s", err, f.Raw)
		}
	}
	if c.state != "done" {
		return fmt.Errorf("the stream ends in state %q", c.state)
	}
	return nil
}

type wireChecker struct {
	state  string // "", "idle", "block", "ending", "done"
	next   int64
	kind   string
	text   int
	input  []byte
	signed bool
}

func (c *wireChecker) frame(f *sse.Frame) error {
	typ := jsonx.StringOr(jsonx.Get(f.Data, "type"), "")
	if typ != string(f.Event) {
		return fmt.Errorf("type %q in event %q", typ, f.Event)
	}
	if err := jsonx.Valid(f.Data); err != nil {
		return err
	}
	switch {
	case typ == "ping":
	case typ == "message_start" && c.state == "":
		c.state = "idle"
		return hasUsage(jsonx.GetPath(f.Data, "message", "usage"), "input_tokens", "output_tokens")
	case typ == "content_block_start" && c.state == "idle":
		return c.start(f.Data)
	case typ == "content_block_delta" && c.state == "block":
		return c.delta(f.Data)
	case typ == "content_block_stop" && c.state == "block":
		return c.stop(f.Data)
	case typ == "message_delta" && c.state == "idle":
		c.state = "ending"
		if jsonx.StringOr(jsonx.GetPath(f.Data, "delta", "stop_reason"), "") == "" {
			return fmt.Errorf("no stop_reason")
		}
		return hasUsage(jsonx.Get(f.Data, "usage"), "output_tokens")
	case typ == "message_stop" && c.state == "ending":
		c.state = "done"
	default:
		return fmt.Errorf("%s in state %q", typ, c.state)
	}
	return nil
}

func hasUsage(raw []byte, names ...string) error {
	for _, name := range names {
		if n, ok := jsonx.Int64(jsonx.Get(raw, name)); !ok || n < 0 {
			return fmt.Errorf("no %s", name)
		}
	}
	return nil
}

func (c *wireChecker) start(data []byte) error {
	if n, ok := jsonx.Int64(jsonx.Get(data, "index")); !ok || n != c.next {
		return fmt.Errorf("index %d, want %d", n, c.next)
	}
	block := jsonx.Get(data, "content_block")
	*c = wireChecker{state: "block", next: c.next, kind: jsonx.StringOr(jsonx.Get(block, "type"), "")}
	if c.kind == "tool_use" {
		if string(jsonx.Get(block, "input")) != "{}" || jsonx.StringOr(jsonx.Get(block, "id"), "") == "" {
			return fmt.Errorf("a call begins with an id and an empty input")
		}
	}
	return nil
}

var deltaOf = map[string]string{
	"text_delta": "text", "thinking_delta": "thinking", "signature_delta": "thinking",
	"citations_delta": "text",
}

func (c *wireChecker) delta(data []byte) error {
	if n, ok := jsonx.Int64(jsonx.Get(data, "index")); !ok || n != c.next {
		return fmt.Errorf("delta for %d in block %d", n, c.next)
	}
	d := jsonx.Get(data, "delta")
	typ := jsonx.StringOr(jsonx.Get(d, "type"), "")
	if typ == "input_json_delta" {
		if c.kind == "text" || strings.HasSuffix(c.kind, "thinking") {
			return fmt.Errorf("input for %s", c.kind)
		}
		c.input = append(c.input, jsonx.StringOr(jsonx.Get(d, "partial_json"), "")...)
		return nil
	}
	if deltaOf[typ] != c.kind || c.signed {
		return fmt.Errorf("%s for %s, signed %v", typ, c.kind, c.signed)
	}
	if typ == "signature_delta" {
		c.signed = true
	}
	c.text += len(jsonx.StringOr(jsonx.Get(d, "text"), "")) + len(jsonx.StringOr(jsonx.Get(d, "thinking"), "")) +
		len(jsonx.StringOr(jsonx.Get(d, "signature"), ""))
	return nil
}

func (c *wireChecker) stop(data []byte) error {
	if n, ok := jsonx.Int64(jsonx.Get(data, "index")); !ok || n != c.next {
		return fmt.Errorf("stop of %d in block %d", n, c.next)
	}
	if (c.kind == "text" || c.kind == "thinking") && c.text == 0 {
		return fmt.Errorf("an empty block of %s", c.kind)
	}
	*c = wireChecker{state: "idle", next: c.next + 1}
	return nil
}
