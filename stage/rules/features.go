package rules

import (
	"errors"
	"strings"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/tokens"
)

// errUndecoded is what a rule gets that asks for a part of a body which cannot
// be decoded.
var errUndecoded = errors.New("the request cannot be decoded")

// features are those of one request, each computed when it is first asked for.
// They are the variables of a condition. Not safe for concurrent use.
type features struct {
	rules *Rules
	req   *weir.Request
	now   time.Time // zero: not yet asked for

	tokens   int64 // below 0: not yet estimated
	decoded  bool
	body     *weir.Body
	broken   bool // the body cannot be decoded
	counted  bool
	images   int64
	files    int64
	audio    int64
	turns    int64
	found    bool // last is known
	last     []weir.Block
	joined   bool // prompt is known
	prompt   string
	judged   bool // language is known
	language string
}

var _ cel.Activation = (*features)(nil)

func (r *Rules) features(req *weir.Request) *features {
	return &features{rules: r, req: req, tokens: -1}
}

// Parent implements cel.Activation.
func (f *features) Parent() cel.Activation { return nil }

// ResolveName implements cel.Activation.
func (f *features) ResolveName(name string) (any, bool) {
	switch name {
	case "model":
		return types.String(cut(f.req.Model, maxName)), true
	case "principal":
		if f.req.Principal == nil {
			return types.String(""), true
		}
		return types.String(cut(f.req.Principal.Name, maxName)), true
	case "labels":
		return stringMap(f.req.Labels), true
	case "protocol":
		return types.String(cut(string(f.protocol()), maxName)), true
	case "op":
		return types.String(f.req.Op.String()), true
	case "stream":
		return types.Bool(f.req.Stream), true
	case "tokens":
		return types.Int(f.estimate()), true
	case "hour", "weekday", "utc_hour", "utc_weekday":
		return types.Int(f.clock(name)), true
	}
	return f.inBody(name)
}

// inBody is a variable that the body tells.
func (f *features) inBody(name string) (any, bool) {
	if f.rules.options.Lacks != nil && !f.decoded {
		if v := nothing(name); v != nil && f.rules.options.Lacks(f.req, name) {
			return v, true
		}
	}
	body := f.decode()
	if f.broken {
		return types.WrapErr(errUndecoded), true
	}
	switch name {
	case "images", "files", "audio", "turns":
		return types.Int(f.count(name)), true
	case "tools":
		return types.Int(len(body.Tools)), true
	case "thinking":
		return types.Bool(thinks(body.Reasoning)), true
	case "json":
		return types.Bool(body.Format != nil && (body.Format.Type == weir.FormatJSONObject || body.Format.Type == weir.FormatJSONSchema)), true
	case "max_tokens":
		return types.Int(orZero(body.MaxTokens)), true
	case "metadata":
		return metadata(body), true
	case "prompt", "prompt_chars", "language":
		return f.text(name), true
	}
	return nil, false
}

// nothing is the value of a variable of which the request has nothing; nil for
// one of which every request has something.
func nothing(name string) ref.Val {
	switch name {
	case "images", "files", "audio", "tools", "max_tokens":
		return types.IntZero
	case "thinking", "json":
		return types.False
	case "metadata":
		return stringMap(nil)
	}
	return nil
}

func (f *features) protocol() weir.Protocol {
	if f.req.Wire != nil {
		return f.req.Wire.Protocol
	}
	if body := f.decode(); !f.broken { // there is nothing to decode
		return body.From
	}
	return ""
}

// estimate is about how many input tokens the request has. What was received is
// looked through as it is, which costs a fraction of decoding it.
func (f *features) estimate() int64 {
	if f.tokens >= 0 {
		return f.tokens
	}
	f.tokens = 0
	if w := f.req.Wire; w != nil {
		if w.ContentType == "" || strings.Contains(w.ContentType, "json") {
			f.tokens = tokens.EstimateBytes(w.Body)
		}
	} else if body := f.decode(); !f.broken {
		f.tokens = tokens.EstimateBody(body)
	}
	return f.tokens
}

// decode is the body; an empty one when there is none or it is broken.
func (f *features) decode() *weir.Body {
	if !f.decoded {
		f.decoded = true
		body, err := f.req.Body()
		if f.broken = err != nil; err != nil || body == nil {
			body = &weir.Body{}
		}
		f.body = body
	}
	return f.body
}

// clock is a variable of the time, which is the same for all rules.
func (f *features) clock(name string) int {
	if f.now.IsZero() {
		f.now = time.Now()
	}
	zone := f.rules.options.Zone
	if strings.HasPrefix(name, "utc_") {
		zone = time.UTC
	}
	at := f.now.In(zone)
	if strings.HasSuffix(name, "hour") {
		return at.Hour()
	}
	return (int(at.Weekday())+6)%7 + 1
}

// thinks reports whether a client asks for reasoning.
func thinks(c *weir.ReasoningConfig) bool {
	switch {
	case c == nil, c.Mode == "disabled", c.Effort == "none", c.Budget != nil && *c.Budget == 0:
		return false
	}
	return c.Mode != "" || c.Effort != "" || c.Budget != nil
}

func orZero(n *int64) int64 {
	if n == nil {
		return 0
	}
	return *n
}

func metadata(b *weir.Body) ref.Val {
	m := make(stringMap, len(b.Metadata))
	for _, p := range b.Metadata {
		m[p.Key] = p.Value
	}
	return m
}
