package weirtest

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/weir-gateway/weir/internal/jsonx"
)

// A Recording is one exchange of real traffic. The bodies are the bytes that
// were recorded, in the key order and number spelling of the file.
type Recording struct {
	// Path is relative to the recordings' root.
	Path     string
	Provider string
	// Protocol in the recordings' words: "chat", "messages", "count-tokens" …
	Protocol string
	Case     string
	Model    string
	Features []string
	// Reframed tells that the framing of the stream was rebuilt, Elided that
	// long base64 strings were cut.
	Reframed bool
	Elided   bool
	// Request is nil where only the answer was recorded.
	Request  *RecordedRequest
	Response RecordedResponse
}

// RecordedRequest is the request of a Recording.
type RecordedRequest struct {
	Method, Host, Path string
	Headers            http.Header
	Body               []byte
}

// RecordedResponse is the answer of a Recording.
type RecordedResponse struct {
	Status  int
	Headers http.Header
	Body    []byte
}

// Has reports whether the recording has a feature, in the words of INDEX.md.
func (r *Recording) Has(feature string) bool { return slices.Contains(r.Features, feature) }

// IsStream reports whether the answer is an event stream, which some recorders
// have given another content type.
func (r *Recording) IsStream() bool {
	contentType := r.Response.Headers.Get("Content-Type")
	for _, stream := range [...]string{"text/event-stream", "application/x-ndjson", "application/vnd.amazon.eventstream"} {
		if strings.HasPrefix(contentType, stream) {
			return true
		}
	}
	return bytes.HasPrefix(r.Response.Body, []byte("data:")) || bytes.Contains(r.Response.Body, []byte("}\n{")) || r.isArray()
}

// isArray reports whether the answer is Gemini's stream without events: an array
// that grows.
func (r *Recording) isArray() bool {
	return r.Protocol == "generate-content" && bytes.HasPrefix(r.Response.Body, []byte("["))
}

// Recordings loads the recordings of a protocol, all for an empty one, in the
// order of their paths. They are looked for in WEIR_RECORDINGS, and without it
// in ../shared/recordings beside the module. Where they are absent the test is
// skipped, or fails when CI is "true".
func Recordings(tb testing.TB, protocol string) []*Recording {
	tb.Helper()
	root := RecordingsRoot(tb)
	paths, err := filepath.Glob(filepath.Join(root, "*", "*.json"))
	if err != nil || len(paths) == 0 {
		absent(tb, root)
	}
	var out []*Recording
	for _, path := range paths {
		if protocol != "" && !strings.HasSuffix(filepath.Dir(path), "-"+protocol) {
			continue
		}
		rec, err := readRecording(root, path)
		if err != nil {
			tb.Fatalf("recording %s: %v", path, err)
		}
		if protocol == "" || rec.Protocol == protocol {
			out = append(out, rec)
		}
	}
	if len(out) == 0 {
		tb.Fatalf("there are recordings in %s, but none of protocol %q", root, protocol)
	}
	return out
}

// RecordingsRoot is the folder of the recordings. Where it does not exist the
// test is skipped or fails, as with Recordings.
func RecordingsRoot(tb testing.TB) string {
	tb.Helper()
	root := os.Getenv("WEIR_RECORDINGS")
	if root == "" {
		root = filepath.Join(moduleRoot(tb), "..", "shared", "recordings")
	}
	if info, err := os.Stat(root); err != nil || !info.IsDir() {
		absent(tb, root)
	}
	return root
}

func absent(tb testing.TB, root string) {
	tb.Helper()
	const hint = "set WEIR_RECORDINGS to the folder of recorded traffic"
	if os.Getenv("CI") == "true" {
		tb.Fatalf("no recordings in %s: %s", root, hint)
	}
	tb.Skipf("SKIPPED LOUDLY: no recordings in %s, so nothing was proved here: %s", root, hint)
}

// moduleRoot walks up from the test's folder to the go.mod.
func moduleRoot(tb testing.TB) string {
	tb.Helper()
	dir, err := os.Getwd()
	if err != nil {
		tb.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			tb.Fatal("there is no go.mod above the test's folder")
		}
		dir = parent
	}
}

// payload is a body in one of the forms of a recording file.
type payload struct {
	Body json.RawMessage `json:"body"`
	Text *string         `json:"body_text"`
	B64  *string         `json:"body_b64"`
}

func (p *payload) bytes() ([]byte, error) {
	switch {
	case p.Text != nil:
		return []byte(*p.Text), nil
	case p.B64 != nil:
		return base64.StdEncoding.DecodeString(*p.B64)
	case p.Body == nil:
		return nil, nil
	}
	return jsonx.Compact(nil, p.Body), nil
}

type recordingFile struct {
	Provider string   `json:"provider"`
	Protocol string   `json:"protocol"`
	Case     string   `json:"case"`
	Model    string   `json:"model"`
	Features []string `json:"features"`
	Reframed bool     `json:"reframed"`
	Elided   any      `json:"elided"`
	Request  *struct {
		Method  string            `json:"method"`
		Host    string            `json:"host"`
		Path    string            `json:"path"`
		Headers map[string]string `json:"headers"`
		payload
	} `json:"request"`
	Response struct {
		Status  int               `json:"status"`
		Headers map[string]string `json:"headers"`
		payload
	} `json:"response"`
}

func readRecording(root, path string) (*Recording, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var f recordingFile
	if err := json.Unmarshal(text, &f); err != nil {
		return nil, err
	}
	rel, err := filepath.Rel(root, path)
	if err != nil {
		return nil, err
	}
	rec := &Recording{Path: filepath.ToSlash(rel), Provider: f.Provider, Protocol: f.Protocol, Case: f.Case,
		Model: f.Model, Features: f.Features, Reframed: f.Reframed, Elided: f.Elided != nil}
	rec.Response = RecordedResponse{Status: f.Response.Status, Headers: header(f.Response.Headers)}
	if rec.Response.Body, err = f.Response.bytes(); err != nil {
		return nil, fmt.Errorf("response body: %w", err)
	}
	if r := f.Request; r != nil {
		rec.Request = &RecordedRequest{Method: r.Method, Host: r.Host, Path: r.Path, Headers: header(r.Headers)}
		if rec.Request.Body, err = r.bytes(); err != nil {
			return nil, fmt.Errorf("request body: %w", err)
		}
	}
	return rec, nil
}

func header(m map[string]string) http.Header {
	h := http.Header{}
	for name, value := range m {
		h.Set(name, value)
	}
	return h
}
