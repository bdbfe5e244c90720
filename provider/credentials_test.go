package provider

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weir-gateway/weir"
)

// keyServer answers each key as it is told, and notes the order of use.
func keyServer(t *testing.T, answers map[string]int) (o Options, used func() []string) {
	var mu sync.Mutex
	var order []string
	s, tr := upstreamServer(t, func(w http.ResponseWriter, r *http.Request) {
		key := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		mu.Lock()
		order = append(order, key)
		status := answers[key]
		mu.Unlock()
		switch status {
		case 402:
			w.WriteHeader(http.StatusTooManyRequests)
			_, _ = w.Write([]byte(`{"error":{"message":"no money","code":"insufficient_quota"}}`))
		case 0, 200:
			say("start", "by "+key)(w, r)
		case -1:
			say("error upstream_auth")(w, r)
		case -2:
			say("start", "error upstream_auth")(w, r)
		default:
			w.WriteHeader(status)
		}
	})
	return single(s, tr, &lines{}), func() []string {
		mu.Lock()
		defer mu.Unlock()
		defer func() { order = nil }()
		return order
	}
}

//
func TestARefusedKeyIsBenchedAloneAndItsSiblingsAreTried(t *testing.T) {
	for name, status := range map[string]int{
		"unauthorized": 401, "forbidden": 403, "out of quota": 402, "refused inside a 200": -1,
	} {
		t.Run(name, func(t *testing.T) {
			o, used := keyServer(t, map[string]int{"bad-key": status})
			o.Credentials = Keys("bad-key", "good-key")
			h := must(t, o)
			out := ask(t, h, question())
			if out.err != nil || !slices.Equal(out.texts, []string{"by good-key"}) {
				t.Fatalf("the answer is %q, %v", out.texts, out.err)
			}
			if got := used(); !slices.Equal(got, []string{"bad-key", "good-key"}) || len(out.upstreams) != 2 {
				t.Errorf("the keys used were %v, the notes %v", got, out.upstreams)
			}
			ask(t, h, question())
			ask(t, h, question())
			if got := used(); !slices.Equal(got, []string{"good-key", "good-key"}) || o.Credentials.Benched() != 1 {
				t.Errorf("afterwards the keys used were %v", got)
			}
		})
	}
}

func TestOtherFailuresBenchNothing(t *testing.T) {
	for _, status := range []int{400, 404, 429, 500, 503} {
		o, used := keyServer(t, map[string]int{"a-key": status})
		o.Credentials = Keys("a-key", "b-key")
		if out := ask(t, must(t, o), question()); out.err == nil || len(used()) != 1 || o.Credentials.Benched() != 0 {
			t.Errorf("%d: %v, benched %d", status, out.err, o.Credentials.Benched())
		}
	}
}

func TestAKeyRefusedAfterTheAnswerBeganIsNotFollowedByAnother(t *testing.T) {
	o, used := keyServer(t, map[string]int{"bad-key": -2})
	o.Credentials = Keys("bad-key", "good-key")
	if out := ask(t, must(t, o), question()); out.err == nil || len(used()) != 1 || o.Credentials.Benched() != 1 {
		t.Errorf("it ended in %v", out.err)
	}
}

// siblings are drawn from the one allowance of the call.
func TestSiblingsCountAsAttempts(t *testing.T) {
	o, used := keyServer(t, map[string]int{"a-key": 401, "b-key": 401, "c-key": 401})
	o.Credentials = Keys("a-key", "b-key", "c-key")
	h := must(t, o)
	req := question()
	req.Allowance = weir.NewAllowance(2)
	req.Allowance.Take() // by the stage that made this attempt
	out := ask(t, h, req)
	if got := used(); len(got) != 2 || req.Allowance.Left() != 0 {
		t.Errorf("the keys used were %v", got)
	}
	if e := out.error(t); e.Kind != weir.KindUpstreamAuth {
		t.Errorf("it ended in %v", e)
	}
}

