package provider

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/weir-gateway/weir"
)

// SigV4 signs requests as AWS wants it (Signature Version 4, IAM user guide, read
// 2026-11-20). A key is "ACCESS_KEY_ID:SECRET_ACCESS_KEY", with ":SESSION_TOKEN"
// behind it where there is one.
//
// The path is signed as it goes over the wire, escaped once more, which is what
// all services but S3 expect: a model's id may have colons and slashes in it.
// Of the headers only those are signed that a proxy has no reason to touch.
func SigV4(service, region string) Auth {
	return &sigV4{service: service, region: region, signer: v4.NewSigner()}
}

type sigV4 struct {
	service, region string
	signer          *v4.Signer
}

// Apply implements Auth.
func (s *sigV4) Apply(req *http.Request, key string) error {
	creds, err := parseAWS(key)
	if err != nil {
		return err
	}
	sum, err := payloadHash(req)
	if err != nil {
		return err
	}
	u := *req.URL
	signed := http.Request{Method: req.Method, URL: &u, Host: req.Host, Header: http.Header{}, ContentLength: req.ContentLength}
	for name, values := range req.Header {
		if name == "Content-Type" || strings.HasPrefix(name, "X-Amz-") {
			signed.Header[name] = values
		}
	}
	if err := s.signer.SignHTTP(req.Context(), creds, &signed, sum, s.service, s.region, time.Now()); err != nil {
		return weir.Errorf(weir.KindInternal, "the request could not be signed")
	}
	for _, name := range []string{"Authorization", "X-Amz-Date", "X-Amz-Security-Token"} {
		if v := signed.Header[name]; v != nil {
			req.Header[name] = v
		}
	}
	return nil
}

// payloadHash is the SHA-256 of a body that can be read again.
func payloadHash(req *http.Request) (string, error) {
	h := sha256.New()
	if req.GetBody != nil {
		body, err := req.GetBody()
		if err == nil {
			_, err = io.Copy(h, body)
			_ = body.Close()
		}
		if err != nil {
			return "", weir.Errorf(weir.KindInternal, "the request's body could not be read to be signed")
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

func parseAWS(key string) (aws.Credentials, error) {
	id, rest, _ := strings.Cut(key, ":")
	secret, session, _ := strings.Cut(rest, ":")
	if id == "" || secret == "" {
		e := weir.Invalid("credentials", "a credential of AWS has an access key id and a secret access key")
		e.Hint = "write the key as ACCESS_KEY_ID:SECRET_ACCESS_KEY"
		return aws.Credentials{}, e
	}
	return aws.Credentials{AccessKeyID: id, SecretAccessKey: secret, SessionToken: session}, nil
}

// joinAWS is a credential as parseAWS reads it.
func joinAWS(c aws.Credentials) string {
	key := c.AccessKeyID + ":" + c.SecretAccessKey
	if c.SessionToken != "" {
		key += ":" + c.SessionToken
	}
	return key
}
