package main

import (
	"fmt"
	"strings"

	"github.com/weir-gateway/weir/gateway"
)

// wellKnown are the providers that the banner names when they are off, so that
// it stays a few lines.
var wellKnown = []string{"deepseek", "qwen", "zhipu", "moonshot", "qianfan", "ark", "openai", "anthropic", "gemini", "xai", "openrouter", "ollama"}

// banner says what is on, what is not, and what to type next.
func banner(addr string, w *world, s *gateway.Snapshot) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Weir %s listens on http://%s\n\n", versionString(), addr)
	if s.Simulated {
		b.WriteString("  on    sim         the simulated provider, since no provider's key was found;\n                    every model name is answered by it\n")
	}
	for _, p := range s.Providers {
		fmt.Fprintf(&b, "  on    %-11s %s, %s\n", p.Name, p.Source, plural(p.Models, "known model"))
	}
	if off := offLine(s); off != "" {
		fmt.Fprintf(&b, "  off   %s\n", off)
	}
	switch n := len(s.Config.Keys); n {
	case 0:
		b.WriteString("  keys  none needed: only this machine can reach it\n")
	default:
		fmt.Fprintf(&b, "  keys  required, %s\n", plural(n, "key"))
	}
	if w.file != "" {
		fmt.Fprintf(&b, "  file  %s (%s), reloaded when it changes\n", w.file, w.fileWhy)
	}
	fmt.Fprintf(&b, "\nTry it:\n\n  weir chat \"你好\"\n  curl http://%s/v1/chat/completions -d '{\"model\":%q,\"messages\":[{\"role\":\"user\",\"content\":\"你好\"}]}'\n\n", addr, firstModel(s))
	fmt.Fprintf(&b, "OpenAI clients use http://%s/v1, Anthropic clients http://%s\n\n", addr, addr)
	return b.String()
}

func offLine(s *gateway.Snapshot) string {
	off := map[string]string{}
	for _, o := range s.Off {
		off[o.Name] = o.Variable
	}
	var names []string
	for _, name := range wellKnown {
		if v, ok := off[name]; ok && v != "" {
			names = append(names, v)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return "set one of these, or put it into .env, and start again:\n        " + wrap(names, 72, "\n        ")
}

// wrap joins names into lines of at most width letters.
func wrap(names []string, width int, newline string) string {
	var b strings.Builder
	line := 0
	for i, name := range names {
		if i > 0 {
			if line+len(name)+1 > width {
				b.WriteString(newline)
				line = 0
			} else {
				b.WriteByte(' ')
				line++
			}
		}
		b.WriteString(name)
		line += len(name)
	}
	return b.String()
}

func firstModel(s *gateway.Snapshot) string {
	if s.Simulated {
		return gateway.SimName
	}
	if models := s.Models(nil); len(models) > 0 {
		return models[0].ID
	}
	return "MODEL"
}
