package tokens_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/tokens"
)

func TestTextIsEstimatedByItsScript(t *testing.T) {
	for _, c := range []struct {
		name        string
		text        string
		least, most int64
	}{
		{"nothing", "", 0, 0},
		{"one letter", "a", 1, 1},
		{"an English sentence of nine words", "The quick brown fox jumps over the lazy dog", 9, 12},
		{"a long word is several tokens", "internationalization", 3, 6},
		{"camel case is several words", "getUserAccountBalance", 4, 7},
		{"digits", "3141592653", 4, 6},
		{"a Chinese sentence", "你好,请介绍一下你自己。", 10, 18},
		{"Japanese", "こんにちは世界", 7, 10},
		{"Korean", "안녕하세요", 5, 8},
		{"Russian", "Привет, как дела?", 8, 14},
		{"an emoji", "🎉", 2, 4},
		{"a ruler is not many tokens", strings.Repeat("-", 64), 8, 24},
		{"indentation is not many tokens", strings.Repeat(" ", 64) + "x", 4, 12},
		{"base64 is dense", strings.Repeat("iVBORw0KGgo", 20), 130, 250},
		{"bytes that are not UTF-8", "\xff\xfe\xfd", 1, 10},
	} {
		if n := tokens.EstimateText(c.text); n < c.least || n > c.most {
			t.Errorf("%s: %d tokens, want %d to %d", c.name, n, c.least, c.most)
		}
	}
}

func text(s string) []weir.Block { return []weir.Block{{Type: weir.BlockText, Text: s}} }

// C-05: every part of a request counts.
func TestEveryPartOfABodyCounts(t *testing.T) {
	words := strings.Repeat("some words of text ", 50)
	base := weir.Body{Messages: []weir.Message{weir.UserText("hi")}}
	low := tokens.EstimateBody(&base)
	with := func(edit func(*weir.Body)) int64 {
		b := base.Clone()
		edit(b)
		return tokens.EstimateBody(b)
	}
	block := func(b weir.Block) func(*weir.Body) {
		return func(body *weir.Body) { body.Messages[0].Blocks = append(body.Messages[0].Blocks, b) }
	}
	for _, c := range []struct {
		name string
		edit func(*weir.Body)
		more int64
	}{
		{"text", block(text(words)[0]), 200},
		{"system text", func(b *weir.Body) { b.Messages = append([]weir.Message{weir.SystemText(words)}, b.Messages...) }, 200},
		{"a tool call", block(weir.Block{Type: weir.BlockToolCall, Call: &weir.ToolCall{Name: "f", Arguments: words}}), 200},
		{"a tool result", block(weir.Block{Type: weir.BlockToolResult, Result: &weir.ToolResult{Content: text(words)}}), 200},
		{"thinking", block(weir.Block{Type: weir.BlockReasoning, Text: words}), 200},
		{"encrypted thinking", block(weir.Block{Type: weir.BlockReasoning, Reasoning: &weir.Reasoning{Encrypted: words}}), 100},
		{"an image", block(weir.Block{Type: weir.BlockImage, Media: &weir.Media{URL: "https://example.com/a.png"}}), 1600},
		{"an image of low detail", block(weir.Block{Type: weir.BlockImage, Media: &weir.Media{URL: "x", Detail: "low"}}), 85},
		{"a sound", block(weir.Block{Type: weir.BlockAudio, Media: &weir.Media{Data: words}}), 100},
		{"a document", block(weir.Block{Type: weir.BlockFile, Media: &weir.Media{Data: strings.Repeat("a", 40_000)}}), 2000},
		{"a text document", block(weir.Block{Type: weir.BlockFile, Media: &weir.Media{Text: words}}), 200},
		{"a document elsewhere", block(weir.Block{Type: weir.BlockFile, Media: &weir.Media{FileID: "f"}}), 1000},
		{"an unknown block", block(weir.Block{Type: weir.BlockOpaque, Opaque: &weir.Opaque{Raw: []byte(words)}}), 200},
		{"a tool", func(b *weir.Body) { b.Tools = []weir.Tool{{Name: "f", Description: words, Schema: []byte(`{}`)}} }, 500},
		{"a hosted tool", func(b *weir.Body) { b.Tools = []weir.Tool{{Type: weir.ToolHosted, Raw: []byte(`{"a":1}`)}} }, 300},
		{"a schema", func(b *weir.Body) {
			b.Format = &weir.Format{Type: weir.FormatJSONSchema, Schema: []byte(`{"type":"object"}`)}
		}, 100},
		{"being told to think", func(b *weir.Body) { b.Reasoning = &weir.ReasoningConfig{Mode: "enabled"} }, 20},
	} {
		if n := with(c.edit); n < low+c.more {
			t.Errorf("%s adds %d tokens, want at least %d", c.name, n-low, c.more)
		}
	}
	if tokens.EstimateBody(nil) != 0 {
		t.Error("no body has tokens")
	}
}

