package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("os/signal.loop")) }

// alone makes a test start in an empty directory, without any provider's key.
func alone(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	t.Chdir(dir)
	for _, entry := range os.Environ() {
		name, _, _ := strings.Cut(entry, "=")
		if strings.HasSuffix(name, "_API_KEY") || strings.HasSuffix(name, "_BASE_URL") || strings.HasPrefix(name, "WEIR_") || name == "OLLAMA_HOST" {
			t.Setenv(name, "")
		}
	}
	return dir
}

// call runs a command to its end.
func call(t *testing.T, stdin string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errOut bytes.Buffer
	code = run(t.Context(), args, strings.NewReader(stdin), &out, &errOut)
	return code, out.String(), errOut.String()
}

// output collects what a running command prints, and can be waited on.
type output struct {
	mu   sync.Mutex
	buf  bytes.Buffer
	more chan struct{}
}

func newOutput() *output { return &output{more: make(chan struct{}, 1)} }

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	select {
	case o.more <- struct{}{}:
	default:
	}
	return o.buf.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// wait is the first match of pattern, once there is one.
func (o *output) wait(t *testing.T, pattern string) []string {
	t.Helper()
	re := regexp.MustCompile(pattern)
	limit := time.After(20 * time.Second)
	for {
		if m := re.FindStringSubmatch(o.String()); m != nil {
			return m
		}
		select {
		case <-o.more:
		case <-limit:
			t.Fatalf("%q never came; there is:\n%s", pattern, o.String())
		}
	}
}

// A process is a command that goes on.
type process struct {
	url            string
	stdout, stderr *output
	stop           func() int
}

// serving starts weir serve or sim and waits until it listens.
func serving(t *testing.T, args ...string) *process {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	p := &process{stdout: newOutput(), stderr: newOutput()}
	code := make(chan int, 1)
	go func() { code <- run(ctx, args, strings.NewReader(""), p.stdout, p.stderr) }()
	p.stop = sync.OnceValue(func() int { cancel(); return <-code })
	t.Cleanup(func() { p.stop() })
	p.url = p.stdout.wait(t, `listens on (http://\S+)`)[1]
	return p
}

var httpClient = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 20 * time.Second}

func (p *process) post(t *testing.T, path, body string, header ...string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := httpClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(data)
}

const hello = `{"model":"sim","messages":[{"role":"user","content":"hello"}]}`

func TestServeAnswersOnABareMachineAndSaysWhatToDoNext(t *testing.T) { // O-11
	alone(t)
	p := serving(t, "serve", "--listen", "127.0.0.1:0")
	banner := p.stdout.wait(t, `(?s)Anthropic clients http://\S+`)[0]
	for _, want := range []string{"simulated", "DEEPSEEK_API_KEY", "weir chat"} {
		if !strings.Contains(p.stdout.String(), want) {
			t.Errorf("the banner does not say %q:\n%s", want, banner)
		}
	}
	if status, body := p.post(t, "/v1/chat/completions", hello); status != 200 {
		t.Errorf("status %d: %s", status, body)
	}
	if code := p.stop(); code != exitOK {
		t.Errorf("it ended with code %d: %s", code, p.stderr)
	}
}

func TestAKeyInTheEnvironmentOrInDotEnvTurnsAProviderOn(t *testing.T) { // O-11, O-12
	dir := alone(t)
	upstream := serving(t, "sim", "--listen", "127.0.0.1:0", "--key", "sk-env", "--reply", "from the provider")
	write(t, dir, ".env", "OPENAI_API_KEY=sk-env\nOPENAI_BASE_URL="+upstream.url+"/v1\nANTHROPIC_BASE_URL="+upstream.url+"\nANTHROPIC_API_KEY=overridden\n")
	t.Setenv("ANTHROPIC_API_KEY", "sk-env") // the environment goes before .env
	p := serving(t, "serve", "--listen", "127.0.0.1:0")
	if !strings.Contains(p.stdout.String(), "OPENAI_API_KEY") || strings.Contains(p.stdout.String(), "simulated") {
		t.Errorf("the banner says\n%s", p.stdout)
	}
	for _, model := range []string{"openai/gpt-new", "anthropic/claude-new"} { // B-12
		status, body := p.post(t, "/v1/chat/completions", strings.Replace(hello, `"sim"`, `"`+model+`"`, 1))
		if status != 200 || !strings.Contains(body, "from the provider") {
			t.Errorf("%s: status %d: %s", model, status, body)
		}
	}
	if strings.Contains(p.stdout.String()+p.stderr.String(), "sk-env") {
		t.Error("a key is printed")
	}
}

