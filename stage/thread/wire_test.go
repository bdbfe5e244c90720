package thread

import (
	"bytes"
	"errors"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/weir-gateway/weir"
)

// fill sets every field of v to something that is not its zero value, so that
// one that encoding forgets is found, also one that is added later.
func fill(v reflect.Value, depth int, n *int) {
	*n++
	switch v.Kind() {
	case reflect.String:
		v.SetString("text <&> \u2028 " + string(rune('a'+*n%26)))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(*n))
	case reflect.Uint16:
		v.SetUint(uint64(*n))
	case reflect.Uint8:
		v.SetUint(uint64(*n % 256))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), depth, n)
	case reflect.Slice:
		if depth == 0 {
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range 2 {
			fill(v.Index(i), depth-1, n)
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Unix(int64(1_700_000_000+*n), 0).UTC()))
			return
		}
		for _, field := range v.Fields() {
			fill(field, depth, n)
		}
	}
}

func TestNothingOfARecordIsLost(t *testing.T) {
	var rec Record
	n := 0
	fill(reflect.ValueOf(&rec).Elem(), 5, &n)
	b, err := rec.encode()
	if err != nil {
		t.Fatal(err)
	}
	back, err := decodeRecord(b)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(&rec, back) {
		t.Errorf("wrote %+v\nread  %+v", rec, *back)
	}
}

func TestNothingOfAnItemIsLost(t *testing.T) {
	var it Item
	n := 0
	fill(reflect.ValueOf(&it.Message).Elem(), 5, &n)
	it.ID, it.Raw, it.join = "item_1", []byte(`{"type": "message"}`), true
	e, err := it.encode()
	if err != nil {
		t.Fatal(err)
	}
	back, err := decodeItem(&e)
	if err != nil || !reflect.DeepEqual(it, back) {
		t.Errorf("wrote %+v\nread  %+v (%v)", it, back, err)
	}
}

func TestTextSurvivesByteForByte(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		raw := rapid.SliceOf(rapid.Byte()).Draw(t, "bytes")
		m := weir.UserText(string(raw))
		it := Item{Message: m}
		e, err := it.encode()
		if err != nil {
			t.Fatal(err)
		}
		back, err := decodeItem(&e)
		if err != nil || back.Message.Text() != string(raw) {
			t.Fatalf("%q became %q (%v)", raw, back.Message.Text(), err)
		}
	})
}

func TestLaterVersionsAreNotRead(t *testing.T) {
	for _, b := range []string{`{"v":2,"id":"x","status":"completed"}`, `{"id":"x"}`, `{`, ``, `null`, `[]`} {
		if _, err := decodeRecord([]byte(b)); !errors.Is(err, weir.KindInternal) {
			t.Errorf("%s: %v", b, err)
		}
	}
}

func FuzzDecodeRecord(f *testing.F) {
	rec := Record{ID: "a", Status: Completed, Input: []weir.Message{weir.UserText("hi")}, Output: []weir.Message{weir.AssistantText("\xff")}}
	b, err := rec.encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte(`{"v":1,"input":[{"role":{"b":"/w=="},"blocks":[{"type":"text","result":{"content":[{}]}}]}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		rec, err := decodeRecord(b)
		if err != nil {
			return
		}
		again, err := rec.encode()
		if err != nil {
			t.Fatal(err)
		}
		back, err := decodeRecord(again)
		if err != nil {
			t.Fatal(err)
		}
		third, err := back.encode()
		if err != nil || !bytes.Equal(again, third) {
			t.Errorf("%s\nbecame %s", again, third)
		}
	})
}

func drawMessages(t *rapid.T) []weir.Message {
	types := []weir.BlockType{weir.BlockText, weir.BlockReasoning, weir.BlockToolCall, weir.BlockToolResult, weir.BlockOpaque, weir.BlockImage, weir.BlockRefusal}
	roles := []weir.Role{weir.RoleUser, weir.RoleAssistant, weir.RoleTool, weir.RoleDeveloper}
	out := make([]weir.Message, rapid.IntRange(0, 6).Draw(t, "messages"))
	for i := range out {
		m := &out[i]
		m.Role = rapid.SampledFrom(roles).Draw(t, "role")
		m.Name = rapid.SampledFrom([]string{"", "bob"}).Draw(t, "name")
		for range rapid.IntRange(0, 5).Draw(t, "blocks") {
			b := weir.Block{Type: rapid.SampledFrom(types).Draw(t, "type"), Text: rapid.StringN(0, 3, 9).Draw(t, "text")}
			if b.Type == weir.BlockToolCall {
				b.Call = &weir.ToolCall{ID: "c", Type: rapid.SampledFrom([]weir.ToolType{"", weir.ToolCustom}).Draw(t, "tool")}
			}
			m.Blocks = append(m.Blocks, b)
		}
	}
	return out
}

func TestItemsBecomeTheirMessagesAgain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		messages := drawMessages(t)
		items := SplitItems(messages)
		entries, err := encodeItems(items)
		if err != nil {
			t.Fatal(err)
		}
		read, err := decodeItems(entries)
		if err != nil {
			t.Fatal(err)
		}
		back := joinItems(read)
		if len(messages) == 0 && len(back) == 0 {
			return
		}
		if !reflect.DeepEqual(messages, back) {
			t.Fatalf("%+v\nbecame %+v", messages, back)
		}
	})
}

func TestItemsAreCountedAsTheProtocolDoes(t *testing.T) {
	m := weir.Message{Role: weir.RoleAssistant, Blocks: []weir.Block{
		{Type: weir.BlockReasoning}, {Type: weir.BlockText, Text: "a"}, {Type: weir.BlockRefusal, Text: "b"},
		{Type: weir.BlockToolCall, Call: &weir.ToolCall{}}, {Type: weir.BlockToolCall, Call: &weir.ToolCall{Type: weir.ToolCustom}},
	}}
	results := weir.Message{Role: weir.RoleTool, Blocks: []weir.Block{{Type: weir.BlockToolResult}, {Type: weir.BlockToolResult}}}
	var prefixes []string
	items := splitItems([]weir.Message{weir.UserText("q"), m, results}, func(p string) string {
		prefixes = append(prefixes, p)
		return p
	})
	want := []string{"msg_", "rs_", "msg_", "fc_", "ctc_", "fco_", "fco_"}
	if !reflect.DeepEqual(prefixes, want) || len(items[2].Message.Blocks) != 2 {
		t.Errorf("items %v", prefixes)
	}
}
