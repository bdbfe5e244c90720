package weirtest

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestMemoryRunsOnTheBubblesClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := NewMemory(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(time.Hour)
			_, _ = io.Copy(w, r.Body)
		}))
		defer m.Close()
		begin := time.Now()
		resp, err := m.Client().Post(m.URL()+"/echo?a=b", "text/plain", strings.NewReader("over the weir"))
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil || string(body) != "over the weir" {
			t.Errorf("body %q, error %v", body, err)
		}
		if took := time.Since(begin); took != time.Hour {
			t.Errorf("took %v of the bubble's time", took)
		}
		if got := m.Last(); got.Path != "/echo" || got.Query != "a=b" || string(got.Body) != "over the weir" {
			t.Errorf("captured %+v", got)
		}
	})
}

func TestMemoryRefusesAfterClose(t *testing.T) {
	m := NewMemory(t, http.NotFoundHandler())
	m.Close()
	resp, err := m.Client().Get(m.URL())
	if err == nil {
		_ = resp.Body.Close()
		t.Fatal("a closed server was reached")
	}
}

func TestReplayPiecesGivesTheRecordedBytes(t *testing.T) {
	rec := &Recording{Response: RecordedResponse{Status: 429, Headers: http.Header{"Retry-After": {"3"}}, Body: []byte("data: slow down\n\n")}}
	for _, size := range []int{0, 1, 5} {
		u := NewUpstream(t, ReplayPieces(rec, size))
		resp, err := u.Client().Get(u.URL + "/v1/x")
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusTooManyRequests || resp.Header.Get("Retry-After") != "3" || string(body) != string(rec.Response.Body) {
			t.Errorf("size %d: %d %v %q", size, resp.StatusCode, resp.Header, body)
		}
		if n := len(u.Requests()); n != 1 {
			t.Errorf("%d requests captured", n)
		}
	}
}
