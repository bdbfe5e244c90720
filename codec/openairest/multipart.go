package openairest

import (
	"bytes"
	"mime"
	"strings"

	"github.com/weir-gateway/weir"
)

// A form is read without being copied: a part is found by the line that divides it
// from the one before (RFC 2046 §5.1.1, RFC 7578). Nothing of it is decoded but the
// names of the parts. What another reader might understand otherwise is refused, as
// it could name a model that the client may not use.

const (
	maxParts      = 1000     // of a form; OpenAI's largest have a few dozen
	maxPartHeader = 16 << 10 // bytes of one part's header
	maxBoundary   = 70       // RFC 2046 §5.1.1
)

// span is a part of a body.
type span struct {
	from, to int
	ok       bool // there is one
}

func (s span) of(body []byte) []byte { return body[s.from:s.to] }

// formParts are the values of a form that matter here.
type formParts struct{ model, stream span }

// scanForm finds them, or takes them from w.Index. Errors are KindInvalid and name
// the part at fault.
func scanForm(w *weir.Wire) (*formParts, error) {
	if found, ok := w.Index.(*formParts); ok {
		return found, nil
	}
	_, params, err := mime.ParseMediaType(w.ContentType)
	boundary := params["boundary"]
	if err != nil || boundary == "" || len(boundary) > maxBoundary {
		return nil, badForm("Content-Type", "names no usable boundary")
	}
	r := formReader{body: w.Body}
	return r.read("--" + boundary)
}

func badForm(param, what string) *weir.Error {
	return weir.Invalid(param, "invalid multipart/form-data: %s %s", param, what)
}

// formReader walks over the parts of a form.
type formReader struct {
	body  []byte
	eol   []byte // what ends the lines of this form
	mark  []byte // what divides parts, with the line end before it
	at    int    // behind the mark before the next part
	found formParts
}

func (r *formReader) read(delimiter string) (*formParts, error) {
	if !r.begin(delimiter) {
		return nil, badForm("body", "does not begin with its boundary")
	}
	for n := 0; ; n++ {
		last, ok := r.closed()
		switch {
		case !ok:
			return nil, badForm("body", "has text behind a boundary")
		case last:
			return &r.found, nil
		case n == maxParts:
			return nil, badForm("body", "has too many parts")
		}
		if err := r.part(); err != nil {
			return nil, err
		}
	}
}

// begin goes behind the first mark. Lines end as the first one does: with CRLF, or
// with LF alone as some programs write them.
func (r *formReader) begin(delimiter string) bool {
	first := bytes.Index(r.body, []byte(delimiter))
	if first < 0 || first > 0 && r.body[first-1] != '\n' {
		return false
	}
	r.at = first + len(delimiter)
	r.eol = []byte("\r\n")
	if bytes.HasPrefix(bytes.TrimLeft(r.body[r.at:], " \t"), []byte("\n")) {
		r.eol = []byte("\n")
	}
	r.mark = append(bytes.Clone(r.eol), delimiter...)
	return true
}

// closed goes to the line behind a mark and reports whether the mark was the last.
func (r *formReader) closed() (last, ok bool) {
	rest := r.body[r.at:]
	if after, found := bytes.CutPrefix(rest, []byte("--")); found {
		after = bytes.TrimLeft(after, " \t")
		return true, len(after) == 0 || after[0] == '\r' || after[0] == '\n'
	}
	line := bytes.TrimLeft(rest, " \t")
	if !bytes.HasPrefix(line, r.eol) {
		return false, false
	}
	r.at += len(rest) - len(line) + len(r.eol)
	return false, true
}

// part reads one part and goes behind the mark that ends it.
func (r *formReader) part() error {
	head, ok := r.header()
	if !ok {
		return badForm("body", "has a part whose header has no end")
	}
	if bytes.ContainsAny(bytes.ReplaceAll(head, r.eol, nil), "\r\n") {
		return badForm("body", "has a part whose header ends its lines in two ways")
	}
	name, plain, err := partName(head)
	if err != nil {
		return err
	}
	value, err := r.value()
	if err != nil {
		return err
	}
	at := &r.found.model
	switch name {
	case "model":
	case "stream":
		at = &r.found.stream
	default:
		return nil
	}
	if at.ok {
		return badForm(name, "is there twice: send it once, since two readers might disagree about which counts")
	}
	if !plain {
		return badForm(name, "has a Content-Transfer-Encoding, which forms do not use")
	}
	*at = value
	return nil
}

// value is the value of the part at hand; the reader goes behind the mark that ends
// it.
func (r *formReader) value() (span, error) {
	rest := r.body[r.at:]
	lf := bytes.Index(rest, r.mark[len(r.eol)-1:])
	if lf < 0 {
		return span{}, badForm("body", "has no end: the last boundary is missing")
	}
	behindCR := lf > 0 && rest[lf-1] == '\r'
	if behindCR != (len(r.eol) == 2) {
		return span{}, badForm("body", "has a boundary behind another line end than the first one")
	}
	value := span{r.at, r.at + lf - (len(r.eol) - 1), true}
	r.at = value.to + len(r.mark)
	return value, nil
}

// header is the header of the part at hand, which may be empty; the reader goes
// behind it and its blank line.
func (r *formReader) header() ([]byte, bool) {
	rest := r.body[r.at:]
	if bytes.HasPrefix(rest, r.eol) {
		r.at += len(r.eol)
		return nil, true
	}
	blank := append(bytes.Clone(r.eol), r.eol...)
	end := bytes.Index(rest[:min(len(rest), maxPartHeader)], blank)
	if end < 0 {
		return nil, false
	}
	r.at += end + len(r.eol)
	if !bytes.HasPrefix(r.body[r.at:], r.mark) { // else there is no value, and the blank line belongs to the mark
		r.at += len(r.eol)
	}
	return rest[:end], true
}

// partName is the name that a part's header gives, empty for none, and whether its
// value stands there as it is.
func partName(head []byte) (name string, plain bool, err error) {
	plain = true
	seen := false
	text := strings.NewReplacer("\r\n ", " ", "\r\n\t", " ", "\n ", " ", "\n\t", " ").Replace(string(head))
	for line := range strings.SplitSeq(text, "\n") {
		key, value, _ := strings.Cut(line, ":")
		switch strings.ToLower(strings.TrimSpace(key)) {
		case "content-disposition":
			typ, params, parse := mime.ParseMediaType(strings.TrimSpace(value))
			if parse != nil || seen || typ != "form-data" {
				return "", false, badForm("body", "has a part whose Content-Disposition is malformed")
			}
			name, seen = params["name"], true
			if strings.ContainsAny(name, `\%`) { // some decode these
				return "", false, badForm("body", "has a part whose name is escaped")
			}
		case "content-transfer-encoding":
			switch strings.ToLower(strings.TrimSpace(value)) {
			case "", "binary", "7bit", "8bit":
			default:
				plain = false
			}
		}
	}
	return name, plain, nil
}
