package thread_test

import (
	"context"
	"iter"
	"strings"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec/anthropic"
	"github.com/weir-gateway/weir/codec/openaichat"
	"github.com/weir-gateway/weir/codec/openairesponses"
	"github.com/weir-gateway/weir/stage/thread"
)

const (
	search     = `{"type":"tool_search","execution":"client","description":"finds tools","parameters":{"type":"object"}}`
	additional = `{"type":"additional_tools","role":"developer","tools":[{"type":"namespace","name":"functions","description":"all","tools":[` +
		`{"type":"custom","name":"exec","description":"runs","format":{"type":"text"}},` +
		`{"type":"function","name":"wait","strict":false,"parameters":{"type":"object"}}]},` + search + `]}`
	outputs = `{"type":"custom_tool_call_output","call_id":"call_1","output":"x"},{"type":"function_call_output","call_id":"call_3","output":"y"},` +
		`{"type":"tool_search_output","call_id":"call_2","execution":"client","status":"completed","tools":[`
	found = `{"type":"namespace","name":"mcp__maps","description":"maps","tools":[{"type":"function","name":"river","strict":false,"parameters":{"type":"object"}}]}`

	callsMessages = `{"id":"msg_1","type":"message","role":"assistant","model":"up","content":[{"type":"tool_use","id":"call_1","name":"functions__exec","input":{"input":"ls"}},` +
		`{"type":"tool_use","id":"call_2","name":"tool_search","input":{"query":"maps"}},{"type":"tool_use","id":"call_3","name":"mcp__maps__river","input":{}}],"stop_reason":"tool_use","usage":{"input_tokens":5,"output_tokens":3}}`
	callsChat = `{"id":"c","object":"chat.completion","created":1,"model":"up","choices":[{"index":0,"finish_reason":"tool_calls","message":{"role":"assistant","content":null,"tool_calls":[` +
		`{"id":"call_1","type":"custom","custom":{"name":"functions__exec","input":"ls"}},` +
		`{"id":"call_2","type":"function","function":{"name":"tool_search","arguments":"{\"query\":\"maps\"}"}},{"id":"call_3","type":"function","function":{"name":"mcp__maps__river","arguments":"{}"}}]}}],"usage":{"prompt_tokens":5,"completion_tokens":3,"total_tokens":8}}`
)

// names are those of the tools that an upstream was sent.
func names(sent map[string]any) string {
	var out []string
	list, _ := sent["tools"].([]any)
	for _, tool := range list {
		o, _ := tool.(map[string]any)
		for _, kind := range []string{"function", "custom"} {
			if inner, ok := o[kind].(map[string]any); ok {
				o = inner
			}
		}
		name, _ := o["name"].(string)
		out = append(out, name)
	}
	return strings.Join(out, " ")
}

// Tools that a client has declared once, in the middle of its input, hold for what
// continues it: the upstream is told of them again, in an order that only grows,
// and their calls come back as what the client knows. // P-08, P-17, C-01, S-13
func TestToolsOfTheHistory(t *testing.T) {
	const all = "functions__exec functions__wait tool_search"
	for name, p := range map[string]*provider{
		"messages": {codec: anthropic.New(), answers: []string{callsMessages}},
		"chat":     {codec: openaichat.New(), answers: []string{callsChat}},
	} {
		for how, set := range map[string]struct {
			store   string
			context func(context.Context) context.Context
		}{
			"kept":                {`"store":true`, nil},
			"on a connection":     {`"store":false`, func(ctx context.Context) context.Context { return thread.WithSession(ctx, thread.NewSession(0)) }},
			"warm, on connection": {`"generate":false,"store":false`, func(ctx context.Context) context.Context { return thread.WithSession(ctx, thread.NewSession(0)) }},
		} {
			t.Run(name+", "+how, func(t *testing.T) {
				p.got = nil
				h := weir.Chain(p, thread.New(thread.Options{Keeper: newKeeper(), Deployment: "p/m", Provider: "p", Keep: true, Tools: openairesponses.DeclaredTools}))
				ctx := t.Context()
				if set.context != nil {
					ctx = set.context(ctx)
				}
				h = in(ctx, h)
				one := parse(t, post(t, h, `{"model":"m",`+set.store+`,"max_output_tokens":99,"input":[`+additional+`,{"role":"user","content":"q"}]}`))
				rest := `{"model":"m",` + strings.TrimPrefix(set.store, `"generate":false,`) + `,"max_output_tokens":99,"previous_response_id":"`
				second := `{"role":"user","content":"r"}`
				if len(one.Output) > 0 {
					second = outputs + `]}`
				}
				two := post(t, h, rest+one.ID+`","input":[`+second+`]}`)
				if got := names(p.got[len(p.got)-1]); got != all {
					t.Errorf("the second turn has the tools %q", got)
				}
				comesBack(t, two, `"name":"exec","namespace":"functions"`, `"type":"custom_tool_call"`, `"type":"tool_search_call"`)
				three := post(t, h, rest+parse(t, two).ID+`","input":[`+outputs+found+`]}]}`)
				if got := names(p.got[len(p.got)-1]); got != all+" mcp__maps__river" {
					t.Errorf("the third turn has the tools %q", got)
				}
				comesBack(t, three, `"name":"exec","namespace":"functions"`, `"name":"river","namespace":"mcp__maps"`)
				// What nobody keeps has them too.
				four := post(t, h, strings.Replace(rest, `"store":true`, `"store":false`, 1)+parse(t, three).ID+`","input":[`+outputs+`]}],"tools":[{"type":"function","name":"own","parameters":{"type":"object"},"strict":false}]}`)
				if got := names(p.got[len(p.got)-1]); got != "own "+all+" mcp__maps__river" {
					t.Errorf("the fourth turn has the tools %q", got)
				}
				comesBack(t, four, `"name":"river","namespace":"mcp__maps"`)
			})
		}
	}
}

// Of an upstream of the same protocol that keeps nothing, the item goes up as it
// was.
func TestToolsOfTheHistoryInTheSameProtocol(t *testing.T) {
	p := &provider{codec: responses, answers: []string{strings.Replace(responsesAnswer, "%d", "1", 1), strings.Replace(responsesAnswer, "%d", "2", 1)}}
	h := thread.New(thread.Options{Keeper: newKeeper(), Deployment: "p/m", Provider: "p", Native: true, Keep: true, Tools: openairesponses.DeclaredTools})(p)
	one := parse(t, post(t, h, `{"model":"m","input":[`+additional+`,{"role":"user","content":"q"}]}`))
	post(t, h, `{"model":"m","previous_response_id":"`+one.ID+`","input":[`+results+`]}`)
	sent := p.got[1]
	item, _ := sent["input"].([]any)[0].(map[string]any)
	first, _ := p.got[0]["input"].([]any)[0].(map[string]any)
	if list, _ := item["tools"].([]any); sent["tools"] != nil || item["type"] != "additional_tools" || len(list) != 2 || len(first["tools"].([]any)) != 2 {
		t.Errorf("%v", sent)
	}
}

// in is h with ctx in place of its caller's.
func in(ctx context.Context, h weir.Handler) weir.Handler {
	return weir.HandlerFunc(func(_ context.Context, req *weir.Request) iter.Seq2[weir.Event, error] {
		return h.Handle(ctx, req)
	})
}

func comesBack(t *testing.T, answer string, wants ...string) {
	t.Helper()
	for _, want := range wants {
		if !strings.Contains(answer, want) {
			t.Errorf("no %s in %s", want, answer)
		}
	}
}
