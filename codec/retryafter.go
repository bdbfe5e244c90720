package codec

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxRetryAfter is the longest wait that is believed.
const maxRetryAfter = time.Hour

// RetryAfter is how long an upstream asks to be left alone: retry-after-ms, else
// retry-after in seconds, possibly fractional, or as an HTTP date (RFC 9110
// §10.2.3). It is at most an hour, and 0 when nothing usable is said.
func RetryAfter(h http.Header, now time.Time) time.Duration {
	if d, ok := seconds(h.Get("Retry-After-Ms"), time.Millisecond); ok {
		return d
	}
	value := h.Get("Retry-After")
	if d, ok := seconds(value, time.Second); ok {
		return d
	}
	if at, err := http.ParseTime(strings.TrimSpace(value)); err == nil {
		return min(max(at.Sub(now), 0), maxRetryAfter)
	}
	return 0
}

// seconds reads a number of units; what is negative or no finite number is 0.
func seconds(value string, unit time.Duration) (time.Duration, bool) {
	f, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
	if err != nil {
		return 0, false
	}
	if math.IsNaN(f) || math.IsInf(f, 0) || f <= 0 {
		return 0, true
	}
	if f >= float64(maxRetryAfter/unit) {
		return maxRetryAfter, true
	}
	return time.Duration(f * float64(unit)), true
}
