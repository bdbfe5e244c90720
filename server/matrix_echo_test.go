package server_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/weir-gateway/weir"
)

// An echoing is how a client sends an answer back: whole, as it came, or with
// nothing of the model's thoughts.
type echoing struct{ keeps bool }

type object = map[string]any

// echo is the request of a second turn, made as clients make it: the JSON of the
// question, of the answer, and the result of its tool call.
func echo(t *testing.T, p weir.Protocol, question, answer []byte, how *echoing) []byte {
	t.Helper()
	var q, a object
	if json.Unmarshal(question, &q) != nil || json.Unmarshal(answer, &a) != nil {
		t.Fatalf("not JSON: %s %s", question, answer)
	}
	if !how.keeps {
		forget(a)
	}
	switch p {
	case weir.OpenAIChat:
		said := a["choices"].([]any)[0].(object)["message"].(object)
		id := said["tool_calls"].([]any)[0].(object)["id"]
		q["messages"] = append(q["messages"].([]any), said, object{"role": "tool", "tool_call_id": id, "content": "snow"})
	case weir.OpenAIResponses:
		items := a["output"].([]any)
		input, ok := q["input"].([]any)
		if !ok {
			input = []any{object{"role": "user", "content": q["input"]}}
		}
		q["input"] = append(append(input, items...), object{"type": "function_call_output", "call_id": last(items)["call_id"], "output": "snow"})
	case weir.AnthropicMessages:
		said := a["content"].([]any)
		result := object{"type": "tool_result", "tool_use_id": last(said)["id"], "content": "snow"}
		q["messages"] = append(q["messages"].([]any), object{"role": "assistant", "content": said}, object{"role": "user", "content": []any{result}})
	case weir.GeminiGenerate:
		said := a["candidates"].([]any)[0].(object)["content"].(object)
		result := object{"name": "get_weather", "response": object{"output": "snow"}}
		if id := last(said["parts"].([]any))["functionCall"].(object)["id"]; id != nil {
			result["id"] = id
		}
		q["contents"] = append(q["contents"].([]any), said, object{"role": "user", "parts": []any{object{"functionResponse": result}}})
	case weir.OllamaChat:
		q["messages"] = append(q["messages"].([]any), a["message"], object{"role": "tool", "tool_name": "get_weather", "content": "snow"})
	default:
		t.Fatalf("no client speaks %s", p)
	}
	text, err := json.Marshal(q)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func last(list []any) object { return list[len(list)-1].(object) }

// forget takes everything that belongs to the model's thoughts out of an answer.
func forget(v any) any {
	switch v := v.(type) {
	case object:
		for k, x := range v {
			if strings.HasPrefix(k, "reasoning") || k == "thinking" || k == "thoughtSignature" || k == "extra_content" {
				delete(v, k)
				continue
			}
			v[k] = forget(x)
		}
	case []any:
		kept := []any{}
		for _, x := range v {
			if o, ok := x.(object); ok && (o["thought"] == true || o["type"] == "reasoning" || o["type"] == "thinking" || o["type"] == "redacted_thinking") {
				continue
			}
			kept = append(kept, forget(x))
		}
		return kept
	}
	return v
}
