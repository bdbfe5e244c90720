package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"iter"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/codec/all"
	"github.com/weir-gateway/weir/sim"
)

var update = flag.Bool("update", false, "write capabilities.json anew")

// matrixClients are the protocols that clients speak, with the base that their
// paths stand behind; matrixUpstreams those of upstreams.
var (
	matrixClients = []side{
		{"chat", weir.OpenAIChat, "/v1"}, {"responses", weir.OpenAIResponses, "/v1"}, {"messages", weir.AnthropicMessages, ""},
		{"gemini", weir.GeminiGenerate, "/v1beta"}, {"ollama", weir.OllamaChat, ""},
	}
	matrixUpstreams = append(slices.Clip(matrixClients), side{"converse", weir.BedrockConverse, ""})
)

type side struct {
	name     string
	protocol weir.Protocol
	base     string
}

// The levels of a feature, best first.
const (
	exact      = "exact"      // the same protocol: nothing is translated
	translated = "translated" // said in the other protocol's words
	emulated   = "emulated"   // made up for by other means, and said so
	lossy      = "lossy"      // lost, and said so
	refused    = "refused"    // answered with an error that names the field
	unsaid     = "n/a"        // the client's protocol has no word for it
)

// cell is how one feature fares, streamed and whole.
type cell struct {
	Stream string   `json:"stream"`
	Whole  string   `json:"whole"`
	Losses []string `json:"losses,omitempty"`
}

type pair struct {
	Client   string          `json:"client"`
	Upstream string          `json:"upstream"`
	Features map[string]cell `json:"features"`
}

// TestMatrix drives every feature through every pair of protocols, and compares
// what becomes of it with the matrix that is served and printed. A feature that
// does not arrive, and of which no loss is told, fails. // O-15 P-01 P-04
func TestMatrix(t *testing.T) {
	up := &matrixUpstream{}
	srv := httptest.NewServer(sim.NewServer(sim.ServerOptions{Handler: up}))
	t.Cleanup(srv.Close)
	up.url = srv.URL
	f := start(t, matrixYAML(srv.URL), nil)
	var pairs []pair
	for _, c := range matrixClients {
		for _, u := range matrixUpstreams {
			p := pair{Client: c.name, Upstream: u.name, Features: map[string]cell{}}
			t.Run(c.name+" to "+u.name, func(t *testing.T) {
				for i := range features {
					p.Features[features[i].id] = runFeature(t, f, up, c, u, &features[i])
				}
			})
			pairs = append(pairs, p)
		}
	}
	if !t.Failed() {
		checkMatrix(t, pairs)
	}
}

func matrixYAML(url string) string {
	var b strings.Builder
	b.WriteString("providers:\n")
	for _, u := range matrixUpstreams {
		fmt.Fprintf(&b, "  up-%s: {base_url: %q, protocol: %s, key: k}\n", u.name, url+u.base, u.protocol)
	}
	b.WriteString("retry: {attempts: 1}\n")
	return b.String()
}

// matrixUpstream answers as the feature wants it, in all protocols.
type matrixUpstream struct {
	url     string
	mu      sync.Mutex
	feature *feature
	asked   []*weir.Body
}

func (u *matrixUpstream) begin(f *feature) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.feature, u.asked = f, nil
}

func (u *matrixUpstream) bodies() []*weir.Body {
	u.mu.Lock()
	defer u.mu.Unlock()
	return slices.Clone(u.asked)
}

// Handle implements weir.Handler.
func (u *matrixUpstream) Handle(_ context.Context, req *weir.Request) iter.Seq2[weir.Event, error] {
	return func(yield func(weir.Event, error) bool) {
		body, err := req.Body()
		if err != nil {
			yield(weir.Event{}, err)
			return
		}
		u.mu.Lock()
		u.asked = append(u.asked, body)
		f, turn := u.feature, len(u.asked)
		u.mu.Unlock()
		events := f.answer
		if f.fail == nil && (events == nil || turn > 1 && f.echo != nil) {
			events = answered(nil)
		}
		for _, ev := range asDeclared(body, events) {
			if !yield(ev, nil) {
				return
			}
		}
		if f.fail != nil {
			yield(weir.Event{}, f.fail)
		}
	}
}

