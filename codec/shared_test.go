package codec

import (
	"errors"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
)

func TestABadBodyIsRefusedWithItsPlace(t *testing.T) {
	for _, c := range []struct{ name, body, want string }{
		{"a missing comma", "{\n  \"model\": \"m\"\n  \"a\": 1}", "invalid JSON at line 3, column 3"},
		{"a key that is there twice", `{"model":"a","model":"b"}`, `"model" is there twice`},
		{"no object", `[]`, "line 1, column 1"},
	} {
		_, err := ScanTop(&weir.Wire{Body: []byte(c.body)})
		if !errors.Is(err, weir.KindInvalid) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestTheScanIsKeptOnlyAtTheDoor(t *testing.T) {
	w := &weir.Wire{Body: []byte(`{"a":1}`)}
	if _, err := TopOf(w); err != nil || w.Index != nil {
		t.Errorf("TopOf kept a scan: %v", err)
	}
	top, err := ScanTop(w)
	if again, _ := TopOf(w); err != nil || again != top {
		t.Errorf("ScanTop kept nothing: %v", err)
	}
	pieces, err := RelayBody(w, []jsonx.Edit{{Key: "a", Value: []byte("2")}})
	if err != nil || string(pieces[0])+string(pieces[1])+string(pieces[2]) != `{"a":2}` {
		t.Errorf("%q, %v", pieces, err)
	}
}

func TestNamesAreShortenedTheSameWayEveryTime(t *testing.T) { // S-09, C-03
	long := strings.Repeat("mcp__server__", 10)
	short := ShortenName(long, 64)
	if short != ShortenName(long, 64) || len(short) != 64 || !isLegal(short, 64) {
		t.Errorf("%q", short)
	}
	if ShortenName("get_weather", 64) != "get_weather" {
		t.Error("a legal name was changed")
	}
	for limit := 1; limit < 70; limit++ {
		for _, name := range []string{"天气", "a.b", long, " "} {
			if got := ShortenName(name, limit); !isLegal(got, limit) {
				t.Errorf("%q at %d: %q", name, limit, got)
			}
			if got := ShortenID(name, limit); !isLegal(got, limit) {
				t.Errorf("id %q at %d: %q", name, limit, got)
			}
		}
	}
}

func TestNoTwoToolsShareAName(t *testing.T) { // S-09
	taken := ShortenName("a.b", 64) // a client's own name that looks shortened
	m := NewNameMap(64, "a.b", taken, "a_b", "a.b")
	if m.Sent("a.b") == taken || m.Sent(taken) != taken || m.Sent("a_b") != "a_b" {
		t.Errorf("%q %q", m.Sent("a.b"), taken)
	}
	if m.Back()[m.Sent("a.b")] != "a.b" {
		t.Error("no way back")
	}
	if NewNameMap(64, "x", "y").Back() != nil {
		t.Error("a map for nothing")
	}
}

func TestCallIDs(t *testing.T) { // S-09
	if ShortenID("call_1", 40) != "call_1" || ShortenID("", 40) != "" || AlnumID9("abcDEF123") != "abcDEF123" {
		t.Error("a legal id was changed")
	}
	for _, id := range []string{"functions.f:0", strings.Repeat("x", 99)} {
		if got := ShortenID(id, 40); !isLegal(got, 40) || got != ShortenID(id, 40) {
			t.Errorf("%q", got)
		}
		if got := AlnumID9(id); len(got) != 9 || !isAlnum(got) {
			t.Errorf("%q", got)
		}
	}
}

func TestEffortsBecomeBudgetsAndBack(t *testing.T) { // T-12
	for _, effort := range []string{"minimal", "low", "medium", "high", "xhigh"} {
		if got := EffortOfBudget(BudgetOfEffort(effort, 0)); effort != "minimal" && got != effort {
			t.Errorf("%s became %s", effort, got)
		}
		for _, limit := range []int64{1025, 4096, 100000} {
			if b := BudgetOfEffort(effort, limit); b < MinBudget || b >= limit {
				t.Errorf("%s at %d: %d", effort, limit, b)
			}
		}
	}
	if BudgetOfEffort("none", 0) != 0 || BudgetOfEffort("max", 5000) != 4999 {
		t.Error("none or max")
	}
}

func TestEffortsMoveToTheNearestThatIsTaken(t *testing.T) { // T-11
	deepseek := []string{"low", "high", "max"}
	for _, c := range []struct {
		effort   string
		accepted []string
		want     string
	}{
		{"medium", deepseek, "high"}, {"xhigh", deepseek, "max"}, {"minimal", deepseek, "low"}, {"none", deepseek, "low"},
		{"high", nil, "high"}, {"low", []string{"none", "high"}, "high"}, {"strange", deepseek, "high"}, {"low", []string{"default"}, "default"},
	} {
		if got, changed := ClampEffort(c.effort, c.accepted); got != c.want || changed != (got != c.effort) {
			t.Errorf("%s among %v: %s", c.effort, c.accepted, got)
		}
	}
}

func TestStrictRefusesWhatIsLost(t *testing.T) { // P-01
	var l Losses
	l.Rename("a", "")
	l.Clamp("b", "")
	l.Move("c", "")
	if l.Refuse(true) != nil {
		t.Error("refused what is kept")
	}
	l.DropExtra("messages[0]", weir.Fields{{Name: "x", Value: []byte("null")}, {Name: "y", Value: []byte("1"), Spelling: true}, {Name: "z", Value: []byte("1")}})
	if len(l) != 4 || l[3].Field != "messages[0].z" {
		t.Errorf("%v", l)
	}
	err := l.Refuse(true)
	if !errors.Is(err, weir.KindUnsupported) || !strings.Contains(err.Error(), "messages[0].z") || l.Refuse(false) != nil {
		t.Error(err)
	}
}

func TestDataURLs(t *testing.T) {
	for _, c := range []struct{ url, mime, data string }{
		{"data:image/png;base64,AAAA", "image/png", "AAAA"},
		{"data:text/plain;charset=utf-8;base64,QQ==", "text/plain", "QQ=="},
		{"data:,A%20B", "", "QSBC"},
	} {
		if mime, data, ok := ParseDataURL(c.url); !ok || mime != c.mime || data != c.data {
			t.Errorf("%s: %q %q", c.url, mime, data)
		}
	}
	for _, url := range []string{"https://x/y.png", "data:image/png;base64", "data:,%zz", ""} {
		if _, _, ok := ParseDataURL(url); ok {
			t.Errorf("%q is one", url)
		}
	}
}

func TestSystemTextMovesToWhereItIsAllowed(t *testing.T) { // P-05
	msgs := []weir.Message{
		weir.SystemText("one"), weir.UserText("hi"),
		{Role: weir.RoleAssistant, Blocks: []weir.Block{{Type: weir.BlockToolCall, Call: &weir.ToolCall{ID: "c"}}}},
		weir.SystemText("two"), weir.ToolResultText("c", "r"), weir.UserText("go"), weir.SystemText("three"),
	}
	var l Losses
	got := SystemFirst(msgs, &l)
	var roles []string
	for _, m := range got {
		roles = append(roles, string(m.Role))
	}
	if want := []string{"system", "user", "assistant", "tool", "user", "user"}; !reflect.DeepEqual(roles, want) {
		t.Errorf("%v", roles)
	}
	if got[4].Text() != "<system>\ntwo\n</system>go" || len(l) != 2 || len(msgs) != 7 || !msgs[5].Plain {
		t.Errorf("%q, %v", got[4].Text(), l)
	}
	if again := SystemFirst(msgs[:2], &l); len(again) != 2 || len(l) != 2 {
		t.Error("nothing was to be done")
	}
}

func TestNeighboursOfOneRoleBecomeOne(t *testing.T) { // P-06
	got := MergeNeighbours([]weir.Message{
		weir.UserText("a"), weir.UserText("b"), weir.AssistantText("c"), weir.ToolResultText("1", "x"), weir.ToolResultText("2", "y"),
	})
	if len(got) != 4 || got[0].Text() != "a\n\nb" || !got[0].Plain {
		t.Errorf("%+v", got)
	}
}

func TestPathsAreInTheWordsOfTheClient(t *testing.T) { // P-01
	msgs := []weir.Message{weir.SystemText("s"), weir.UserText("a")}
	for _, c := range []struct {
		from         weir.Protocol
		message, sys string
	}{{weir.AnthropicMessages, "messages[0].content[2]", "system[1]"}, {weir.OpenAIChat, "messages[1].content[2]", "messages[0].content[1]"}, {"", "messages[1].content[2]", "messages[0].content[1]"}} {
		p := NewPaths(&weir.Body{From: c.from, Messages: msgs})
		if got := p.Block(Place{1, 2}); got != c.message {
			t.Errorf("%s: %s", c.from, got)
		}
		if got := p.Block(Place{0, 1}); got != c.sys {
			t.Errorf("%s: %s", c.from, got)
		}
	}
	bare := NewPaths(&weir.Body{From: weir.AnthropicMessages, Messages: msgs[1:]})
	if got := bare.Message(0); got != "messages[0]" {
		t.Errorf("without a system text: %s", got)
	}
}

func TestBlocksRememberWhereTheyStood(t *testing.T) { // P-01
	turns := Turns([]weir.Message{
		weir.UserText("a"), {Role: weir.RoleUser, Blocks: []weir.Block{{Type: weir.BlockToolResult}, {Type: weir.BlockText, Text: "b"}}},
		weir.AssistantText("c"), weir.SystemText("s"), {Role: weir.RoleUser, Blocks: []weir.Block{{Type: weir.BlockToolResult}, {Type: weir.BlockText, Text: "d"}}},
	})
	var l Losses
	got := MergeTurns(SystemTurnsFirst(turns, strconv.Itoa, &l))
	want := [][]Place{{{0, 0}, {1, 0}, {1, 1}}, {{2, 0}}, {{4, 0}, {3, 0}, {4, 1}}}
	for i := range got {
		if !reflect.DeepEqual(got[i].AllPlaces(), want[i]) {
			t.Errorf("turn %d: %v, want %v", i, got[i].AllPlaces(), want[i])
		}
	}
	if len(l) != 1 || l[0].Field != "3" || turns[4].Places != nil {
		t.Errorf("%v", l)
	}
}

func TestArgumentsAreRepairedWhereThatIsSafe(t *testing.T) { // S-04, S-06, S-07
	for in, want := range map[string]string{
		"": "{}", " ": "{}", "{}": "{}", `{"a":1}`: `{"a":1}`, `{}{"a":1}`: `{"a":1}`, `{"a":1,}`: `{"a":1}`,
	} {
		if got, ok := RepairArguments(in); !ok || got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
	for _, in := range []string{`{"a":`, `[1]`, `{"a":1}{"b":2}`, `x`} {
		if got, ok := RepairArguments(in); ok || got != in {
			t.Errorf("%q: %q", in, got)
		}
	}
}

func FuzzRepairArguments(f *testing.F) {
	f.Add(`{}{"a":1,}`)
	f.Fuzz(func(t *testing.T, s string) {
		if got, ok := RepairArguments(s); ok && jsonx.Valid([]byte(got)) != nil {
			t.Errorf("%q", got)
		}
	})
}
