package rules_test

import (
	"context"
	"iter"
	"strings"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/stage/rules"
)

// nothing answers with nothing.
var nothing = weir.HandlerFunc(func(context.Context, *weir.Request) iter.Seq2[weir.Event, error] {
	return func(func(weir.Event, error) bool) {}
})

// BenchmarkCall is the cost of the stage where no rule holds: without rules, and
// for conditions of growing curiosity.
func BenchmarkCall(b *testing.B) {
	long := strings.Repeat("a sentence of no great interest. ", 600) // 20 KB
	for _, bench := range []struct {
		name string
		o    rules.Options
		req  *weir.Request
	}{
		{"no_rules", rules.Options{}, asks("m", "hi")},
		{"other_list", rules.Options{Lists: []rules.List{{Model: "auto", Default: "x"}}}, asks("m", "hi")},
		{"principal", when(`principal == "nobody"`), asks("m", "hi")},
		{"label", when(`labels.tier == "gold"`), asks("m", "hi")},
		{"tokens", when(`tokens > 32000`), asks("m", "hi")},
		{"four_rules", when(`principal == "x"`, `tokens > 32000`, `images > 0`, `language == "zh" && hour > 25`), asks("m", "hi")},
		{"regexp", when(`prompt.matches("(?i)prove|derive|theorem")`), asks("m", "what is the time?")},
		{"tokens_20KB_wire", when(`tokens > 32000`), func() *weir.Request {
			r, _ := received(&weir.Body{}, chatOf(long))
			return r
		}()},
		{"language_20KB", when(`language == "zh"`), asks("m", long)},
	} {
		h := compile(b, bench.o).Middleware()(nothing)
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				for range h.Handle(b.Context(), bench.req) {
				}
			}
		})
	}
}
