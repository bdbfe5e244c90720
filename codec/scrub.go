package codec

import (
	"regexp"
	"slices"
	"strings"
)

// redacted stands where something looked like a credential.
const redacted = "[redacted]"

// A secret is a form in which credentials have been seen in errors of upstreams
// . The first group of form is kept, the second is what may be one.
type secret struct {
	form *regexp.Regexp
	// is decides for values in whose place something harmless may stand; nil is
	// always.
	is func(value string) bool
}

var secrets = []secret{
	// sk-…, gsk_…, xai-… and the other prefixed keys, masked ones included.
	{regexp.MustCompile(`(?i)\b()((?:sk|gsk|xai|nvapi|gh[pousr]|glpat|tgp|pplx|csk)[-_][A-Za-z0-9_\-*./]{6,})`), nil},
	{regexp.MustCompile(`(?i)\b()((?:pk|rk|hf|r8|fw|bce|weir|key|ak)[-_][A-Za-z0-9_\-*./]{6,})`), looksRandom},
	{regexp.MustCompile(`(?i)\b((?:bearer|basic)\s+)([A-Za-z0-9_\-.=+/*~]{6,})`), isNoWord},
	// api_key: …, "secret": "…", and "Incorrect API key provided: …"
	{regexp.MustCompile(`(?i)((?:(?:api|access|auth|private|refresh|session)[_\- ]?(?:key|token)|secret|password|passwd|authorization|signature|credential)["']?\s*[=:]\s*["']?)([^\s"'&,;<>]{4,})`), isNoWord},
	{regexp.MustCompile(`(?i)(\b(?:key|token|secret) (?:provided|given)\s*[=:]\s*["']?)([^\s"'&,;<>]{4,})`), isNoWord},
	// key=…, "token": "…": both are also names of what is no secret at all.
	{regexp.MustCompile(`(?i)((?:key|token)["']?\s*[=:]\s*["']?)([^\s"'&,;<>]{4,})`), looksRandom},
	{regexp.MustCompile(`()\b(AIza[0-9A-Za-z_\-]{10,})`), nil},
	{regexp.MustCompile(`()\b(ya29\.[0-9A-Za-z_\-]{10,})`), nil},
	{regexp.MustCompile(`()\b((?:AKIA|ASIA|AKLT|AKID|LTAI)[0-9A-Za-z]{8,})`), nil},
	{regexp.MustCompile(`()\b(eyJ[A-Za-z0-9_\-]{6,}\.[A-Za-z0-9_\-]{6,}(?:\.[A-Za-z0-9_\-]*)?)`), nil},
	// id.secret, as GLM writes its keys.
	{regexp.MustCompile(`()\b([0-9a-fA-F]{20,}\.[A-Za-z0-9_\-]{10,})`), nil},
}

// looksRandom reports whether a value is more likely made by a generator than
// written by a person: it is masked, has digits among letters, is long and of
// both cases, or longer than any word. Field names and numbers are not.
func looksRandom(value string) bool {
	digit := strings.ContainsAny(value, "0123456789")
	upper, lower := strings.ToLower(value) != value, strings.ToUpper(value) != value
	return strings.Contains(value, "**") || digit && (upper || lower) || upper && lower && len(value) >= 16 ||
		lower && len(value) >= 24 && !strings.ContainsAny(value, "_-.[")
}

// words are what stands behind the name of a field in messages about the field.
var words = []string{
	"cannot", "does", "empty", "expected", "extra", "failed", "field", "has", "input", "invalid", "missing", "must",
	"none", "null", "required", "should", "string", "token", "tokens", "type", "unexpected", "unknown", "value",
	"authentication", "authorization", "credentials", "header", "scheme",
}

func isNoWord(value string) bool {
	return !slices.Contains(words, strings.ToLower(strings.TrimRight(value, ".:)")))
}

// Scrub is s without what looks like a credential: each is replaced by
// "[redacted]". Numbers of tokens and names of fields stay. It errs on the side of
// taking too much, and so is for errors and logs, never for content.
func Scrub(s string) string {
	for i := range secrets {
		s = secrets[i].scrub(s)
	}
	return s
}

func (c *secret) scrub(s string) string {
	found := c.form.FindAllStringSubmatchIndex(s, -1)
	if len(found) == 0 {
		return s
	}
	var out strings.Builder
	at := 0
	for _, m := range found {
		from, to := m[4], m[5]
		if s[from:to] == redacted || c.is != nil && !c.is(s[from:to]) {
			continue
		}
		out.WriteString(s[at:from])
		out.WriteString(redacted)
		at = to
	}
	out.WriteString(s[at:])
	return out.String()
}
