package authn_test

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/authn"
)

func set(t testing.TB, keys ...string) *authn.Keys {
	t.Helper()
	var list []authn.Key
	for i, k := range keys {
		list = append(list, authn.Key{Name: string(rune('a' + i)), Hash: authn.Hash(k), Models: []string{"m"}})
	}
	s, err := authn.NewKeys(list)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func header(pairs ...string) http.Header {
	h := http.Header{}
	for i := 0; i < len(pairs); i += 2 {
		h.Add(pairs[i], pairs[i+1])
	}
	return h
}

func TestAuthenticateFindsTheKeyWhereverClientsPutIt(t *testing.T) {
	key, _ := authn.Generate()
	keys := set(t, key)
	foreign := "sk-ant-somebody-elses"
	tests := []struct {
		name  string
		h     http.Header
		query url.Values
	}{
		{"bearer", header("Authorization", "Bearer "+key), nil},
		{"bearer in lower case with more blanks", header("authorization", "bearer   "+key+" "), nil},
		{"Anthropic's header", header("x-api-key", key), nil},
		{"Google's header", header("x-goog-api-key", key), nil},
		{"Azure's header", header("api-key", key), nil},
		{"Google's query", header(), url.Values{"key": {key}}},
		{"beside a provider's own key", header("Authorization", "Bearer "+foreign, "x-api-key", key), nil}, // C-10
		{"beside a provider's own key the other way round", header("x-api-key", foreign, "Authorization", "Bearer "+key), nil},
		{"beside another scheme", header("Authorization", "Basic Zm9v", "api-key", key), nil},
		{"in the second of two values", header("x-api-key", foreign, "x-api-key", key), nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p, err := keys.Authenticate(test.h, test.query)
			if err != nil || p.Name != "a" || len(p.Models) != 1 {
				t.Errorf("principal %+v, error %v", p, err)
			}
		})
	}
}

func TestAuthenticateRefuses(t *testing.T) {
	key, _ := authn.Generate()
	keys := set(t, key)
	slip := []byte(key)
	slip[10] = 'A' + (slip[10]-'A'+1)%26
	tests := []struct {
		name  string
		keys  *authn.Keys
		h     http.Header
		query url.Values
		says  string
	}{
		{"no credential", keys, header(), nil, "missing"},
		{"another scheme", keys, header("Authorization", "Basic Zm9v"), nil, "bearer"},
		{"a key of nobody", keys, header("Authorization", "Bearer sk-canary-0123456789"), nil, "not a key of this gateway"},
		{"a mistyped key", keys, header("x-api-key", string(slip)), nil, "mistyped"},
		{"a cut key", keys, header("x-api-key", key[:len(key)-3]), nil, "mistyped"},
		{"an endless key", keys, header("x-api-key", strings.Repeat("x", 1<<20)), nil, "not a key"},
		{"an empty key", keys, header("x-api-key", "", "Authorization", "Bearer "), url.Values{"key": {""}}, "missing"},
		{"a set without keys", set(t), header("x-api-key", key), nil, "not a key"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p, err := test.keys.Authenticate(test.h, test.query)
			if p != nil || !errors.Is(err, weir.KindUnauthenticated) || !strings.Contains(err.Error(), test.says) {
				t.Fatalf("principal %+v, error %v", p, err)
			}
			e := weir.AsError(err)
			for _, values := range test.h {
				for _, v := range values {
					v = strings.TrimPrefix(v, "Bearer ")
					if len(v) > 5 && strings.Contains(e.Message+e.Hint+e.Code, v[:6]) {
						t.Errorf("the error echoes what was sent: %s", e.Message)
					}
				}
			}
		})
	}
}

func TestOpenGatewayKnowsEverybody(t *testing.T) {
	var open *authn.Keys
	p, err := open.Authenticate(header("x-api-key", "anything"), nil)
	if err != nil || p.Name != "anonymous" || len(p.Models) != 0 || open.Len() != 0 {
		t.Errorf("principal %+v, error %v", p, err)
	}
}

func TestKeysAreToldApart(t *testing.T) {
	a, _ := authn.Generate()
	b, _ := authn.Generate()
	keys := set(t, a, b)
	for want, key := range map[string]string{"a": a, "b": b} {
		if p, err := keys.Authenticate(header("x-api-key", key), nil); err != nil || p.Name != want {
			t.Errorf("%s: principal %+v, error %v", want, p, err)
		}
	}
	if keys.Len() != 2 {
		t.Errorf("%d keys", keys.Len())
	}
}

func TestNewKeysReportsAllProblems(t *testing.T) {
	good := authn.Hash("x")
	_, err := authn.NewKeys([]authn.Key{
		{Name: "ok", Hash: good},
		{Name: "", Hash: authn.Hash("y")},
		{Name: "ok", Hash: authn.Hash("z")},
		{Name: "plain", Hash: "weir-secret-in-the-clear"},
		{Name: "short", Hash: "sha256:abcd"},
		{Name: "placeholder", Hash: "sha256:" + strings.Repeat("0", 64)},
		{Name: "again", Hash: good},
	})
	if err == nil {
		t.Fatal("no error")
	}
	for _, part := range []string{"keys[1].name", "keys[2].name", "keys[3].hash", "keys[4].hash", "keys[5].hash", "keys[6].hash"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%s is not reported", part)
		}
	}
	if strings.Contains(err.Error(), "secret") {
		t.Errorf("the error echoes a key: %v", err)
	}
}

func TestGenerate(t *testing.T) {
	seen := map[string]bool{}
	for range 200 {
		key, hash := authn.Generate()
		if len(key) != 5+43+6 || !strings.HasPrefix(key, "weir-") || seen[key] {
			t.Fatalf("a key of %d characters", len(key))
		}
		seen[key] = true
		d, err := authn.ParseHash(hash)
		if err != nil || d.String() != hash || hash != authn.Hash(key) {
			t.Fatalf("the hash %s does not come back: %v", hash, err)
		}
	}
}

func FuzzAuthenticate(f *testing.F) {
	key, _ := authn.Generate()
	keys := set(f, key)
	f.Add("Bearer "+key, "", "")
	f.Add("", "weir-", key)
	f.Add("Bearer", "bearer ", "weir-0000")
	f.Fuzz(func(t *testing.T, auth, header, query string) {
		h := http.Header{"Authorization": {auth}, "X-Api-Key": {header}}
		p, err := keys.Authenticate(h, url.Values{"key": {query}})
		if (p == nil) == (err == nil) {
			t.Fatalf("principal %v and error %v", p, err)
		}
		if p != nil && !strings.Contains(auth, key) && header != key && query != key {
			t.Fatal("let in without the key")
		}
	})
}

func BenchmarkAuthenticate(b *testing.B) {
	key, _ := authn.Generate()
	keys := set(b, key)
	for name, h := range map[string]http.Header{
		"bearer":  header("Authorization", "Bearer "+key),
		"x-api":   header("x-api-key", key),
		"unknown": header("x-api-key", "sk-0123456789012345678901234567890123456789"),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = keys.Authenticate(h, nil)
			}
		})
	}
}
