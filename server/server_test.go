package server_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/authn"
	"github.com/weir-gateway/weir/catalog"
	"github.com/weir-gateway/weir/internal/jsonx"
	"github.com/weir-gateway/weir/sim"
	"github.com/weir-gateway/weir/stage/ledger"
)

func catalogue() *catalog.Catalog { return catalog.Default() }

func TestItAnswersWithNothingConfigured(t *testing.T) { // O-11
	f := start(t, "", sim.New(sim.Options{}))
	for _, face := range faces {
		for _, stream := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, streaming %v", face.name, stream), func(t *testing.T) {
				r := f.post(face.path, face.body("gpt-anything", stream))
				if r.status != 200 || len(r.body) < 50 {
					t.Fatalf("status %d: %s", r.status, r.body)
				}
				if got := r.header.Get("X-Weir-Deployment"); got != "sim/weir-sim" {
					t.Errorf("x-weir-deployment is %q", got)
				}
				if stream && !strings.HasPrefix(r.header.Get("Content-Type"), "text/event-stream") {
					t.Errorf("content type %q", r.header.Get("Content-Type"))
				}
			})
		}
	}
}

func TestStreamsAreNotToBeCollectedOnTheWay(t *testing.T) { // W-07
	f := start(t, "", sim.New(sim.Options{}))
	r := f.post("/v1/chat/completions", faces[0].body("sim", true))
	for key, want := range map[string]string{"X-Accel-Buffering": "no", "Cache-Control": "no-cache", "Content-Encoding": ""} {
		if got := r.header.Get(key); got != want {
			t.Errorf("%s is %q, want %q", key, got, want)
		}
	}
}

func TestPieceAfterPieceIsFlushed(t *testing.T) { // W-07
	step := make(chan struct{})
	f := start(t, "", weir.HandlerFunc(func(context.Context, *weir.Request) iter.Seq2[weir.Event, error] {
		return func(yield func(weir.Event, error) bool) {
			for _, ev := range sampleEvents("one", "two") {
				if ev.Text == "two" {
					<-step
				}
				if !yield(ev, nil) {
					return
				}
			}
		}
	}))
	req := f.request(t.Context(), http.MethodPost, "/v1/chat/completions", strings.NewReader(faces[0].body("sim", true)))
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	r := bufio.NewReader(res.Body)
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			t.Fatal("the first piece never came: ", err)
		}
		if strings.Contains(line, "one") {
			break
		}
	}
	close(step)
}

func sampleEvents(texts ...string) []weir.Event {
	u := new(weir.Usage)
	u.Set(weir.UsageInput, 3)
	u.Set(weir.UsageOutput, 5)
	list := []weir.Event{
		{Type: weir.EventStart, Start: &weir.Start{ID: "x", Model: "m"}},
		{Type: weir.EventBlockStart, Block: &weir.Block{Type: weir.BlockText}},
	}
	for _, s := range texts {
		list = append(list, weir.Event{Type: weir.EventDelta, Text: s})
	}
	return append(list,
		weir.Event{Type: weir.EventBlockEnd},
		weir.Event{Type: weir.EventFinish, Finish: &weir.Finish{Reason: weir.FinishStop}},
		weir.Event{Type: weir.EventUsage, Usage: u})
}

func TestKeysAreAcceptedFromEveryHeaderThatClientsUse(t *testing.T) { // C-10, X-02
	key, hash := authn.Generate()
	f := start(t, "keys: [{name: alice, hash: '"+hash+"'}]", sim.New(sim.Options{}))
	for _, tt := range []struct {
		name   string
		path   string
		header []string
		status int
	}{
		{"a bearer token", "/v1/chat/completions", []string{"Authorization", "Bearer " + key}, 200},
		{"x-api-key", "/v1/messages", []string{"X-Api-Key", key}, 200},
		{"api-key", "/v1/chat/completions", []string{"Api-Key", key}, 200},
		{"x-goog-api-key", "/v1/chat/completions", []string{"X-Goog-Api-Key", key}, 200},
		{"none", "/v1/chat/completions", nil, 401},
		{"a wrong one", "/v1/messages", []string{"X-Api-Key", "weir-canary"}, 401},
	} {
		t.Run(tt.name, func(t *testing.T) {
			body := faces[0].body("sim", false)
			if tt.path == "/v1/messages" {
				body = faces[1].body("sim", false)
			}
			r := f.post(tt.path, body, tt.header...)
			if r.status != tt.status || strings.Contains(r.body, "canary") {
				t.Errorf("status %d: %s", r.status, r.body)
			}
		})
	}
}

