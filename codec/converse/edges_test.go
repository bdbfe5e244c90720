package converse

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
)

// Thinking in a mode that the target does not take becomes the nearest one. // T-12
func TestThinkingModes(t *testing.T) {
	for _, v := range []struct {
		said  thinking
		modes []string
		want  thinking
	}{
		{thinking{mode: thinkEnabled, budget: 30000}, []string{thinkAdaptive, thinkDisabled}, thinking{mode: thinkAdaptive, effort: codec.EffortOfBudget(30000)}},
		{thinking{mode: thinkAdaptive, display: "omitted"}, []string{thinkEnabled, thinkDisabled}, thinking{mode: thinkEnabled, budget: codec.BudgetOfEffort("medium", 0), display: "omitted"}},
		{thinking{mode: thinkDisabled, effort: "high"}, []string{thinkBetween}, thinking{mode: thinkBetween, effort: "high"}},
		{thinking{mode: thinkBetween}, []string{thinkDisabled, thinkAdaptive}, thinking{mode: thinkDisabled}},
		{thinking{mode: thinkDisabled}, []string{thinkAdaptive}, thinking{effort: "low"}}, // always on
		{thinking{mode: thinkEnabled, budget: 2000}, []string{thinkDisabled}, thinking{}},
		{thinking{mode: thinkAdaptive, effort: "max"}, []string{thinkDisabled}, thinking{effort: "max"}},
	} {
		var losses codec.Losses
		if got := v.said.fit(&codec.Quirks{ThinkingModes: v.modes}, 0, &losses); got != v.want || lossText(losses) != "reasoning approximated" {
			t.Errorf("%+v with %q became %+v, %v", v.said, v.modes, got, losses)
		}
	}
}

// The caller's own reasons to stop stay as they are; every other break is the
// upstream's.
func TestBrokenConnections(t *testing.T) {
	for _, cause := range []error{context.Canceled, context.DeadlineExceeded, errors.New("connection reset"), weir.Errorf(weir.KindTimeout, "too slow")} {
		for name, begin := range map[string]string{"before": "", "inside": stream[:300]} {
			a := streamOf("", false)
			a.Body = iotest.ErrReader(cause)
			if begin != "" {
				a.Body = &then{strings.NewReader(begin), cause}
			}
			err := decode(a).err
			own := errors.Is(cause, context.Canceled) || errors.Is(cause, context.DeadlineExceeded) || errors.Is(cause, weir.KindTimeout)
			if !errors.Is(err, cause) || own == errors.Is(err, weir.KindUpstream) {
				t.Errorf("%s, %v: %v", name, cause, err)
			}
		}
	}
}

// then reads a text and fails behind it.
type then struct {
	text *strings.Reader
	err  error
}

func (r *then) Read(p []byte) (int, error) {
	if r.text.Len() == 0 {
		return 0, r.err
	}
	return r.text.Read(p)
}

// An upstream cannot make a reader hold more than its bounds.
func TestBounds(t *testing.T) {
	var open strings.Builder
	open.WriteString(frames(messageStart, `{"role":"assistant"}`))
	for i := range maxOpen + 1 {
		open.WriteString(frames(contentBlockDelta, fmt.Sprintf(`{"contentBlockIndex":%d,"delta":{"text":"a"}}`, i)))
	}
	if d := decode(streamOf(open.String(), false)); !errors.Is(d.err, weir.KindUpstream) || !strings.Contains(d.err.Error(), "open at once") {
		t.Errorf("blocks that never end: %v", d.err)
	}
	h := heldBlock{}
	h.begin(0, "novel", []byte(`{}`), nil)
	for i := range maxHeldMembers + 10 {
		h.grow("novel", fmt.Appendf(nil, `{"m%d":1}`, i))
	}
	if len(h.fields) != maxHeldMembers {
		t.Errorf("%d members are held", len(h.fields))
	}
	var f weir.Fields
	for i := range maxKept + 10 {
		f = keep(f, strconv.Itoa(i), []byte("1"))
	}
	if len(f) != maxKept {
		t.Errorf("%d members are kept", len(f))
	}
}

// What comes for a call behind its end is left out, and told.
func TestTooLate(t *testing.T) {
	enc := New().NewEncoder(&weir.Request{Stream: true})
	var wire []byte
	for _, ev := range []weir.Event{start(), call(0, "a"), add(0, args, `{"x":1}`), text(1), add(1, txt, "b"), add(0, args, "!"), end(1), end(0), finish(weir.FinishStop)} {
		wire = enc.Encode(wire, ev)
	}
	wire = enc.Close(wire, nil)
	if err := wireRules(t, wire); err != nil || lossText(enc.Losses()) != "content dropped" {
		t.Errorf("%v, %v\n%s", err, enc.Losses(), shown(t, wire))
	}
	if enc.ContentType() != streamType || enc.KeepAlive(nil) != nil || len(enc.Close(nil, nil)) > 0 {
		t.Error("a stream that has ended says more")
	}
	if one := New().NewEncoder(&weir.Request{}); one.ContentType() != "application/json" || one.KeepAlive(nil) != nil {
		t.Error("a whole answer has frames")
	}
	if count := New().NewEncoder(&weir.Request{Op: weir.CountTokens}); count.ContentType() != "application/json" || count.KeepAlive(nil) != nil || len(count.Losses()) > 0 {
		t.Error("a count has frames")
	}
}

// Choices of tomorrow, switches with more in them and numbers of other types.
func TestOddSettings(t *testing.T) {
	const body = `{"messages":[{"role":"user","content":[{"text":"a"},{"document":{"name":"d","format":"txt","source":{"text":"t"},"citations":{"enabled":true,"novel":1}}},
	 {"document":{"name":"e","format":"txt","source":{"text":"t"},"citations":{}}}]}],
	 "toolConfig":{"tools":[{"toolSpec":{"name":"f","description":"","inputSchema":{"novel":{}}}}],"toolChoice":{"novel":{"x":1}}},
	 "serviceTier":{"type":"flex","novel":1},"outputConfig":{"novel":1,"textFormat":{"type":"json_schema","novel":1,"structure":{"novel":2,"jsonSchema":{"schema":"{}","novel":3}}}},
	 "additionalModelRequestFields":{"reasoning_config":"high","thinking":5,"inferenceConfig":{"topK":3,"novel":1},"output_config":{"effort":"low"}}}`
	req := open(t, weir.Generate, "/model/m/converse", body)
	b, err := req.Body()
	if err != nil {
		t.Fatal(err)
	}
	if *b.TopK != 3 || b.Reasoning.Effort != "low" || b.ToolChoice.Mode != weir.ToolModeAuto || b.ServiceTier != "flex" || b.Format == nil {
		t.Errorf("settings %+v", b)
	}
	got, err := rewrite([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	equalJSON(t, "edited", string(got), body)
	for _, wrong := range []string{`"additionalModelRequestFields":5`, `"toolConfig":{"toolChoice":null}`, `"toolConfig":{"tools":null}`} {
		text := `{"messages":[{"role":"user","content":[{"text":"a"}]}],` + wrong + `}`
		if _, err := rewrite([]byte(text)); err != nil {
			t.Errorf("%s: %v", wrong, err)
		}
	}
}
