package server_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/weir-gateway/weir/sim"
	"github.com/weir-gateway/weir/stage/ledger"
	"github.com/weir-gateway/weir/weirtest/faultproxy"
)

// When a fault comes, as a client that streams sees it.
type when int

const (
	harmless when = iota // nothing is lost
	before               // ahead of the first content
	within               // behind it
	anywhere             // on either side, as the network will have it
)

// A chaos is one way in which an upstream fails: below HTTP by the proxy, in
// its protocol's terms by the simulator, or by its address.
type chaos struct {
	proxy    faultproxy.Fault
	sim      string
	address  string // instead of a real upstream
	when     when
	status   []int // of the error where nobody else can answer
	after    string
	timeouts string // of the upstream that fails; empty: generous ones
}

const (
	// far is inside of the content of a stream in every protocol, and near ahead
	// of it; both are inside of an answer that is not streamed.
	far  = 700
	near = 40

	patient   = "{connect: 10s, first_token: 20s, idle: 20s}"
	startled  = "{connect: 10s, first_token: 2s, idle: 300ms}"
	impatient = "{connect: 10s, first_token: 400ms, idle: 300ms}"
	hurried   = "{connect: 300ms, first_token: 400ms, idle: 300ms}"
)

var (
	brokenStatus = []int{http.StatusBadGateway}
	lateStatus   = []int{http.StatusGatewayTimeout}
	busyStatus   = []int{http.StatusServiceUnavailable, 529} // 529 is Anthropic's
	toldStatus   = append([]int{http.StatusInternalServerError}, busyStatus...)
)

