package config

import (
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/weir-gateway/weir/catalog"
)

var update = flag.Bool("update", false, "write the expected halves of testdata anew")

// environment is what the files in testdata may refer to.
func environment(name string) (string, bool) {
	v, ok := map[string]string{"DEEPSEEK_API_KEY": "sk-from-environment", "EMPTY": ""}[name]
	return v, ok
}

// Each file in testdata is a configuration, a line of dashes and what Parse
// says about it: "ok", or every problem.
func TestParse(t *testing.T) { // O-13
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no testdata", err)
	}
	for _, file := range files {
		name := strings.ReplaceAll(strings.TrimSuffix(filepath.Base(file), ".txt"), "-", " ")
		t.Run(name, func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			input, want, _ := strings.Cut(string(data), "\n----\n")
			got := "ok"
			if _, err := Parse("weir.yaml", []byte(input), environment, catalog.Default()); err != nil {
				got = err.Error()
			}
			if *update {
				writeGolden(t, file, input+"\n----\n"+got+"\n")
				return
			}
			if got != strings.TrimSpace(want) {
				t.Errorf("Parse says\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func writeGolden(t *testing.T, file, content string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

const full = `
listen: 127.0.0.1:9000
strict: true
keep_alive: 20s
timeouts: {connect: 3s, first_token: 1m, idle: 30s, total: 1h}
providers:
  deepseek:
    key: ${DEEPSEEK_API_KEY}
    timeouts: {idle: 10s}
  mine:
    like: vllm
    base_url: http://10.0.0.5:8000
    models: [{id: qwen, context: 32768}]
    max_connections: 8
models:
  one: deepseek/deepseek-flash
  two: [deepseek/deepseek-flash, mine/qwen]
  three:
    deployments: [mine/qwen]
    fallbacks: [one]
limits: {body: 1MiB, in_flight: 16MiB}
`

func TestParseFillsEverySection(t *testing.T) {
	c, err := Parse("weir.yaml", []byte(full), environment, catalog.Default())
	if err != nil {
		t.Fatal(err)
	}
	checks := map[string]bool{
		"listen":                     c.Listen == "127.0.0.1:9000",
		"strict":                     c.Strict,
		"keep_alive":                 c.KeepAlive == 20*time.Second,
		"timeouts.total":             c.Timeouts.Total == time.Hour,
		"a key from the environment": c.Providers["deepseek"].Key.Reveal() == "sk-from-environment",
		"a provider's own limit":     *c.Providers["deepseek"].Timeouts.Idle == 10*time.Second,
		"a limit left alone":         c.Providers["deepseek"].Timeouts.Total == nil,
		"a model of one's own":       c.Providers["mine"].Models[0].Context == 32768,
		"a model in one word":        len(c.Models["one"].Deployments) == 1,
		"a model as a list":          len(c.Models["two"].Deployments) == 2,
		"a model in full":            c.Models["three"].Fallbacks[0] == "one",
		"a size":                     c.Limits.Body == 1<<20,
		"a default":                  c.Retry.Attempts == Default().Retry.Attempts,
	}
	for what, ok := range checks {
		if !ok {
			t.Errorf("%s was not read", what)
		}
	}
}

func TestPositionTellsWhereAValueWasSaid(t *testing.T) { // O-12
	c, err := Parse("weir.yaml", []byte("listen: 127.0.0.1:1\nlog:\n  level: debug\n"), environment, catalog.Default())
	if err != nil {
		t.Fatal(err)
	}
	if p, ok := c.Position("log.level"); !ok || p.String() != "weir.yaml:3:10" {
		t.Errorf("log.level was said at %v, %v", p, ok)
	}
	if _, ok := c.Position("log.format"); ok {
		t.Error("a default has a position")
	}
}

func TestNoFileIsTheDefault(t *testing.T) { // O-11
	for _, text := range []string{"", "\n", "# only a comment\n", "---\n", "~\n"} {
		if _, err := Parse("", []byte(text), environment, catalog.Default()); err != nil {
			t.Errorf("Parse(%q): %v", text, err)
		}
	}
	if _, err := Load(filepath.Join(t.TempDir(), "absent.yaml"), environment, catalog.Default()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an absent file: %v", err)
	}
}

func TestSecretsAreNotPrinted(t *testing.T) {
	file := filepath.Join(t.TempDir(), "key")
	writeGolden(t, file, "sk-canary\n")
	c, err := Parse("weir.yaml", []byte("providers: {openai: {key: 'file:"+file+"'}}"), environment, catalog.Default())
	if err != nil {
		t.Fatal(err)
	}
	key := c.Providers["openai"].Key
	if key.Reveal() != "sk-canary" {
		t.Errorf("the key is %q", key.Reveal())
	}
	if s := key.String() + key.GoString() + key.LogValue().String(); strings.Contains(s, "canary") {
		t.Errorf("a secret prints as %q", s)
	}
}

func TestSizes(t *testing.T) {
	tests := []struct {
		text string
		want Size
		back string
	}{{"32MiB", 32 << 20, "32MiB"}, {"1000", 1000, "1000"}, {"1KB", 1000, "1000"}, {"2 GiB", 2 << 30, "2GiB"}}
	for _, tt := range tests {
		got, err := ParseSize(tt.text)
		if err != nil || got != tt.want || got.String() != tt.back {
			t.Errorf("ParseSize(%q) = %v, %v", tt.text, got, err)
		}
	}
	for _, bad := range []string{"", "x", "-1", "9999999999GiB", "1.5MiB"} {
		if _, err := ParseSize(bad); err == nil {
			t.Errorf("ParseSize(%q) has no error", bad)
		}
	}
}

// The manual's page is made from the types; run with -update after a change.
func TestReferenceIsInTheManual(t *testing.T) { // O-17
	const file = "../docs/configuration.md"
	const begin, end = "<!-- reference: made by the tests -->\n", "<!-- end of reference -->"
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(data), begin)
	_, tail, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no place for the reference", file)
	}
	want := head + begin + Reference() + end + tail
	if *update {
		writeGolden(t, file, want)
		return
	}
	if string(data) != want {
		t.Errorf("%s is not up to date; run go test ./config -update", file)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(full))
	f.Add([]byte("models: {a: [b], a: c}\n"))
	f.Add([]byte("a: &x [*x]\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := Parse("f", data, environment, catalog.Default())
		if (c == nil) == (err == nil) {
			t.Errorf("Parse gives %v and %v", c, err)
		}
	})
}
