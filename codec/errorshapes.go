package codec

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/weir-gateway/weir/internal/jsonx"
)

// said is what an error body says, whatever shape it has.
type said struct {
	message   string
	typ       string // error.type
	code      string // error.code, numbers as text
	rpc       string // google.rpc status: "RESOURCE_EXHAUSTED"
	param     string
	requestID string
	status    int    // where the body itself gives an HTTP status
	raw       string // nested or further text, for its wording only
	shape     errorShape
}

// errorShape tells apart the vendors whose numeric codes would be ambiguous.
type errorShape uint8

const (
	shapeOther     errorShape = iota
	shapeEnvelope             // {"error":{…}}
	shapeBaseResp             // MiniMax
	shapeErrorCode            // Baidu v1
	shapeFlat                 // {"code":…,"message":…}: Spark, SiliconFlow, DashScope native
)

// maxErrorDepth bounds how often an error may be wrapped in another one.
const maxErrorDepth = 4

// readSaid reads any error body. Nothing is too broken for it.
func readSaid(body []byte) *said {
	s := new(said)
	s.read(bytes.TrimSpace(body), maxErrorDepth)
	if s.message == "" {
		s.message = cutMessage(body)
	}
	return s
}

func (s *said) read(raw []byte, depth int) {
	if depth == 0 {
		return
	}
	switch jsonx.KindOf(raw) {
	case jsonx.KindArray: // Gemini's OpenAI face: [{"error":…}]
		first := true
		_ = jsonx.EachElement(raw, func(_ int, value []byte) error {
			if first {
				s.read(value, depth-1)
			}
			first = false
			return nil
		})
	case jsonx.KindString: // SiliconFlow's 401 is a bare string
		s.message = jsonx.StringOr(raw, "")
	case jsonx.KindObject:
		s.readObject(raw, depth)
	}
}

// readObject looks for the shapes from the most to the least telling.
func (s *said) readObject(raw []byte, depth int) {
	s.top(raw)
	switch {
	case s.envelope(raw):
	case s.baseResp(raw):
	case s.ark(raw):
	case s.baidu(raw):
	case s.detail(jsonx.Get(raw, "detail")):
	default:
		s.shape = shapeFlat
		s.fields(raw)
	}
	if s.message == "" {
		s.read(jsonx.Get(raw, "error"), depth-1)
	}
}

// top takes what stands around the error.
func (s *said) top(raw []byte) {
	for _, name := range []string{"request_id", "requestId", "sid"} {
		if id := jsonx.StringOr(jsonx.Get(raw, name), ""); id != "" {
			s.requestID = id
			return
		}
	}
}

// envelope reads {"error":{…}} and {"error":"text"} with an optional "code".
func (s *said) envelope(raw []byte) bool {
	inner := jsonx.Get(raw, "error")
	switch jsonx.KindOf(inner) {
	case jsonx.KindObject:
		s.shape = shapeEnvelope
		s.fields(inner)
	case jsonx.KindString:
		s.message = jsonx.StringOr(inner, "")
		s.code = text(jsonx.Get(raw, "code"))
		if more := jsonx.StringOr(jsonx.Get(raw, "error_description"), ""); more != "" {
			s.code, s.message = s.message, more
		}
		s.typ = jsonx.StringOr(jsonx.Get(raw, "type"), "")
	default:
		return false
	}
	return s.message != "" || s.code != "" || s.typ != ""
}

// fields reads the members that most shapes share.
func (s *said) fields(raw []byte) {
	_ = jsonx.EachMember(raw, func(key, value []byte) error {
		switch string(key) {
		case "message", "msg", "Message":
			s.message = nested(value)
		case "type", "error_type":
			s.typ = text(value)
		case "__type":
			s.typ = awsType(text(value))
		case "code", "Code":
			s.code = text(value)
		case "status":
			s.rpc = text(value)
		case "param":
			s.param = text(value)
		case "request_id":
			s.requestID = text(value)
		case "metadata", "details", "innererror", "reason", "errors":
			s.raw += string(value[:min(len(value), 8<<10)])
		case "detail":
			if s.message == "" {
				s.detail(value)
			}
		}
		return nil
	})
	for _, candidate := range []string{s.code, s.rpc} {
		if n, err := strconv.Atoi(candidate); err == nil && n >= 400 && n <= 599 {
			s.status = n
		}
	}
	if s.rpc == strconv.Itoa(s.status) {
		s.rpc = ""
	}
}

