package authn

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/weir-gateway/weir"
)

// maxKey bounds a credential that is looked at, in bytes.
const maxKey = 512

// A Key is one gateway key of a configuration.
type Key struct {
	Name string // in logs and the ledger; required
	Hash string // "sha256:" and 64 hex digits, as Hash makes it
	// Models are names or globs of the models that the key may use; empty: all.
	Models []string
	// Admin lets the key look at what belongs to the operator.
	Admin bool
}

// Keys is an immutable set of keys. Safe for concurrent use. A nil *Keys is an
// open gateway: everybody is the anonymous Principal. A set without keys lets
// nobody in.
type Keys struct{ byHash map[Digest]*entry }

type entry struct {
	digest    Digest
	principal weir.Principal
}

var anonymous = &weir.Principal{Name: "anonymous"}

// NewKeys makes a set. All that is wrong with the keys is reported at once.
func NewKeys(keys []Key) (*Keys, error) {
	set := &Keys{byHash: make(map[Digest]*entry, len(keys))}
	names := make(map[string]bool, len(keys))
	var problems []error
	for i, k := range keys {
		digest, err := ParseHash(k.Hash)
		switch {
		case k.Name == "":
			problems = append(problems, fmt.Errorf("keys[%d].name: missing", i))
		case names[k.Name]:
			problems = append(problems, fmt.Errorf("keys[%d].name: %q is used twice", i, k.Name))
		case err != nil:
			problems = append(problems, fmt.Errorf("keys[%d].hash (%s): %w", i, k.Name, err))
		case set.byHash[digest] != nil:
			problems = append(problems, fmt.Errorf("keys[%d].hash (%s): same key as %q", i, k.Name, set.byHash[digest].principal.Name))
		default:
			set.byHash[digest] = &entry{digest, weir.Principal{Name: k.Name, Models: k.Models, Admin: k.Admin}}
		}
		names[k.Name] = true
	}
	if len(problems) > 0 {
		return nil, errors.Join(problems...)
	}
	return set, nil
}

// Len is how many keys there are.
func (k *Keys) Len() int {
	if k == nil {
		return 0
	}
	return len(k.byHash)
}

// Authenticate finds who sent the credentials of a request. It looks wherever
// a client of any protocol puts its key: Authorization: Bearer, x-api-key,
// x-goog-api-key, api-key and the query's key. Clients send several at once,
// one of them perhaps a provider's own; one valid gateway key is enough, and
// the others are not used. The Principal is shared and not modified.
//
// The error is KindUnauthenticated and never echoes what was sent. h has
// canonical names; query may be nil.
func (k *Keys) Authenticate(h http.Header, query url.Values) (*weir.Principal, error) {
	if k == nil {
		return anonymous, nil
	}
	var seen sight
	for _, value := range h["Authorization"] {
		token, ok := bearer(value)
		if !ok {
			seen.scheme = true
		} else if p := k.check(token, &seen); p != nil {
			return p, nil
		}
	}
	for _, name := range keyHeaders {
		for _, value := range h[name] {
			if p := k.check(value, &seen); p != nil {
				return p, nil
			}
		}
	}
	for _, value := range query["key"] {
		if p := k.check(value, &seen); p != nil {
			return p, nil
		}
	}
	return nil, seen.refusal()
}

// keyHeaders carry a bare key: Anthropic's, Google's and Azure's.
var keyHeaders = [...]string{"X-Api-Key", "X-Goog-Api-Key", "Api-Key"}

// bearer is the token of an Authorization header.
func bearer(value string) (string, bool) {
	const scheme = "bearer "
	if len(value) < len(scheme) || !strings.EqualFold(value[:len(scheme)], scheme) {
		return "", false
	}
	return strings.TrimSpace(value[len(scheme):]), true
}

// sight is what was met on the search for a key.
type sight struct {
	scheme   bool // an Authorization header of another scheme
	unknown  bool // a key of nobody
	mistyped bool // a key of ours with a wrong checksum
}

// check is the Principal of a key, or nil.
func (k *Keys) check(key string, seen *sight) *weir.Principal {
	if key == "" {
		return nil
	}
	if len(key) > maxKey {
		seen.unknown = true
		return nil
	}
	var buf [maxKey]byte
	digest := Digest(sha256.Sum256(buf[:copy(buf[:], key)]))
	e := k.byHash[digest]
	if e == nil || subtle.ConstantTimeCompare(e.digest[:], digest[:]) != 1 {
		seen.unknown = true
		seen.mistyped = seen.mistyped || mistyped(key)
		return nil
	}
	return &e.principal
}

func (s *sight) refusal() *weir.Error {
	var err *weir.Error
	switch {
	case s.mistyped:
		err = weir.Errorf(weir.KindUnauthenticated, "the gateway key is mistyped: its checksum does not fit")
	case s.unknown:
		err = weir.Errorf(weir.KindUnauthenticated, "the API key is not a key of this gateway")
		err.Hint = "send a key that this gateway's operator gave out, not a provider's"
	case s.scheme:
		err = weir.Errorf(weir.KindUnauthenticated, "the Authorization header has no bearer token")
		err.Hint = "send Authorization: Bearer and the gateway key"
	default:
		err = weir.Errorf(weir.KindUnauthenticated, "the API key is missing")
		err.Hint = "send Authorization: Bearer and the gateway key, or x-api-key"
	}
	return err
}