// asDeclared makes the call of a free-text tool one of the function as which it
// was declared.
func asDeclared(b *weir.Body, events []weir.Event) []weir.Event {
	if len(b.Tools) == 0 || b.Tools[0].Type == weir.ToolCustom || b.Tools[0].Name != "apply_patch" {
		return events
	}
	var out []weir.Event
	var input strings.Builder
	for _, ev := range events {
		switch {
		case ev.Type == weir.EventBlockStart && ev.Block.Call != nil:
			block := ev.Block.Clone()
			block.Call.Type = weir.ToolFunction
			ev.Block = &block
		case ev.Type == weir.EventDelta && ev.Part == weir.PartArguments:
			input.WriteString(ev.Text)
			continue
		case ev.Type == weir.EventBlockEnd:
			for piece := range slices.Chunk([]byte(codec.WrapCustom(input.String())), 5) {
				out = append(out, weir.Event{Type: weir.EventDelta, Part: weir.PartArguments, Text: string(piece)})
			}
		}
		out = append(out, ev)
	}
	return out
}

func runFeature(t *testing.T, f *fixture, up *matrixUpstream, c, u side, x *feature) cell {
	t.Helper()
	var out cell
	losses := map[string]bool{}
	for _, stream := range []bool{true, false} {
		level := unsaid
		if canAnswer(t, up, u, x, stream) {
			e := exchange{t: t, url: f.url, model: "up-" + u.name + "/m", up: up, client: c, upstream: u, feature: x, stream: stream, losses: losses}
			level = e.run()
		}
		if stream {
			out.Stream = level
		} else {
			out.Whole = level
		}
	}
	out.Losses = slices.Sorted(maps.Keys(losses))
	return out
}

// canAnswer asks the upstream without Weir: what its protocol has no word for
// cannot get lost on the way.
func canAnswer(t *testing.T, up *matrixUpstream, u side, x *feature, stream bool) bool {
	t.Helper()
	if x.answer == nil || x.got == nil {
		return true
	}
	up.begin(x)
	e := exchange{t: t, url: up.url, model: "m", up: up, client: u, upstream: u, feature: x, stream: stream, losses: map[string]bool{}, careless: true}
	done, _, err := e.send(x.ask())
	return x.got(done, err)
}

// An exchange is one feature through one pair, streamed or whole.
type exchange struct {
	t                *testing.T
	url, model       string
	up               *matrixUpstream
	client, upstream side
	feature          *feature
	stream           bool
	losses           map[string]bool
	lost, emulated   bool
	careless         bool // leaves out what the client's protocol has no word for
}

func (e *exchange) run() string {
	e.up.begin(e.feature)
	body := e.feature.ask()
	done, status, err := e.send(body)
	switch {
	case errors.Is(err, errUnsaid):
		return unsaid
	case status == http.StatusBadRequest && len(e.up.bodies()) == 0:
		return refused
	}
	ok := e.feature.got == nil && err == nil && done.Text() == "answer" || e.feature.got != nil && e.feature.got(done, err)
	if asked := e.up.bodies(); ok && e.feature.asked != nil {
		ok = len(asked) > 0 && e.feature.asked(asked[0])
	}
	if ok && e.feature.echo != nil {
		return e.next(body)
	}
	return e.level(ok, status, err)
}

// next is a second turn: the client sends back what its feature keeps of the
// answer, and the result of the tool.
func (e *exchange) next(body *weir.Body) string {
	e.up.begin(e.feature)
	stream := e.stream
	e.stream = false
	asked := e.request(body)
	res, text := e.post(asked)
	if res.StatusCode != http.StatusOK {
		e.t.Fatalf("%s: %d %s", e.feature.id, res.StatusCode, text)
	}
	e.stream = stream
	asked.Body = [][]byte{echo(e.t, e.client.protocol, bytes.Join(asked.Body, nil), text, e.feature.echo)}
	e.emulated, e.lost = false, false
	res, text = e.post(asked)
	last := e.up.bodies()
	ok := res.StatusCode == http.StatusOK && e.feature.replayed(last[len(last)-1])
	if !ok && !e.feature.echo.keeps {
		return unsaid // the upstream has no need of it
	}
	e.emulated = e.emulated || !e.feature.echo.keeps
	return e.level(ok, res.StatusCode, errors.New(string(text)))
}

// level judges. What did not arrive must have been told.
func (e *exchange) level(ok bool, status int, err error) string {
	switch {
	case !ok && !e.lost && !e.emulated:
		asked := e.up.bodies()
		var last *weir.Body
		if len(asked) > 0 {
			last = asked[len(asked)-1]
		}
		e.t.Errorf("%s (stream=%v): it does not arrive, and no loss is told (status %d, %v); the upstream was asked %s", e.feature.id, e.stream, status, err, describe(last))
		return lossy
	case !ok && !e.lost:
		return emulated
	case !ok || e.lost:
		return lossy
	case e.emulated:
		return emulated
	case e.client.protocol == e.upstream.protocol:
		return exact
	}
	return translated
}

