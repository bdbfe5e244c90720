package converse_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/codec/converse"
	"github.com/weir-gateway/weir/internal/jsonx"
	"github.com/weir-gateway/weir/weirtest"
)

// In every recorded answer the total that Bedrock counted is the sum of what the
// canonical form counts: the cache is beside the input on the wire and part of it
// here.
func TestRecordedTotals(t *testing.T) {
	n, cached := 0, 0
	for _, name := range []string{"converse", "converse-stream"} {
		for _, rec := range weirtest.Recordings(t, name) {
			if rec.Response.Status != http.StatusOK {
				continue
			}
			body := rec.Response.Body
			done, err := weir.Collect(converse.New().Decode(&codec.Answer{Body: bytes.NewReader(body), Stream: rec.IsStream(), Header: rec.Response.Headers}))
			if err != nil {
				continue // the suite has seen it
			}
			u := done.Usage
			at := bytes.LastIndex(body, []byte(`"totalTokens"`))
			if u == nil || at < 0 || !u.Has(weir.UsageInput|weir.UsageOutput) {
				continue
			}
			_, number, _ := strings.Cut(string(body[at:]), ":")
			end := strings.IndexFunc(number, func(r rune) bool { return r < '0' || r > '9' })
			total, ok := jsonx.Int64([]byte(number[:max(end, 0)]))
			if !ok || total != u.Total() {
				t.Errorf("%s: %d tokens became %+v", rec.Path, total, u)
			}
			n++
			if u.CacheReadTokens+u.CacheCreationTokens > 0 {
				cached++
			}
		}
	}
	if n == 0 || cached == 0 {
		t.Errorf("%d answers with a total were read, %d of them with a cache", n, cached)
	}
	t.Logf("%d recorded totals, %d with a cache", n, cached)
}