// An estimate must never shrink when something is added.
func TestMoreTextIsNeverFewerTokens(t *testing.T) {
	s := strings.Repeat("Text, 文字 123 \n\t<tag attr=\"x\"/> ", 10)
	last := int64(0)
	for i := range s {
		n := tokens.EstimateText(s[:i])
		if n < last {
			t.Fatalf("%q has %d tokens, one character less has %d", s[:i], n, last)
		}
		last = n
	}
}

func TestUndecodedBodiesAreEstimatedAlike(t *testing.T) {
	const body = `{"model":"m","messages":[{"role":"user","content":"Say \"你好\" and \u4f60\u597d\n"}],
		"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}]}`
	n := tokens.EstimateBytes([]byte(body))
	if n < 600 || n > 900 {
		t.Errorf("%d tokens", n)
	}
	if m := tokens.EstimateBytes([]byte(strings.ReplaceAll(body, "\n", " "))); m != n {
		t.Errorf("white space between members changes %d to %d", n, m)
	}
}

// C-05: a picture is not counted by the length of its base64.
func TestBase64CountsAsOnePicture(t *testing.T) {
	data := strings.Repeat("iVBORw0KGgoAAAANSUhEUg", 20_000)
	for _, s := range []string{data, "data:image/png;base64," + data} {
		raw, _ := json.Marshal(map[string]string{"url": s})
		if n := tokens.EstimateBytes(raw); n < 1600 || n > 1700 {
			t.Errorf("%d tokens", n)
		}
	}
}

func FuzzEstimateBytes(f *testing.F) {
	for _, s := range []string{"", `{"a":"b\u00`, `{"tools":[{}]}`, `"\`, "]]}}", `{"a":[1,2,"` + strings.Repeat("A", 3000)} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		n := tokens.EstimateBytes(raw)
		if n < 0 || n > int64(len(raw))*4+2000*int64(1+strings.Count(string(raw), `"`)) {
			t.Fatalf("%d tokens for %d bytes", n, len(raw))
		}
		if m := tokens.EstimateText(string(raw)); m < 0 || m > 4*int64(len(raw))+1 {
			t.Fatalf("%d tokens for a text of %d bytes", m, len(raw))
		}
	})
}

func BenchmarkEstimateText(b *testing.B) {
	s := strings.Repeat("The quick brown fox jumps over the lazy dog; 你好。\n", 2000)
	b.SetBytes(int64(len(s)))
	b.ReportAllocs()
	for b.Loop() {
		tokens.EstimateText(s)
	}
}

func BenchmarkEstimateBytes(b *testing.B) {
	raw, _ := json.Marshal(map[string]any{"messages": []any{map[string]string{
		"role": "user", "content": strings.Repeat("The quick brown fox\n", 5000)}}})
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		tokens.EstimateBytes(raw)
	}
}
