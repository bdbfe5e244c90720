package h1

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// Whatever becomes of the calls around it, each call gets its own answer.
func TestNoAnswerIsTakenForAnothers(t *testing.T) {
	for name, secure := range map[string]bool{"plain": false, "TLS": true} {
		t.Run(name, func(t *testing.T) {
			url, _, config := counting(t, repeatID, secure)
			tr := transport(t, Options{TLS: config, MaxConnsPerHost: 6, MaxIdlePerHost: 3})
			var wg sync.WaitGroup
			for worker := range 8 {
				wg.Go(func() {
					for i := range 60 {
						id := fmt.Sprintf("%d-%d;", worker, i)
						if err := disturbed(t, tr, url, id, rand.N(6)); err != nil {
							t.Errorf("%s: %v", id, err)
						}
					}
				})
			}
			wg.Wait()
			if open, idle := onlyHost(tr).open, len(onlyHost(tr).idle); open != idle {
				t.Errorf("%d connections are counted, %d wait", open, idle)
			}
		})
	}
}

// repeatID answers with the id of the request, many times, in one of three
// framings, and sometimes before it has read the request.
func repeatID(w http.ResponseWriter, r *http.Request) {
	id := r.Header.Get("X-Id")
	if rand.N(4) > 0 {
		_, _ = io.Copy(io.Discard, r.Body)
	}
	if rand.N(8) == 0 {
		w.Header().Set("Connection", "close")
	}
	text := strings.Repeat(id, 1+rand.N(3000))
	if rand.N(2) == 0 {
		w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	}
	for len(text) > 0 {
		n := min(len(text), 1+rand.N(9000))
		_, _ = io.WriteString(w, text[:n])
		w.(http.Flusher).Flush()
		text = text[n:]
	}
}

// disturbed makes a call that may be cancelled or left at any time, and checks
// all that comes of an answer.
func disturbed(t *testing.T, tr *Transport, url, id string, how int) error {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if how == 0 {
		defer time.AfterFunc(rand.N(2*time.Millisecond), cancel).Stop()
	}
	req := post(ctx, t, url, id, strings.Repeat("x", rand.N(40_000)*rand.N(20)))
	req.Header.Set("X-Id", id)
	res, err := tr.RoundTrip(req)
	if err != nil {
		if how == 0 {
			return nil
		}
		return err
	}
	defer res.Body.Close()
	var src io.Reader = res.Body
	if how == 1 {
		src = io.LimitReader(src, rand.N(int64(2000)))
	}
	if how == 2 {
		time.AfterFunc(rand.N(time.Millisecond), func() { _ = res.Body.Close() })
	}
	text, err := io.ReadAll(src)
	if err != nil && how != 0 && how != 2 {
		return err
	}
	if want := strings.Repeat(id, len(text)/len(id)+1)[:len(text)]; string(text) != want {
		return fmt.Errorf("got another's answer, or a part of one: %.60q", text)
	}
	return nil
}