func TestServeRefusesTheWorldWithoutKeys(t *testing.T) {
	dir := alone(t)
	code, _, stderr := call(t, "", "serve", "--listen", "0.0.0.0:0")
	if code != exitUsage || !strings.Contains(stderr, "weir keys new") {
		t.Errorf("code %d: %s", code, stderr)
	}
	_, key, yaml := call(t, "", "keys", "new", "alice")
	write(t, dir, "weir.yaml", keyPart(yaml))
	p := serving(t, "serve", "--listen", "0.0.0.0:0")
	p.url = strings.Replace(p.url, "[::]", "127.0.0.1", 1)
	p.url = strings.Replace(p.url, "0.0.0.0", "127.0.0.1", 1)
	if status, body := p.post(t, "/v1/chat/completions", hello); status != 401 {
		t.Errorf("without a key: status %d: %s", status, body)
	}
	if status, body := p.post(t, "/v1/chat/completions", hello, "Authorization", "Bearer "+strings.TrimSpace(key)); status != 200 {
		t.Errorf("with the key: status %d: %s", status, body)
	}
}

func TestABrokenEditLeavesTheOldConfigurationServing(t *testing.T) { // O-09, O-13
	dir := alone(t)
	write(t, dir, "weir.yaml", "models: {first: sim/a}\n")
	p := serving(t, "serve", "--listen", "127.0.0.1:0")
	ask := func(model string) int {
		status, _ := p.post(t, "/v1/chat/completions", strings.Replace(hello, `"sim"`, `"`+model+`"`, 1))
		return status
	}
	write(t, dir, "weir.yaml", "models: {first: sim/a}\nlisten: 127.0.0.1:1\nmodles: 1\n")
	p.stderr.wait(t, `not reloaded.*weir.yaml:3:1: modles: unknown key \(did you mean models\?\)`)
	if status := ask("first"); status != 200 {
		t.Errorf("after a broken edit: status %d", status)
	}
	write(t, dir, "weir.yaml", "models: {second: sim/a}\nproviders: {ollama: {}}\n")
	p.stderr.wait(t, `configuration reloaded`)
	if status := ask("second"); status != 200 {
		t.Errorf("after a good edit: status %d", status)
	}
	if status := ask("first"); status != 404 {
		t.Errorf("a name that was taken away: status %d", status)
	}
}

func TestStreamsFinishWhenTheGatewayGoesAway(t *testing.T) {
	dir := alone(t)
	upstream := serving(t, "sim", "--listen", "127.0.0.1:0", "--tokens-per-second", "40", "--tokens", "30")
	write(t, dir, "weir.yaml", fmt.Sprintf("providers: {up: {base_url: %q}}\n", upstream.url))
	p := serving(t, "serve", "--listen", "127.0.0.1:0")
	res := streamed(t, p, strings.Replace(hello, `"sim"`, `"up/m","stream":true`, 1))
	defer func() { _ = res.Body.Close() }()
	first := make([]byte, 1)
	if _, err := io.ReadFull(res.Body, first); err != nil {
		t.Fatal(err)
	}
	stopped := make(chan int, 1)
	go func() { stopped <- p.stop() }()
	rest, err := io.ReadAll(res.Body)
	if err != nil || !bytes.Contains(rest, []byte("[DONE]")) {
		t.Errorf("the stream ended with %v: %s", err, rest)
	}
	if code := <-stopped; code != exitOK {
		t.Errorf("code %d", code)
	}
}

