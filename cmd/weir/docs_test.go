package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/catalog"
)

// What the README and the manual show is run here (O-17).

var update = flag.Bool("update", false, "write the parts of the manual that are made by the tests")

const moduleRoot = "../.."

// pages are all documents for users.
func pages(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(moduleRoot, "docs", "*.md"))
	if err != nil || len(files) == 0 {
		t.Fatal("no manual", err)
	}
	for _, name := range []string{"README.md", "README.zh-CN.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"} {
		files = append(files, filepath.Join(moduleRoot, name))
	}
	return files
}

func read(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

var fence = regexp.MustCompile("(?ms)^```(\\w+)\\n(.*?)^```")

// blocks are a page's fenced blocks of one language.
func blocks(text, language string) []string {
	var out []string
	for _, m := range fence.FindAllStringSubmatch(text, -1) {
		if m[1] == language {
			out = append(out, m[2])
		}
	}
	return out
}

// A console block has commands behind "$ " and what they print; "…" stands for
// anything.
func TestWhatTheManualShowsIsWhatHappens(t *testing.T) { // O-17
	sources := map[string]string{}
	for _, page := range pages(t) {
		sources[page] = read(t, page)
	}
	bin := build(t)
	alone(t)
	p := serving(t, "serve", "--listen", "127.0.0.1:0")
	for page, text := range sources {
		for _, block := range blocks(text, "console") {
			t.Run(filepath.Base(page), func(t *testing.T) {
				for _, step := range strings.Split("\n"+block, "\n$ ")[1:] {
					command, want, _ := strings.Cut(step, "\n")
					checkCommand(t, bin, p.url, command, want)
				}
			})
		}
	}
}

// build makes the binary that commands in the manual call.
func build(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", dir, "./cmd/weir")
	cmd.Dir = moduleRoot
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return dir
}

func checkCommand(t *testing.T, bin, url, command, want string) {
	t.Helper()
	if _, err := exec.LookPath("curl"); err != nil && strings.HasPrefix(command, "curl ") {
		t.Skipf("SKIPPED LOUDLY: there is no curl to run what the manual shows: %s", command)
	}
	cmd := exec.CommandContext(t.Context(), "sh", "-c", strings.ReplaceAll(command, "http://127.0.0.1:8080", url))
	cmd.Env = append(os.Environ(), "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	out, err := cmd.Output()
	if err != nil {
		t.Errorf("$ %s: %v", command, err)
	}
	pattern := strings.ReplaceAll(regexp.QuoteMeta(strings.TrimSpace(want)), "…", "(?s:.*)")
	if !regexp.MustCompile("^" + pattern + "$").MatchString(strings.TrimSpace(string(out))) {
		t.Errorf("$ %s\nprints\n%s\nwant\n%s", command, out, want)
	}
}

func TestConfigurationsInTheManualAreRight(t *testing.T) { // O-17
	texts := map[string]string{}
	for _, page := range pages(t) {
		texts[page] = read(t, page)
	}
	example := filepath.Join(moduleRoot, "examples", "weir.yaml")
	texts[example] = "```yaml\n" + read(t, example) + "```\n"
	for page, text := range texts {
		for i, block := range blocks(text, "yaml") {
			t.Run(fmt.Sprintf("%s %d", filepath.Base(page), i), func(t *testing.T) {
				dir := alone(t)
				for _, name := range []string{"DEEPSEEK_API_KEY", "DEEPSEEK_API_KEY_2", "WORK_OPENAI_KEY", "DASHSCOPE_API_KEY", "ANTHROPIC_API_KEY", "AZURE_CLIENT_SECRET", "ACME_CLIENT_SECRET"} {
					t.Setenv(name, "k")
				}
				write(t, dir, "weir.yaml", block)
				if code, _, stderr := call(t, "", "check"); code != exitOK {
					t.Errorf("%s\n%s", stderr, block)
				}
			})
		}
	}
}

// Go blocks are bodies of a function with a few things in scope.
func TestGoCodeInTheManualCompiles(t *testing.T) { // O-17
	root, err := filepath.Abs(moduleRoot)
	if err != nil {
		t.Fatal(err)
	}
	var code strings.Builder
	code.WriteString("package main\n\nfunc main() {}\n")
	n := 0
	for _, page := range pages(t) {
		for _, block := range blocks(read(t, page), "go") {
			if strings.Contains(block, "type Handler interface") || strings.HasPrefix(block, "func ") {
				continue // a quotation of the source, or of a test of one's own
			}
			n++
			fmt.Fprintf(&code, "\nfunc snippet%d(ctx context.Context) {\n%s}\n", n, block)
		}
	}
	if n == 0 {
		t.Fatal("the manual shows no Go code")
	}
	header := "package main\n\nimport (\n\t\"context\"\n\t\"errors\"\n\t\"fmt\"\n\t\"log\"\n\t\"os\"\n\n\t\"github.com/weir-gateway/weir\"\n\t\"github.com/weir-gateway/weir/provider\"\n\t\"github.com/weir-gateway/weir/stage/attempt\"\n)\n\nvar _, _, _, _, _, _ = errors.New, fmt.Print, log.Print, os.Exit, provider.Open, attempt.Fallback\nvar _ weir.Handler\n\nfunc main() {}\n"
	source := header + strings.TrimPrefix(code.String(), "package main\n\nfunc main() {}\n")
	compile(t, root, source)
}

// compile builds source as a package of the module that is only there for the
// compiler.
func compile(t *testing.T, root, source string) {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "main.go")
	if err := os.WriteFile(file, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{filepath.Join(root, "internal", "snippets", "main.go"): file}})
	if err != nil {
		t.Fatal(err)
	}
	list := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(list, overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "go", "build", "-overlay", list, "-o", os.DevNull, "./internal/snippets")
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s\n%s", err, out, source)
	}
}

