package provider

import (
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// What follows relays a realtime conversation: a WebSocket to the provider, on
// which the client's messages go up as they are and the provider's come down as
// EventRelay, a message each. What the provider says of tokens is added up over
// the whole conversation and told as Usage, so that it is paid for like every
// other call (U-09). Source: OpenAI Realtime API, OpenAPI 2.3.0, 2026-08-21.

const (
	realtimePath    = "/realtime"
	realtimeConnect = 30 * time.Second
)

// realtimeHeaders are those of the client that go up with the handshake.
var realtimeHeaders = []string{"Openai-Beta", "Openai-Safety-Identifier"}

// realtimeClient makes the handshakes: the lean transport of all other calls
// does not hand its connections over.
var realtimeClient = sync.OnceValue(func() *http.Client {
	return &http.Client{
		Transport:     &http.Transport{Proxy: http.ProxyFromEnvironment, TLSHandshakeTimeout: realtimeConnect},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
})

// realtime is Handle for a conversation in both directions.
func (u *upstream) realtime(ctx context.Context, req *weir.Request, yield func(weir.Event, error) bool) {
	ep, err := u.realtimeEndpoint()
	if err != nil {
		yield(weir.Event{}, u.own(err))
		return
	}
	c := &call{upstream: u, endpoint: ep, req: req, yield: yield}
	turn := u.credentials.begin()
	for {
		k := turn.next()
		err := c.converse(ctx, k)
		switch {
		case err == nil:
			turn.accepted(k)
			return
		case errors.Is(err, errStopped):
			return
		case turn.refused(k, c.secret, err) && !c.began && ctx.Err() == nil && c.mayRepeat():
			continue
		}
		yield(weir.Event{}, err)
		return
	}
}

// realtimeEndpoint is the endpoint of OpenAI's protocols.
func (u *upstream) realtimeEndpoint() (*endpoint, error) {
	for _, ep := range u.endpoints {
		switch ep.codec.Protocol() {
		case weir.OpenAIREST, weir.OpenAIChat, weir.OpenAIResponses:
			return ep, nil
		}
	}
	return nil, weir.Errorf(weir.KindUnsupported, "%s has no realtime conversations", u.name)
}

// converse is one conversation with one key. Its error is nil when the provider
// ended it in order.
func (c *call) converse(ctx context.Context, k *key) error {
	conn, err := c.dial(ctx, k)
	if err != nil {
		return err
	}
	defer func() { _ = conn.CloseNow() }()
	conn.SetReadLimit(int64(c.maxFrame))
	c.began = true
	head := &weir.Head{Status: http.StatusSwitchingProtocols}
	if !c.yield(weir.Event{Type: weir.EventStart, Start: &weir.Start{From: weir.OpenAIREST, Model: c.model, Head: head}}, nil) {
		return errStopped
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	up := make(chan error, 1)
	go func() { up <- c.up(ctx, conn) }()
	err = c.down(ctx, conn)
	cancel()
	if errors.Is(<-up, io.EOF) {
		return nil // the client has said goodbye
	}
	return err
}

// dial makes the handshake.
func (c *call) dial(ctx context.Context, k *key) (*websocket.Conn, error) {
	u, err := c.endpoint.url(realtimePath, "model="+url.QueryEscape(c.model))
	if err != nil {
		return nil, c.own(err)
	}
	r := &http.Request{Method: http.MethodGet, URL: u, Host: u.Host, Header: http.Header{"User-Agent": userAgent(), weir.HopsHeader: hopsValue(c.req.Hops + 1)}}
	for _, name := range realtimeHeaders {
		if w := c.req.Wire; w != nil && w.Header[name] != nil {
			r.Header[name] = w.Header[name]
		}
	}
	maps.Copy(r.Header, c.header)
	if err := c.authorise(ctx, r, k); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, realtimeConnect)
	defer cancel()
	conn, res, err := websocket.Dial(ctx, r.URL.String(), &websocket.DialOptions{HTTPClient: realtimeClient(), HTTPHeader: r.Header})
	if err == nil {
		if !c.yield(c.upstreamNote(&http.Response{StatusCode: res.StatusCode, Header: res.Header}, codec.RequestID(res.Header)), nil) {
			_ = conn.CloseNow()
			return nil, errStopped
		}
		return conn, nil
	}
	if res != nil && res.StatusCode != http.StatusSwitchingProtocols && res.StatusCode >= 300 {
		defer func() { _ = res.Body.Close() }()
		return nil, c.statusError(ctx, res, codec.RequestID(res.Header))
	}
	return nil, c.transportError(ctx, err)
}

// up passes on what the client says, until it ends.
func (c *call) up(ctx context.Context, conn *websocket.Conn) error {
	for {
		message, text, err := c.req.Uplink.Receive(ctx)
		if errors.Is(err, io.EOF) {
			_ = conn.Close(websocket.StatusNormalClosure, "")
		}
		if err != nil {
			return err
		}
		kind := websocket.MessageBinary
		if text {
			kind = websocket.MessageText
		}
		if err := conn.Write(ctx, kind, message); err != nil {
			return nil //nolint:nilerr // the other direction says why
		}
	}
}

// down passes on what the provider says, until it ends.
func (c *call) down(ctx context.Context, conn *websocket.Conn) error {
	var total realtimeUsage
	for {
		kind, message, err := conn.Read(ctx)
		if err != nil {
			return c.ended(ctx, err)
		}
		frame := &weir.Frame{Protocol: weir.OpenAIREST, Raw: message, Events: 1, Binary: kind == websocket.MessageBinary}
		used := !frame.Binary && total.add(message)
		if used {
			frame.Events = 2
		}
		if !c.yield(weir.Event{Type: weir.EventRelay, Frame: frame}, nil) {
			return errStopped
		}
		if used && !c.yield(weir.Event{Type: weir.EventUsage, Usage: total.usage(), Frame: frame, FrameSeq: 1}, nil) {
			return errStopped
		}
	}
}

// ended says how a conversation ended: with the provider's own code, or broken.
func (c *call) ended(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var closed websocket.CloseError
	if errors.As(err, &closed) && (closed.Code == websocket.StatusNormalClosure || closed.Code == websocket.StatusGoingAway) {
		return nil
	}
	e := weir.Errorf(weir.KindUpstream, "the provider ended the conversation")
	if closed.Code != 0 {
		e.Code = "ws_" + strconv.Itoa(int(closed.Code))
	}
	e.Provider, e.Deployment, e.Err = c.provider, c.name, err
	return e
}

// realtimeUsage adds up the usage of all responses of a conversation.
type realtimeUsage struct{ sum weir.Usage }

// add takes over what a message says of usage, and reports whether it did.
func (r *realtimeUsage) add(message []byte) bool {
	var top jsonx.Top
	if top.Scan(message) != nil || jsonx.StringOr(top.Get(message, "type"), "") != "response.done" {
		return false
	}
	said := jsonx.Get(top.Get(message, "response"), "usage")
	if jsonx.Get(said, "input_tokens") == nil {
		said = top.Get(message, "usage") // xAI's place for it (recordings, 2026)
	}
	if jsonx.KindOf(said) != jsonx.KindObject {
		return false
	}
	in, out := jsonx.Get(said, "input_token_details"), jsonx.Get(said, "output_token_details")
	for _, count := range [...]struct {
		field weir.UsageField
		have  int64
		raw   []byte
	}{
		{weir.UsageInput, r.sum.InputTokens, jsonx.Get(said, "input_tokens")},
		{weir.UsageOutput, r.sum.OutputTokens, jsonx.Get(said, "output_tokens")},
		{weir.UsageCacheRead, r.sum.CacheReadTokens, jsonx.Get(in, "cached_tokens")},
		{weir.UsageAudioInput, r.sum.AudioInputTokens, jsonx.Get(in, "audio_tokens")},
		{weir.UsageAudioOutput, r.sum.AudioOutputTokens, jsonx.Get(out, "audio_tokens")},
		{weir.UsageReasoning, r.sum.ReasoningTokens, jsonx.Get(out, "reasoning_tokens")},
	} {
		if n, ok := jsonx.Int64(count.raw); ok && n >= 0 {
			r.sum.Set(count.field, count.have+n)
		}
	}
	return r.sum.Known != 0
}

// usage is a copy of the sum: events of the past keep theirs.
func (r *realtimeUsage) usage() *weir.Usage {
	u := r.sum
	return &u
}
