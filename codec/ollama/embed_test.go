package ollama

import (
	"strings"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
)

func embedAnswer(body string) *codec.Answer {
	a := received(body, false)
	a.Op = weir.Embed
	return a
}

func TestVectorsAreRead(t *testing.T) {
	done := collect(t, embedAnswer(`{"model":"m","embeddings":[[0.1,-2e-3],[1,2]],"total_duration":5,"prompt_eval_count":7}`))
	if len(done.Vectors) != 2 || string(done.Vectors[0].JSON) != "[0.1,-2e-3]" || done.Usage.InputTokens != 7 || done.Start.Model != "m" || done.Start.Extra.Value("total_duration") == nil {
		t.Errorf("read as %+v", done)
	}
	done = collect(t, embedAnswer(`{"embedding":[0.5]}`))
	if len(done.Vectors) != 1 || done.Usage != nil {
		t.Errorf("read as %+v", done)
	}
	for _, body := range []string{`{}`, `{"embeddings":7}`, `{"embeddings":[7]}`, `{"embedding":"x"}`, `{"error":"no"}`, `[`, ``} {
		if _, err := weir.Collect(New().Decode(embedAnswer(body))); weir.AsError(err) == nil || weir.AsError(err).Kind != weir.KindUpstream {
			t.Errorf("%s: %v", body, err)
		}
	}
}

// Events with vectors may be kept for as long as anybody likes: the next answer has
// its own.
func TestVectorsOutliveTheirAnswer(t *testing.T) {
	read := func(body string) (kept []*weir.Vector) {
		for ev, err := range New().Decode(embedAnswer(body)) {
			if err != nil {
				t.Fatal(err)
			}
			if ev.Type == weir.EventVector {
				kept = append(kept, ev.Vector)
			}
		}
		return kept
	}
	first := read(`{"model":"m","embeddings":[[0.125,0.25]]}`)
	for range 8 {
		read(`{"model":"m","embeddings":[[9.999,9.99]]}`)
	}
	if got := string(first[0].JSON); got != "[0.125,0.25]" {
		t.Errorf("a vector became %s", got)
	}
}

// Vectors are written in the form of the endpoint that was asked, as they came where
// that is the form that they came in.
func TestVectorsAreWritten(t *testing.T) {
	const listed = `{"model": "n", "embeddings": [[0.1,-2e-3]], "load_duration": 5, "prompt_eval_count": 7}`
	const legacy = `{"embedding": [0.1,-2e-3]}`
	tests := []struct {
		path, body string
		edit       func(weir.Event) weir.Event
		want       string
	}{
		{"/api/embed", listed, same, listed},
		{"/api/embeddings", legacy, same, legacy},
		{"/api/embed", listed, weir.Event.Detach, `{"model":"n","embeddings":[[0.1,-2e-3]],"load_duration":5,"prompt_eval_count":7}`},
		{"/api/embed", legacy, same, `{"model":"m","embeddings":[[0.1,-2e-3]]}`},
		{"/api/embeddings", listed, same, `{"embedding":[0.1,-2e-3]}`},
		{"/api/embed", `{"error":"no"}`, same, ""},
	}
	for _, tt := range tests {
		req := open(t, weir.Embed, tt.path, `{"model":"m","input":"a","prompt":"a"}`)
		if got, _ := written(req, embedAnswer(tt.body), tt.edit); got != tt.want {
			t.Errorf("%s of %s: %s", tt.path, tt.body, got)
		}
	}
	e := New().NewEncoder(open(t, weir.Embed, "/api/embed", `{"model":"m","input":"a"}`))
	e.Encode(nil, weir.Event{Type: weir.EventStart, Start: &weir.Start{}})
	e.Encode(nil, weir.Event{Type: weir.EventVector, Index: 1, Vector: &weir.Vector{Base64: "AACAPw=="}})
	e.Encode(nil, weir.Event{Type: weir.EventVector, Vector: &weir.Vector{JSON: []byte("[2]")}})
	if got := string(e.Close(nil, nil)); got != `{"model":"m","embeddings":[[2],[1]]}` {
		t.Errorf("packed numbers: %s", got)
	}
	e = New().NewEncoder(open(t, weir.Embed, "/api/embed", `{"model":"m","input":"a"}`))
	e.Encode(nil, weir.Event{Type: weir.EventVector, Vector: &weir.Vector{Base64: "?"}})
	if got := string(e.Close(nil, nil)); !strings.HasPrefix(got, `{"error":`) || e.(codec.Failer).Failed() == nil {
		t.Errorf("what is no vector: %s", got)
	}
}
