package eventstream_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/weir-gateway/weir/internal/eventstream"
	"github.com/weir-gateway/weir/weirtest"
)

func chunk(dst []byte, data string) []byte {
	payload := `{"bytes":"` + base64.StdEncoding.EncodeToString([]byte(data)) + `","p":"abcdefghij"}`
	return eventstream.AppendEvent(dst, "chunk", []byte(payload))
}

func TestSSE(t *testing.T) {
	var wire []byte
	wire = chunk(wire, `{"type":"message_start","message":{"type":"message","content":[]}}`)
	wire = chunk(wire, `{"index":0,"delta":{"type":"text_delta","text":"\"type\": \\"},"type":"content_block_delta"}`)
	wire = eventstream.AppendEvent(wire, "tomorrow", []byte(`{"bytes":"e30="}`)) // passed over
	wire = eventstream.AppendEvent(wire, "chunk", []byte(`{"p":"x"}`))           // says nothing
	wire = chunk(wire, "{\n\"outputText\":\r\n\"hi\"}")
	wire = chunk(wire, `["type","x"]`)
	wire = chunk(wire, `{"type":"message_stop","amazon-bedrock-invocationMetrics":{"inputTokenCount":1}}`)
	const want = "event: message_start\n" +
		`data: {"type":"message_start","message":{"type":"message","content":[]}}` + "\n\n" +
		"event: content_block_delta\n" +
		`data: {"index":0,"delta":{"type":"text_delta","text":"\"type\": \\"},"type":"content_block_delta"}` + "\n\n" +
		`data: { "outputText":  "hi"}` + "\n\n" +
		`data: ["type","x"]` + "\n\n" +
		"event: message_stop\n" +
		`data: {"type":"message_stop","amazon-bedrock-invocationMetrics":{"inputTokenCount":1}}` + "\n\n"
	for name, src := range map[string]io.Reader{
		"at once":      bytes.NewReader(wire),
		"byte by byte": iotest.OneByteReader(bytes.NewReader(wire)),
	} {
		r := eventstream.NewSSE(src, 0)
		if n, err := r.Read(nil); n != 0 || err != nil {
			t.Errorf("reading nothing: %d, %v", n, err)
		}
		got, err := io.ReadAll(r)
		if err != nil || string(got) != want {
			t.Errorf("%s: %v\n%s", name, err, got)
		}
	}
	if got, err := io.ReadAll(iotest.OneByteReader(eventstream.NewSSE(bytes.NewReader(wire), 0))); err != nil || string(got) != want {
		t.Errorf("read byte by byte: %v\n%s", err, got)
	}
}

// What came before an error is read before it, and the error lasts.
func TestSSEErrors(t *testing.T) {
	good := chunk(nil, `{"type":"ping"}`)
	const before = "event: ping\ndata: {\"type\":\"ping\"}\n\n"
	exception := func(e error) bool {
		x, ok := errors.AsType[*eventstream.Exception](e)
		return ok && x.Type == "modelStreamErrorException" && x.Message == "stop"
	}
	corrupt := func(e error) bool { _, ok := errors.AsType[*eventstream.CorruptError](e); return ok }
	for _, v := range []struct {
		name string
		rest []byte
		is   func(error) bool
	}{
		{"an exception", eventstream.AppendException(nil, "modelStreamErrorException", []byte(`{"message":"stop"}`)), exception},
		{"a chunk that is not base64", eventstream.AppendEvent(nil, "chunk", []byte(`{"bytes":"%%"}`)), corrupt},
		{"bytes that are no frame", []byte("this is no frame at all"), corrupt},
		{"half a frame", good[:20], func(e error) bool { return errors.Is(e, io.ErrUnexpectedEOF) }},
	} {
		r := eventstream.NewSSE(bytes.NewReader(append(bytes.Clone(good), v.rest...)), 0)
		got, err := io.ReadAll(r)
		if string(got) != before || !v.is(err) {
			t.Errorf("%s: %q, %v", v.name, got, err)
		}
		if _, again := r.Read(make([]byte, 1)); !errors.Is(again, err) {
			t.Errorf("%s: then %v", v.name, again)
		}
	}
	_, err := io.ReadAll(eventstream.NewSSE(bytes.NewReader(good), 10))
	if _, ok := errors.AsType[*eventstream.TooLongError](err); !ok {
		t.Errorf("over the limit: %v", err)
	}
}

// A frame that is there is read without waiting for the next.
func TestSSEDoesNotWait(t *testing.T) {
	pr, pw := io.Pipe()
	defer pr.Close()
	r := eventstream.NewSSE(pr, 0)
	done := make(chan error, 1)
	go func() {
		_, err := pw.Write(chunk(nil, `{"type":"ping"}`))
		done <- err
	}()
	buf := make([]byte, 100)
	n, err := r.Read(buf)
	if err != nil || !strings.HasPrefix(string(buf[:n]), "event: ping") {
		t.Errorf("%q, %v", buf[:n], err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// Recorded answers become byte for byte the events that are in their chunks, as
// encoding/json and encoding/base64 read them.
func TestSSERecorded(t *testing.T) {
	n := 0
	for _, rec := range weirtest.Recordings(t, "invoke-stream") {
		if rec.Response.Status != 200 || !rec.IsStream() {
			continue
		}
		text, err := io.ReadAll(eventstream.NewSSE(bytes.NewReader(rec.Response.Body), 0))
		if err != nil {
			t.Errorf("%s: %v", rec.Path, err)
			continue
		}
		if want := unwrapped(t, rec.Response.Body); !bytes.Equal(text, want) {
			t.Errorf("%s:\n got %.500s\nwant %.500s", rec.Path, text, want)
		}
		if isMessages := strings.Contains(rec.Model, "claude") && bytes.Contains(text, []byte("message_start")); isMessages {
			n++
			if !bytes.HasPrefix(text, []byte("event: message_start\ndata: {")) || !bytes.Contains(text, []byte("event: message_stop\n")) {
				t.Errorf("%s: %.200s", rec.Path, text)
			}
		}
	}
	if n == 0 {
		t.Error("no recorded answer of Claude was read")
	}
	t.Logf("%d recorded answers of Claude", n)
}

// unwrapped is the stream that the chunks of a recorded answer hold.
func unwrapped(t *testing.T, wire []byte) []byte {
	t.Helper()
	r := eventstream.NewReader(bytes.NewReader(wire), 0)
	defer r.Release()
	var out []byte
	for {
		f, err := r.Next()
		if err != nil {
			if !errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
				t.Error(err)
			}
			return out
		}
		var chunk struct{ Bytes []byte }
		var event struct{ Type string }
		if err := json.Unmarshal(f.Payload, &chunk); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(chunk.Bytes, &event); err != nil {
			t.Fatal(err)
		}
		if event.Type != "" {
			out = append(out, "event: "+event.Type+"\n"...)
		}
		data := strings.NewReplacer("\n", " ", "\r", " ").Replace(string(chunk.Bytes))
		out = append(out, "data: "+data+"\n\n"...)
	}
}

func BenchmarkSSE(b *testing.B) {
	var wire []byte
	for range 1000 {
		wire = chunk(wire, `{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"hello"}}`)
	}
	b.SetBytes(int64(len(wire) / 1000))
	b.ReportAllocs()
	buf := make([]byte, 4096)
	for n := 0; n < b.N; n += 1000 {
		r := eventstream.NewSSE(bytes.NewReader(wire), 0)
		for {
			if _, err := r.Read(buf); err != nil {
				break
			}
		}
	}
}
