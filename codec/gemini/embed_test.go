package gemini_test

import (
	"strings"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/codec/gemini"
	"github.com/weir-gateway/weir/codec/openairest"
	"github.com/weir-gateway/weir/internal/jsonx"
)

func vectorsOf(body string) *codec.Answer {
	return &codec.Answer{Body: strings.NewReader(body), Op: weir.Embed, Target: target("e")}
}

// One input is embedContent, several are batchEmbedContents, whose parts all name
// the model of the path.
func TestVectorsForOthers(t *testing.T) {
	body := &weir.Body{From: weir.OpenAIREST, Messages: []weir.Message{weir.UserText("a")}, Embed: &weir.EmbedConfig{Dimensions: new(int64(8)), Task: "search_query"}}
	req := weir.NewRequest("e", body)
	req.Op = weir.Embed
	c, out := sent(t, req, target("gemini-embedding-001"))
	equalJSON(t, "one", out, `{"content":{"parts":[{"text":"a"}]},"outputDimensionality":8}`)
	if c.Path != "/models/gemini-embedding-001:embedContent" || lossText(c.Losses) != "dropped input_type" {
		t.Errorf("%s, losses %s", c.Path, lossText(c.Losses))
	}
	body.Messages = append(body.Messages, weir.UserText("b"))
	c, out = sent(t, req, target("gemini-embedding-001"))
	equalJSON(t, "two", out, `{"requests":[{"model":"models/gemini-embedding-001","content":{"parts":[{"text":"a"}]},"outputDimensionality":8},{"model":"models/gemini-embedding-001","content":{"parts":[{"text":"b"}]},"outputDimensionality":8}]}`)
	if c.Path != "/models/gemini-embedding-001:batchEmbedContents" {
		t.Errorf("sent to %s", c.Path)
	}
	body.Messages = nil
	if e := refused(t, req, target("e")); e.Kind != weir.KindInvalid || e.Param != "input" {
		t.Errorf("nothing to embed: %v", e)
	}
}

// The answer has the form of what was asked for: one vector or a list.
func TestVectorsForClients(t *testing.T) {
	one := open(t, weir.Embed, embedPath, `{"content":{"parts":[{"text":"a"}]}}`)
	batch := open(t, weir.Embed, batchPath, `{"requests":[{"content":{"parts":[{"text":"a"}]}}]}`)
	d := decode(vectorsOf(`{"embedding":{"values":[1,2.5],"shape":[2]},"usageMetadata":{"promptTokenCount":3,"totalTokenCount":3}}`))
	if d.err != nil || len(d.completion().Vectors) != 1 || d.completion().Usage.InputTokens != 3 {
		t.Fatalf("%v, %+v", d.err, d.completion())
	}
	equalJSON(t, "alone", string(encoded(one, detached(d.events))), `{"embedding":{"values":[1,2.5],"shape":[2]},"usageMetadata":{"promptTokenCount":3,"totalTokenCount":3}}`)
	equalJSON(t, "in a list", string(encoded(batch, detached(d.events))), `{"embeddings":[{"values":[1,2.5],"shape":[2]}],"usageMetadata":{"promptTokenCount":3,"totalTokenCount":3}}`)
	d = decode(vectorsOf(`{"embeddings":[{"values":[1]},{"values":[2]}]}`))
	equalJSON(t, "two", string(encoded(batch, detached(d.events))), `{"embeddings":[{"values":[1]},{"values":[2]}]}`)
	if d.completion().Usage != nil {
		t.Errorf("usage %+v of an answer without", d.completion().Usage) // U-03
	}
	e := gemini.New().NewEncoder(one)
	for _, ev := range detached(d.events) {
		_ = e.Encode(nil, ev)
	}
	if out := e.Close(nil, nil); !jsonx.Equal(out, []byte(`{"embedding":{"values":[1]}}`)) || lossText(e.Losses()) != "dropped embedding" {
		t.Errorf("%s, losses %s", out, lossText(e.Losses()))
	}
	base64 := []weir.Event{{Type: weir.EventStart, Start: &weir.Start{}}, {Type: weir.EventVector, Vector: &weir.Vector{Base64: "AACAPwAAIEA="}}}
	equalJSON(t, "from base64", string(encoded(one, base64)), `{"embedding":{"values":[1,2.5]}}`)
	for _, bad := range []string{`{}`, `{"embeddings":[]}`, `{"embedding":{}}`, `{"embedding":{"values":"x"}}`, `{"embeddings":[1]}`, `[]`} {
		if d := decode(vectorsOf(bad)); weir.AsError(d.err) == nil || weir.AsError(d.err).Kind != weir.KindUpstream {
			t.Errorf("%s: %v", bad, d.err)
		}
	}
	e = gemini.New().NewEncoder(one)
	if out := e.Close(nil, nil); failedOf(e) == nil || jsonx.Valid(out) != nil {
		t.Errorf("no vectors: %s", out)
	}
	e = gemini.New().NewEncoder(one)
	_ = e.Encode(nil, weir.Event{Type: weir.EventStart, Start: &weir.Start{}})
	if out := e.Close(nil, weir.Errorf(weir.KindUpstream, "cut")); member(t, string(out), "error", "message") != `"cut"` {
		t.Errorf("cut: %s", out)
	}
}