func TestAKeyIsAskedForBeforeTheBodyIsRead(t *testing.T) {
	_, hash := authn.Generate()
	f := start(t, "keys: [{name: alice, hash: '"+hash+"'}]", sim.New(sim.Options{}))
	rec := httptest.NewRecorder()
	req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v1/messages", unreadable{t})
	f.server.ServeHTTP(rec, req)
	if rec.Code != 401 || jsonx.StringOr(jsonx.GetPath(rec.Body.Bytes(), "error", "type"), "") != "authentication_error" {
		t.Errorf("status %d: %s", rec.Code, rec.Body)
	}
}

type unreadable struct{ t *testing.T }

func (u unreadable) Read([]byte) (int, error) {
	u.t.Error("the body was read")
	return 0, http.ErrBodyReadAfterClose
}

// Everything that can be wrong with a request gets its status in the caller's
// protocol.
func TestBadInput(t *testing.T) { // E-01, E-08, S-07
	_, yaml := upstream(t, sim.ServerOptions{})
	f := start(t, yaml+"limits: {body: 4KiB, in_flight: 1MiB}\n", nil)
	for _, face := range faces {
		big := strings.Repeat("x", 8<<10)
		good := face.body("oai/m", false)
		for _, tt := range []struct {
			name, body string
			status     int
			want       string
		}{
			{"no JSON", "hello", 400, "line 1, column 1"},
			{"cut JSON", good[:len(good)-10], 400, "JSON"},
			{"an empty body", "", 400, ""},
			{"an array", "[]", 400, ""},
			{"no model", `{"messages":[]}`, 400, "model"},
			{"a model that is no text", `{"model":7,"max_tokens":1,"messages":[]}`, 400, "model"},
			{"no messages", `{"model":"oai/m","max_tokens":1}`, 400, "messages"},
			{"messages that are no list", `{"model":"oai/m","max_tokens":1,"messages":"x"}`, 400, "messages"},
			{"stream that is no bool", strings.Replace(good, `"stream":false`, `"stream":"yes"`, 1), 400, "stream"},
			{"the model twice", `{"model":"a","mod\u0065l":"b","max_tokens":1,"messages":[]}`, 400, "model"},
			{"an unknown model", face.body("no-such-model", false), 404, "no-such-model"},
			{"an unknown provider", face.body("opnai/m", false), 404, ""},
			{"a provider without a key", face.body("openai/gpt-4o", false), 404, "OPENAI_API_KEY"},
			{"a body over the limit", strings.Replace(good, "say something", big, 1), 413, "4096"},
		} {
			t.Run(face.name+" with "+tt.name, func(t *testing.T) {
				r := f.post(face.path, tt.body)
				checkError(t, face.name, r, tt.status)
				if !strings.Contains(r.body, tt.want) {
					t.Errorf("%s does not say %q", r.body, tt.want)
				}
			})
		}
		t.Run(face.name+" over the limit without saying so first", func(t *testing.T) {
			req := f.request(t.Context(), http.MethodPost, face.path, struct{ *strings.Reader }{strings.NewReader(strings.Replace(good, "say something", big, 1))})
			req.ContentLength = -1
			checkError(t, face.name, f.do(req), 413)
		})
	}
}

