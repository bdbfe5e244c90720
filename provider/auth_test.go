package provider

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func apply(t *testing.T, a Auth, key string) *http.Request {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, "https://host/path?a=b", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Apply(r, key); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestSchemesPutTheKeyWhereItBelongs(t *testing.T) {
	for scheme, want := range map[string]string{
		"":                    "Authorization: Bearer k&y",
		"bearer":              "Authorization: Bearer k&y",
		"Bearer":              "Authorization: Bearer k&y",
		"header:x-api-key":    "X-Api-Key: k&y",
		"header: Api-Key":     "Api-Key: k&y",
		"x-api-key":           "X-Api-Key: k&y",
		"api-key":             "Api-Key: k&y",
		"x-goog-api-key":      "X-Goog-Api-Key: k&y",
		"query:key":           "?a=b&key=k%26y",
		"zhipu_jwt":           "Authorization: Bearer k&y", // no dot: a raw key
		"none":                "",
		" header : x-api-key": "X-Api-Key: k&y",
	} {
		a, err := ParseAuth(strings.ReplaceAll(scheme, " :", ":"))
		if err != nil {
			t.Errorf("%q: %v", scheme, err)
			continue
		}
		r := apply(t, a, "k&y")
		got := ""
		for name, v := range r.Header {
			got = name + ": " + v[0]
		}
		if r.URL.RawQuery != "a=b" {
			got = "?" + r.URL.RawQuery
		}
		if got != want {
			t.Errorf("%q sent %q", scheme, got)
		}
	}
	for _, bad := range []string{"basic", "header", "header:", "query:"} {
		if _, err := ParseAuth(bad); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
}

func TestZhipuTokensAreMadeAsTheVendorDoes(t *testing.T) {
	token := signZhipu("id1", "secret1", time.UnixMilli(1700000000000))
	parts := strings.Split(token, ".")
	// The test vector of the provider notes, section 9.1 (2026-11-20).
	if len(parts) != 3 || parts[2] != "-ROfjBN6DZt5mL6rq9B3wrcFgr9KMvt87-ez0Gj3ANw" {
		t.Errorf("the token is %s", token)
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if want := `{"api_key":"id1","exp":1700000210000,"timestamp":1700000000000}`; err != nil || string(payload) != want {
		t.Errorf("the payload is %s, %v", payload, err)
	}
}

func TestZhipuTokensAreKeptForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := ZhipuJWT()
		token := func(key string) string { return apply(t, a, key).Header.Get("Authorization") }
		first := token("id.secret")
		time.Sleep(zhipuReuse - 1)
		if token("id.secret") != first {
			t.Error("the token was made again too early")
		}
		if token("id.other") == first {
			t.Error("two keys share a token")
		}
		time.Sleep(time.Nanosecond)
		if token("id.secret") == first {
			t.Error("the token was used too long")
		}
	})
}
