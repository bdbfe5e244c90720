package provider

import (
	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// choose prefers the endpoint that speaks what the client spoke: nothing is
// lost where nothing is translated. A model that takes tools in one protocol
// only gets them in that.
func (u *upstream) choose(req *weir.Request) (*endpoint, error) {
	if len(u.endpoints) == 1 {
		return u.endpoints[0], nil
	}
	from, err := spoken(req)
	if err != nil {
		return nil, err
	}
	ep := u.speaking(from)
	if ep == nil {
		ep = u.translating()
	}
	want := weir.Protocol(ep.target.Quirks.ToolsProtocol)
	if want == "" || want == ep.codec.Protocol() || req.Op != weir.Generate || !hasTools(req) {
		return ep, nil
	}
	if other := u.speaking(want); other != nil {
		return other, nil
	}
	return ep, nil
}

// spoken is the client's protocol. An edited request has no bytes any more, but
// its body still knows.
func spoken(req *weir.Request) (weir.Protocol, error) {
	if req.Wire != nil {
		return req.Wire.Protocol, nil
	}
	body, err := req.Body()
	if err != nil {
		return "", err
	}
	return body.From, nil
}

// speaking is the first endpoint of a protocol, nil when there is none.
func (u *upstream) speaking(p weir.Protocol) *endpoint {
	for _, ep := range u.endpoints {
		if ep.codec.Protocol() == p {
			return ep
		}
	}
	return nil
}

// translating is the endpoint for requests of protocols that none speaks: the
// first of those that hold conversations, if there is one.
func (u *upstream) translating() *endpoint {
	for _, ep := range u.endpoints {
		if p := ep.codec.Protocol(); p != weir.OpenAIREST && p != weir.OpenAICompletions {
			return ep
		}
	}
	return u.endpoints[0]
}

// hasTools reports whether a request declares tools, without decoding one that
// can be sent on as it is.
func hasTools(req *weir.Request) bool {
	if req.Wire == nil {
		body, err := req.Body()
		return err == nil && len(body.Tools) > 0
	}
	top, err := codec.TopOf(req.Wire)
	if err != nil {
		return false // the codec says what is wrong
	}
	for _, name := range [...]string{"tools", "functions", "toolConfig"} {
		if v := top.Get(req.Wire.Body, name); v != nil && !empty(v) {
			return true
		}
	}
	return false
}

// empty reports whether raw is null, [] or {}.
func empty(raw []byte) bool {
	some := false
	switch jsonx.KindOf(raw) {
	case jsonx.KindArray:
		_ = jsonx.EachElement(raw, func(int, []byte) error { some = true; return nil })
	case jsonx.KindObject:
		_ = jsonx.EachMember(raw, func(_, _ []byte) error { some = true; return nil })
	default:
		return true
	}
	return !some
}