// checkError checks that r is an error of that status in the face's own shape.
func checkError(t *testing.T, face string, r reply, status int) {
	t.Helper()
	if r.status != status {
		t.Fatalf("status %d, want %d: %.300s", r.status, status, r.body)
	}
	body := []byte(r.body)
	if err := jsonx.Valid(body); err != nil {
		t.Fatalf("the error is no JSON: %.300s", r.body)
	}
	if message := jsonx.StringOr(jsonx.GetPath(body, "error", "message"), ""); message == "" {
		t.Errorf("the error has no message: %s", r.body)
	}
	if jsonx.StringOr(jsonx.GetPath(body, "error", "type"), "") == "" {
		t.Errorf("the error has no type: %s", r.body)
	}
	if got := jsonx.StringOr(jsonx.Get(body, "type"), ""); (face == "messages") != (got == "error") {
		t.Errorf("the error is in the other protocol's shape: %s", r.body)
	}
}

func TestAFailingUpstreamIsReportedInTheCallersProtocol(t *testing.T) { // E-01, E-02, E-04, E-07
	url, yaml := upstream(t, sim.ServerOptions{})
	f := start(t, strings.Replace(yaml, "{max:", "{attempts: 1, max:", 1)+"breaker: {off: true}\ntimeouts: {first_token: 300ms, idle: 300ms}\n", nil)
	for _, tt := range []struct {
		fault  string
		status int // 0: the error comes inside the stream, or as 502 when not streaming
	}{
		{"status=400", 400}, {"status=404", 404}, {"status=422", 422}, {"status=413", 413},
		{"status=429;retry-after=7", 429}, {"status=500", 500}, {"status=503;body=html", 503}, {"status=502;body=empty", 502},
		{"status=401", 502}, {"reset=before", 502}, {"stall=headers", 504}, {"empty", 502}, {"html", 502}, {"error-in-200", 0},
	} {
		for _, face := range faces {
			for _, provider := range []string{"oai", "ant"} {
				for _, stream := range []bool{false, true} {
					t.Run(fmt.Sprintf("%s at %s for %s, streaming %v", tt.fault, provider, face.name, stream), func(t *testing.T) {
						setFault(t, url, tt.fault)
						r := f.post(face.path, face.body(provider+"/m", stream))
						if tt.status != 0 {
							checkError(t, face.name, r, tt.status)
						} else if r.status < 400 {
							t.Errorf("status %d: %s", r.status, r.body)
						}
						if tt.status == 429 && r.header.Get("Retry-After") != "7" {
							t.Errorf("Retry-After is %q", r.header.Get("Retry-After"))
						}
					})
				}
			}
		}
	}
}

// setFault makes the simulated upstream play one fault from now on.
func setFault(t *testing.T, url, fault string) {
	t.Helper()
	for _, method := range []string{http.MethodDelete, http.MethodPost} {
		body := strings.NewReader(fmt.Sprintf(`[{"fault":%q}]`, fault))
		req, err := http.NewRequestWithContext(t.Context(), method, url+"/_sim/faults", body)
		if err != nil {
			t.Fatal(err)
		}
		res, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode >= 300 || fault == "" {
			if fault != "" {
				t.Fatalf("%s /_sim/faults: status %d", method, res.StatusCode)
			}
			return
		}
	}
}

func TestAStreamThatBreaksEndsWithAnError(t *testing.T) { // E-03, W-05
	url, yaml := upstream(t, sim.ServerOptions{})
	f := start(t, yaml+"timeouts: {first_token: 5s, idle: 300ms}\n", nil)
	for _, fault := range []string{"cut=after:4", "cut=mid-frame", "reset=after:4", "drop=after:4", "stall=after:4", "error=after:4", "malformed=frame"} {
		for _, face := range faces {
			for _, provider := range []string{"oai", "ant"} {
				t.Run(fmt.Sprintf("%s at %s for %s", fault, provider, face.name), func(t *testing.T) {
					setFault(t, url, fault)
					r := f.post(face.path, face.body(provider+"/m", true))
					if !strings.Contains(r.body, `"error"`) {
						t.Errorf("status %d, no error in the stream: %s", r.status, r.body)
					}
					if strings.Contains(r.body, "[DONE]") || strings.Contains(r.body, "event: message_stop") {
						t.Errorf("the stream ends as if it were complete: %s", r.body)
					}
					if n := strings.Count(r.body, "event: message_start"); face.name == "messages" && n > 1 {
						t.Errorf("%d times message_start", n)
					}
				})
			}
		}
	}
}

