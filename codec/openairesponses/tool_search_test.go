package openairesponses_test

import (
	"strings"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/codec/anthropic"
	"github.com/weir-gateway/weir/codec/openaichat"
	"github.com/weir-gateway/weir/internal/jsonx"
)

const (
	searchTool = `{"type":"tool_search","execution":"client","description":"finds tools","parameters":{"type":"object","properties":{"query":{"type":"string"}},"required":["query"],"additionalProperties":false}}`
	searched   = `{"type":"tool_search_call","id":"tsc_1","call_id":"c1","execution":"client","status":"completed","arguments":{"query":"rivers"}}`
	found      = `{"type":"tool_search_output","call_id":"c1","execution":"client","status":"completed","tools":[` +
		`{"type":"namespace","name":"mcp__maps","description":"maps","tools":[{"type":"function","name":"river","description":"d","strict":false,"defer_loading":true,"parameters":{"type":"object","properties":{}}}]}]}`
	withSearch = `{"model":"m","stream":true,"tools":[` + searchTool + `],"input":[{"role":"user","content":"q"},` + searched + `,` + found + `]}`
)

// toChat is a request as it goes to an upstream of Chat.
func toChat(tb testing.TB, req *weir.Request) (string, *codec.Call) {
	tb.Helper()
	call, err := openaichat.New().EncodeRequest(req, plain(codec.Quirks{}))
	if err != nil {
		tb.Fatal(err)
	}
	return string(join(call.Body)), call
}

// A search for tools that the client runs is a function for an upstream of another
// protocol, and what it found are tools that may be called from then on. // C-09, S-13
func TestClientSearchIsAFunctionElsewhere(t *testing.T) {
	got, call := toChat(t, open(t, withSearch))
	same(t, string(jsonx.Get([]byte(got), "messages")), `[{"role":"user","content":"q"},`+
		`{"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"tool_search","arguments":"{\"query\":\"rivers\"}"}}]},`+
		`{"role":"tool","tool_call_id":"c1","content":"{\"tools\":[\"mcp__maps__river\"]}"}]`)
	same(t, string(jsonx.Get([]byte(got), "tools")), `[{"type":"function","function":{"name":"tool_search","description":"finds tools","parameters":{"type":"object","properties":{"query":{"type":"string"}},"required":["query"],"additionalProperties":false},"strict":false}},`+
		`{"type":"function","function":{"name":"mcp__maps__river","description":"d","parameters":{"type":"object","properties":{}},"strict":false}}]`)
	for _, l := range call.Losses {
		if l.Action == weir.LossDropped && !strings.HasSuffix(l.Field, ".namespace") {
			t.Errorf("%+v", l)
		}
	}
	if call, err := anthropic.New().EncodeRequest(open(t, withSearch), plain(codec.Quirks{})); err != nil || !strings.Contains(string(join(call.Body)), `"name":"mcp__maps__river"`) {
		t.Errorf("%v, %s", err, join(call.Body))
	}
}

// Its calls come back as items of the search, and those of a tool that was found in
// its namespace, streamed or not. // W-12
func TestClientSearchComesBack(t *testing.T) {
	for _, stream := range []bool{true, false} {
		req := open(t, withSearch)
		req.Stream = stream
		answer, _ := written(req, say(weir.OpenAIChat).call("c2", "tool_search", `{"query":`, `"weirs"}`).call("c3", "mcp__maps__river", "{}").done(weir.FinishToolCalls), nil)
		if stream {
			if err := checkStream(answer); err != nil {
				t.Fatalf("%v\n%s", err, answer)
			}
			if strings.Contains(answer, `"name":"tool_search"`) || strings.Count(answer, "function_call_arguments.done\"") != 1 {
				t.Errorf("%s", answer)
			}
			answer = string(jsonx.Get([]byte(answer[strings.LastIndex(answer, "data: ")+6:]), "response"))
		}
		_ = jsonx.EachElement(jsonx.Get([]byte(answer), "output"), func(i int, item []byte) error {
			switch i {
			case 0:
				if id := jsonx.StringOr(jsonx.Get(item, "id"), ""); !strings.HasPrefix(id, "tsc_") {
					t.Errorf("the id is %s", id)
				}
				same(t, string(jsonx.Get(item, "arguments")), `{"query":"weirs"}`)
				for name, want := range map[string]string{"type": "tool_search_call", "execution": "client", "call_id": "c2", "status": "completed"} {
					if got := jsonx.StringOr(jsonx.Get(item, name), ""); got != want {
						t.Errorf("%s is %s", name, got)
					}
				}
			case 1:
				if !strings.Contains(string(item), `"name":"river","namespace":"mcp__maps"`) {
					t.Errorf("%s", item)
				}
			default:
				t.Errorf("%s", item)
			}
			return nil
		})
	}
}

// An answer that is cut in the arguments of a search says so, and is readable.
func TestCutSearch(t *testing.T) {
	answer, lost := written(open(t, withSearch), say(weir.OpenAIChat).call("c2", "tool_search", `{"query":"we`).done(weir.FinishLength), nil)
	if losses(lost) != "output.arguments dropped" {
		t.Errorf("losses %s", losses(lost))
	}
	if err := checkStream(answer); err != nil || !strings.Contains(answer, `"type":"tool_search_call","status":"incomplete"`) {
		t.Errorf("%v\n%s", err, answer)
	}
}

// A client of the same protocol keeps its items and tools, edited or not; a search
// that the provider runs is its own affair, and refused elsewhere. // P-01, C-08
func TestSearchOfTheSameProtocol(t *testing.T) {
	got, call := send(t, open(t, withSearch), codec.Quirks{})
	same(t, got, strings.Replace(withSearch, `"model":"m"`, `"model":"up"`, 1))
	again, _ := send(t, edited(t, open(t, withSearch)), codec.Quirks{})
	same(t, again, strings.Replace(withSearch, `"model":"m"`, `"model":"up"`, 1))
	if len(call.Losses) > 0 {
		t.Error(call.Losses)
	}
	changed, err := open(t, withSearch).Edit(func(b *weir.Body) error {
		b.Tools[0].Description = "other"
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	got, _ = send(t, changed, codec.Quirks{})
	same(t, string(jsonx.Get([]byte(got), "tools")), "["+strings.Replace(searchTool, "finds tools", "other", 1)+"]")

	server := open(t, `{"model":"m","tools":[{"type":"tool_search"}],"input":[{"role":"user","content":"q"},{"type":"tool_search_call","call_id":null,"execution":"server","arguments":{}},{"type":"tool_search_output","call_id":null,"execution":"server","tools":[]}]}`)
	if _, err := openaichat.New().EncodeRequest(server, plain(codec.Quirks{})); weir.AsError(err).Kind != weir.KindUnsupported {
		t.Error(err)
	}
}
