package provider

import (
	"io"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/weir-gateway/weir"
)

func TestACallYieldsTheUpstreamNoteAndThenTheAnswer(t *testing.T) {
	var got *http.Request
	var body []byte
	s, tr := upstreamServer(t, func(w http.ResponseWriter, r *http.Request) {
		got = r
		body, _ = io.ReadAll(r.Body)
		w.Header().Set("X-Request-Id", "up-1")
		w.Header().Set("X-Ratelimit-Remaining-Tokens", "7")
		w.Header().Set("Retry-After", "30")
		w.Header().Set("Anthropic-Organization-Id", "org")
		w.Header().Set("Set-Cookie", "a=b")
		say("start", "one", "two")(w, r)
	})
	o := single(s, tr, &lines{}, "sk-first-key")
	o.Endpoints[0].BaseURL = s.URL + "/base/?tenant=a"
	o.Header = http.Header{"x-team": {"blue"}, "Connection": {"close"}}
	out := ask(t, must(t, o), question())

	if out.err != nil || !slices.Equal(out.texts, []string{"one", "two"}) {
		t.Fatalf("the answer is %q, %v", out.texts, out.err)
	}
	if got.Method != http.MethodPost || got.URL.Path != "/base/ask" || got.URL.RawQuery != "tenant=a" {
		t.Errorf("the call went to %s %s", got.Method, got.URL)
	}
	if string(body) != `{"model":"m"}` || got.ContentLength != int64(len(body)) {
		t.Errorf("the body is %q of length %d", body, got.ContentLength)
	}
	h := got.Header
	if h.Get("Authorization") != "Bearer sk-first-key" || h.Get("Content-Type") != "application/json" ||
		h.Get("Accept") != "application/json" || h.Get("X-Team") != "blue" || !strings.HasPrefix(h.Get("User-Agent"), "weir/") {
		t.Errorf("the header is %v", h)
	}
	if got.Close {
		t.Error("the operator's header ended the connection")
	}
	if h.Get("Accept-Encoding") != "" {
		t.Error("compression was asked for") // W-09
	}
	n := out.upstreams[0]
	want := http.Header{"X-Request-Id": {"up-1"}, "X-Ratelimit-Remaining-Tokens": {"7"}}
	if len(out.upstreams) != 1 || n.Status != 200 || n.RequestID != "up-1" || n.Deployment != "acme/m-eu" ||
		n.Provider != "acme" || n.Model != "m" || n.Protocol != "test.lines" || !reflect.DeepEqual(n.Header, want) {
		t.Errorf("the note is %+v", n)
	}
}

func TestAStreamIsAskedForAsAnEventStream(t *testing.T) {
	var accept string
	s, tr := upstreamServer(t, func(w http.ResponseWriter, r *http.Request) {
		accept = r.Header.Get("Accept")
		say("start")(w, r)
	})
	req := question()
	req.Stream = true
	ask(t, must(t, single(s, tr, &lines{})), req)
	if accept != "text/event-stream" {
		t.Errorf("Accept is %q", accept)
	}
}

// P-02: what belongs to the client's connection or is its credential stays
// here, whatever a codec hands over.
func TestNothingOfTheClientsConnectionGoesUp(t *testing.T) {
	var h http.Header
	s, tr := upstreamServer(t, func(w http.ResponseWriter, r *http.Request) {
		h = r.Header
		say("start")(w, r)
	})
	l := &lines{header: http.Header{
		"Authorization": {"Bearer client"}, "X-Api-Key": {"client"}, "Cookie": {"session=client"},
		"X-Forwarded-For": {"client"}, "Te": {"client"}, "Upgrade": {"client"}, "Accept-Encoding": {"client"},
		"Anthropic-Version": {"2023-06-01"},
	}}
	ask(t, must(t, single(s, tr, l, "ours-ours")), question())
	for name, values := range h {
		for _, v := range values {
			if strings.Contains(v, "client") {
				t.Errorf("%s: %s went up", name, v)
			}
		}
	}
	if h.Get("Anthropic-Version") != "2023-06-01" || h.Get("Authorization") != "Bearer ours-ours" {
		t.Errorf("the header is %v", h)
	}
}

