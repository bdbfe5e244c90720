package provider

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/catalog"
)

// tokenServer is a token endpoint that numbers its tokens.
func tokenServer(t *testing.T, check func(r *http.Request) (status int, body string)) (*httptest.Server, *atomic.Int32) {
	t.Helper()
	n := new(atomic.Int32)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		w.Header().Set("Content-Type", "application/json")
		if status, body := check(r); status != 0 {
			w.Header().Set("Location", "http://127.0.0.1:1/")
			w.WriteHeader(status)
			_, _ = fmt.Fprint(w, body)
			return
		}
		_, _ = fmt.Fprintf(w, `{"access_token":"canary-token-%d","token_type":"Bearer","expires_in":3600}`, n.Add(1))
	}))
	t.Cleanup(s.Close)
	return s, n
}

func clientCredentials(tokenURL string) catalog.Auth {
	return catalog.Auth{
		Scheme: catalog.AuthOAuth2, TokenURL: tokenURL, ClientID: "ACME_CLIENT_ID", ClientSecret: "ACME_CLIENT_SECRET", Scope: "a b",
	}
}

func source(t *testing.T, a catalog.Auth, find func(string) (string, bool)) Source {
	t.Helper()
	src, _, err := SourceFor(a, find)
	if err != nil {
		t.Fatal(err)
	}
	return src
}

func TestClientCredentialsAreExchangedForATokenThatIsKept(t *testing.T) {
	s, n := tokenServer(t, func(r *http.Request) (int, string) {
		id, secret, _ := r.BasicAuth()
		if r.URL.Path != "/tenant-1/token" || id != "id" || secret != "canary-secret" || r.Form.Get("grant_type") != "client_credentials" || r.Form.Get("scope") != "a b" {
			return 400, `{}`
		}
		return 0, ""
	})
	src := source(t, clientCredentials(s.URL+"/{ACME_TENANT}/token"), env("ACME_CLIENT_ID", "id", "ACME_CLIENT_SECRET", " canary-secret\n", "ACME_TENANT", "tenant-1"))
	for range 3 {
		if got := secret(t, src); got != "canary-token-1" {
			t.Errorf("the token is %s", got)
		}
	}
	if n.Load() != 1 {
		t.Errorf("%d tokens were made", n.Load())
	}
	// It is renewed some minutes before the hour that the endpoint said.
	r := src.(*renewing)
	if left := time.Until(r.current.expires); left < 50*time.Minute || left > time.Hour || !r.renewAt.Before(r.current.expires.Add(-time.Minute)) {
		t.Errorf("it ends in %v and is renewed in %v", left, time.Until(r.renewAt))
	}
}

func TestASecretThatBelongsIntoTheBodyGoesThere(t *testing.T) {
	s, _ := tokenServer(t, func(r *http.Request) (int, string) {
		if r.Form.Get("client_secret") != "canary-secret" {
			return 401, `{"error":"invalid_client"}`
		}
		return 0, ""
	})
	src := source(t, clientCredentials(s.URL), env("ACME_CLIENT_ID", "id", "ACME_CLIENT_SECRET", "canary-secret"))
	if got := secret(t, src); got != "canary-token-1" {
		t.Errorf("the token is %s", got)
	}
}

