package deptest

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A file longer than longFile lines is named in the test's log, one longer than
// tooLong fails it. Test files and generated files may be as long as they like.
const (
	longFile = 600
	tooLong  = 800
)

func TestImports(t *testing.T) {
	m := loadModule(t)
	for _, f := range m.files {
		r, ok := ruleFor(f.pkg)
		if !ok {
			t.Errorf("%s: no rule covers package %q; add one to rules in internal/deptest", f.name, f.pkg)
			continue
		}
		for _, imported := range f.imports {
			if reason := refuse(m.path, r, f, imported); reason != "" {
				t.Errorf("%s: package %q must not import %q: %s (rule %q: %s)", f.name, f.pkg, imported, reason, r.pkg, r.why)
			}
		}
	}
}

func TestPackageComments(t *testing.T) {
	m := loadModule(t)
	documented := map[string]bool{}
	for _, f := range m.files {
		if f.test {
			continue
		}
		want := "Package " + f.pkgName + " "
		if f.pkgName == "main" {
			want = "Command "
		}
		key := f.pkg + " (package " + f.pkgName + ")"
		documented[key] = documented[key] || strings.HasPrefix(f.doc, want)
	}
	for key, ok := range documented {
		if !ok {
			t.Errorf("%s has no package comment that begins with \"Package <name> \", or \"Command \" for a main package", key)
		}
	}
}

func TestFileLength(t *testing.T) {
	for _, f := range loadModule(t).files {
		switch {
		case f.test || f.generated:
		case f.lines > tooLong:
			t.Errorf("%s has %d lines, more than %d: one idea a file", f.name, f.lines, tooLong)
		case f.lines > longFile:
			t.Logf("%s has %d lines, more than %d: is it one idea?", f.name, f.lines, longFile)
		}
	}
}

func TestRefuse(t *testing.T) {
	const module = "example.org/m"
	tests := []struct {
		name     string
		pkg      string
		test     bool
		imported string
		refused  bool
	}{
		{"the root may import the standard library", ".", false, "net/http", false},
		{"the root may not import a room", ".", false, module + "/codec", true},
		{"the root may not import another module", ".", false, "golang.org/x/sync/errgroup", true},
		{"framing may not import the root", "internal/sse", false, module, true},
		{"a protocol may import codec", "codec/gemini", false, module + "/codec", false},
		{"a protocol may not import a protocol", "codec/gemini", false, module + "/codec/anthropic", true},
		{"the list of protocols may", "codec/all", false, module + "/codec/anthropic", false},
		{"a protocol's test may import a protocol", "codec/gemini", true, module + "/codec/anthropic", false},
		{"a stage may not import a stage", "stage/cache", false, module + "/stage/breaker", true},
		{"route may import breaker", "stage/route", false, module + "/stage/breaker", false},
		{"route may not import cache", "stage/route", false, module + "/stage/cache", true},
		{"a package below a stage may import its parent", "stage/guard/pii", false, module + "/stage/guard", true},
		{"a stage may import another module", "stage/cache", false, "github.com/maypok86/otter/v2", false},
		{"a stage may not import a codec", "stage/cache", false, module + "/codec", true},
		{"a stage's test may import the suites", "stage/cache", true, module + "/weirtest", false},
		{"a stage's test may not import a provider", "stage/cache", true, module + "/provider", true},
		{"an external test imports its own package", "stage/cache", true, module + "/stage/cache", false},
		{"the gateway may import a store", "gateway", false, module + "/store/sqlite", false},
		{"the gateway may not import a face", "gateway", false, module + "/server/admin", true},
		{"a face may import the gateway", "server/admin", false, module + "/gateway", false},
		{"a face may not import a stage", "server", false, module + "/stage/ledger", true},
		{"a path that only begins alike is another package", "server", false, module + "/codecs", true},
		{"a module that only begins alike is another module", ".", false, module + "x/y", true},
		{"the command may import everything", "cmd/weir/serve", false, module + "/server", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, ok := ruleFor(tt.pkg)
			if !ok {
				t.Fatalf("no rule covers %q", tt.pkg)
			}
			reason := refuse(module, r, source{pkg: tt.pkg, test: tt.test}, tt.imported)
			if (reason != "") != tt.refused {
				t.Errorf("refuse = %q, want refused %v", reason, tt.refused)
			}
		})
	}
}