func TestWhenAllAreBenchedTheOneBenchedLongestAgoIsUsed(t *testing.T) {
	answers := map[string]int{"a-key": 401, "b-key": 401}
	o, used := keyServer(t, answers)
	o.Credentials = Keys("a-key", "b-key")
	h := must(t, o)
	ask(t, h, question())
	used()
	ask(t, h, question())
	ask(t, h, question())
	if got := used(); !slices.Equal(got, []string{"a-key", "b-key"}) {
		t.Errorf("the keys used were %v", got)
	}
	answers["a-key"] = 200
	if out := ask(t, h, question()); out.err != nil || o.Credentials.Benched() != 1 {
		t.Errorf("a key that works again: %v, benched %d", out.err, o.Credentials.Benched())
	}
}

func TestABenchEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := NewCredentials(CredentialsOptions{Keys: []string{"a", "b"}, BenchQuota: time.Minute})
		turn := c.begin()
		turn.refused(turn.next(), "", weir.KindUpstreamAuth)
		turn.refused(turn.next(), "", weir.KindQuota)
		for _, step := range []struct {
			wait time.Duration
			want int
		}{{0, 2}, {time.Minute - 1, 2}, {1, 1}, {DefaultBenchAuth - time.Minute, 0}} {
			time.Sleep(step.wait)
			if got := c.Benched(); got != step.want {
				t.Errorf("after %v more %d keys rest", step.wait, got)
			}
		}
	})
}

func TestKeysAreUsedInTurn(t *testing.T) {
	c := ParseKeys(" a, b,,a , c ")
	if c.Len() != 3 {
		t.Fatalf("there are %d keys", c.Len())
	}
	var got []string
	for range 4 {
		turn := c.begin()
		secret, err := turn.next().reveal(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, secret)
	}
	if !slices.Equal(got, []string{"a", "b", "c", "a"}) {
		t.Errorf("the order is %v", got)
	}
}

func TestNoCredentials(t *testing.T) {
	var c *Credentials
	turn := c.begin()
	if k := turn.next(); k != nil || c.Len() != 0 || c.Benched() != 0 || turn.refused(k, "", weir.KindQuota) || c.String() == "" {
		t.Error("nil is not a pool without keys")
	}
}

func TestThePoolIsSafeForConcurrentUse(t *testing.T) {
	c := Keys("a", "b", "c")
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 200 {
				turn := c.begin()
				k := turn.next()
				if i%2 == 0 {
					turn.refused(k, "", weir.KindUpstreamAuth)
					continue
				}
				turn.accepted(k)
				_ = c.String()
				c.Benched()
			}
		})
	}
	wg.Wait()
}

//
func TestKeysAreNeverPrinted(t *testing.T) {
	const canary = "sk-canary-0123456789"
	c := Keys(canary)
	zhipu := ZhipuJWT()
	apply(t, zhipu, "id.canary")
	token := apply(t, zhipu, "id.canary").Header.Get("Authorization")[len("Bearer "):]
	o := Options{Credentials: c, Endpoints: []Endpoint{{Auth: zhipu}}}
	h := must(t, Options{Model: "m", Credentials: c, Endpoints: []Endpoint{{Codec: &lines{}, BaseURL: "http://h"}}})
	var log strings.Builder
	logger := slog.New(slog.NewJSONHandler(&log, nil))
	logger.Info("x", "c", c, "o", o, "f", Found{Credentials: c})
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "c", c, "o", o)
	j, err := json.Marshal(map[string]any{"c": c})
	if err != nil {
		t.Fatal(err)
	}
	log.Write(j)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%p"} {
		for _, v := range []any{c, o, &o, h, c.keys, c.keys[0], zhipu, Found{Credentials: c}, c.begin()} {
			fmt.Fprintf(&log, verb, v)
		}
	}
	if all := log.String(); strings.Contains(all, "canary") || strings.Contains(all, token) || strings.Contains(all, fmt.Sprintf("%x", canary)) {
		t.Errorf("the key was printed: %s", all)
	}
	if !strings.Contains(c.String(), "key:") {
		t.Errorf("no fingerprint in %s", c)
	}
}