func TestARetryIsNotSeenByTheClient(t *testing.T) {
	url, yaml := upstream(t, sim.ServerOptions{})
	f := start(t, yaml, nil)
	for _, face := range faces {
		setFault(t, url, "status=503;times=1")
		r := f.post(face.path, face.body("oai/m", true))
		if r.status != 200 || r.header.Get("X-Weir-Attempts") != "2" {
			t.Errorf("%s: status %d after %s attempts: %s", face.name, r.status, r.header.Get("X-Weir-Attempts"), r.body)
		}
	}
}

func TestFallbackGoesOnToTheNextDeployment(t *testing.T) { // R-08, E-05
	bad, _ := upstream(t, sim.ServerOptions{})
	good, _ := upstream(t, sim.ServerOptions{})
	setFault(t, bad, "status=500")
	f := start(t, fmt.Sprintf(`
providers:
  bad: {base_url: %q}
  good: {base_url: %q, protocol: anthropic.messages}
models:
  fast: {deployments: [bad/m], fallbacks: [good/m]}
  doomed: [bad/m, bad/n]
retry: {max: 2ms, classes: {rate_limit: &quick {base: 1ms, max: 2ms, shape: exponential}, bad_gateway: *quick, unavailable: *quick, timeout: *quick, connection: *quick, server: *quick}}
`, bad, good), nil)
	r := f.post("/v1/chat/completions", faces[0].body("fast", false))
	if r.status != 200 || r.header.Get("X-Weir-Deployment") != "good/m" {
		t.Errorf("status %d from %s: %s", r.status, r.header.Get("X-Weir-Deployment"), r.body)
	}
	r = f.post("/v1/messages", faces[1].body("doomed", false))
	checkError(t, "messages", r, 500)
	if !strings.Contains(r.body, "bad/m") || !strings.Contains(r.body, "bad/n") || r.header.Get("X-Should-Retry") != "false" {
		t.Errorf("the attempts are not told: %v %s", r.header, r.body)
	}
}

func TestLossesAreToldAndRefusedUnderStrict(t *testing.T) { // P-01
	_, yaml := upstream(t, sim.ServerOptions{})
	f := start(t, yaml, nil)
	body := `{"model":"ant/m","seed":7,"messages":[{"role":"user","content":"hi"}]}`
	r := f.post("/v1/chat/completions", body)
	if r.status != 200 || !strings.Contains(r.header.Get("X-Weir-Losses"), "seed;dropped") {
		t.Errorf("status %d, losses %q", r.status, r.header.Get("X-Weir-Losses"))
	}
	r = f.post("/v1/chat/completions", body, "X-Weir-Strict", "true")
	checkError(t, "chat", r, 400)
	if !strings.Contains(r.body, "seed") {
		t.Errorf("the field is not named: %s", r.body)
	}
}

func TestModelsAreThoseOfTheKey(t *testing.T) { // C-07
	all, allHash := authn.Generate()
	some, someHash := authn.Generate()
	f := start(t, fmt.Sprintf(`
providers:
  mine: {like: vllm, base_url: "http://127.0.0.1:1", models: [{id: a, context: 4096}, {id: b}]}
models: {fast: mine/a}
keys: [{name: all, hash: %q}, {name: some, hash: %q, models: [fast]}]
`, allHash, someHash), nil)
	if r := f.get("/v1/models", "Authorization", "Bearer "+all); !strings.Contains(r.body, `"mine/b"`) || !strings.Contains(r.body, `"object":"list"`) {
		t.Errorf("all models: %s", r.body)
	}
	r := f.get("/v1/models", "X-Api-Key", some, "Anthropic-Version", "2023-06-01")
	if strings.Contains(r.body, "mine/b") || !strings.Contains(r.body, `"display_name":"fast"`) || !strings.Contains(r.body, `"has_more":false`) {
		t.Errorf("some models: %s", r.body)
	}
	if r := f.get("/v1/models/mine/b", "X-Api-Key", some); r.status != 404 {
		t.Errorf("a model of others: status %d", r.status)
	}
	if r := f.post("/v1/chat/completions", faces[0].body("mine/b", false), "X-Api-Key", some); r.status != 403 {
		t.Errorf("calling a model of others: status %d: %s", r.status, r.body)
	}
	if r := f.get("/v1/models/fast", "X-Api-Key", some); r.status != 200 {
		t.Errorf("one model: status %d: %s", r.status, r.body)
	}
	if r := f.get("/v1/models"); r.status != 401 {
		t.Errorf("without a key: status %d", r.status)
	}
}