func describe(b *weir.Body) string {
	out, err := json.Marshal(b)
	if err != nil {
		return err.Error()
	}
	return string(out)
}

// errUnsaid tells that the client's protocol cannot say it.
var errUnsaid = errors.New("the client's protocol has no word for it")

// send asks as a client of its protocol does, with the client half of the codec,
// and reads the answer.
func (e *exchange) send(body *weir.Body) (*weir.Completion, int, error) {
	out := e.request(body)
	if out == nil {
		return nil, 0, errUnsaid
	}
	res, text := e.post(out)
	c, target := all.For(e.client.protocol), e.target()
	if res.StatusCode != http.StatusOK {
		return &weir.Completion{}, res.StatusCode, c.DecodeError(res.StatusCode, res.Header, text, target)
	}
	done, err := weir.Collect(c.Decode(&codec.Answer{Header: res.Header, Body: bytes.NewReader(text), Stream: e.stream, Target: target, Names: out.Names, Custom: out.Custom}))
	return done, res.StatusCode, err
}

func (e *exchange) target() *codec.Target {
	return &codec.Target{Provider: "weir", Model: e.model, Quirks: &codec.Quirks{}}
}

// request is a body in the client's words; nil when it has none for all of it.
func (e *exchange) request(body *weir.Body) *codec.Call {
	req := weir.NewRequest("", body)
	req.Stream = e.stream
	out, err := all.For(e.client.protocol).EncodeRequest(req, e.target())
	if err != nil || !e.careless && slices.ContainsFunc(out.Losses, func(l weir.Loss) bool {
		return l.Action == weir.LossDropped || l.Action == weir.LossApproximated
	}) {
		return nil
	}
	return out
}

// post sends a request, and notes what is told of losses.
func (e *exchange) post(out *codec.Call) (*http.Response, []byte) {
	url := e.url + e.client.base + out.Path
	if out.Query != "" {
		url += "?" + out.Query
	}
	r, err := http.NewRequestWithContext(e.t.Context(), http.MethodPost, url, bytes.NewReader(bytes.Join(out.Body, nil)))
	if err != nil {
		e.t.Fatal(err)
	}
	maps.Copy(r.Header, out.Header)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("TE", "trailers")
	res, err := client.Do(r)
	if err != nil {
		e.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		e.t.Fatal(err)
	}
	e.note(res.Header)
	e.note(res.Trailer)
	return res, text
}

// note reads the losses that the answer's header tells, or its trailer.
func (e *exchange) note(h http.Header) {
	for loss := range strings.SplitSeq(h.Get("X-Weir-Losses"), ", ") {
		field, action, ok := strings.Cut(loss, ";")
		if !ok {
			continue
		}
		e.losses[field+" "+action] = true
		switch weir.LossAction(action) {
		case weir.LossDropped:
			e.lost = true
		case weir.LossApproximated:
			e.emulated = true
		case weir.LossMoved, weir.LossClamped, weir.LossRenamed: // it still says what was meant
		}
	}
}

func checkMatrix(t *testing.T, pairs []pair) {
	t.Helper()
	const file = "capabilities.json"
	titles := make([]map[string]string, len(features))
	for i := range features {
		titles[i] = map[string]string{"id": features[i].id, "title": features[i].title}
	}
	rows := providerRows(t, pairs)
	text, err := json.MarshalIndent(map[string]any{
		"generated_by": "go test ./server -run TestMatrix -update", "levels": []string{exact, translated, emulated, lossy, refused, unsaid},
		"features": titles, "pairs": pairs, "providers": rows,
	}, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	text = append(text, '\n')
	checkFile(t, file, text)
	checkFile(t, "../docs/capabilities.md", []byte(matrixPage(pairs, rows)))
}

// checkFile compares a generated file with what it should be.
func checkFile(t *testing.T, file string, want []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(have, want) {
		t.Errorf("%s is not what the test found: look at the difference after go test ./server -run TestMatrix -update", file)
	}
}

func sameJSON(a, b string) bool {
	var x, y any
	return json.Unmarshal([]byte(a), &x) == nil && json.Unmarshal([]byte(b), &y) == nil && reflect.DeepEqual(x, y)
}
