package provider

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/catalog"
)

// oauth2Source asks for tokens with a client's id and secret (RFC 6749, section
// 4.4). A server that wants the two in the body rather than in a header is found
// out by trying.
func oauth2Source(a *catalog.Auth, lookup lookup) (Source, error) {
	c := &clientcredentials.Config{Scopes: strings.Fields(a.Scope)}
	var err error
	if c.TokenURL, err = catalog.Expand(a.TokenURL, func(name string) string { return lookup.value(name) }); err != nil {
		return nil, err
	}
	for _, part := range []struct {
		name string
		to   *string
	}{{a.ClientID, &c.ClientID}, {a.ClientSecret, &c.ClientSecret}} {
		if *part.to = lookup.value(part.name); *part.to == "" {
			e := weir.Invalid(part.name, "%s is not set", part.name)
			e.Hint = "set " + part.name
			return nil, e
		}
	}
	way := "check " + a.ClientID + " and " + a.ClientSecret
	return &renewing{fetch: func(ctx context.Context) (credential, error) {
		t, err := c.Token(context.WithValue(ctx, oauth2.HTTPClient, tokenClient()))
		return bearerToken(t, err, way)
	}}, nil
}

// tokenClient makes the exchanges for tokens. They are rare: no connection is
// kept. A redirect is not followed, since a secret goes up.
var tokenClient = sync.OnceValue(func() *http.Client {
	return &http.Client{
		Transport:     &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true, TLSHandshakeTimeout: DefaultConnectTimeout},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
})

// bearerToken is what came of an exchange for a token. way is the way out where
// the token endpoint refuses.
func bearerToken(t *oauth2.Token, err error, way string) (credential, error) {
	if err != nil {
		return credential{}, tokenError(err, way)
	}
	value := t.AccessToken
	return credential{secret: func() string { return value }, expires: t.Expiry}, nil
}

// tokenError says what happened without repeating what the token endpoint said:
// it may have echoed the secret.
func tokenError(err error, way string) error {
	if said, ok := errors.AsType[*oauth2.RetrieveError](err); ok && said.Response != nil {
		kind := weir.KindUpstream
		if s := said.Response.StatusCode; s >= 400 && s < 500 && s != http.StatusTooManyRequests {
			kind = weir.KindUpstreamAuth
		}
		e := weir.Errorf(kind, "the token endpoint answered with status %d%s", said.Response.StatusCode, known(said.ErrorCode))
		e.Hint = way
		return e
	}
	e := connectionError(err)
	if e.Kind == weir.KindUpstream {
		e.Message = "no token for the provider: " + e.Message
	}
	e.Hint, e.Err = way, nil
	return e
}

// known repeats an error code of RFC 6749, section 5.2, and no other text.
func known(code string) string {
	switch code {
	case "invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type", "invalid_scope":
		return fmt.Sprintf(" (%s)", code)
	}
	return ""
}