func TestTokensAreCountedForEveryModel(t *testing.T) { // C-05
	_, yaml := upstream(t, sim.ServerOptions{})
	f := start(t, yaml, nil)
	for _, model := range []string{"oai/m", "ant/m"} {
		r := f.post("/v1/messages/count_tokens?beta=true", `{"model":"`+model+`","messages":[{"role":"user","content":"how many tokens are these?"}]}`)
		if n, ok := jsonx.Int64(jsonx.Get([]byte(r.body), "input_tokens")); r.status != 200 || !ok || n < 3 {
			t.Errorf("%s: status %d: %s", model, r.status, r.body)
		}
	}
}

func TestASilentClientIsKeptAlive(t *testing.T) { // W-06
	for i, want := range []string{": keep-alive\n", "event: ping\n"} {
		t.Run(faces[i].name, func(t *testing.T) {
			quiet := make(chan struct{})
			f := start(t, "keep_alive: 20ms\n", weir.HandlerFunc(func(ctx context.Context, _ *weir.Request) iter.Seq2[weir.Event, error] {
				return func(yield func(weir.Event, error) bool) {
					select {
					case <-quiet:
					case <-ctx.Done():
					}
					for _, ev := range sampleEvents("late") {
						if !yield(ev, nil) {
							return
						}
					}
				}
			}))
			res, err := client.Do(f.request(t.Context(), http.MethodPost, faces[i].path, strings.NewReader(faces[i].body("sim", true))))
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = res.Body.Close() }()
			r := bufio.NewReader(res.Body)
			if line, err := r.ReadString('\n'); line != want {
				t.Errorf("the first line is %q, %v", line, err)
			}
			close(quiet)
			rest, err := io.ReadAll(r)
			if err != nil || !strings.Contains(string(rest), "late") {
				t.Errorf("the answer after it is %q, %v", rest, err)
			}
		})
	}
}

func TestAClientThatLeavesCancelsTheUpstreamAndIsStillAccountedFor(t *testing.T) { // R-18, U-03, U-06
	started := make(chan struct{}, 1)
	ended := make(chan struct{}, 1)
	f := start(t, "disconnect: {drain: 50ms}\n", weir.HandlerFunc(func(ctx context.Context, _ *weir.Request) iter.Seq2[weir.Event, error] {
		return func(yield func(weir.Event, error) bool) {
			defer func() { ended <- struct{}{} }()
			for i, ev := range sampleEvents("one", "two") {
				if i == 3 {
					started <- struct{}{}
					<-ctx.Done()
					yield(weir.Event{}, ctx.Err())
					return
				}
				if !yield(ev, nil) {
					return
				}
			}
		}
	}))
	ctx, leave := context.WithCancel(t.Context())
	res, err := client.Do(f.request(ctx, http.MethodPost, faces[0].path, strings.NewReader(faces[0].body("sim", true))))
	if err != nil {
		t.Fatal(err)
	}
	<-started
	leave()
	_ = res.Body.Close()
	<-ended
	entry := f.entries.wait(t, 1)[0]
	if entry.UsageState != ledger.UsageEstimated {
		t.Errorf("usage is %v: %+v", entry.UsageState, entry.Usage)
	}
}

