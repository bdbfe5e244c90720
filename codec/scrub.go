package codec

import "regexp"

// redacted stands where something looked like a credential.
const redacted = "[redacted]"

// secrets are the forms in which credentials have been seen in errors of
// upstreams. A prefix that is worth keeping is the first group.
var secrets = []*regexp.Regexp{
	// sk-…, gsk_…, xai-… and the other prefixed keys, masked ones included.
	regexp.MustCompile(`(?i)\b()(?:sk|pk|rk|gsk|xai|hf|r8|nvapi|fw|gh[pousr]|glpat|tgp|pplx|csk|bce|weir|key|ak)[-_][A-Za-z0-9_\-*./]{6,}`),
	regexp.MustCompile(`(?i)\b((?:bearer|basic)\s+)[A-Za-z0-9_\-.=+/*~]{6,}`),
	// key=…, api_key: …, "token": "…"
	regexp.MustCompile(`(?i)((?:key|secret|token|password|passwd|authorization|signature|credential)["']?\s*[=:]\s*["']?)[^\s"'&,;<>]{4,}`),
	// "Incorrect API key provided: …"
	regexp.MustCompile(`(?i)(\b(?:key|token|secret) (?:provided|given)\s*[=:]\s*["']?)[^\s"'&,;<>]{4,}`),
	regexp.MustCompile(`()\bAIza[0-9A-Za-z_\-]{10,}`),
	regexp.MustCompile(`()\bya29\.[0-9A-Za-z_\-]{10,}`),
	regexp.MustCompile(`()\b(?:AKIA|ASIA|AKLT|AKID|LTAI)[0-9A-Za-z]{8,}`),
	regexp.MustCompile(`()\beyJ[A-Za-z0-9_\-]{6,}\.[A-Za-z0-9_\-]{6,}(?:\.[A-Za-z0-9_\-]*)?`),
	// id.secret, as GLM writes its keys.
	regexp.MustCompile(`()\b[0-9a-fA-F]{20,}\.[A-Za-z0-9_\-]{10,}`),
}

// Scrub is s without what looks like a credential: each is replaced by
// "[redacted]". It errs on the side of taking too much, and so is for errors and
// logs, never for content.
func Scrub(s string) string {
	for _, re := range secrets {
		s = re.ReplaceAllString(s, "${1}"+redacted)
	}
	return s
}
