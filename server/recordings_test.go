package server_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/weir-gateway/weir/internal/jsonx"
	"github.com/weir-gateway/weir/weirtest"
)

// A replay is an upstream that answers as was recorded and remembers what it
// was sent.
type replay struct {
	current atomic.Pointer[weirtest.Recording]
	got     atomic.Pointer[[]byte]
}

func (r *replay) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, _ := io.ReadAll(req.Body)
	r.got.Store(&body)
	weirtest.Replay(r.current.Load()).ServeHTTP(w, req)
}

// What was recorded goes through the whole gateway byte for byte, request and
// answer, where both sides speak the same protocol (P-01, P-12, W-01, C-09).
func TestRecordingsGoThroughTheGatewayByteForByte(t *testing.T) {
	r := new(replay)
	upstream := httptest.NewServer(r)
	defer upstream.Close()
	f := start(t, providersYAML(upstream.URL)+"log: {access: false}\n", nil)
	for _, tt := range []struct{ protocol, path, provider string }{
		{"chat", "/v1/chat/completions", "oai"}, {"messages", "/v1/messages", "ant"},
	} {
		n, exact := 0, 0
		for _, rec := range weirtest.Recordings(t, tt.protocol) {
			model := modelOf(rec)
			if model == "" || rec.Response.Status != http.StatusOK {
				continue
			}
			n++
			r.current.Store(rec)
			asked := `"` + tt.provider + "/" + model + `"`
			reply := f.post(tt.path, string(withModel(t, rec.Request.Body, asked)))
			if reply.status >= 400 {
				continue // an error in disguise, or a request that is refused: other tests look at those
			}
			checkSent(t, rec, *r.got.Load())
			checkAnswer(t, rec, reply.body)
			if reply.body == string(rec.Response.Body) {
				exact++
			}
		}
		t.Logf("%d recordings of %s, %d answers byte for byte", n, tt.protocol, exact)
		if n == 0 || exact < n*9/10 {
			t.Errorf("%d recordings of %s were usable, and only %d answers came through exactly", n, tt.protocol, exact)
		}
	}
}

// modelOf is the model of a recorded request, empty when it cannot be sent.
func modelOf(rec *weirtest.Recording) string {
	if rec.Request == nil {
		return ""
	}
	return jsonx.StringOr(jsonx.Get(rec.Request.Body, "model"), "")
}

func withModel(t *testing.T, body []byte, raw string) []byte {
	t.Helper()
	var top jsonx.Top
	if err := top.Scan(body); err != nil {
		t.Fatal(err)
	}
	return bytes.Join(top.Splice(nil, body, []jsonx.Edit{{Key: "model", Value: []byte(raw)}}), nil)
}

// checkSent compares what went up. Usage is always asked for (U-01), nothing
// else may differ.
func checkSent(t *testing.T, rec *weirtest.Recording, got []byte) {
	t.Helper()
	if bytes.Equal(got, rec.Request.Body) {
		return
	}
	if !jsonx.Equal(without(got, "stream_options"), without(rec.Request.Body, "stream_options")) {
		t.Errorf("%s: the request was changed\nsent %.300s\nwant %.300s", rec.Path, got, rec.Request.Body)
	}
}

func without(body []byte, key string) []byte {
	var top jsonx.Top
	if top.Scan(body) != nil {
		return body
	}
	return bytes.Join(top.Splice(nil, body, []jsonx.Edit{{Key: key}}), nil)
}

// checkAnswer compares what came back. A frame of usage alone is for clients
// that asked for it; an answer that was cut or holds an error ends with one.
func checkAnswer(t *testing.T, rec *weirtest.Recording, got string) {
	t.Helper()
	want := string(rec.Response.Body)
	if got == want || rec.Has("truncated-stream") || rec.Has("stream-error") {
		return
	}
	asked, _ := jsonx.Bool(jsonx.GetPath(rec.Request.Body, "stream_options", "include_usage"))
	if rec.Protocol == "chat" && rec.IsStream() && !asked && strings.Contains(want, `"usage"`) {
		return
	}
	if strings.Contains(got, `"error"`) {
		return
	}
	t.Errorf("%s: the answer was changed: %s", rec.Path, difference(got, want))
}

func difference(got, want string) string {
	i := 0
	for i < min(len(got), len(want)) && got[i] == want[i] {
		i++
	}
	clip := func(s string) string { return s[min(max(i-20, 0), len(s)):min(i+80, len(s))] }
	return fmt.Sprintf("at byte %d of %d and %d: got %q, want %q", i, len(got), len(want), clip(got), clip(want))
}