// a token endpoint echoes what it was sent; nothing of it comes through.
func TestARefusalOfTheTokenEndpointNamesTheWayOutAndNoSecret(t *testing.T) {
	for _, c := range []struct {
		status int
		body   string
		kind   weir.Kind
		says   string
	}{
		{401, `{"error":"invalid_client","error_description":"bad canary-secret"}`, weir.KindUpstreamAuth, "401 (invalid_client)"},
		{400, `{"error":"canary-secret"}`, weir.KindUpstreamAuth, "400"},
		{503, `canary-secret`, weir.KindUpstream, "503"},
		{429, ``, weir.KindUpstream, "429"},
		{307, ``, weir.KindUpstream, "307"},
		{200, `{"expires_in":1}`, weir.KindUpstream, "no token"},
		{200, `canary-secret`, weir.KindUpstream, "no token"},
	} {
		s, _ := tokenServer(t, func(*http.Request) (int, string) { return c.status, c.body })
		src := source(t, clientCredentials(s.URL), env("ACME_CLIENT_ID", "id", "ACME_CLIENT_SECRET", "canary-secret"))
		_, err := src.Secret(t.Context())
		e := weir.AsError(err)
		if e == nil || e.Kind != c.kind || !strings.Contains(e.Message, c.says) || !strings.Contains(e.Hint, "ACME_CLIENT_SECRET") {
			t.Errorf("%d %s: %+v", c.status, c.body, e)
		} else if text := fmt.Sprintf("%+v %v", e, e.Err); strings.Contains(text, "canary") {
			t.Errorf("%d: a secret is in %s", c.status, text)
		}
	}
	src := source(t, clientCredentials("http://127.0.0.1:1/"), env("ACME_CLIENT_ID", "id", "ACME_CLIENT_SECRET", "canary-secret"))
	if _, err := src.Secret(t.Context()); weir.AsError(err).Kind != weir.KindUpstream {
		t.Errorf("a token endpoint that is not there: %v", err)
	}
}

func TestAVariableThatASchemeNeedsIsNamed(t *testing.T) {
	for missing, find := range map[string]func(string) (string, bool){
		"ACME_CLIENT_ID":     env("ACME_CLIENT_SECRET", "s", "ACME_TENANT", "t"),
		"ACME_CLIENT_SECRET": env("ACME_CLIENT_ID", "i", "ACME_TENANT", "t"),
		"ACME_TENANT":        env("ACME_CLIENT_ID", "i", "ACME_CLIENT_SECRET", "s"),
	} {
		_, _, err := SourceFor(clientCredentials("https://login.example/{ACME_TENANT}"), find)
		if e := weir.AsError(err); e == nil || e.Kind != weir.KindInvalid || e.Param != missing || !strings.Contains(e.Hint, missing) {
			t.Errorf("%s: %+v", missing, e)
		}
	}
}

