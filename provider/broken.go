package provider

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/url"
	"strings"
	"syscall"

	"github.com/weir-gateway/weir"
)

// transportError is what it means that no answer came. The context's own error
// stays as it is.
func (c *call) transportError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	e := connectionError(err)
	if e.Kind == weir.KindUpstream {
		e.Message = "no answer from the endpoint: " + e.Message
	}
	return c.mark(e, "")
}

// brokenAnswer is what it means that the connection failed inside an answer.
func (c *call) brokenAnswer(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	e := connectionError(err)
	if e.Kind == weir.KindUpstream {
		e.Message = "the answer was cut: " + e.Message
	}
	c.broken = c.mark(e, "")
	return c.broken
}

// connectionError puts an error of the transport into words of our own. The
// transport's may hold the URL, and with it a key.
func connectionError(err error) *weir.Error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
	}
	if e, ok := errors.AsType[*weir.Error](err); ok {
		return clone(e)
	}
	e := &weir.Error{Kind: weir.KindUpstream, Message: describe(err), Err: err}
	if n, ok := errors.AsType[net.Error](err); ok && n.Timeout() {
		e.Kind = weir.KindTimeout
		e.Message = "the connection timed out"
		if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" || strings.Contains(err.Error(), "handshake") {
			e.Message = "connecting to the endpoint took too long"
		}
	}
	return e
}

// describe names the failures that can be told apart. Everything else is only
// said to be a failure; the cause is kept in the error for logs.
func describe(err error) string {
	if text := describeTLS(err); text != "" {
		return text
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		if dns.IsNotFound {
			return "its host name is not known"
		}
		return "its host name could not be looked up"
	}
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "connection reset"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return "the network does not reach it"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "connection closed"
	}
	return "the exchange failed"
}

func describeTLS(err error) string {
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return "its TLS certificate is not trusted"
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return "its TLS certificate is for another name"
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return "it does not speak TLS"
	}
	if _, ok := errors.AsType[tls.AlertError](err); ok {
		return "it refused the TLS handshake"
	}
	return ""
}
