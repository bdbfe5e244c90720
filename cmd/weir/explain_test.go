package main

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/weir-gateway/weir/server"
)

const steeredConfig = `models:
  auto: {deployments: [deepseek/deepseek-flash, anthropic/claude-new], rules: [{when: "labels.team == 'search'", use: anthropic/claude-new}]}
`

func TestExplain(t *testing.T) { // O-16
	dir := alone(t)
	t.Setenv("DEEPSEEK_API_KEY", "sk-secret")
	t.Setenv("ANTHROPIC_API_KEY", "sk-secret")
	write(t, dir, "weir.yaml", steeredConfig)
	write(t, dir, "request.json", `{"model":"auto","seed":1,"max_completion_tokens":9,"messages":[{"role":"user","content":"a private question"}]}`)
	code, stdout, stderr := call(t, "", "explain", "request.json")
	if code != exitOK {
		t.Fatalf("code %d: %s", code, stderr)
	}
	for _, want := range []string{
		`/v1/chat/completions \(openai.chat\), assumed since`, `labels\.team == 'search' ⇒ anthropic/claude-new: does not hold`,
		`1\. deepseek/deepseek-flash ← asked first`, `the client's own protocol`, `2\. anthropic/claude-new\n`, `translated to anthropic.messages`,
		`loses\s+seed: dropped`, `price\s+known`, `health\s+ready`,
	} {
		if !regexp.MustCompile(want).MatchString(stdout) {
			t.Errorf("%q is not in\n%s", want, stdout)
		}
	}
	if strings.Contains(stdout, "sk-secret") || strings.Contains(stdout, "private") {
		t.Errorf("it tells too much:\n%s", stdout)
	}
	if _, stdout, _ := call(t, "", "explain", "-H", "X-Weir-Labels: team=search", "request.json"); !strings.Contains(stdout, "→ auto 1") || !strings.Contains(stdout, "The model becomes anthropic/claude-new") {
		t.Errorf("with a label:\n%s", stdout)
	}
}

func TestExplainReadsWhatIsPipedInAndPrintsJSON(t *testing.T) { // O-16
	alone(t)
	code, stdout, stderr := call(t, `{"max_tokens":5,"messages":[]}`, "explain", "-", "--path", "/v1/messages", "-m", "sim", "--json")
	var a server.Account
	if err := json.Unmarshal([]byte(stdout), &a); err != nil || code != exitOK {
		t.Fatalf("code %d, %v: %s%s", code, err, stdout, stderr)
	}
	if a.Protocol != "anthropic.messages" || a.Assumed != "" || a.Asked != "sim" || a.Deployments[0].Name != "sim/weir-sim" {
		t.Errorf("%+v", a.Explanation)
	}
}

func TestExplainSaysWhatIsWrong(t *testing.T) { // O-16
	alone(t)
	for _, tt := range []struct {
		stdin string
		args  []string
		want  string
	}{
		{"", []string{"no-such-file.json"}, "no-such-file.json"},
		{`{"model":`, []string{"-"}, "JSON"},
		{hello, []string{"-", "--path", "/v1/models"}, "/v1/chat/completions"},
		{hello, []string{"-", "--header", "nonsense"}, "name: value"},
	} {
		if code, _, stderr := call(t, tt.stdin, append([]string{"explain"}, tt.args...)...); code != exitUsage || !strings.Contains(stderr, tt.want) {
			t.Errorf("%v: code %d: %s", tt.args, code, stderr)
		}
	}
	t.Setenv("DEEPSEEK_API_KEY", "k")
	code, stdout, _ := call(t, strings.Replace(hello, `"sim"`, `"nobody"`, 1), "explain", "-")
	if code != exitOK || !strings.Contains(stdout, "Refused: the model") {
		t.Errorf("code %d: %s", code, stdout)
	}
}

func TestAKeyMayBeAnAdmins(t *testing.T) {
	dir := alone(t)
	_, key, yaml := call(t, "", "keys", "new", "boss", "--admin", "--models", "sim")
	write(t, dir, "weir.yaml", keyPart(yaml))
	p := serving(t, "serve", "--listen", "127.0.0.1:0")
	if status, body := p.post(t, "/admin/explain", hello, "Authorization", "Bearer "+strings.TrimSpace(key)); status != 200 {
		t.Errorf("status %d: %s", status, body)
	}
	if status, body := p.post(t, "/admin/explain", hello); status != 401 {
		t.Errorf("without it: status %d: %s", status, body)
	}
}
