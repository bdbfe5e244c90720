package sim

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// Stats are what a Server has seen since its start or the last reset.
type Stats struct {
	Requests int            `json:"requests"`
	InFlight int            `json:"in_flight"`
	Paths    map[string]int `json:"paths"`
	Models   map[string]int `json:"models"`
	// Faults counts the faults played, by their text.
	Faults map[string]int `json:"faults"`
	// Canceled counts answers whose client left before their end.
	Canceled int `json:"canceled"`
	// Last are the latest requests, oldest first.
	Last []Seen `json:"last"`
}

// Seen is a request that was received. Credentials in Header are replaced by
// the beginning of their SHA-256: "sha256:" and twelve hexadecimal digits.
type Seen struct {
	Method string          `json:"method"`
	Path   string          `json:"path"`
	Query  string          `json:"query,omitempty"`
	Model  string          `json:"model,omitempty"`
	Header http.Header     `json:"header"`
	Body   json.RawMessage `json:"body,omitempty"` // as received where it is JSON, else null
	Raw    []byte          `json:"-"`              // as received
	// Bytes is the length of the body. Of one longer than 1 MiB, Raw is the
	// first MiB, and Body nothing.
	Bytes int `json:"bytes"`
}

// keepBytes bounds how much of a body is remembered.
const keepBytes = 1 << 20

// keepBody notes a body.
func (s *Seen) keepBody(body []byte) {
	s.Bytes = len(body)
	if len(body) > keepBytes {
		s.Raw = bytes.Clone(body[:keepBytes])
		return
	}
	s.Raw, s.Body = body, rawJSON(body)
}

// recorder gathers Stats. Safe for concurrent use.
type recorder struct {
	mu    sync.Mutex // guards stats
	stats Stats
	keep  int
}

func newRecorder(keep int) *recorder {
	return &recorder{keep: keep, stats: emptyStats()}
}

func emptyStats() Stats {
	return Stats{Paths: map[string]int{}, Models: map[string]int{}, Faults: map[string]int{}, Last: []Seen{}}
}

func (r *recorder) begin(s Seen) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stats.Requests++
	r.stats.InFlight++
	r.stats.Paths[s.Path]++
	if s.Model != "" {
		r.stats.Models[s.Model]++
	}
	if r.keep > 0 {
		if len(r.stats.Last) >= r.keep {
			r.stats.Last = slices.Delete(r.stats.Last, 0, 1)
		}
		r.stats.Last = append(r.stats.Last, s)
	}
}

func (r *recorder) end(canceled bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stats.InFlight--
	if canceled {
		r.stats.Canceled++
	}
}

func (r *recorder) fault(f *Fault) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stats.Faults[f.String()]++
}

func (r *recorder) reset() {
	r.mu.Lock()
	defer r.mu.Unlock()
	inFlight := r.stats.InFlight
	r.stats = emptyStats()
	r.stats.InFlight = inFlight
}

func (r *recorder) snapshot() Stats {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.stats
	s.Paths, s.Models, s.Faults = maps.Clone(s.Paths), maps.Clone(s.Models), maps.Clone(s.Faults)
	s.Last = slices.Clone(s.Last)
	return s
}

// secretHeaders carry credentials.
var secretHeaders = []string{"Authorization", "Proxy-Authorization", "X-Api-Key", "Api-Key", "X-Goog-Api-Key",
	"X-Amz-Security-Token", "Cookie"}

// redact copies header without its credentials.
func redact(h http.Header) http.Header {
	out := h.Clone()
	for _, name := range secretHeaders {
		for i, v := range out[name] {
			out[name][i] = fingerprint(v)
		}
	}
	return out
}

func fingerprint(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return "sha256:" + hex.EncodeToString(sum[:])[:12]
}

// redactQuery hides credentials that travel in the address.
func redactQuery(raw string) string {
	parts := strings.Split(raw, "&")
	for i, p := range parts {
		name, value, ok := strings.Cut(p, "=")
		if ok && slices.Contains([]string{"key", "api_key", "api-key", "access_token"}, strings.ToLower(name)) {
			parts[i] = name + "=" + fingerprint(value)
		}
	}
	return strings.Join(parts, "&")
}