var chaoses = map[string]chaos{
	// What providers do.
	"429":                {sim: "status=429;retry-after=7", when: before, status: []int{429}, after: "7"},
	"429 without a word": {sim: "status=429;body=empty", when: before, status: []int{429}},
	"500":                {sim: "status=500", when: before, status: []int{500}},
	"500 html":           {sim: "status=500;body=html", when: before, status: []int{500}},
	"502":                {sim: "status=502;body=html", when: before, status: []int{502}},
	"503":                {sim: "status=503;retry-after=3", when: before, status: []int{503}, after: "3"},
	"529":                {sim: "status=529", when: before, status: []int{529}},
	"an error in 200":    {sim: "error-in-200", when: before, status: busyStatus},
	"an error at once":   {sim: "error=after:1;choices-empty=1", when: anywhere, status: toldStatus},
	"an error later":     {sim: "error=after:9", when: within, status: toldStatus},
	"a page":             {sim: "html", when: before, status: brokenStatus},
	"nothing":            {sim: "empty", when: before, status: brokenStatus},
	"broken JSON":        {sim: "malformed=json", when: before, status: brokenStatus},
	"a broken frame":     {sim: "malformed=frame", when: anywhere, status: brokenStatus},
	"cut at once":        {sim: "cut=after:0", when: before, status: brokenStatus},
	"cut":                {sim: "cut=after:9", when: within, status: brokenStatus},
	"cut in a frame":     {sim: "cut=mid-frame", when: anywhere, status: brokenStatus},
	"dropped":            {sim: "drop=after:9", when: within, status: brokenStatus},
	"reset":              {sim: "reset=after:9", when: anywhere, status: brokenStatus},
	"reset at once":      {sim: "reset=before", when: before, status: brokenStatus},
	"silent":             {sim: "stall=headers", when: before, status: lateStatus, timeouts: impatient},
	"silent later":       {sim: "stall=after:9", when: within, status: lateStatus, timeouts: startled},
	"no last frame":      {sim: "no-done", when: harmless}, // W-05
	"byte by byte":       {sim: "trickle;comments=2", when: harmless},

	// What networks do.
	"refused":               {proxy: faultproxy.Fault{Do: faultproxy.Refuse}, when: before, status: brokenStatus},
	"no such host":          {address: "http://nowhere.invalid", when: before, status: []int{502, 504}, timeouts: hurried},
	"a black hole":          {proxy: faultproxy.Fault{Do: faultproxy.BlackHole}, when: before, status: lateStatus, timeouts: impatient},
	"RST ahead":             {proxy: faultproxy.Fault{Do: faultproxy.Reset, After: faultproxy.BeforeHead}, when: before, status: brokenStatus},
	"RST behind the head":   {proxy: faultproxy.Fault{Do: faultproxy.Reset}, when: before, status: brokenStatus},
	"RST within":            {proxy: faultproxy.Fault{Do: faultproxy.Reset, After: far}, when: anywhere, status: brokenStatus},
	"FIN ahead":             {proxy: faultproxy.Fault{Do: faultproxy.Cut, After: faultproxy.BeforeHead}, when: before, status: brokenStatus},
	"FIN in a frame":        {proxy: faultproxy.Fault{Do: faultproxy.Cut, After: near}, when: before, status: brokenStatus},
	"FIN within":            {proxy: faultproxy.Fault{Do: faultproxy.Cut, After: far}, when: within, status: brokenStatus},
	"half closed ahead":     {proxy: faultproxy.Fault{Do: faultproxy.HalfClose, After: faultproxy.BeforeHead}, when: before, status: brokenStatus},
	"half closed within":    {proxy: faultproxy.Fault{Do: faultproxy.HalfClose, After: far}, when: within, status: brokenStatus},
	"frozen ahead":          {proxy: faultproxy.Fault{Do: faultproxy.Stall, After: faultproxy.BeforeHead}, when: before, status: lateStatus, timeouts: impatient},
	"frozen behind headers": {proxy: faultproxy.Fault{Do: faultproxy.Stall}, when: before, status: lateStatus, timeouts: impatient},
	"frozen in a frame":     {proxy: faultproxy.Fault{Do: faultproxy.Stall, After: near}, when: before, status: lateStatus, timeouts: impatient},
	"frozen within":         {proxy: faultproxy.Fault{Do: faultproxy.Stall, After: far}, when: within, status: lateStatus, timeouts: startled},
	"garbled":               {proxy: faultproxy.Fault{Do: faultproxy.Garble, After: near}, when: before, status: brokenStatus},
	"garbled within":        {proxy: faultproxy.Fault{Do: faultproxy.Garble, After: far}, when: within, status: brokenStatus},
	"spoiled":               {proxy: faultproxy.Fault{Do: faultproxy.Spoil}, when: before, status: brokenStatus},
	"spoiled within":        {proxy: faultproxy.Fault{Do: faultproxy.Spoil, After: far}, when: within, status: brokenStatus},
	"late and slow":         {proxy: faultproxy.Fault{Latency: 30e6, Rate: 100_000}, when: harmless},
}

// chaosReply is what every upstream says when it can: every word is another one,
// so that what is told twice, or with a gap, is seen.
var chaosReply = func() string {
	var b strings.Builder
	b.WriteString("Ça 你好 🎉")
	for c := range 26 {
		b.WriteString(" " + strings.Repeat(string(rune('a'+c)), 24))
	}
	return b.String()
}()

// A chaosCall is one request of the table, with what came of it.
type chaosCall struct {
	face   string
	model  string
	second string // who answers when the first one cannot; empty: nobody
	failed []string
	stream bool

	path, body string
	reply      reply
	err        error
	entry      *ledger.Entry
}

func (c *chaosCall) String() string { return fmt.Sprintf("%s %s stream=%v", c.face, c.model, c.stream) }

// chaosCalls are all faces, streamed and whole, to an upstream of either
// protocol, with and without another one.
func chaosCalls() (calls []*chaosCall) {
	for _, m := range []chaosCall{
		{model: "chat-pair", second: "b/x", failed: []string{"a/x"}},
		{model: "messages-pair", second: "d/x", failed: []string{"c/x"}},
		{model: "crossed", second: "d/x", failed: []string{"a/x"}},
		{model: "chat-alone", failed: []string{"a/x"}},
		{model: "messages-alone", failed: []string{"c/x"}},
		{model: "both", failed: []string{"a/x", "c/x"}},
	} {
		for _, face := range clientFaces {
			for _, stream := range []bool{false, true} {
				if face.name == "completions" {
					continue
				}
				c := m
				c.face, c.stream = face.name, stream
				c.path, c.body = face.call(c.model, stream)
				calls = append(calls, &c)
			}
		}
	}
	return calls
}