// baseResp reads MiniMax's {"base_resp":{"status_code","status_msg"}}.
func (s *said) baseResp(raw []byte) bool {
	inner := jsonx.Get(raw, "base_resp")
	code := text(jsonx.Get(inner, "status_code"))
	if code == "" || code == "0" {
		return false
	}
	s.shape, s.code = shapeBaseResp, code
	s.message = jsonx.StringOr(jsonx.Get(inner, "status_msg"), "")
	return true
}

// ark reads Volcengine's {"ResponseMetadata":{"Error":{"Code","Message"}}} and
// Tencent's {"Response":{"Error":{"Code","Message"}}}.
func (s *said) ark(raw []byte) bool {
	for _, outer := range []string{"ResponseMetadata", "Response"} {
		meta := jsonx.Get(raw, outer)
		if inner := jsonx.Get(meta, "Error"); jsonx.KindOf(inner) == jsonx.KindObject {
			s.fields(inner)
			s.requestID = jsonx.StringOr(jsonx.Get(meta, "RequestId"), s.requestID)
			return true
		}
	}
	return false
}

// baidu reads {"error_code","error_msg"}.
func (s *said) baidu(raw []byte) bool {
	code := text(jsonx.Get(raw, "error_code"))
	if code == "" || code == "0" {
		return false
	}
	s.shape, s.code = shapeErrorCode, code
	s.message = jsonx.StringOr(jsonx.Get(raw, "error_msg"), "")
	return true
}

// detail reads FastAPI's {"detail":"…"} and {"detail":[{"loc":[…],"msg":"…"}]}.
func (s *said) detail(raw []byte) bool {
	switch jsonx.KindOf(raw) {
	case jsonx.KindString:
		s.message = jsonx.StringOr(raw, "")
	case jsonx.KindObject:
		s.fields(raw)
	case jsonx.KindArray:
		var all []string
		_ = jsonx.EachElement(raw, func(i int, item []byte) error {
			msg := jsonx.StringOr(jsonx.Get(item, "msg"), jsonx.StringOr(item, ""))
			if where := locate(jsonx.Get(item, "loc")); where != "" {
				if s.param == "" {
					s.param = where
				}
				msg = where + ": " + msg
			}
			if i < 8 {
				all = append(all, msg)
			}
			return nil
		})
		s.message = strings.Join(all, "; ")
	}
	return s.message != ""
}

// locate joins a path such as ["body","messages",0,"content"].
func locate(loc []byte) string {
	var parts []string
	_ = jsonx.EachElement(loc, func(_ int, part []byte) error {
		if p := text(part); p != "body" {
			parts = append(parts, p)
		}
		return nil
	})
	return strings.Join(parts, ".")
}

// text is a string, or a number or boolean as it is spelled.
func text(raw []byte) string {
	switch jsonx.KindOf(raw) {
	case jsonx.KindString:
		return jsonx.StringOr(raw, "")
	case jsonx.KindNumber, jsonx.KindBool:
		return string(bytes.TrimSpace(raw))
	}
	return ""
}

// nested is the text of a message, which some gateways make another error.
func nested(raw []byte) string {
	if jsonx.KindOf(raw) == jsonx.KindObject {
		if inner := jsonx.Get(raw, "message"); inner != nil {
			return text(inner)
		}
		var s said
		s.detail(jsonx.Get(raw, "detail")) // Mistral: {"message":{"detail":[…]}}
		return s.message
	}
	return text(raw)
}

// cutMessage finds the message of a body that was cut in the middle.
func cutMessage(body []byte) string {
	if k := jsonx.KindOf(body); k != jsonx.KindObject && k != jsonx.KindArray {
		return ""
	}
	_, rest, found := bytes.Cut(body, []byte(`"message"`))
	rest = bytes.TrimLeft(rest, ": \t\r\n")
	if !found || len(rest) == 0 || rest[0] != '"' {
		return ""
	}
	end := bytes.IndexAny(rest[1:], "\"\\")
	if end < 0 {
		end = len(rest) - 1
	}
	return strings.ToValidUTF8(string(rest[1:1+end]), "")
}
