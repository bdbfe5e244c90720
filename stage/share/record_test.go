package share

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"github.com/weir-gateway/weir"
)

// events are such as no decoder makes, but with everything in them.
func events() *rapid.Generator[[]weir.Event] {
	text := rapid.OneOf(rapid.String(), rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }))
	raw := rapid.SliceOfN(rapid.Byte(), 1, 20)
	name := rapid.StringMatching(`[a-z]{1,5}`)
	fields := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) weir.Field {
		return weir.Field{Name: name.Draw(t, "name"), Value: raw.Draw(t, "value"), Spelling: rapid.Bool().Draw(t, "spelling")}
	}), 1, 3)
	no := false
	return rapid.SliceOf(rapid.Custom(func(t *rapid.T) weir.Event {
		ev := weir.Event{Choice: rapid.Int32().Draw(t, "choice"), Index: rapid.Int32().Draw(t, "index"), More: true}
		if rapid.Bool().Draw(t, "framed") {
			ev.Frame = &weir.Frame{Protocol: weir.OpenAIChat, Raw: raw.Draw(t, "raw"), Events: 1, Whole: rapid.Bool().Draw(t, "whole")}
		}
		switch rapid.IntRange(0, 7).Draw(t, "type") {
		case 0:
			ev.Type, ev.Start = weir.EventStart, &weir.Start{ID: name.Draw(t, "id"), Extra: fields.Draw(t, "extra"), Head: &weir.Head{Status: 200, Header: map[string][]string{"A": {"b"}}}}
		case 1:
			ev.Type, ev.Block = weir.EventBlockStart, &weir.Block{
				Type: weir.BlockFile, Media: &weir.Media{Citations: &no}, Reasoning: &weir.Reasoning{Signature: "s"},
				Call: &weir.ToolCall{Arguments: "{}"}, Opaque: &weir.Opaque{Raw: raw.Draw(t, "opaque")}, Citations: []weir.Citation{{Start: 1}},
			}
		case 2:
			ev.Type, ev.Text, ev.Part = weir.EventDelta, text.Draw(t, "text"), weir.PartArguments
		case 3:
			ev.Type, ev.Part, ev.Citation = weir.EventDelta, weir.PartCitation, &weir.Citation{Raw: raw.Draw(t, "citation")}
		case 4:
			ev.Type, ev.Finish = weir.EventFinish, &weir.Finish{Reason: weir.FinishStop, Details: raw.Draw(t, "details")}
		case 5:
			ev.Type, ev.Usage = weir.EventUsage, &weir.Usage{InputTokens: 1, Known: weir.UsageInput, Extra: fields.Draw(t, "usage")}
		case 6:
			ev.Type, ev.Vector = weir.EventVector, &weir.Vector{JSON: raw.Draw(t, "vector")}
		default:
			ev.Type, ev.Note = weir.EventNote, &weir.Loss{Field: name.Draw(t, "field"), Action: weir.LossDropped}
		}
		return ev
	}))
}

func TestAnAnswerIsKeptAsItIs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := events().Draw(t, "events")
		f := &flight{req: &weir.Request{ID: "r"}, buffer: 1 << 30, mark: digest{1}}
		for _, ev := range want {
			f.add(ev)
		}
		f.add(weir.NoteEvent(&weir.Attempt{Deployment: "d", Provider: "p", Model: "m"})) // not kept, but learnt from
		value, err := f.encode()
		if err != nil {
			t.Fatal(err)
		}
		rec, err := decode(value)
		if err != nil {
			t.Fatal(err)
		}
		var got []weir.Event
		rec.replay(func(ev weir.Event, err error) bool { got = append(got, ev); return err == nil })
		if r, ok := got[0].Note.(*Reused); !ok || r.Deployment != "d" || r.ID != "r" || r.How != Replayed {
			t.Fatalf("the first event is %+v", got[0])
		}
		if got = got[1:]; len(got) != len(want) {
			t.Fatalf("%d events of %d", len(got), len(want))
		}
		for i := range want {
			got[i].More = true
			if !reflect.DeepEqual(got[i], want[i]) {
				t.Fatalf("event %d is %+v\nwant %+v", i, got[i], want[i])
			}
		}
	})
}

func TestEventsOfOneFrameKeepItTogether(t *testing.T) {
	frame := &weir.Frame{Raw: []byte("both"), Events: 2}
	f := &flight{req: &weir.Request{}, buffer: 1 << 20}
	f.add(weir.Event{Type: weir.EventPing, Frame: frame})
	f.add(weir.Event{Type: weir.EventPing, Frame: frame, FrameSeq: 1})
	frame.Raw[0] = 'x' // the buffer is used again
	f.add(weir.Event{Type: weir.EventPing, Frame: frame})
	value, err := f.encode()
	if err != nil {
		t.Fatal(err)
	}
	rec, err := decode(value)
	if err != nil {
		t.Fatal(err)
	}
	var frames []*weir.Frame
	rec.replay(func(ev weir.Event, _ error) bool { frames = append(frames, ev.Frame); return true })
	if frames[1] != frames[2] || frames[2] == frames[3] || string(frames[1].Raw) != "both" || string(frames[3].Raw) != "xoth" {
		t.Errorf("frames %+v", frames)
	}
}

func FuzzDecode(f *testing.F) {
	prefix := append([]byte{stateDone}, make([]byte, len(digest{}))...)
	for _, body := range []string{`{}`, `{"Events":[{"Type":1}]}`, `{"Events":[{"Type":3,"Frame":9}]}`, `{"Events":[{"Type":5,"Usage":{}}],"Err":{"Kind":200}}`, `[`} {
		f.Add(append(bytes.Clone(prefix), body...))
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		rec, err := decode(value)
		if err != nil {
			return
		}
		c := weir.Collector{}
		rec.replay(func(ev weir.Event, err error) bool {
			if err != nil {
				_ = weir.AsError(err).Error()
				return true
			}
			if ev.Choice >= 0 && ev.Choice < 100 && ev.Index >= 0 && ev.Index < 100 {
				c.Add(ev)
			}
			return true
		})
		if _, err := json.Marshal(rec); err != nil {
			t.Fatal(err)
		}
	})
}