func streamed(t *testing.T, p *process, body string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.url+"/v1/chat/completions", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	res, err := httpClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

func TestCheckShowsWhatIsInForceAndWhy(t *testing.T) { // O-12
	dir := alone(t)
	write(t, dir, "weir.yaml", "strict: true\nmodels: {fast: sim/a}\n")
	t.Setenv("WEIR_LISTEN", "127.0.0.1:9999")
	code, stdout, stderr := call(t, "", "check")
	if code != exitOK {
		t.Fatalf("code %d: %s", code, stderr)
	}
	for _, want := range []string{
		`listen\s+127.0.0.1:9999\s+WEIR_LISTEN`, `strict\s+true\s+weir.yaml:1:9`, `keep_alive\s+15s\s+default`, `fast\s+\[sim/a\]\s+weir.yaml:2`, `log.access\s+true\s+default`,
	} {
		if !regexp.MustCompile(want).MatchString(stdout) {
			t.Errorf("%q is not in\n%s", want, stdout)
		}
	}
	write(t, dir, "weir.yaml", "strict: perhaps\nmodels: {fast: opnai/a}\n")
	code, _, stderr = call(t, "", "check")
	if code != exitUsage || !strings.Contains(stderr, "weir.yaml:1:9") || !strings.Contains(stderr, "did you mean openai?") {
		t.Errorf("code %d: %s", code, stderr)
	}
}

func TestChat(t *testing.T) {
	alone(t)
	t.Run("answers a prompt", func(t *testing.T) {
		code, stdout, stderr := call(t, "", "chat", "--quiet", "hello", "there")
		if code != exitOK || strings.TrimSpace(stdout) == "" {
			t.Errorf("code %d: %s%s", code, stdout, stderr)
		}
	})
	t.Run("adds what is piped in", func(t *testing.T) {
		code, stdout, _ := call(t, "a very particular text", "chat", "--json", "Repeat:")
		var answer answerJSON
		if err := json.Unmarshal([]byte(stdout), &answer); err != nil || code != exitOK {
			t.Fatalf("code %d, %v: %s", code, err, stdout)
		}
		if !strings.Contains(answer.Text, "particular") || answer.Usage == nil || answer.Finish != "stop" {
			t.Errorf("answer %+v", answer)
		}
	})
	t.Run("refuses to ask nothing", func(t *testing.T) {
		if code, _, stderr := call(t, "", "chat"); code != exitUsage || !strings.Contains(stderr, "nothing to ask") {
			t.Errorf("code %d: %s", code, stderr)
		}
	})
	t.Run("says what is wrong", func(t *testing.T) {
		t.Setenv("GROQ_API_KEY", "k")
		code, _, stderr := call(t, "", "chat", "-m", "openai/gpt", "hi")
		if code != exitError || !strings.Contains(stderr, "OPENAI_API_KEY") {
			t.Errorf("code %d: %s", code, stderr)
		}
	})
}

func TestAConversationRemembersItsTurns(t *testing.T) {
	alone(t)
	s := &session{options: &chatOptions{quiet: true}, model: "sim", out: io.Discard, errOut: io.Discard}
	root := newRoot()
	root.SetErr(io.Discard)
	root.SetContext(t.Context())
	g, err := chatGateway(root)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	s.gateway = g
	if err := s.converse(t.Context(), strings.NewReader("one\n\ntwo\n/model sim\n/exit\nthree\n")); err != nil {
		t.Fatal(err)
	}
	if len(s.messages) != 4 {
		t.Errorf("%d messages after two turns", len(s.messages))
	}
}

func TestModels(t *testing.T) {
	alone(t)
	t.Setenv("DEEPSEEK_API_KEY", "k")
	if code, stdout, _ := call(t, "", "models"); code != exitOK || !strings.Contains(stdout, "deepseek/deepseek-flash") {
		t.Errorf("code %d:\n%s", code, stdout)
	}
	if code, stdout, _ := call(t, "", "models", "--all", "--json", "claude-opus"); code != exitOK || !strings.Contains(stdout, "anthropic/claude-opus") || strings.Contains(stdout, "deepseek") {
		t.Errorf("code %d:\n%s", code, stdout)
	}
}

func TestTheHeapMayGrowByMuchOnlyWhileItIsSmall(t *testing.T) {
	for live, want := range map[uint64]int{0: maxGCPercent, 6 << 20: 700, 24 << 20: 100, 47 << 20: minGCPercent, 1 << 30: minGCPercent} {
		if got := gcPercent(live); got != want {
			t.Errorf("gcPercent(%d) = %d, want %d", live, got, want)
		}
	}
}

func TestKeys(t *testing.T) {
	_, key, yaml := call(t, "", "keys", "new", "alice", "--models", "fast,deepseek/*")
	_, hash, _ := call(t, key, "keys", "hash")
	if !strings.HasPrefix(hash, "sha256:") || !strings.Contains(yaml, strings.TrimSpace(hash)) || !strings.Contains(yaml, `- "deepseek/*"`) {
		t.Errorf("hash %s, yaml %s", hash, yaml)
	}
	if _, again, _ := call(t, "", "keys", "new", "alice"); again == key {
		t.Error("two keys are the same")
	}
	if code, _, _ := call(t, "short", "keys", "hash"); code != exitUsage {
		t.Errorf("a short key: code %d", code)
	}
}

func TestHelpAndVersionReadWell(t *testing.T) {
	code, help, _ := call(t, "", "help")
	if code != exitOK || !strings.Contains(help, "weir chat") {
		t.Errorf("help: %s", help)
	}
	if code, v, _ := call(t, "", "version"); code != exitOK || !strings.HasPrefix(v, "weir ") {
		t.Errorf("version: %s", v)
	}
	if code, _, stderr := call(t, "", "serve", "--lisen", "x"); code != exitUsage || !strings.Contains(stderr, "--help") {
		t.Errorf("a wrong flag: code %d: %s", code, stderr)
	}
	if code, script, _ := call(t, "", "completion", "bash"); code != exitOK || len(script) < 1000 {
		t.Errorf("completion: code %d, %d bytes", code, len(script))
	}
}

// keyPart is what weir keys new says to put into weir.yaml.
func keyPart(text string) string {
	_, after, _ := strings.Cut(text, "keys:")
	return "keys:" + after
}

func write(t *testing.T, dir, name, content string) {
	t.Helper()
	// As editors do it: a new file in place of the old one.
	tmp := filepath.Join(dir, "."+name+".new")
	if err := os.WriteFile(tmp, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(tmp, filepath.Join(dir, name)); err != nil {
		t.Fatal(err)
	}
}
