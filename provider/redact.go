package provider

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/weir-gateway/weir"
)

// redacted stands where a key was.
const redacted = "[key]"

// fingerprint tells keys apart in logs without telling anything else about
// them: eight digits of the key's SHA-256.
func (k *key) fingerprint() string {
	return "key:" + hex.EncodeToString(k.sum[:4])
}

// String names the keys by their fingerprints.
func (c *Credentials) String() string {
	if c.Len() == 0 {
		return "credentials(none)"
	}
	names := make([]string, len(c.keys))
	for i, k := range c.keys {
		names[i] = k.fingerprint()
	}
	return "credentials(" + strings.Join(names, " ") + ")"
}

// GoString is String.
func (c *Credentials) GoString() string { return c.String() }

// Format writes String, whatever the verb.
func (c *Credentials) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, c.String()) }

// LogValue implements slog.LogValuer.
func (c *Credentials) LogValue() slog.Value { return slog.StringValue(c.String()) }

// MarshalText makes JSON and other encodings show String.
func (c *Credentials) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// scrub takes a key out of an error that a provider may have echoed it in, and
// the parts of one that is several secrets in one.
func scrub(e *weir.Error, secret string) {
	scrubText(e, secret)
	if !strings.Contains(secret, ":") {
		return
	}
	for part := range strings.SplitSeq(secret, ":") {
		if len(part) >= minPart {
			scrubText(e, part)
		}
	}
}

// minPart is how long a part of a key must be to be a secret of its own, bytes.
const minPart = 16

func scrubText(e *weir.Error, s string) {
	if len(s) < 4 { // would take half of the text along
		return
	}
	for _, field := range []*string{&e.Message, &e.Param, &e.Code, &e.Hint, &e.RequestID} {
		*field = strings.ReplaceAll(*field, s, redacted)
	}
	if e.Wire != nil && bytes.Contains(e.Wire.Body, []byte(s)) {
		w := *e.Wire
		w.Body = bytes.ReplaceAll(w.Body, []byte(s), []byte(redacted))
		e.Wire = &w
	}
	if e.Err != nil && strings.Contains(e.Err.Error(), s) {
		e.Err = nil
	}
}
