package converse

import (
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// bodyEncoder writes a canonical body as a request. Members come in a fixed
// order, so that equal requests give equal bytes (C-03).
type bodyEncoder struct {
	req    *weir.Request
	body   *weir.Body
	target *codec.Target
	q      *codec.Quirks
	model  string // as the path names it
	vendor string // who made the model, see vendorOf
	// same tells that the body came in this protocol: Extra is put back, and
	// what the client is responsible for is left to the upstream to judge.
	same   bool
	buf    jsonx.Buffer
	losses codec.Losses
	names  *codec.NameMap
	paths  codec.Paths
	plan   plan
	// drop is how many of the cache breakpoints, from the first, are left out.
	drop      int
	documents map[string]bool // the names that documents have
}

func (e *bodyEncoder) encode() error {
	if n := e.body.N; n != nil && *n > 1 {
		err := weir.Errorf(weir.KindUnsupported, "n: the model's protocol gives one choice a call")
		err.Param, err.Hint = "n", "send several requests"
		return err
	}
	system := e.leadingSystem()
	turns, err := e.arrange(len(system))
	if err != nil {
		return err
	}
	e.autoCache(turns)
	e.names = e.toolNames(turns)
	e.plan = e.makePlan(turns)
	parts := e.systemParts(system)
	e.drop = max(0, e.breakpoints(parts, turns)-maxBreakpoints)
	start := e.begin()
	if err := e.tools(turns); err != nil {
		return err
	}
	if err := e.system(parts); err != nil {
		return err
	}
	if err := e.messages(turns); err != nil {
		return err
	}
	e.settings()
	e.extra(start, e.ownExtra(), "")
	e.buf.EndObject()
	return nil
}

// leadingSystem are the system messages at the head of the conversation that
// belong into the member system: a client of this protocol may have some among its
// messages.
func (e *bodyEncoder) leadingSystem() []weir.Message {
	n := 0
	for msgs := e.body.Messages; n < len(msgs) && isSystem(msgs[n].Role); n++ {
		if e.same && msgs[n].At != "" && msgs[n].At != atSystem {
			break
		}
	}
	return e.body.Messages[:n]
}

func isSystem(r weir.Role) bool { return r == weir.RoleSystem || r == weir.RoleDeveloper }

func (e *bodyEncoder) systemParts(system []weir.Message) []part {
	var parts []part
	for i := range system {
		for k := range system[i].Blocks {
			if b := &system[i].Blocks[k]; b.Type != weir.BlockText || e.same || hasInk(b.Text) {
				parts = append(parts, part{b, codec.Place{Message: i, Block: k}})
			}
		}
		e.lost(system[i].Extra, e.paths.Message(i))
	}
	if e.plan.instruction != "" {
		parts = append(parts, part{block: &weir.Block{Type: weir.BlockText, Text: e.plan.instruction}})
	}
	return parts
}

func (e *bodyEncoder) system(parts []part) error {
	if len(parts) == 0 {
		return nil
	}
	e.buf.Key(atSystem)
	return e.blocks(parts, weir.RoleSystem)
}

func (e *bodyEncoder) messages(turns []turn) error {
	if len(turns) == 0 && e.same && len(e.body.Messages) == 0 && e.body.Extra.Value("promptVariables") != nil {
		return nil // a prompt of Bedrock has its own messages
	}
	e.buf.Key("messages")
	e.buf.BeginArray()
	for i := range turns {
		t := &turns[i]
		start := e.begin()
		e.buf.StringField("role", string(t.role))
		e.buf.Key("content")
		if err := e.blocks(t.parts, t.role); err != nil {
			return err
		}
		e.extra(start, t.extra, e.paths.Message(t.msg))
		e.buf.EndObject()
	}
	e.buf.EndArray()
	return nil
}

// ownExtra are the unknown members of the top level. Those that are kept under a
// path are put back by what writes the object that they are in.
func (e *bodyEncoder) ownExtra() weir.Fields {
	if !e.same {
		return e.body.Extra
	}
	var out weir.Fields
	for _, f := range e.body.Extra {
		if isSetting(f.Name) || isWrittenBelow(f.Name) {
			continue
		}
		if e.req.Op == weir.CountTokens && !isCounted(f.Name) {
			continue
		}
		out = append(out, f)
	}
	return out
}

// isSetting reports whether settings() has written the member.
func isSetting(name string) bool {
	switch name {
	case "inferenceConfig", "additionalModelRequestFields", "outputConfig", "serviceTier":
		return true
	}
	return false
}

// isWrittenBelow reports whether a member is kept under the path of an object that
// has been written.
func isWrittenBelow(name string) bool {
	object, _, nested := strings.Cut(name, ".")
	return nested && (isSetting(object) || object == "toolConfig")
}

// isCounted reports whether CountTokens has the member (ConverseTokensRequest).
func isCounted(name string) bool {
	switch name {
	case "messages", atSystem, "toolConfig", "additionalModelRequestFields":
		return true
	}
	return false
}

// begin opens an object and tells where it begins.
func (e *bodyEncoder) begin() int {
	e.buf.BeginObject()
	return len(e.buf.B) - 1
}

// extra puts unknown members and spellings back into the object that began at
// start, where they came from this protocol; from another protocol they are
// losses.
func (e *bodyEncoder) extra(start int, fields weir.Fields, path string) {
	if !e.same {
		e.losses.DropExtra(path, fields)
		return
	}
	addMissing(&e.buf, start, fields)
}

// lost reports unknown members that there is no object for.
func (e *bodyEncoder) lost(fields weir.Fields, path string) {
	if !e.same {
		e.losses.DropExtra(path, fields)
	}
}

// below puts back the members of an object that are kept under its path.
func (e *bodyEncoder) below(b *jsonx.Buffer, object string) {
	if !e.same {
		return
	}
	for _, f := range e.body.Extra {
		if name, ok := strings.CutPrefix(f.Name, object+"."); ok && !f.Spelling && !strings.Contains(name, ".") {
			b.RawField(name, f.Value)
		}
	}
}
