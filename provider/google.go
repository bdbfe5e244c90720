package provider

import (
	"context"
	"os"
	"strings"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/google"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/catalog"
)

const (
	googleVariable = "GOOGLE_APPLICATION_CREDENTIALS"
	googleScope    = "https://www.googleapis.com/auth/cloud-platform"
	googleWay      = "set " + googleVariable + " to the file of a service account, or run gcloud auth application-default login"
)

// googleSource finds Google's application default credentials: the file that
// GOOGLE_APPLICATION_CREDENTIALS names, or its text itself, else gcloud's own
// file or the metadata of the machine. The file is the operator's: one that
// names an external account says where tokens are fetched, and is believed.
func googleSource(a *catalog.Auth, lookup lookup) Source {
	scope := a.Scope
	if scope == "" {
		scope = googleScope
	}
	params := google.CredentialsParams{Scopes: strings.Fields(scope)}
	said := lookup.value(googleVariable)
	return &renewing{fetch: func(ctx context.Context) (credential, error) {
		ctx = context.WithValue(ctx, oauth2.HTTPClient, tokenClient())
		creds, err := findGoogle(ctx, said, params)
		if err != nil {
			return credential{}, err
		}
		t, err := creds.TokenSource.Token()
		return bearerToken(t, err, googleWay)
	}}
}

func findGoogle(ctx context.Context, said string, params google.CredentialsParams) (*google.Credentials, error) {
	none := func(what string) error {
		e := weir.Errorf(weir.KindUpstreamAuth, "%s", what)
		e.Hint = googleWay
		return e
	}
	if said == "" {
		found, err := google.FindDefaultCredentialsWithParams(ctx, params)
		if err != nil {
			return nil, none("there are no credentials of Google")
		}
		return found, nil
	}
	text := []byte(said)
	if !strings.HasPrefix(said, "{") {
		var err error
		if text, err = os.ReadFile(said); err != nil {
			return nil, none("the file that " + googleVariable + " names cannot be read")
		}
	}
	// The text is the operator's own, whatever type of credential it is for.
	found, err := google.CredentialsFromJSONWithParams(ctx, text, params) //nolint:staticcheck // see above
	if err != nil {
		return nil, none("what " + googleVariable + " names holds no credentials of Google")
	}
	return found, nil
}
