package provider

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/weir-gateway/weir"
)

// E-01, E-04, E-07: the true status and kind, whatever the body is.
func TestErrorsKeepTheirStatus(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
		kind   weir.Kind
		client int // the status that a client sees
	}{
		"a bad request stays one":            {400, `{"error":{"message":"no such field","param":"x"}}`, weir.KindInvalid, 400},
		"a missing model stays 404":          {404, `{"error":{"message":"model does not exist","code":"model_not_found"}}`, weir.KindModelNotFound, 404},
		"too large stays 413":                {413, "", weir.KindTooLarge, 413},
		"a rate limit stays 429":             {429, `{"error":{"message":"slow down"}}`, weir.KindRateLimit, 429},
		"an odd 4xx stays":                   {418, "teapot", weir.KindInvalid, 418},
		"overload stays 529":                 {529, `{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}`, weir.KindOverloaded, 529},
		"a page of HTML":                     {502, "<html><title>Bad gateway</title>", weir.KindUpstream, 502},
		"an array":                           {500, `[{"error":{"message":"x"}}]`, weir.KindUpstream, 500},
		"an empty body":                      {500, "", weir.KindUpstream, 500},
		"a null error":                       {500, `{"error":null}`, weir.KindUpstream, 500},
		"the gateway's key is refused":       {401, `{"error":{"message":"Incorrect API key provided: sk-ca***ry"}}`, weir.KindUpstreamAuth, 502},
		"the gateway's key is forbidden":     {403, `{"error":{"message":"key disabled"}}`, weir.KindUpstreamAuth, 502},
		"a 403 without a word":               {403, "", weir.KindUpstreamAuth, 502},
		"a 403 about the region stays 403":   {403, `{"error":{"message":"Country, region, or territory not supported"}}`, weir.KindPermission, 403},
		"a 403 about the model stays 403":    {403, `{"error":{"message":"you may not use model m"}}`, weir.KindPermission, 403},
		"a redirect is not followed":         {302, "", weir.KindUpstream, 502},
		"a permanent redirect neither":       {308, "", weir.KindUpstream, 502},
		"a not modified that nobody ordered": {304, "", weir.KindUpstream, 502},
	} {
		t.Run(name, func(t *testing.T) {
			calls := 0
			s, tr := upstreamServer(t, func(w http.ResponseWriter, _ *http.Request) {
				calls++
				w.Header().Set("Location", "/elsewhere")
				w.Header().Set("X-Request-Id", "up-9")
				w.WriteHeader(c.status)
				_, _ = w.Write([]byte(c.body))
			})
			out := ask(t, must(t, single(s, tr, &lines{}, "sk-canary-key")), question())
			e := out.error(t)
			if e.Kind != c.kind || e.HTTPStatus(weir.OpenAIChat) != c.client {
				t.Errorf("kind %v, client's status %d: %v", e.Kind, e.HTTPStatus(weir.OpenAIChat), e)
			}
			if e.Provider != "acme" || e.Deployment != "acme/m-eu" || e.RequestID != "up-9" || e.Message == "" {
				t.Errorf("the error is %+v", e)
			}
			if len(out.upstreams) != 1 || out.upstreams[0].Status != c.status || calls != 1 {
				t.Errorf("%d calls, notes %v", calls, out.upstreams)
			}
			keyIsTheFault := c.kind == weir.KindUpstreamAuth
			if (e.Wire == nil) != (keyIsTheFault || c.status < 400) {
				t.Errorf("the upstream's words are kept: %v", e.Wire)
			}
			if e.Wire != nil && (string(e.Wire.Body) != c.body || e.Wire.Protocol != "test.lines" || e.Wire.Status != c.status) {
				t.Errorf("the upstream's words are %+v", e.Wire)
			}
		})
	}
}

// E-02
func TestAnErrorInside200IsAFailure(t *testing.T) {
	s, tr := upstreamServer(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Request-Id", "up-2")
		say("start", "error overloaded")(w, r)
	})
	e := ask(t, must(t, single(s, tr, &lines{})), question()).error(t)
	if e.Kind != weir.KindOverloaded || e.Deployment != "acme/m-eu" || e.Provider != "acme" || e.RequestID != "up-2" {
		t.Errorf("the error is %+v", e)
	}
}