var link = regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`)

func TestLinksInTheManualLeadSomewhere(t *testing.T) { // O-17
	for _, page := range pages(t) {
		for _, m := range link.FindAllStringSubmatch(read(t, page), -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(page), m[1])); err != nil {
				t.Errorf("%s: %v", filepath.Base(page), err)
			}
		}
	}
}

// Tables that say what the code says are made from it; run with -update after
// a change.
func TestTablesOfTheManualAreUpToDate(t *testing.T) { // O-17
	for _, tt := range []struct{ page, name, content string }{
		{"errors.md", "kinds", kindsTable()},
		{"providers.md", "providers", providersTable()},
	} {
		file := filepath.Join(moduleRoot, "docs", tt.page)
		text := read(t, file)
		begin, end := "<!-- "+tt.name+": made by the tests -->\n", "<!-- end of "+tt.name+" -->"
		head, rest, ok := strings.Cut(text, begin)
		_, tail, ok2 := strings.Cut(rest, end)
		if !ok || !ok2 {
			t.Fatalf("%s has no place for %s", tt.page, tt.name)
		}
		want := head + begin + tt.content + end + tail
		if *update {
			if err := os.WriteFile(file, []byte(want), 0o600); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if text != want {
			t.Errorf("%s is not up to date; run go test ./cmd/weir -update", tt.page)
		}
	}
}

func kindsTable() string {
	var b strings.Builder
	for k := weir.KindInternal; k.String() != weir.KindInternal.String() || k == weir.KindInternal; k++ {
		status := strconv.Itoa(k.Status(weir.OpenAIChat))
		if s := k.Status(weir.AnthropicMessages); s != k.Status(weir.OpenAIChat) {
			status += fmt.Sprintf(", Messages %d", s)
		}
		again := "no"
		if k.Retryable() {
			again = "yes"
		}
		fmt.Fprintf(&b, "| `%s` | %s | `%s` / `%s` | `%s` | %s |\n", k, status, k.Type(weir.OpenAIChat), k.Code(), k.Type(weir.AnthropicMessages), again)
	}
	return b.String()
}

func providersTable() string {
	var b strings.Builder
	for _, p := range catalog.Default().Providers() {
		var protocols []string
		for _, e := range p.Endpoints {
			if name := fmt.Sprintf("`%s`", e.Protocol); !slices.Contains(protocols, name) {
				protocols = append(protocols, name)
			}
		}
		variable := "–"
		if keys := slices.Concat(p.Keys(), p.CredentialEnv); len(keys) > 0 {
			variable = "`" + strings.Join(keys, "`, `") + "`"
		}
		if p.HostEnv != "" {
			variable = "`" + p.HostEnv + "`"
		}
		var parts []string
		for _, v := range p.Variables {
			if v.By == "" && (v.Default == "" || strings.Contains(v.Default, "{")) {
				parts = append(parts, "`"+v.Name+"`") // without it there is no address
			}
		}
		if len(parts) > 0 {
			variable += "; and " + strings.Join(parts, ", ")
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %d | %s |\n", p.ID, p.Name, variable, strings.Join(protocols, ", "), len(p.Models), p.Date)
	}
	return b.String()
}
