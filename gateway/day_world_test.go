package gateway_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"
)

// The world of the simulated day: five vendors that follow a script, and the
// requests of a day.

const daySeed = 7

// A span is a part of the day, from its start.
type span struct{ from, to time.Duration }

func (s span) holds(at time.Duration) bool { return at >= s.from && at < s.to }

func clock(h, m int) time.Duration { return time.Duration(h)*time.Hour + time.Duration(m)*time.Minute }

// What happens on the day.
var (
	alphaGone  = span{clock(10, 0), clock(12, 0)}
	betaStorm  = span{clock(14, 0), clock(15, 0)}
	gammaSlow  = span{clock(16, 0), clock(18, 0)}
	nobody     = span{clock(20, 0), clock(20, 5)}
	errorShare = 0.01
	// tail is how many answers are far slower than usual for no reason.
	tail = 0.02
)

// dayMedian is the usual time to the first token at each vendor.
var dayMedian = map[string]time.Duration{
	"alpha": 300 * time.Millisecond, "beta": 400 * time.Millisecond, "gamma": 500 * time.Millisecond,
	"delta": 700 * time.Millisecond, "last": 900 * time.Millisecond,
}

// An upstreamCall is one call that reached a vendor.
type upstreamCall struct {
	at     time.Duration
	vendor string
	id     string
	status int // 0 is a connection that was refused
}

// vendors answers for all of them. It is an http.RoundTripper: everything from
// the provider's client half outward is Weir's own.
type vendors struct {
	start time.Time

	mu    sync.Mutex
	calls []upstreamCall
	made  map[string]int // calls of a request
}

// RoundTrip implements http.RoundTripper.
func (v *vendors) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	_ = r.Body.Close()
	vendor := r.URL.Hostname()
	id := between(string(body), `"user":"`, `"`)
	at := time.Since(v.start)
	v.mu.Lock()
	v.made[id]++
	rng := seeded(vendor, id, v.made[id])
	v.mu.Unlock()

	status, wait := v.script(vendor, at, rng)
	v.mu.Lock()
	v.calls = append(v.calls, upstreamCall{at, vendor, id, status})
	v.mu.Unlock()
	if status != http.StatusOK {
		if !pause(r.Context(), 40*time.Millisecond) {
			return nil, r.Context().Err()
		}
		return refusal(status)
	}
	first := latency(vendor, at, rng)
	if !strings.Contains(string(body), `"stream":true`) {
		if !pause(r.Context(), first+wait) {
			return nil, r.Context().Err()
		}
		return answer("application/json", io.NopCloser(strings.NewReader(wholeAnswer))), nil
	}
	return answer("text/event-stream", &paced{ctx: r.Context(), first: first, step: wait / time.Duration(len(dayFrames)), frames: dayFrames}), nil
}

// script is what a vendor does at a time of the day, and how long the rest of
// an answer takes.
func (v *vendors) script(vendor string, at time.Duration, rng *rand.Rand) (status int, rest time.Duration) {
	rest = time.Second + time.Duration(rng.IntN(2000))*time.Millisecond
	switch {
	case nobody.holds(at):
		return http.StatusServiceUnavailable, 0
	case vendor == "alpha" && alphaGone.holds(at):
		return []int{0, http.StatusServiceUnavailable, http.StatusBadGateway}[rng.IntN(3)], 0
	case vendor == "beta" && betaStorm.holds(at) && rng.Float64() < 0.8:
		return http.StatusTooManyRequests, 0
	case rng.Float64() < errorShare:
		return []int{500, 502, 503}[rng.IntN(3)], 0
	}
	return http.StatusOK, rest
}

func latency(vendor string, at time.Duration, rng *rand.Rand) time.Duration {
	d := float64(dayMedian[vendor]) * math.Exp(0.35*rng.NormFloat64())
	if rng.Float64() < tail {
		d *= 8
	}
	if vendor == "gamma" && gammaSlow.holds(at) {
		d *= 8
	}
	return time.Duration(d)
}

// seeded is the luck of one call, whatever the others do.
func seeded(vendor, id string, n int) *rand.Rand {
	h := fnv.New64a()
	_, _ = h.Write(fmt.Appendf(nil, "%s %s %d", vendor, id, n))
	return rand.New(rand.NewPCG(daySeed, binary.BigEndian.Uint64(h.Sum(nil))))
}

func refusal(status int) (*http.Response, error) {
	if status == 0 {
		return nil, errors.New("connect: connection refused")
	}
	r := answer("application/json", io.NopCloser(strings.NewReader(`{"error":{"message":"not now","type":"server_error"}}`)))
	r.StatusCode = status
	if status == http.StatusTooManyRequests {
		r.Header.Set("Retry-After", "20")
	}
	return r, nil
}

func answer(contentType string, body io.ReadCloser) *http.Response {
	return &http.Response{
		StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {contentType}}, Body: body, ContentLength: -1,
	}
}

const wholeAnswer = `{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"as it was written"},"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":4,"total_tokens":13}}`

var dayFrames = []string{
	chunk(`"choices":[{"index":0,"delta":{"role":"assistant","content":"as it"},"finish_reason":null}]`),
	chunk(`"choices":[{"index":0,"delta":{"content":" was written"},"finish_reason":null}]`),
	chunk(`"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]`),
	chunk(`"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":4,"total_tokens":13}`) + "data: [DONE]\n\n",
}

func chunk(rest string) string {
	return `data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m",` + rest + "}\n\n"
}

// paced is the body of a stream: one frame after the other, in its own time.
type paced struct {
	ctx         context.Context
	first, step time.Duration
	frames      []string
	buf         bytes.Buffer
}

// Read implements io.Reader.
func (p *paced) Read(b []byte) (int, error) {
	if p.buf.Len() == 0 {
		if len(p.frames) == 0 {
			return 0, io.EOF
		}
		if !pause(p.ctx, p.first) {
			return 0, p.ctx.Err()
		}
		p.buf.WriteString(p.frames[0])
		p.frames, p.first = p.frames[1:], p.step
	}
	return p.buf.Read(b)
}

// Close implements io.Closer.
func (p *paced) Close() error { return nil }

func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func between(s, before, after string) string {
	_, s, _ = strings.Cut(s, before)
	s, _, _ = strings.Cut(s, after)
	return s
}

// arrivals are when the requests of the day come: more of them by day than by
// night, each on its own.
func arrivals() []time.Duration {
	rng := rand.New(rand.NewPCG(daySeed, 1))
	const peak = 1.0 // requests a second
	var out []time.Duration
	for at := time.Duration(0); ; {
		at += time.Duration(rng.ExpFloat64() / peak * float64(time.Second))
		if at >= 24*time.Hour {
			return out
		}
		hour := at.Hours()
		if busy := 0.25 + 0.75*math.Pow(math.Sin(math.Pi*hour/24), 2); rng.Float64() < busy {
			out = append(out, at)
		}
	}
}
