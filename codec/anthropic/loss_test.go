package anthropic

import (
	"strings"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
)

func TestLossesOfAnAnswerAreReportedOnceStreamedAndNot(t *testing.T) { // P-01
	piece := add(0, weir.PartLogprobs, `{"content":[]}`)
	other := weir.Event{Type: weir.EventBlockStart, Choice: 1, Block: &weir.Block{Type: weir.BlockText}}
	cited := weir.Event{Type: weir.EventDelta, Part: weir.PartCitation, Citation: &weir.Citation{URL: "https://x"}}
	events := []weir.Event{start(), text(0), add(0, txt, "a"), piece, piece, cited, cited, other, other, end(0), finish(weir.FinishStop)}
	for _, stream := range []bool{true, false} {
		e := New().NewEncoder(&weir.Request{Stream: stream})
		for _, ev := range events {
			e.Encode(nil, ev)
		}
		e.Close(nil, nil)
		seen := map[string]int{}
		for _, l := range e.Losses() {
			seen[l.Field]++
		}
		if len(seen) != 3 || seen["logprobs"] != 1 || seen["choices"] != 1 || seen["content.citations"] != 1 {
			t.Errorf("stream %v: %v", stream, seen)
		}
	}
}

func TestACitationWithoutATextIsALoss(t *testing.T) { // P-01
	cited := weir.Event{Type: weir.EventDelta, Part: weir.PartCitation, Citation: &weir.Citation{Raw: []byte(`{}`), From: protocol}}
	for _, stream := range []bool{true, false} {
		e := New().NewEncoder(&weir.Request{Stream: stream})
		for _, ev := range []weir.Event{start(), text(0), cited, end(0), finish(weir.FinishStop)} {
			e.Encode(nil, ev)
		}
		e.Close(nil, nil)
		if l := e.Losses(); len(l) != 1 || l[0].Field != "content.citations" {
			t.Errorf("stream %v: %v", stream, l)
		}
	}
}

func TestWhiteSpaceBetweenTextsIsKeptInAWholeAnswer(t *testing.T) { // W-12
	body := `{"type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"green."},{"type":"text","text":" "},{"type":"text","text":""},{"type":"text","text":"The sky"}],"stop_reason":"end_turn","usage":{}}`
	d := decode(t, &codec.Answer{Body: strings.NewReader(body), Target: plainTarget("m")})
	out := string(encode(&weir.Request{}, byValue(d.events), nil))
	if want := `"content":[{"type":"text","text":"green."},{"type":"text","text":" "},{"type":"text","text":"The sky"}]`; !strings.Contains(out, want) {
		t.Errorf("%s is not in %s", want, out)
	}
}
