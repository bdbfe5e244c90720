package codec

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// maxMessage bounds the text that is taken over from an upstream's error, bytes.
const maxMessage = 2 << 10

// ParseError makes an Error of an answer that is not of status 2xx, whatever its
// body is: any vendor's JSON, HTML, a cut text, nothing. Status stays what the
// upstream said; the kind begins with the status and is refined by the vendor's
// own type, code and wording, q.ErrorCodes first. The message is bounded and
// scrubbed of credentials. Wire is the caller's to set, since only the caller
// knows which protocol was spoken. q may be nil.
func ParseError(status int, header http.Header, body []byte, q *Quirks) *weir.Error {
	said := readSaid(body)
	if said.typ == "" {
		said.typ = awsType(header.Get("X-Amzn-Errortype"))
	}
	e := said.toError(status, q)
	if e.Message == "" {
		e.Message = describe(status, header, body)
	}
	if id := RequestID(header); id != "" {
		e.RequestID = id
	}
	e.RetryAfter = RetryAfter(header, time.Now())
	return e
}

// awsType is the bare type of an error of AWS, without where it is defined:
// "ValidationException:http://internal.amazon.com/coral/…" in the header
// x-amzn-errortype, "com.amazon.coral.service#ValidationException" in a body.
func awsType(s string) string {
	s = s[strings.LastIndexByte(s, '#')+1:]
	s, _, _ = strings.Cut(s, ":")
	return strings.TrimSpace(s)
}

// toError is what was said as an Error.
func (s *said) toError(status int, q *Quirks) *weir.Error {
	return &weir.Error{
		Kind:      s.kind(status, q),
		Message:   clip(Scrub(s.message)),
		Param:     clip(Scrub(s.param)),
		Code:      clip(Scrub(s.finest())),
		Status:    status,
		RequestID: s.requestID,
	}
}

// finest is the most telling of the names that the upstream gave the error.
func (s *said) finest() string {
	switch {
	case s.code != "" && s.code != strconv.Itoa(s.status):
		return s.code
	case s.rpc != "":
		return s.rpc
	}
	return s.typ
}

// describe stands in for a message where the body has none. An HTML page gives
// its title only: the rest is an intermediary's, and long.
func describe(status int, header http.Header, body []byte) string {
	text := strings.TrimSpace(string(body[:min(len(body), 64<<10)]))
	switch {
	case text == "":
		return fmt.Sprintf("the upstream answered %d without a body", status)
	case isHTML(header, text):
		if title := htmlTitle(text); title != "" {
			return clip(Scrub(fmt.Sprintf("the upstream answered %d with a page titled %q", status, title)))
		}
		return fmt.Sprintf("the upstream answered %d with an HTML page", status)
	case jsonx.KindOf([]byte(text)) == jsonx.KindObject, jsonx.KindOf([]byte(text)) == jsonx.KindArray:
		return fmt.Sprintf("the upstream answered %d with a body that has no message", status)
	}
	return clip(Scrub(text))
}

func isHTML(header http.Header, text string) bool {
	return strings.HasPrefix(text, "<") || strings.HasPrefix(header.Get("Content-Type"), "text/html")
}

func htmlTitle(page string) string {
	lower := strings.ToLower(page)
	from := strings.Index(lower, "<title")
	if from < 0 || len(lower) != len(page) {
		return ""
	}
	open := strings.IndexByte(lower[from:], '>')
	if open < 0 {
		return ""
	}
	from += open + 1
	end := strings.Index(lower[from:], "</title")
	if end < 0 {
		return ""
	}
	return strings.Join(strings.Fields(page[from:from+end]), " ")
}

// clip bounds s without cutting a character.
func clip(s string) string {
	if len(s) <= maxMessage {
		return s
	}
	end := maxMessage - len("…")
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "…"
}

// requestIDs are the headers in which upstreams name a call, most telling first.
var requestIDs = []string{
	"X-Request-Id", "Request-Id", "X-Ds-Request-Id", "X-Ds-Trace-Id", "X-Amzn-Requestid",
	"Apim-Request-Id", "X-Ms-Request-Id", "X-Goog-Request-Id", "X-Dashscope-Request-Id",
	"X-Tt-Logid", "X-Siliconcloud-Trace-Id", "X-Bce-Request-Id", "Trace-Id", "Msh-Request-Id",
	"X-Generation-Id", "Cf-Ray",
}

// RequestID is the upstream's own id of a call as the header of its answer gives
// it, empty when there is none.
func RequestID(header http.Header) string {
	for _, name := range requestIDs {
		if id := header.Get(name); id != "" {
			return clip(id)
		}
	}
	return ""
}
