package codec

import (
	"encoding/base64"
	"net/url"
	"strings"
)

// ParseDataURL takes a data URL (RFC 2397) apart: the MIME type, without
// parameters and empty when not said, and the content in base64, which is not
// checked and shares the memory of s. ok is false for any other URL.
func ParseDataURL(s string) (mime, data string, ok bool) {
	if len(s) < 5 || !strings.EqualFold(s[:5], "data:") {
		return "", "", false
	}
	head, data, found := strings.Cut(s[5:], ",")
	if !found {
		return "", "", false
	}
	mime, params, _ := strings.Cut(head, ";")
	if params == "base64" || strings.HasSuffix(params, ";base64") {
		return mime, data, true
	}
	text, err := url.PathUnescape(data)
	if err != nil {
		return "", "", false
	}
	return mime, base64.StdEncoding.EncodeToString([]byte(text)), true
}

// DataURL is the data URL of base64 content. An empty mime is
// application/octet-stream.
func DataURL(mime, data string) string {
	if mime == "" {
		mime = "application/octet-stream"
	}
	return "data:" + mime + ";base64," + data
}