// P-12
func TestARequestGoesToTheEndpointThatSpeaksItsProtocol(t *testing.T) {
	var path string
	s, tr := upstreamServer(t, func(w http.ResponseWriter, r *http.Request) {
		path = r.URL.Path
		say("start")(w, r)
	})
	o := single(s, tr, &lines{protocol: "p.first", path: "/first"})
	o.Endpoints = append(o.Endpoints, Endpoint{Codec: &lines{protocol: "p.second", path: "/second", counts: true}, BaseURL: s.URL})
	h := must(t, o)

	wire := func(p weir.Protocol) *weir.Request {
		return weir.NewWireRequest(&weir.Wire{Protocol: p}, nil)
	}
	edited, err := weir.NewRequest("m", &weir.Body{From: "p.second"}).Edit(func(*weir.Body) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	count := question()
	count.Op = weir.CountTokens
	for name, c := range map[string]struct {
		req  *weir.Request
		want string
	}{
		"made in Go":                      {question(), "/first"},
		"of the first protocol":           {wire("p.first"), "/first"},
		"of the second protocol":          {wire("p.second"), "/second"},
		"of the second and edited":        {edited, "/second"},
		"of an unknown protocol":          {wire("p.other"), "/first"},
		"counting where only one can so":  {count, "/second"},
		"counting, in the other protocol": {func() *weir.Request { r := wire("p.first"); r.Op = weir.CountTokens; return r }(), "/second"},
	} {
		t.Run(name, func(t *testing.T) {
			path = ""
			if out := ask(t, h, c.req); out.err != nil || path != c.want {
				t.Errorf("it went to %q, %v", path, out.err)
			}
		})
	}
}

func TestCountingThatNobodyOffersIsUnsupported(t *testing.T) {
	s, tr := upstreamServer(t, func(http.ResponseWriter, *http.Request) { t.Error("the upstream was called") })
	req := question()
	req.Op = weir.CountTokens
	out := ask(t, must(t, single(s, tr, &lines{})), req)
	if e := out.error(t); e.Kind != weir.KindUnsupported || e.Deployment != "acme/m-eu" {
		t.Errorf("the error is %+v", e)
	}
}

func TestAnEndpointWithoutACountingPathIsUnsupported(t *testing.T) {
	s, tr := upstreamServer(t, func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "404 page not found", http.StatusNotFound) })
	req := question()
	req.Op = weir.CountTokens
	out := ask(t, must(t, single(s, tr, &lines{counts: true})), req)
	if e := out.error(t); e.Kind != weir.KindUnsupported || e.Status != 404 {
		t.Errorf("the error is %+v", e)
	}
}

func TestLossesComeBeforeTheCallAndARefusalStopsIt(t *testing.T) {
	called := false
	s, tr := upstreamServer(t, func(w http.ResponseWriter, r *http.Request) {
		called = true
		say("start")(w, r)
	})
	l := &lines{losses: []weir.Loss{{Field: "a", Action: weir.LossDropped}, {Field: "b", Action: weir.LossClamped}}}
	h := must(t, single(s, tr, l))
	for ev := range h.Handle(t.Context(), question()) {
		if loss, ok := ev.Note.(*weir.Loss); !ok || loss.Field != "a" || called {
			t.Errorf("the first event is %+v, called %v", ev, called)
		}
		break
	}
	if called {
		t.Error("the upstream was called for a consumer that had left")
	}
	if out := ask(t, h, question()); len(out.losses) != 2 || out.losses[1].Field != "b" {
		t.Errorf("the losses are %v", out.losses)
	}
	called = false
	l.refuse = weir.Errorf(weir.KindUnsupported, "strict")
	if out := ask(t, h, question()); out.error(t).Kind != weir.KindUnsupported || called {
		t.Errorf("a strict refusal ended in %v, called %v", out.err, called)
	}
}

func TestPathsThatAreEscapedStayAsTheyAre(t *testing.T) {
	var got string
	s, tr := upstreamServer(t, func(w http.ResponseWriter, r *http.Request) {
		got = r.RequestURI
		say("start")(w, r)
	})
	for _, c := range []struct{ base, path, want string }{
		{"", "/models/a%2Fb:generate", "/models/a%2Fb:generate"},
		{"/with%2Fslash", "/ask", "/with%2Fslash/ask"},
		{"/v1/", "/ask", "/v1/ask"},
		{"", "/models/m:generate", "/models/m:generate"},
	} {
		o := single(s, tr, &lines{path: c.path})
		o.Endpoints[0].BaseURL += c.base
		if ask(t, must(t, o), question()); got != c.want {
			t.Errorf("%s and %s became %s", c.base, c.path, got)
		}
	}
}
