package server

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/gateway"
)

// facts are the notes of a call, as far as they become response headers: the
// x-weir-* family, documented in docs/headers.md.
type facts struct {
	upstream *weir.Upstream
	// deployment and provider answered, or were the last ones tried.
	deployment, provider string
	attempts             int
	spent                time.Duration // in upstream attempts and the waits between them
	lost                 []string
	emulated             []string
	from                 string // what answered, where it was not an upstream
	cost                 string // empty when it is not known
}

// sourced is the note of an answer that no upstream gave, and the error in whose
// place it stands, if there is one.
type sourced interface {
	AnswerSource() (source string, cause *weir.Error)
}

// reused is the note of an answer that was made for another request.
type reused interface {
	AnsweredBy() (deployment, provider, model string)
}

// priced is the ledger's closing note. It comes after the last piece, so that
// only answers that are not streamed can show it in a header.
type priced interface {
	Price() (amount string, known bool)
}

func (f *facts) note(n weir.Note) {
	switch n := n.(type) {
	case *weir.Upstream:
		f.upstream = n
	case *weir.Attempt:
		f.attempts = max(f.attempts, n.Number)
		f.spent += n.Duration + n.Wait
		if n.Err == nil {
			f.deployment, f.provider = n.Deployment, n.Provider
		}
	case *weir.Loss:
		f.loss(n)
	case weir.Emulated:
		if s := n.Emulated(); s != "" && !slices.Contains(f.emulated, s) {
			f.emulated = append(f.emulated, s)
		}
	case sourced:
		f.from, _ = n.AnswerSource()
		if n, ok := n.(reused); ok {
			f.deployment, f.provider, _ = n.AnsweredBy()
		}
	case priced:
		if amount, known := n.Price(); known {
			f.cost = amount
		}
	}
}

func (f *facts) loss(l *weir.Loss) {
	s := headerToken(l.Field) + ";" + string(l.Action)
	if len(f.lost) < maxLosses && !slices.Contains(f.lost, s) {
		f.lost = append(f.lost, s)
	}
}

func (f *facts) losses(ls []weir.Loss) {
	for i := range ls {
		f.loss(&ls[i])
	}
}

// maxLosses bounds a header that a client with a thousand odd fields could
// otherwise make arbitrarily long.
const maxLosses = 32

func (f *facts) refused(err *weir.Error) {
	f.attempts = max(f.attempts, len(err.Attempts))
	if f.upstream == nil && err.RequestID != "" {
		f.upstream = &weir.Upstream{RequestID: err.RequestID}
	}
	if err.Deployment != "" {
		f.deployment, f.provider = err.Deployment, err.Provider
	}
}

// headers adds what is known. Values are made of one string array to keep the
// number of allocations down: this runs for every answer.
func (f *facts) headers(h http.Header, a *answer) {
	v := make([]string, 0, 9)
	set := func(key, value string) {
		v = append(v, value)
		h[key] = v[len(v)-1 : len(v) : len(v)]
	}
	set("X-Weir-Request-Id", a.id)
	if f.deployment != "" {
		set("X-Weir-Deployment", f.deployment)
	}
	if s := f.source(); s != "" {
		set("X-Weir-Source", s)
	}
	if u := f.upstream; u != nil {
		if u.RequestID != "" {
			set("X-Weir-Upstream-Request-Id", u.RequestID)
		}
		f.forward(h, u, a)
	}
	if f.attempts > 0 {
		set("X-Weir-Attempts", strconv.Itoa(f.attempts))
		set("X-Weir-Overhead-Ms", milliseconds(time.Since(a.started)-f.spent))
	}
	if f.cost != "" {
		set("X-Weir-Cost", f.cost)
	}
	if len(f.lost) > 0 {
		set("X-Weir-Losses", strings.Join(f.lost, ", "))
	}
	if len(f.emulated) > 0 {
		set("X-Weir-Emulated", strings.Join(f.emulated, ", "))
	}
}

// trailers tells what is known only after the last piece of a stream, to those
// who say that they read it (TE: trailers): what it cost (U-10), and what of the
// answer was lost.
func (a *answer) trailers() {
	if a.r.ProtoMajor == 1 && !strings.Contains(strings.ToLower(a.r.Header.Get("Te")), "trailers") {
		return
	}
	h := a.w.Header()
	before := len(a.facts.lost)
	a.facts.losses(a.enc.Losses())
	if len(a.facts.lost) > before {
		h.Set(http.TrailerPrefix+"X-Weir-Losses", strings.Join(a.facts.lost, ", "))
	}
	if len(a.facts.emulated) > 0 && h["X-Weir-Emulated"] == nil {
		h.Set(http.TrailerPrefix+"X-Weir-Emulated", strings.Join(a.facts.emulated, ", "))
	}
	if a.facts.cost != "" {
		h.Set(http.TrailerPrefix+"X-Weir-Cost", a.facts.cost)
	}
}

// source is what answered.
func (f *facts) source() string {
	if f.from != "" || f.deployment == "" {
		return f.from
	}
	if f.provider == gateway.SimName {
		return "simulated"
	}
	return "upstream"
}

// forward passes the upstream's rate limits on to a client of its protocol.
func (f *facts) forward(h http.Header, u *weir.Upstream, a *answer) {
	if u.Protocol != a.face.codec.Protocol() {
		return
	}
	for name, values := range u.Header {
		if _, ours := h[name]; !ours {
			h[name] = values
		}
	}
}

func milliseconds(d time.Duration) string {
	if d < 0 {
		d = 0
	}
	return strconv.FormatFloat(float64(d.Microseconds())/1000, 'f', 3, 64)
}

// headerToken keeps a path to what may stand in a header: names of fields come
// from clients.
func headerToken(s string) string {
	if len(s) > 128 {
		s = s[:128]
	}
	return strings.Map(func(r rune) rune {
		if r <= ' ' || r >= 0x7f || r == ',' || r == ';' {
			return '_'
		}
		return r
	}, s)
}

// errorHeaders says in the headers what SDKs obey about an error: when to come
// back, and whether to.
func errorHeaders(h http.Header, err *weir.Error) {
	if err.RetryAfter > 0 {
		seconds := int64((err.RetryAfter + time.Second - 1) / time.Second)
		h["Retry-After"] = []string{strconv.FormatInt(seconds, 10)}
	}
	// The official SDKs repeat 408, 409, 429 and 5xx by themselves. Where that
	// cannot help, or Weir has already tried everything, they are told so: a
	// chain of gateways would otherwise multiply the attempts (E-05, R-08).
	if !err.Kind.Retryable() || len(err.Attempts) > 1 && err.RetryAfter == 0 {
		h["X-Should-Retry"] = []string{"false"}
	}
}
