package jsonx

import (
	"strconv"
	"strings"
	"testing"
)

// request builds a chat request of about n bytes whose weight is in one text.
func request(n int, text string) []byte {
	var b Buffer
	b.BeginObject()
	b.StringField("model", "gpt-4o")
	b.Key("messages")
	b.BeginArray()
	for range 4 {
		b.BeginObject()
		b.StringField("role", "user")
		b.StringField("content", strings.Repeat(text, n/4/len(text)))
		b.EndObject()
	}
	b.EndArray()
	b.BoolField("stream", true)
	b.Key("temperature")
	b.Float(0.7)
	b.EndObject()
	return b.B
}

const (
	prose = "The quick brown fox jumps over the lazy dog, again and again, until the words run out. "
	code  = "if x == \"a\" {\n\treturn \"b\\n\"\n}\n"
)

func benchScan(b *testing.B, body []byte) {
	var top Top
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if err := top.Scan(body); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkScan20KB(b *testing.B)     { benchScan(b, request(20<<10, prose)) }
func BenchmarkScan1MiB(b *testing.B)     { benchScan(b, request(1<<20, prose)) }
func BenchmarkScan1MiBCode(b *testing.B) { benchScan(b, request(1<<20, code)) }
func BenchmarkScan1MiBQuotes(b *testing.B) {
	benchScan(b, request(1<<20, `"`))
}

func BenchmarkScanTools20KB(b *testing.B) {
	tool := `{"type":"function","function":{"name":"get_weather","description":"Get the weather","parameters":{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}}}`
	benchScan(b, []byte(`{"model":"m","tools":[`+strings.Repeat(tool+",", 20<<10/len(tool))+tool+`]}`))
}

func BenchmarkScanTypical(b *testing.B) { benchScan(b, request(600, prose)) }

func BenchmarkEachMemberChunk(b *testing.B) {
	chunk := []byte(sseChunk)
	b.SetBytes(int64(len(chunk)))
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		if err := EachMember(chunk, func(key, value []byte) error { n += len(key); return nil }); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkGetPathChunk(b *testing.B) {
	chunk := []byte(sseChunk)
	b.ReportAllocs()
	for b.Loop() {
		if GetPath(chunk, "usage") == nil {
			b.Fatal("no usage")
		}
	}
}

func benchValid(b *testing.B, body []byte) {
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if err := Valid(body); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkValid1MiB(b *testing.B)     { benchValid(b, request(1<<20, prose)) }
func BenchmarkValid1MiBCode(b *testing.B) { benchValid(b, request(1<<20, code)) }
func BenchmarkValid1MiBCJK(b *testing.B) {
	benchValid(b, request(1<<20, "漢字かな交じり文。"))
}
func BenchmarkValidChunk(b *testing.B) { benchValid(b, []byte(sseChunk)) }

func benchAppend(b *testing.B, text string) {
	s, dst := strings.Repeat(text, 4096/len(text)), make([]byte, 0, 8192)
	b.SetBytes(int64(len(s)))
	b.ReportAllocs()
	for b.Loop() {
		dst = AppendString(dst[:0], s)
	}
}

func BenchmarkAppendString4KProse(b *testing.B) { benchAppend(b, prose) }
func BenchmarkAppendString4KCode(b *testing.B)  { benchAppend(b, code) }
func BenchmarkAppendString4KCJK(b *testing.B)   { benchAppend(b, "漢字かな交じり文。") }

func BenchmarkString4KCode(b *testing.B) {
	raw := AppendString(nil, strings.Repeat(code, 4096/len(code)))
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		String(raw)
	}
}

func BenchmarkInt64(b *testing.B) {
	raw := []byte("1712345678")
	b.ReportAllocs()
	for b.Loop() {
		Int64(raw)
	}
}

func BenchmarkSplice(b *testing.B) {
	body := request(20<<10, prose)
	var top Top
	if err := top.Scan(body); err != nil {
		b.Fatal(err)
	}
	edits := []Edit{{Key: "model", Value: []byte(`"gpt-5"`)}, {Key: "temperature"}, {Key: "seed", Value: []byte("1")}}
	var pieces [][]byte
	b.ReportAllocs()
	for b.Loop() {
		pieces = top.Splice(pieces[:0], body, edits)
	}
}

func BenchmarkScan1MiBOfNames(b *testing.B) {
	var body Buffer
	body.BeginObject()
	for i := 0; len(body.B) < 1<<20; i++ {
		body.Key("k" + strconv.Itoa(i))
		body.B = append(body.B, '1')
	}
	body.EndObject()
	benchScan(b, body.B)
}