func TestRuleForUnknownPackage(t *testing.T) {
	for _, pkg := range []string{"util", "internal/util", "cmd/other", "gateway/sub"} {
		if r, ok := ruleFor(pkg); ok {
			t.Errorf("rule %q covers %q, want none", r.pkg, pkg)
		}
	}
}

// ruleFor finds the rule that governs pkg.
func ruleFor(pkg string) (rule, bool) {
	i := slices.IndexFunc(rules, func(r rule) bool { return matches(r.pkg, pkg) })
	if i < 0 {
		return rule{}, false
	}
	return rules[i], true
}

// refuse says why r does not let f import the path imported; "" if it does.
func refuse(module string, r rule, f source, imported string) string {
	pkg, internal := strings.CutPrefix(imported+"/", module+"/")
	if !internal {
		first, _, _ := strings.Cut(imported, "/")
		if r.stdOnly && !f.test && strings.Contains(first, ".") {
			return "it is not in the standard library"
		}
		return ""
	}
	if pkg = strings.TrimSuffix(pkg, "/"); pkg == "" {
		pkg = "."
	}
	switch {
	case pkg == f.pkg:
		return ""
	case f.test && (matchesAny(testsMay, pkg) || matchesAny(r.tests, pkg) || isExample(f.name)):
		return ""
	case matchesAny(r.not, pkg) || !matchesAny(r.may, pkg):
		if f.test {
			return "neither the package's rule nor testsMay allows it"
		}
		return "the rule does not allow it"
	}
	return ""
}

// isExample reports whether a test file shows how packages work together, and
// may therefore import any of them.
func isExample(name string) bool { return strings.HasPrefix(path.Base(name), "example") }

func matchesAny(patterns []string, pkg string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return matches(p, pkg) })
}

// matches reports whether the pattern of a rule names pkg.
func matches(pattern, pkg string) bool {
	parent, tree := strings.CutSuffix(pattern, "/...")
	return pkg == parent || tree && (parent == "." || strings.HasPrefix(pkg, parent+"/"))
}

// A module is what the tests need to know of the source tree.
type module struct {
	path  string
	files []source
}

// A source is one Go file.
type source struct {
	name      string // slash-separated, from the module's root
	pkg       string // its directory, likewise
	pkgName   string
	doc       string // the package comment, if it is in this file
	imports   []string
	lines     int
	test      bool
	generated bool
}

// loadModule reads every Go file of this module, whatever its build constraints,
// except those below testdata, hidden folders and nested modules, and those
// that no build includes.
func loadModule(t *testing.T) module {
	t.Helper()
	root := filepath.Join("..", "..")
	m := module{path: modulePath(t, root)}
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name != root && skipDir(name, d.Name()) {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		f, included, err := readSource(root, name)
		if included {
			m.files = append(m.files, f)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(m.files) == 0 {
		t.Fatal("no Go file found")
	}
	return m
}

func skipDir(name, base string) bool {
	if base == "testdata" || base == "node_modules" || strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") {
		return true
	}
	_, err := os.Stat(filepath.Join(name, "go.mod"))
	return err == nil
}

func modulePath(t *testing.T, root string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if p, ok := strings.CutPrefix(line, "module "); ok {
			return strings.TrimSpace(p)
		}
	}
	t.Fatal("go.mod names no module")
	return ""
}

// readSource parses the head of a file. It is not included when it is a program
// by itself that no build includes ("//go:build ignore").
func readSource(root, name string) (f source, included bool, err error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return source{}, false, err
	}
	parsed, err := parser.ParseFile(token.NewFileSet(), name, text, parser.ImportsOnly|parser.ParseComments)
	if err != nil {
		return source{}, false, err
	}
	if bytes.HasPrefix(text, []byte("//go:build ignore\n")) {
		return source{}, false, nil
	}
	rel, err := filepath.Rel(root, name)
	if err != nil {
		return source{}, false, err
	}
	rel = filepath.ToSlash(rel)
	f = source{
		name:      rel,
		pkg:       path.Dir(rel),
		pkgName:   parsed.Name.Name,
		doc:       parsed.Doc.Text(),
		lines:     bytes.Count(text, []byte("\n")),
		test:      strings.HasSuffix(rel, "_test.go"),
		generated: ast.IsGenerated(parsed),
	}
	for _, spec := range parsed.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return source{}, false, err
		}
		f.imports = append(f.imports, imported)
	}
	return f, true, nil
}
