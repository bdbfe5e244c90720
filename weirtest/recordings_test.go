package weirtest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weir-gateway/weir/internal/jsonx"
)

func TestRecordingsLoadEveryKindOfBody(t *testing.T) {
	all := Recordings(t, "")
	kinds := map[string]int{}
	for _, rec := range all {
		if rec.Path == "" || rec.Provider == "" || rec.Protocol == "" || rec.Case == "" {
			t.Errorf("%s: an incomplete recording", rec.Path)
		}
		switch ct := rec.Response.Headers.Get("Content-Type"); {
		case strings.HasPrefix(ct, "text/event-stream"):
			kinds["stream"]++
		case strings.HasPrefix(ct, "application/vnd.amazon.eventstream"):
			kinds["binary"]++
		case jsonx.Valid(rec.Response.Body) == nil:
			kinds["json"]++
		}
		if rec.Request == nil {
			kinds["response only"]++
		}
	}
	for _, want := range []string{"stream", "binary", "json", "response only"} {
		if kinds[want] == 0 {
			t.Errorf("no recording of kind %s among %d: %v", want, len(all), kinds)
		}
	}
}

func TestRecordingKeepsTheOrderOfKeys(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "x-chat")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	file := `{"provider":"x","protocol":"chat","case":"c","features":["stream"],"request":{"method":"POST","path":"/p",
		"headers":{"x-a":"b"},"body":{"z": 1.50, "a": [1, 2]}},"response":{"status":200,"headers":{},"body_b64":"aGk="}}`
	if err := os.WriteFile(filepath.Join(dir, "c.json"), []byte(file), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Setenv("WEIR_RECORDINGS", filepath.Dir(dir))
	rec := Recordings(t, "chat")[0]
	if got := string(rec.Request.Body); got != `{"z":1.50,"a":[1,2]}` {
		t.Errorf("request body %s", got)
	}
	if string(rec.Response.Body) != "hi" || !rec.Has("stream") || rec.Has("tools") || rec.Request.Headers.Get("X-A") != "b" {
		t.Errorf("%+v", rec)
	}
}