// Settings of each input are its own; those of the first one are the body's.
func TestSettingsOfInputs(t *testing.T) {
	const body = `{"requests":[{"content":{"parts":[{"text":"a"}]},"taskType":"CLUSTERING","title":"t"},{"content":{"parts":[{"text":"b"}]},"task_type":"CLUSTERING","outputDimensionality":4},{"content":{"parts":[{"text":"c"}]},"taskType":"CLASSIFICATION"},{"content":{"parts":[{"text":"d"}]}}]}`
	b := canonical(t, weir.Embed, batchPath, body)
	if len(b.Messages) != 4 || b.Embed.Task != "CLUSTERING" || b.Embed.Dimensions != nil || b.Messages[3].Text() != "d" {
		t.Fatalf("%+v, %+v", b.Messages, b.Embed)
	}
	_, out := sent(t, edited(t, open(t, weir.Embed, batchPath, body), func(b *weir.Body) { b.Embed = &weir.EmbedConfig{Task: "FACT_VERIFICATION"} }), target("e"))
	for i, want := range []string{`"FACT_VERIFICATION"`, ``, `"CLASSIFICATION"`, ``} {
		if got := member(t, out, "requests", i, "taskType"); got != want {
			t.Errorf("input %d has %s, want %s, in %s", i, got, want, out)
		}
	}
	if member(t, out, "requests", 1, "task_type") != `"FACT_VERIFICATION"` || member(t, out, "requests", 1, "outputDimensionality") != "4" || member(t, out, "requests", 0, "title") != `"t"` {
		t.Errorf("%s", out)
	}
	for body, param := range map[string]string{
		`{"requests":["a"]}`: "requests[0]", `{"requests":[{"content":"a"}]}`: "requests[0].content", `{"content":{"parts":[{"text":"a"}]},"outputDimensionality":"x"}`: "outputDimensionality",
	} {
		req := open(t, weir.Embed, batchPath, body)
		if _, err := req.Body(); weir.AsError(err) == nil || weir.AsError(err).Param != param {
			t.Errorf("%s: %v", body, err)
		}
	}
}

// The whole way: a client of OpenAI's embeddings with this upstream.
func TestVectorsThroughOpenAI(t *testing.T) {
	req, err := openairest.New().OpenRequest(weir.Embed, &weir.Wire{Path: "/v1/embeddings", Body: []byte(`{"model":"e","input":["a","b"],"dimensions":2}`)})
	if err != nil {
		t.Fatal(err)
	}
	_, out := sent(t, req, target("gemini-embedding-001"))
	if member(t, out, "requests", 1, "content", "parts", 0, "text") != `"b"` || member(t, out, "requests", 1, "outputDimensionality") != "2" {
		t.Errorf("%s", out)
	}
	e := openairest.New().NewEncoder(req)
	var got []byte
	for _, ev := range decode(vectorsOf(`{"embeddings":[{"values":[1,2]},{"values":[3,4]}]}`)).events {
		got = e.Encode(got, ev)
	}
	if got = e.Close(got, nil); member(t, string(got), "data", 1, "embedding") != `[3,4]` {
		t.Errorf("%s", got)
	}
}
