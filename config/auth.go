package config

import "github.com/weir-gateway/weir/catalog"

// Auth is how the credential of one provider is sent and, for some schemes, come
// by.
type Auth struct {
	Scheme       string `yaml:"scheme" doc:"bearer, header, query, zhipu_jwt, none, sigv4 (AWS), google or oauth2_client_credentials."`
	Header       string `yaml:"header" doc:"The header's name for header."`
	Query        string `yaml:"query" doc:"The parameter's name for query. Addresses end up in logs: only for servers that know no other way."`
	Service      string `yaml:"service" doc:"The service that sigv4 signs for, such as bedrock."`
	Region       string `yaml:"region" doc:"The region that sigv4 signs for."`
	TokenURL     string `yaml:"token_url" doc:"Where oauth2_client_credentials gets its tokens."`
	ClientID     string `yaml:"client_id" doc:"The client's id for oauth2_client_credentials."`
	ClientSecret Secret `yaml:"client_secret" doc:"The client's secret for oauth2_client_credentials: itself, ${VARIABLE}, or file:/path."`
	Scope        string `yaml:"scope" doc:"The scope to ask for, several separated by blanks."`
}

// The names under which Auth passes a client's id and secret on.
const (
	clientID     = "CLIENT_ID"
	clientSecret = "CLIENT_SECRET"
)

// Catalog is a as the catalogue says it, and the values of the variables that
// stand in it for what is secret.
func (a *Auth) Catalog() (auth catalog.Auth, variables map[string]string) {
	auth = catalog.Auth{
		Scheme: a.Scheme, Header: a.Header, Query: a.Query, Service: a.Service, Region: a.Region,
		TokenURL: a.TokenURL, Scope: a.Scope,
	}
	if a.Scheme != catalog.AuthOAuth2 {
		return auth, nil
	}
	auth.ClientID, auth.ClientSecret = clientID, clientSecret
	return auth, map[string]string{clientID: a.ClientID, clientSecret: a.ClientSecret.Reveal()}
}

// auth checks how a provider's credential is sent.
func (v *validator) auth(path string, a *Auth) {
	if a == nil {
		return
	}
	auth, variables := a.Catalog()
	if err := auth.Validate(); err != nil {
		v.problem(path, "", "%v", err)
		return
	}
	if a.Scheme == catalog.AuthOAuth2 && (variables[clientID] == "" || variables[clientSecret] == "") {
		v.problem(path, "", "the scheme %s needs client_id and client_secret", a.Scheme)
	}
}
