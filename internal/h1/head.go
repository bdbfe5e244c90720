package h1

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
)

// A malformedError is an answer that is not HTTP/1.1. It never quotes it.
type malformedError struct{ what string }

// Error implements error.
func (e *malformedError) Error() string { return "malformed HTTP answer: " + e.what }

func malformed(format string, args ...any) error {
	return &malformedError{fmt.Sprintf(format, args...)}
}

// A head is the status line and the header of an answer.
type head struct {
	status string // "200 OK"
	code   int
	minor  int // of HTTP/1.x
	header http.Header
}

// readHead reads the head of an answer. Interim answers (1xx, RFC 9110
// §15.2) are skipped.
func (c *conn) readHead() (*head, error) {
	const maxInterim = 8
	for range maxInterim {
		text, err := c.in.head(c.host.options.MaxHeaderBytes)
		if err != nil {
			return nil, err
		}
		h, err := parseHead(text)
		if err != nil {
			return nil, err
		}
		if h.code == http.StatusSwitchingProtocols {
			return nil, malformed("it switches protocols, which was not asked for")
		}
		if h.code >= 200 {
			return h, nil
		}
	}
	return nil, malformed("too many interim answers")
}

// head is everything up to and with the empty line, at most limit bytes.
func (in *input) head(limit int) (string, error) {
	seen := 0
	for {
		b := in.buffered()
		if end := headEnd(b, seen); end > 0 {
			if end > limit {
				return "", errTooLong
			}
			text := string(b[:end])
			in.r += end
			return text, nil
		}
		if seen = len(b); seen >= limit {
			return "", errTooLong
		}
		if err := in.fill(limit); err != nil {
			return "", err
		}
	}
}

// headEnd is where the head in b ends, 0 when the empty line is not there yet.
// b[:seen] has been looked at.
func headEnd(b []byte, seen int) int {
	i := max(seen-3, 0)
	for {
		n := bytes.IndexByte(b[i:], '\n')
		if n < 0 {
			return 0
		}
		i += n + 1
		switch rest := b[i:]; {
		case len(rest) >= 1 && rest[0] == '\n':
			return i + 1
		case len(rest) >= 2 && rest[0] == '\r' && rest[1] == '\n':
			return i + 2
		}
	}
}

// parseHead reads a head that ends with an empty line. Lines may end with LF
// alone (RFC 9112 §2.2). All values share the memory of text.
func parseHead(text string) (*head, error) {
	line, rest := cutLine(text)
	h, err := parseStatus(line)
	if err != nil {
		return nil, err
	}
	lines := strings.Count(rest, "\n") - 1 // but the empty one
	h.header = make(http.Header, max(lines, 0))
	values := make([]string, max(lines, 0))
	for {
		if line, rest = cutLine(rest); line == "" {
			return h, nil
		}
		name, value, err := parseField(line)
		if err != nil {
			return nil, err
		}
		if had := h.header[name]; had != nil {
			h.header[name] = append(had, value)
			continue
		}
		values[0] = value
		h.header[name], values = values[:1:1], values[1:]
	}
}

// cutLine takes the first line off, without its end.
func cutLine(text string) (line, rest string) {
	line, rest, _ = strings.Cut(text, "\n")
	return strings.TrimSuffix(line, "\r"), rest
}

// parseStatus reads "HTTP/1.1 200 OK" (RFC 9112 §4); the reason may be missing.
func parseStatus(line string) (*head, error) {
	const shape = "HTTP/1.x 200"
	if len(line) < len(shape) || line[:7] != "HTTP/1." || line[8] != ' ' {
		return nil, malformed("no HTTP/1.x status line")
	}
	h := &head{minor: int(line[7] - '0'), status: line[9:]}
	if h.minor != 0 && h.minor != 1 {
		return nil, malformed("an unknown version of HTTP/1")
	}
	for _, d := range []byte(line[9:12]) {
		if d < '0' || d > '9' {
			return nil, malformed("the status is not a number")
		}
		h.code = h.code*10 + int(d-'0')
	}
	if len(line) > 12 && line[12] != ' ' || h.code < 100 || !validValue(line) {
		return nil, malformed("the status line has the wrong shape")
	}
	return h, nil
}

// parseField reads a header line (RFC 9112 §5). Folded lines and blanks before
// the colon are refused, since readers have disagreed about them.
func parseField(line string) (name, value string, err error) {
	i := strings.IndexByte(line, ':')
	if i <= 0 || !validName(line[:i]) {
		return "", "", malformed("a header line without a proper name")
	}
	value = strings.Trim(line[i+1:], " \t")
	if !validValue(value) {
		return "", "", malformed("a header value with a control character")
	}
	return canonical(line[:i]), value, nil
}