func TestALongErrorBodyIsReadToItsBound(t *testing.T) {
	s, tr := upstreamServer(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = w.Write([]byte(strings.Repeat("x", 1<<20)))
	})
	e := ask(t, must(t, single(s, tr, &lines{})), question()).error(t)
	if len(e.Wire.Body) != maxErrorBody || len(e.Message) > 4<<10 {
		t.Errorf("%d bytes were kept, the message has %d", len(e.Wire.Body), len(e.Message))
	}
}

// an upstream may echo the key anywhere.
func TestAKeyThatIsEchoedIsTakenOut(t *testing.T) {
	const canary = "zz.canary/secret.1234"
	for _, status := range []int{400, 401, 403, 429, 500} {
		s, tr := upstreamServer(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Request-Id", "id-"+canary)
			w.WriteHeader(status)
			_, _ = w.Write([]byte(`{"error":{"message":"bad thing ` + canary + `","code":"` + canary + `","param":"` + canary + `"}}`))
		})
		e := ask(t, must(t, single(s, tr, &lines{}, canary)), question()).error(t)
		all := strings.Join([]string{e.Error(), e.Message, e.Code, e.Param, e.Hint, e.RequestID}, " ")
		if e.Wire != nil {
			all += string(e.Wire.Body)
		}
		if e.Err != nil {
			all += e.Err.Error()
		}
		if strings.Contains(all, canary) {
			t.Errorf("%d: the key is in %s", status, all)
		}
	}
}

type failing struct{ err error }

func (f failing) RoundTrip(*http.Request) (*http.Response, error) { return nil, f.err }

func TestErrorsOfTheConnectionAreToldInOurWords(t *testing.T) {
	refused := httptest.NewServer(nil)
	refused.Close()
	tr := NewTransport(TransportOptions{})
	defer tr.CloseIdleConnections()
	tls := httptest.NewTLSServer(say("start"))
	defer tls.Close()
	tls.Config.ErrorLog = nil
	plain := httptest.NewServer(say("start"))
	defer plain.Close()
	secret := &url.Error{Op: "Post", URL: "https://h/?key=canary", Err: &net.DNSError{Err: "no such host", Name: "h", IsNotFound: true}}

	for name, c := range map[string]struct {
		url  string
		tr   http.RoundTripper
		kind weir.Kind
		text string
	}{
		"nobody listens":          {refused.URL, tr, weir.KindUpstream, "connection refused"},
		"an unknown certificate":  {tls.URL, tr, weir.KindUpstream, "not trusted"},
		"TLS where there is none": {strings.Replace(plain.URL, "http:", "https:", 1), tr, weir.KindUpstream, "does not speak TLS"},
		"an unknown name":         {refused.URL, failing{secret}, weir.KindUpstream, "host name is not known"},
		"connecting takes long":   {refused.URL, failing{&net.OpError{Op: "dial", Err: context.DeadlineExceeded}}, weir.KindTimeout, "took too long"},
		"an unknown failure":      {refused.URL, failing{&url.Error{URL: "canary", Err: net.ErrClosed}}, weir.KindUpstream, "the exchange failed"},
	} {
		t.Run(name, func(t *testing.T) {
			o := single(&httptest.Server{URL: c.url}, c.tr, &lines{})
			e := ask(t, must(t, o), question()).error(t)
			if e.Kind != c.kind || !strings.Contains(e.Message, c.text) || e.Deployment != "acme/m-eu" || e.Status != 0 {
				t.Errorf("the error is %+v", e)
			}
			if strings.Contains(e.Error()+e.Err.Error(), "canary") {
				t.Errorf("the URL is in the error: %v", e)
			}
		})
	}
}

// a cut answer is never a clean end.
func TestACutAnswerIsAFailure(t *testing.T) {
	s, tr := upstreamServer(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		_, _ = w.Write([]byte("start\none\n"))
	})
	out := ask(t, must(t, single(s, tr, &lines{})), question())
	if e := out.error(t); e.Kind != weir.KindUpstream || e.Deployment == "" || e.Message != "the answer was cut: connection closed" || len(out.texts) != 1 {
		t.Errorf("after %q came %+v", out.texts, e)
	}
}