func TestEveryCallHasOneLedgerEntry(t *testing.T) { // U-06
	url, yaml := upstream(t, sim.ServerOptions{})
	f := start(t, yaml+"timeouts: {first_token: 300ms, idle: 300ms}\n", nil)
	n := 0
	for _, fault := range []string{"", "status=500", "cut=after:3", "status=400", "stall=headers"} {
		setFault(t, url, fault)
		for _, face := range faces {
			f.post(face.path, face.body("oai/m", true))
			n++
			if got := len(f.entries.wait(t, n)); got != n {
				t.Fatalf("after %q: %d entries for %d calls", fault, got, n)
			}
		}
	}
}

func TestRequestsInFlightSurviveAReload(t *testing.T) { // O-09
	step := make(chan struct{})
	f := start(t, "", weir.HandlerFunc(func(context.Context, *weir.Request) iter.Seq2[weir.Event, error] {
		return func(yield func(weir.Event, error) bool) {
			for _, ev := range sampleEvents("one", "two") {
				if ev.Text == "two" {
					<-step
				}
				if !yield(ev, nil) {
					return
				}
			}
		}
	}))
	before := f.gateway.Current().Version
	res, err := client.Do(f.request(t.Context(), http.MethodPost, faces[0].path, strings.NewReader(faces[0].body("sim", true))))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	if err := f.gateway.Reload(parse(t, "strict: true\n")); err != nil {
		t.Fatal(err)
	}
	if f.gateway.Current().Version == before {
		t.Error("the version has not changed")
	}
	close(step)
	var text strings.Builder
	r := bufio.NewReader(res.Body)
	for {
		line, err := r.ReadString('\n')
		text.WriteString(line)
		if err != nil {
			break
		}
	}
	if !strings.Contains(text.String(), "two") || !strings.Contains(text.String(), "[DONE]") {
		t.Errorf("the stream was disturbed: %s", text.String())
	}
}

func TestAPanicIsAnErrorAndNotACrash(t *testing.T) {
	f := start(t, "", weir.HandlerFunc(func(context.Context, *weir.Request) iter.Seq2[weir.Event, error] {
		return func(func(weir.Event, error) bool) { panic("canary") }
	}))
	for _, face := range faces {
		r := f.post(face.path, face.body("sim", false))
		checkError(t, face.name, r, 500)
		if strings.Contains(r.body, "canary") {
			t.Errorf("the panic is shown: %s", r.body)
		}
	}
}

func TestPages(t *testing.T) {
	f := start(t, "", sim.New(sim.Options{}))
	f.post(faces[0].path, faces[0].body("sim", false))
	for path, want := range map[string]string{
		"/": "OpenAI clients", "/healthz": `"status":"ok"`, "/readyz": "ready", "/metrics": "weir_requests_total",
	} {
		if r := f.get(path); r.status != 200 || !strings.Contains(r.body, want) {
			t.Errorf("%s: status %d: %.200s", path, r.status, r.body)
		}
	}
	checkError(t, "chat", f.get("/v1/chat/completions"), 405)
	checkError(t, "chat", f.get("/nowhere"), 404)
	checkError(t, "messages", f.post("/nowhere", "", "Anthropic-Version", "2023-06-01"), 404)
}

func TestReadinessFailsFirstThenRequestsFinish(t *testing.T) {
	f := start(t, "", sim.New(sim.Options{}))
	f.server.Drain()
	if r := f.get("/readyz"); r.status != 503 {
		t.Errorf("readyz: status %d", r.status)
	}
	if r := f.post(faces[0].path, faces[0].body("sim", false)); r.status != 200 {
		t.Errorf("a request while draining: status %d", r.status)
	}
}

func TestAVeryLongLineArrivesWhole(t *testing.T) { // W-02
	url, yaml := upstream(t, sim.ServerOptions{})
	f := start(t, yaml, nil)
	setFault(t, url, "big-line=16m")
	for _, face := range faces {
		for _, provider := range []string{"oai", "ant"} {
			if r := f.post(face.path, face.body(provider+"/m", true)); r.status != 200 || len(r.body) < 16<<20 {
				t.Errorf("%s from %s: status %d, %d bytes", face.name, provider, r.status, len(r.body))
			}
		}
	}
}
