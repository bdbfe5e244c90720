package provider

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/weir-gateway/weir/internal/jsonx"
)

// A token is valid for zhipuTTL and used for zhipuReuse, as in the vendor's
// own SDK (read 2026-11-20). Servers compare clocks: a longer life gains
// nothing.
const (
	zhipuTTL   = 210 * time.Second
	zhipuReuse = 180 * time.Second
)

// ZhipuJWT signs a short-lived token with a key of the form "id.secret" and
// sends it as a bearer. A key without a dot is sent as it is.
//
// Zhipu's v4 endpoints take the raw key too, by Bearer; this is for those that
// do not want the secret itself on the wire.
func ZhipuJWT() Auth { return &zhipuAuth{tokens: map[[sha256.Size]byte]*zhipuToken{}} }

type zhipuAuth struct {
	mu     sync.Mutex
	tokens map[[sha256.Size]byte]*zhipuToken // by the key's hash; as many as there are keys
}

// A zhipuToken is behind functions and hashes like a key: see there.
type zhipuToken struct {
	value func() string
	made  time.Time
}

// Apply implements Auth.
func (z *zhipuAuth) Apply(req *http.Request, key string) error {
	id, secret, ok := strings.Cut(key, ".")
	if !ok || id == "" || secret == "" {
		return bearerAuth{}.Apply(req, key)
	}
	return bearerAuth{}.Apply(req, z.token(key, id, secret, time.Now()))
}

func (z *zhipuAuth) token(key, id, secret string, now time.Time) string {
	z.mu.Lock()
	defer z.mu.Unlock()
	at := sha256.Sum256([]byte(key))
	t := z.tokens[at]
	// A clock that was set back makes a cached token look unborn.
	if t == nil || now.Before(t.made) || now.Sub(t.made) >= zhipuReuse {
		value := signZhipu(id, secret, now)
		t = &zhipuToken{value: func() string { return value }, made: now}
		z.tokens[at] = t
	}
	return t.value()
}

// signZhipu makes a token. Times are in milliseconds, unlike RFC 7519's, and
// "sign_type" is required.
func signZhipu(id, secret string, now time.Time) string {
	var payload jsonx.Buffer
	payload.BeginObject()
	payload.StringField("api_key", id)
	payload.IntField("exp", now.Add(zhipuTTL).UnixMilli())
	payload.IntField("timestamp", now.UnixMilli())
	payload.EndObject()

	enc := base64.RawURLEncoding
	input := enc.EncodeToString([]byte(`{"alg":"HS256","sign_type":"SIGN"}`)) + "." + enc.EncodeToString(payload.B)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(input))
	return input + "." + enc.EncodeToString(mac.Sum(nil))
}