func chaosYAML(bad, good, timeouts string) string {
	if timeouts == "" {
		timeouts = patient
	}
	return fmt.Sprintf(`
providers:
  a: {base_url: "%[1]s/v1", key: k, protocol: openai.chat, timeouts: %[3]s}
  b: {base_url: "%[2]s/v1", key: k, protocol: openai.chat}
  c: {base_url: "%[1]s", key: k, protocol: anthropic.messages, timeouts: %[3]s}
  d: {base_url: "%[2]s", key: k, protocol: anthropic.messages}
models:
  chat-pair: [a/x, b/x]
  messages-pair: [c/x, d/x]
  crossed: [a/x, d/x]
  chat-alone: [a/x]
  messages-alone: [c/x]
  both: [a/x, c/x]
breaker: {off: true}
retry: {per_deployment: 1, max: 20ms}
`, bad, good, timeouts)
}

// Whatever an upstream or the network does, on every face, streamed and whole:
// as long as nothing of an answer has been told, another deployment gives it
// whole and once (R-03, R-05, E-02); behind that, or where there is no other one,
// the client is told of an error in its own protocol (R-04, E-01, E-03, E-04,
// E-07), with every attempt when there were several (E-05). Headers and ledger
// say so, and nothing is left behind.
func TestChaos(t *testing.T) {
	leavesNothing(t)
	healthy, _ := upstream(t, sim.ServerOptions{Options: sim.Options{Reply: chaosReply}})
	t.Run("all", func(t *testing.T) { // a test keeps hold of those that run beside it
		for name, c := range chaoses {
			t.Run(name, func(t *testing.T) { c.run(t, healthy) })
		}
	})
}

func (c *chaos) run(t *testing.T, healthy string) {
	t.Parallel() // most of them wait
	o := sim.ServerOptions{Options: sim.Options{Reply: chaosReply}}
	if c.sim != "" {
		o.Faults = []sim.Rule{{Fault: c.sim}}
	}
	srv := httptest.NewServer(sim.NewServer(o))
	t.Cleanup(srv.Close)
	p := faultproxy.New(t, srv.URL)
	p.Set(c.proxy)
	bad := p.URL()
	if c.address != "" {
		bad = c.address
	}
	f := start(t, chaosYAML(bad, healthy, c.timeouts), nil)
	calls := chaosCalls()
	f.all(calls)
	told := 0
	for _, call := range calls {
		if call.err != nil {
			t.Errorf("%s: %v", call, call.err)
			continue
		}
		if c.judge(t, call) {
			told++
		}
	}
	if c.when == within && told == 0 {
		t.Error("no error came within an answer")
	}
}

// all makes calls at once, and finds their entries in the ledger.
func (f *fixture) all(calls []*chaosCall) {
	var running sync.WaitGroup
	for _, c := range calls {
		running.Go(func() { c.reply, c.err = f.try(c.path, c.body) })
	}
	running.Wait()
	for _, e := range f.entries.wait(f.t, len(calls)) {
		i := slices.IndexFunc(calls, func(c *chaosCall) bool { return c.err == nil && c.reply.header.Get("X-Weir-Request-Id") == e.ID })
		if i >= 0 {
			calls[i].entry = e
		}
	}
}

