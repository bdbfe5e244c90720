package provider

import (
	"context"
	"crypto/sha256"
	"fmt"
	"strings"

	"github.com/weir-gateway/weir/catalog"
)

// A Source is where a credential comes from that is not a key of the user's: a
// token that expires, or one that is signed with. Implementations are safe for
// concurrent use.
type Source interface {
	// Secret is what to send now, in the form that the Auth wants. It may make
	// an exchange, which ctx bounds for this caller. An error names the way out
	// and never holds a secret; it is ctx's own where ctx ended.
	Secret(ctx context.Context) (string, error)
	// Renew drops a secret that was refused, so that Secret makes another. It
	// reports whether another can be expected.
	Renew(refused string) bool
}

// FromSource makes a pool of one nameless credential, whose secret src makes.
func FromSource(src Source) *Credentials {
	c := NewCredentials(CredentialsOptions{})
	c.source = src
	c.keys = []*key{{secret: src.Secret, sum: sha256.Sum256(nil)}}
	return c
}

// fixed is the secret of a key that was given.
func fixed(secret string) func(context.Context) (string, error) {
	return func(context.Context) (string, error) { return secret, nil }
}

// SourceFor makes the Source of a scheme that finds its credentials itself; it
// is nil for all others. lookup, os.LookupEnv or the like, finds the variables
// that the scheme wants. Nothing is fetched before it is needed. Two Sources
// with the same id come by the same credentials.
//
// Errors are KindInvalid and name the variable that is missing.
func SourceFor(a catalog.Auth, find func(string) (string, bool)) (src Source, id [sha256.Size]byte, err error) {
	h := sha256.New()
	look := lookup(func(name string) string {
		v, _ := find(name)
		v = strings.TrimSpace(v)
		_, _ = fmt.Fprintf(h, "%s\x00%d\x00%s", name, len(v), v)
		return v
	})
	switch a.Scheme {
	case catalog.AuthSigV4:
		src = awsSource(look)
	case catalog.AuthGoogle:
		src = googleSource(&a, look)
	case catalog.AuthOAuth2:
		if src, err = oauth2Source(&a, look); err != nil {
			return nil, id, err
		}
	default:
		return nil, id, nil
	}
	_, _ = fmt.Fprintf(h, "%s\x00%s\x00%s", a.Scheme, a.TokenURL, a.Scope)
	return src, [sha256.Size]byte(h.Sum(nil)), nil
}

// A lookup finds a variable, empty for one that is not set.
type lookup func(name string) string

// value is the first that is set.
func (l lookup) value(names ...string) string {
	for _, name := range names {
		if v := l(name); v != "" {
			return v
		}
	}
	return ""
}
