package catalog

// Auth is how a credential is sent, and for some schemes also how it is come by.
type Auth struct {
	// Scheme is one of the Auth constants. Empty is the provider's, and
	// bearer if that is empty too.
	Scheme string `json:"scheme,omitempty"`
	// Header is the header's name for AuthHeader: "x-api-key".
	Header string `json:"header,omitempty"`
	// Query is the parameter's name for AuthQuery.
	Query string `json:"query,omitempty"`

	// Service and Region are those that AuthSigV4 signs for: "bedrock",
	// "{AWS_REGION}".
	Service string `json:"service,omitempty"`
	Region  string `json:"region,omitempty"`

	// TokenURL is where AuthOAuth2 asks for a token; it may have variables in
	// it. ClientID and ClientSecret are the names of the variables that hold
	// the two.
	TokenURL     string `json:"token_url,omitempty"`
	ClientID     string `json:"client_id,omitempty"`
	ClientSecret string `json:"client_secret,omitempty"`
	// Scope is what AuthOAuth2 and AuthGoogle ask for, several separated by
	// blanks.
	Scope string `json:"scope,omitempty"`

	// Key is how a plain key is sent where one is given in place of what the
	// scheme would find itself. Nil: as a bearer.
	Key *Auth `json:"key,omitempty"`
}

// Authentication schemes.
const (
	AuthBearer   = "bearer"    // Authorization: Bearer KEY
	AuthHeader   = "header"    // HEADER: KEY
	AuthQuery    = "query"     // ?QUERY=KEY
	AuthZhipuJWT = "zhipu_jwt" // bearer of a short-lived token signed with a key "id.secret"
	AuthNone     = "none"      // nothing is sent unless the user sets a key, then bearer

	// The following find their credentials themselves.

	AuthSigV4  = "sigv4"                     // signed as AWS does, with its usual credentials
	AuthGoogle = "google"                    // bearer of Google's application default credentials
	AuthOAuth2 = "oauth2_client_credentials" // bearer of a token for a client's id and secret
)

// FindsOwn reports whether the scheme finds its credentials itself.
func (a *Auth) FindsOwn() bool {
	switch a.Scheme {
	case AuthSigV4, AuthGoogle, AuthOAuth2:
		return true
	}
	return false
}

// ForKey is how a plain key is sent: the scheme itself, or what stands in for
// one that finds its own credentials.
func (a *Auth) ForKey() Auth {
	switch {
	case !a.FindsOwn():
		return *a
	case a.Key != nil:
		return *a.Key
	}
	return Auth{Scheme: AuthBearer}
}

// AuthOf is how a credential is sent to an endpoint of the provider.
func (p *Provider) AuthOf(e *Endpoint) Auth {
	a := p.Auth
	if e != nil && e.Auth != nil {
		a = *e.Auth
	}
	if a.Scheme == "" {
		a.Scheme = AuthBearer
	}
	return a
}
