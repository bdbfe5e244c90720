package gemini_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/codec/anthropic"
	"github.com/weir-gateway/weir/codec/gemini"
	"github.com/weir-gateway/weir/codec/openaichat"
	"github.com/weir-gateway/weir/internal/jsonx"
	"github.com/weir-gateway/weir/weirtest"
)

func TestCodec(t *testing.T) { weirtest.TestCodec(t, gemini.New()) }

func TestAcrossProtocols(t *testing.T) {
	t.Run("from Chat", func(t *testing.T) { weirtest.TestCross(t, openaichat.New(), gemini.New()) })
	t.Run("to Chat", func(t *testing.T) { weirtest.TestCross(t, gemini.New(), openaichat.New()) })
	t.Run("from Messages", func(t *testing.T) { weirtest.TestCross(t, anthropic.New(), gemini.New()) })
	t.Run("to Messages", func(t *testing.T) { weirtest.TestCross(t, gemini.New(), anthropic.New()) })
}

// Recorded exchanges of the methods that the contract suite does not cover: what
// nobody edits is sent on as it came, and what an edit does not touch keeps its
// value (P-02).
func TestRecordedCountsAndVectors(t *testing.T) {
	for name, op := range map[string]weir.Operation{"count-tokens": weir.CountTokens, "embeddings": weir.Embed} {
		n := 0
		for _, rec := range weirtest.Recordings(t, name) {
			if rec.Provider != "gemini" && rec.Provider != "vertex" || rec.Response.Status != 200 {
				continue
			}
			if _, ok := gemini.OperationOf(pathOf(rec)); !ok {
				continue // the same endpoint by another vendor's rules
			}
			n++
			checkRecorded(t, op, rec)
		}
		t.Logf("%d recordings of %s", n, name)
	}
}

func pathOf(rec *weirtest.Recording) string {
	if rec.Request == nil {
		return "/v1beta/models/m:countTokens"
	}
	return rec.Request.Path
}

func checkRecorded(t *testing.T, op weir.Operation, rec *weirtest.Recording) {
	t.Helper()
	wire := &weir.Wire{Path: pathOf(rec), Body: []byte(`{"contents":[{"parts":[{"text":"a"}]}]}`)}
	if rec.Request != nil {
		wire.Body = rec.Request.Body
	}
	req, err := gemini.New().OpenRequest(op, wire)
	if err != nil {
		t.Fatalf("%s: %v", rec.Path, err)
	}
	got := encoded(req, decode(&codec.Answer{Body: bytes.NewReader(rec.Response.Body), Op: op, Target: target(req.Model)}).events)
	if !bytes.Equal(got, rec.Response.Body) {
		t.Errorf("%s: sent on as %.300s", rec.Path, got)
	}
	events := detached(decode(&codec.Answer{Body: bytes.NewReader(rec.Response.Body), Op: op, Target: target(req.Model)}).events)
	if got := encoded(req, events); !jsonx.Equal(got, rec.Response.Body) {
		t.Errorf("%s: written anew as %.300s", rec.Path, got)
	}
	call, body := sent(t, edited(t, req, nothing), target(req.Model))
	if !jsonx.Equal([]byte(body), wire.Body) {
		t.Errorf("%s: %s became %s", rec.Path, wire.Body, body)
	}
	if !strings.HasSuffix(wire.Path, call.Path) {
		t.Errorf("%s: sent to %s", rec.Path, call.Path)
	}
}