func TestSourcesOfTheSameCredentialsHaveOneID(t *testing.T) {
	id := func(a catalog.Auth, pairs ...string) [32]byte {
		_, id, err := SourceFor(a, env(pairs...))
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	aws := catalog.Auth{Scheme: catalog.AuthSigV4}
	a := id(aws, "AWS_ACCESS_KEY_ID", "a", "AWS_SECRET_ACCESS_KEY", "s")
	if id(aws, "AWS_ACCESS_KEY_ID", "a", "AWS_SECRET_ACCESS_KEY", "s", "OTHER", "x") != a {
		t.Error("what has nothing to do with it changed the id")
	}
	for _, other := range [][32]byte{
		id(aws, "AWS_ACCESS_KEY_ID", "a", "AWS_SECRET_ACCESS_KEY", "t"), id(aws), id(aws, "AWS_PROFILE", "p"),
		id(catalog.Auth{Scheme: catalog.AuthGoogle}), {},
	} {
		if other == a {
			t.Error("two credentials share an id")
		}
	}
	if src, _, err := SourceFor(catalog.Auth{Scheme: catalog.AuthBearer}, env()); src != nil || err != nil {
		t.Error("a scheme of keys has a source")
	}
}

// serviceAccount is the text of a key file for a token endpoint.
func serviceAccount(t *testing.T, tokenURL string) string {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(map[string]string{
		"type": "service_account", "project_id": "p", "private_key_id": "k1", "client_email": "weir@p.example",
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), "token_uri": tokenURL,
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// assertion is what Google's token endpoint knows of a service account.
type assertion struct {
	audience, issuer string
	key              *rsa.PublicKey
}

func assertionOf(t *testing.T, account string) assertion {
	t.Helper()
	var a map[string]string
	if err := json.Unmarshal([]byte(account), &a); err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode([]byte(a["private_key"]))
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return assertion{a["token_uri"], a["client_email"], &key.(*rsa.PrivateKey).PublicKey}
}

// holds checks an assertion as RFC 7523, section 3, and Google's page on service
// accounts have it: who, for whom, for what, for an hour, signed with RS256.
func (a assertion) holds(t *testing.T, jwt string) bool {
	t.Helper()
	parts := strings.Split(jwt, ".")
	if len(parts) != 3 {
		return false
	}
	var head struct{ Alg, Kid string }
	var claims struct {
		Iss, Aud, Scope string
		Iat, Exp        int64
	}
	for i, to := range []any{&head, &claims} {
		raw, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err == nil {
			err = json.Unmarshal(raw, to)
		}
		if err != nil {
			t.Error(err)
			return false
		}
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if err == nil {
		err = rsa.VerifyPKCS1v15(a.key, crypto.SHA256, sum[:], signature)
	}
	return err == nil && head.Alg == "RS256" && head.Kid == "k1" && claims.Iss == a.issuer && claims.Aud == a.audience &&
		claims.Scope == "https://www.googleapis.com/auth/cloud-platform" && claims.Exp-claims.Iat <= 3600 && claims.Exp > time.Now().Unix()
}

func TestAServiceAccountOfGoogleGetsATokenAndARefusedOneIsRenewedOnce(t *testing.T) {
	var account assertion
	tokens, n := tokenServer(t, func(r *http.Request) (int, string) {
		if r.Form.Get("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer" || !account.holds(t, r.Form.Get("assertion")) {
			return 400, `{"error":"invalid_grant"}`
		}
		return 0, ""
	})
	text := serviceAccount(t, tokens.URL)
	account = assertionOf(t, text)
	file := filepath.Join(t.TempDir(), "sa.json")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, said := range map[string]string{"a file": file, "the text itself": text} {
		t.Run(name, func(t *testing.T) {
			n.Store(0)
			var seen []string
			s, tr := upstreamServer(t, func(w http.ResponseWriter, r *http.Request) {
				seen = append(seen, r.Header.Get("Authorization"))
				if strings.HasSuffix(r.Header.Get("Authorization"), "-1") {
					w.WriteHeader(http.StatusUnauthorized)
					_, _ = fmt.Fprintf(w, `{"error":{"code":401,"status":"UNAUTHENTICATED","message":"%s"}}`, r.Header.Get("Authorization"))
					return
				}
				say("start", "one")(w, r)
			})
			o := single(s, tr, &lines{})
			o.Credentials = FromSource(source(t, catalog.Auth{Scheme: catalog.AuthGoogle}, env(googleVariable, said)))
			h := must(t, o)
			if out := ask(t, h, question()); out.err != nil || len(out.upstreams) != 2 {
				t.Errorf("the call ended with %v after %d attempts", out.err, len(out.upstreams))
			}
			ask(t, h, question())
			if want := []string{"Bearer canary-token-1", "Bearer canary-token-2", "Bearer canary-token-2"}; !slices.Equal(seen, want) {
				t.Errorf("sent were %v", seen)
			}
		})
	}
}

//
func TestATokenThatStaysRefusedBenchesItsAccountAndIsNotShown(t *testing.T) {
	tokens, n := tokenServer(t, func(*http.Request) (int, string) { return 0, "" })
	s, tr := upstreamServer(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		_, _ = fmt.Fprintf(w, `{"message":"no: %s"}`, r.Header.Get("Authorization"))
	})
	o := single(s, tr, &lines{})
	o.Credentials = FromSource(source(t, clientCredentials(tokens.URL), env("ACME_CLIENT_ID", "id", "ACME_CLIENT_SECRET", "canary-secret")))
	out := ask(t, must(t, o), question())
	e := out.error(t)
	if e.Kind != weir.KindUpstreamAuth || len(out.upstreams) != 2 || n.Load() != 2 || o.Credentials.Benched() != 1 || o.Credentials.Len() != 1 {
		t.Errorf("it ended with %v after %d attempts and %d tokens, benched %d", e, len(out.upstreams), n.Load(), o.Credentials.Benched())
	}
	if text := fmt.Sprintf("%+v %#v %v %+v", e, o.Credentials, o, out.upstreams[0]); strings.Contains(text, "canary") {
		t.Errorf("a secret is in %s", text)
	}
}

func TestACallWithoutATokenIsNotMade(t *testing.T) {
	tokens, _ := tokenServer(t, func(*http.Request) (int, string) { return 401, `{"error":"invalid_client"}` })
	s, tr := upstreamServer(t, func(http.ResponseWriter, *http.Request) { t.Error("the upstream was called") })
	o := single(s, tr, &lines{})
	o.Credentials = FromSource(source(t, clientCredentials(tokens.URL), env("ACME_CLIENT_ID", "id", "ACME_CLIENT_SECRET", "s")))
	e := ask(t, must(t, o), question()).error(t)
	if e.Kind != weir.KindUpstreamAuth || e.Deployment != "acme/m-eu" || !strings.Contains(e.Hint, "ACME_CLIENT_SECRET") || o.Credentials.Benched() != 1 {
		t.Errorf("the error is %+v", e)
	}
}

func TestWhatHoldsNoCredentialsOfGoogleIsSaidWithoutItsText(t *testing.T) {
	broken := filepath.Join(t.TempDir(), "broken.json")
	if err := os.WriteFile(broken, []byte(`{"private_key":"canary"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, said := range []string{"/no/such/file", broken, `{"type":"canary"}`} {
		_, err := source(t, catalog.Auth{Scheme: catalog.AuthGoogle}, env(googleVariable, said)).Secret(t.Context())
		e := weir.AsError(err)
		if e == nil || e.Kind != weir.KindUpstreamAuth || !strings.Contains(e.Message+e.Hint, googleVariable) || strings.Contains(fmt.Sprintf("%+v", e), "canary") {
			t.Errorf("%s: %+v", said, e)
		}
	}
}

func TestTheCredentialsOfAWSAreFound(t *testing.T) {
	sigv4 := catalog.Auth{Scheme: catalog.AuthSigV4, Service: "bedrock", Region: "eu-west-1"}
	if got := secret(t, source(t, sigv4, env("AWS_ACCESS_KEY_ID", "id", "AWS_SECRET_ACCESS_KEY", "s", "AWS_SESSION_TOKEN", "t"))); got != "id:s:t" {
		t.Errorf("the usual variables gave %s", got)
	}

	dir := t.TempDir()
	file := filepath.Join(dir, "credentials")
	if err := os.WriteFile(file, []byte("[work]\naws_access_key_id = AKIDWORK\naws_secret_access_key = s2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"AWS_SHARED_CREDENTIALS_FILE": file, "AWS_CONFIG_FILE": filepath.Join(dir, "none"), "AWS_EC2_METADATA_DISABLED": "true",
		"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_PROFILE": "",
	} {
		t.Setenv(name, value)
	}
	if got := secret(t, source(t, sigv4, env("AWS_PROFILE", "work", "AWS_REGION", "eu-west-1"))); got != "AKIDWORK:s2" {
		t.Errorf("a profile gave %s", got)
	}
	for profile, says := range map[string]string{"nobody": "AWS_PROFILE", "": "no credentials of AWS"} {
		_, err := source(t, sigv4, env("AWS_PROFILE", profile)).Secret(t.Context())
		if e := weir.AsError(err); e == nil || e.Kind != weir.KindUpstreamAuth || !strings.Contains(e.Message, says) || !strings.Contains(e.Hint, "AWS_ACCESS_KEY_ID") {
			t.Errorf("profile %q: %+v", profile, e)
		}
	}
}

// One account of AWS in the environment, another in a configuration.
func TestAccountsOfAWSAreNotMixed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "credentials")
	if err := os.WriteFile(file, []byte("[work]\naws_access_key_id = AKIDWORK\naws_secret_access_key = s2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	process := []string{"AWS_ACCESS_KEY_ID", "AKIDENV", "AWS_SECRET_ACCESS_KEY", "s1", "AWS_SESSION_TOKEN", "t1"}
	for i := 0; i < len(process); i += 2 {
		t.Setenv(process[i], process[i+1])
	}
	for name, value := range map[string]string{
		"AWS_SHARED_CREDENTIALS_FILE": file, "AWS_CONFIG_FILE": file + ".none", "AWS_EC2_METADATA_DISABLED": "true", "AWS_PROFILE": "",
	} {
		t.Setenv(name, value)
	}
	for want, own := range map[string][]string{
		"AKIDENV:s1:t1":   nil,
		"AKIDWORK:s2":     {"AWS_PROFILE", "work"},
		"AKIDFILE:s3":     {"AWS_ACCESS_KEY_ID", "AKIDFILE", "AWS_SECRET_ACCESS_KEY", "s3"},
		"AKIDFILE:s3:own": {"AWS_ACCESS_KEY_ID", "AKIDFILE", "AWS_SECRET_ACCESS_KEY", "s3", "AWS_SESSION_TOKEN", "own", "AWS_PROFILE", "work"},
	} {
		src := source(t, catalog.Auth{Scheme: catalog.AuthSigV4}, env(append(own, process...)...))
		if got := secret(t, src); got != want {
			t.Errorf("%q gave %s", own, got)
		}
	}
}

func TestTheRoleOfAContainerIsFoundAndItsEndKept(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "close") // nothing is left for goleak
		_, _ = fmt.Fprint(w, `{"AccessKeyId":"AKIDROLE","SecretAccessKey":"s","Token":"t","Expiration":"2099-01-01T00:00:00Z"}`)
	}))
	defer s.Close()
	u, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, value := range map[string]string{
		"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:" + u.Port() + "/", "AWS_EC2_METADATA_DISABLED": "true",
		"AWS_SHARED_CREDENTIALS_FILE": filepath.Join(dir, "none"), "AWS_CONFIG_FILE": filepath.Join(dir, "none"),
		"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_PROFILE": "",
	} {
		t.Setenv(name, value)
	}
	src := source(t, catalog.Auth{Scheme: catalog.AuthSigV4}, env("AWS_REGION", "eu-west-1"))
	if got := secret(t, src); got != "AKIDROLE:s:t" {
		t.Errorf("the role gave %s", got)
	}
	// The chain itself takes five minutes off.
	if r := src.(*renewing); r.current.expires.Year() != 2098 || !r.renewAt.Before(r.current.expires) {
		t.Errorf("it ends at %v and is renewed at %v", r.current.expires, r.renewAt)
	}
}

// whatever is printed, and however, no secret and no token is in it.
func TestNothingThatIsPrintedHoldsASecret(t *testing.T) {
	tokens, _ := tokenServer(t, func(*http.Request) (int, string) { return 0, "" })
	for name, c := range map[string]struct {
		auth catalog.Auth
		env  []string
	}{
		"AWS":    {catalog.Auth{Scheme: catalog.AuthSigV4}, []string{"AWS_ACCESS_KEY_ID", "canary-id", "AWS_SECRET_ACCESS_KEY", "canary-secret", "AWS_SESSION_TOKEN", "canary-session"}},
		"Google": {catalog.Auth{Scheme: catalog.AuthGoogle}, []string{googleVariable, serviceAccount(t, tokens.URL)}},
		"OAuth2": {clientCredentials(tokens.URL), []string{"ACME_CLIENT_ID", "id", "ACME_CLIENT_SECRET", "canary-secret"}},
	} {
		src := source(t, c.auth, env(c.env...))
		secret(t, src)
		creds := FromSource(src)
		o := Options{Model: "m", Credentials: creds, Endpoints: []Endpoint{{Codec: &lines{}, BaseURL: "https://h"}}}
		h := must(t, o)
		var log strings.Builder
		for _, handler := range []slog.Handler{slog.NewJSONHandler(&log, nil), slog.NewTextHandler(&log, nil)} {
			slog.New(handler).Info("x", "credentials", creds, "options", o, "handler", h, "source", src)
		}
		encoded, _ := json.Marshal(creds)
		text := fmt.Sprintf("%v %+v %#v %v %+v %#v %+v %s %s", creds, creds, creds, src, src, h, h, encoded, log.String())
		if strings.Contains(text, "canary") || strings.Contains(text, "PRIVATE KEY") {
			t.Errorf("%s: a secret is in %s", name, text)
		}
	}
}
