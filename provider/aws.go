package provider

import (
	"context"
	"errors"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/ssocreds"

	"github.com/weir-gateway/weir"
)

// awsSource finds credentials of AWS: those in the usual variables, else what
// AWS's own chain finds, which is a profile, single sign-on, a web identity
// (IRSA), a container's or the machine's role. The chain reads files and the
// environment of the process when it is first needed, and again to renew.
func awsSource(lookup lookup) Source {
	if given := givenAWS(lookup); given.AccessKeyID != "" && given.SecretAccessKey != "" {
		key := joinAWS(given)
		return static(func() string { return key })
	}
	var options []func(*config.LoadOptions) error
	if profile := lookup.value("AWS_PROFILE"); profile != "" {
		options = append(options, config.WithSharedConfigProfile(profile))
	}
	if region := lookup.value("AWS_REGION", "AWS_DEFAULT_REGION"); region != "" {
		options = append(options, config.WithRegion(region)) // single sign-on and web identities need one
	}
	return &renewing{fetch: func(ctx context.Context) (credential, error) {
		return fetchAWS(ctx, options)
	}}
}

// givenAWS are the credentials in the usual variables. Of two accounts of AWS one
// may stand in the environment of the process and the other in a configuration:
// parts of the one are not taken for the other's.
func givenAWS(lookup lookup) aws.Credentials {
	given := aws.Credentials{
		AccessKeyID:     lookup.value("AWS_ACCESS_KEY_ID"),
		SecretAccessKey: lookup.value("AWS_SECRET_ACCESS_KEY"),
		SessionToken:    lookup.value("AWS_SESSION_TOKEN"),
	}
	own := lookup.isOwn("AWS_ACCESS_KEY_ID")
	switch {
	case !own && lookup.isOwn("AWS_PROFILE"):
		return aws.Credentials{}
	case own && !lookup.isOwn("AWS_SESSION_TOKEN"):
		given.SessionToken = ""
	}
	return given
}

// isOwn reports whether a variable is set, and otherwise than in the environment
// of the process.
func (l lookup) isOwn(name string) bool {
	v := l.value(name)
	return v != "" && v != strings.TrimSpace(os.Getenv(name))
}

func fetchAWS(ctx context.Context, options []func(*config.LoadOptions) error) (credential, error) {
	cfg, err := config.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return credential{}, noAWS("the configuration of AWS cannot be read", err)
	}
	got, err := cfg.Credentials.Retrieve(ctx)
	if err != nil {
		return credential{}, noAWS("there are no credentials of AWS", err)
	}
	key := joinAWS(got)
	c := credential{secret: func() string { return key }}
	if got.CanExpire {
		c.expires = got.Expires
	}
	return c, nil
}

// noAWS does not repeat what the chain says, which may hold the output of a
// helper program.
func noAWS(what string, err error) error {
	e := weir.Errorf(weir.KindUpstreamAuth, "%s", what)
	e.Hint = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or give the machine a role"
	if _, ok := errors.AsType[config.SharedConfigProfileNotExistError](err); ok {
		e.Message = "the configuration of AWS has no profile of the name in AWS_PROFILE"
	}
	if _, ok := errors.AsType[*ssocreds.InvalidTokenError](err); ok {
		e.Message, e.Hint = "the session of AWS's single sign-on has ended", "run aws sso login"
	}
	return e
}