// try is post for goroutines. A body that ends before its end is an error.
func (f *fixture) try(path, body string) (reply, error) {
	res, err := client.Do(f.request(f.t.Context(), http.MethodPost, path, strings.NewReader(body)))
	if err != nil {
		return reply{}, err
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	return reply{res.StatusCode, res.Header, res.Trailer, string(b)}, err
}

// judge says whether a call came to what it must, and reports whether that is an
// error within an answer.
func (c *chaos) judge(t *testing.T, call *chaosCall) (told bool) {
	t.Helper()
	if call.entry == nil {
		t.Errorf("%s: not in the ledger: %v", call, call.reply.header)
		return false
	}
	if call.reply.status != http.StatusOK {
		if c.when == harmless || call.second != "" {
			t.Errorf("%s: %d %s", call, call.reply.status, call.reply.body)
		}
		c.judgeError(t, call)
		return false
	}
	h := hear(call.face, call.stream, call.reply.body)
	switch {
	case h.whole && h.failed == "":
		c.judgeWhole(t, call, h)
		return false
	case !call.stream || c.when == harmless || c.when == before:
		t.Errorf("%s: %s", call, call.reply.body)
	case h.failed == "", h.whole, strings.HasPrefix(h.failed, "NOT JSON"):
		t.Errorf("%s: the error is not told: %s", call, call.reply.body)
	case h.starts > 1, h.text == "", !strings.HasPrefix(chaosReply, h.text):
		t.Errorf("%s: told %q in %d answers", call, h.text, h.starts)
	}
	// It may be a later one's, when the first one has not begun in time.
	call.expect(t, ledger.Failed, 1+max(0, slices.Index(call.failed, call.entry.Deployment)), call.failed...)
	if !call.entry.Committed {
		t.Errorf("%s: the ledger does not know that the client has seen content: %+v", call, call.entry)
	}
	return true
}

// judgeWhole is for an answer that is complete: it is the first deployment's
// where nothing was lost, and else the second one's.
func (c *chaos) judgeWhole(t *testing.T, call *chaosCall, h heard) {
	t.Helper()
	if h.text != chaosReply || h.starts > 1 {
		t.Errorf("%s: told %q in %d answers", call, h.text, h.starts)
	}
	if c.when == harmless {
		call.expect(t, ledger.Answered, 1, call.failed[0])
		return
	}
	if call.second == "" {
		t.Errorf("%s: a whole answer from nobody: %s", call, call.reply.body)
	}
	call.expect(t, ledger.Answered, 2, call.second)
}

// judgeError is for an error in place of an answer.
func (c *chaos) judgeError(t *testing.T, call *chaosCall) {
	t.Helper()
	r := call.reply
	if !isError(call.face, r.body, r.status) || r.header.Get("Content-Type") != "application/json" {
		t.Errorf("%s: not an error of its protocol: %d %s", call, r.status, r.body)
	}
	if !slices.Contains(c.status, r.status) {
		t.Errorf("%s: status %d, want %v: %s", call, r.status, c.status, r.body)
	}
	if got := r.header.Get("Retry-After"); got != c.after {
		t.Errorf("%s: Retry-After %q, want %q", call, got, c.after)
	}
	for _, d := range call.failed {
		if len(call.failed) > 1 && !strings.Contains(r.body, d) { // E-05
			t.Errorf("%s: %s is not named: %s", call, d, r.body)
		}
	}
	if again := r.header.Get("X-Should-Retry"); len(call.failed) > 1 && c.after == "" && again != "false" {
		t.Errorf("%s: a client would try again: %q", call, again)
	}
	call.expect(t, ledger.Failed, len(call.failed), call.failed...)
	if call.entry.Status != r.status || call.entry.Committed {
		t.Errorf("%s: the ledger says %+v", call, call.entry)
	}
}

// expect checks what headers and ledger say of a call.
func (c *chaosCall) expect(t *testing.T, outcome ledger.Outcome, attempts int, deployments ...string) {
	t.Helper()
	h, e := c.reply.header, c.entry
	if h.Get("X-Weir-Attempts") != strconv.Itoa(attempts) || !slices.Contains(deployments, h.Get("X-Weir-Deployment")) {
		t.Errorf("%s: attempts %q, deployment %q; want %d, %v", c, h.Get("X-Weir-Attempts"), h.Get("X-Weir-Deployment"), attempts, deployments)
	}
	if e.Outcome != outcome || e.Attempts != attempts || !slices.Contains(deployments, e.Deployment) || e.Streamed != c.stream {
		t.Errorf("%s: the ledger says %+v; want %s, %d, %v", c, e, outcome, attempts, deployments)
	}
}
