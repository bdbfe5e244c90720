package anthropic

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/weir-gateway/weir"
)

// repeat is a stream with n frames made of format and their numbers.
func repeat(head, format, tail string, n int) string {
	var b strings.Builder
	b.WriteString(frameStart + head)
	for i := range n {
		fmt.Fprintf(&b, "data: "+format+"\n\n", i)
	}
	return b.String() + tail + frameDelta + frameStop
}

// allocated is how many bytes fn allocates.
func allocated(fn func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	fn()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func TestTheCostOfAnAnswerGrowsWithItsLengthOnly(t *testing.T) {
	held := strings.Replace(frameText, `{"type":"text","text":""}`, `{"type":"of_tomorrow"}`, 1)
	tests := []struct{ name, head, format, tail string }{
		{"new members of usage", "", `{"type":"message_delta","delta":{},"usage":{"k%d":1}}`, ""},
		{"new members of the end", "", `{"type":"message_delta","delta":{"k%d":1}}`, ""},
		{"new members beside the end", "", `{"type":"message_delta","delta":{},"k%d":1}`, ""},
		{"new members of a block", held, `{"type":"content_block_delta","index":0,"delta":{"type":"d","k%d":1}}`, frameEnd},
		{"new texts of a block", held, `{"type":"content_block_delta","index":0,"delta":{"type":"d","k%d":"x"}}`, frameEnd},
		{"citations of a block", held, `{"type":"content_block_delta","index":0,"delta":{"type":"citations_delta","citation":{"n":%d}}}`, frameEnd},
	}
	for _, tt := range tests {
		cost := func(n int) float64 {
			body := repeat(tt.head, tt.format, tt.tail, n)
			return float64(allocated(func() {
				for _, err := range New().Decode(streamOf(body, false)) {
					if err != nil {
						t.Fatal(err)
					}
				}
			}))
		}
		if few, many := cost(2000), cost(16000); many > 16*few {
			t.Errorf("%s: 8 times the frames cost %.0f times the memory", tt.name, many/few)
		}
	}
}

func TestCitationsOfABlockOfTomorrowAreGathered(t *testing.T) {
	head := strings.Replace(frameText, `{"type":"text","text":""}`, `{"type":"of_tomorrow","citations":[{"n":"first"}]}`, 1)
	body := repeat(head, `{"type":"content_block_delta","index":0,"delta":{"type":"citations_delta","citation":{"n":%d}}}`, frameEnd, 2)
	out := string(encode(&weir.Request{}, byValue(decode(t, streamOf(body, false)).events), nil))
	if want := `{"type":"of_tomorrow","citations":[{"n":"first"},{"n":0},{"n":1}]}`; !strings.Contains(out, want) {
		t.Errorf("%s is not in %s", want, out)
	}
}

func TestBlocksThatNeverEndAreBounded(t *testing.T) {
	body := repeat("", `{"type":"content_block_start","index":%d,"content_block":{"type":"text","text":""}}`, "", maxOpen+1)
	if d := decode(t, streamOf(body, false)); !errors.Is(d.err, weir.KindUpstream) {
		t.Errorf("got %v", d.err)
	}
	body = repeat("", `{"type":"content_block_start","index":%d,"content_block":{"type":"text","text":""}}`, "", maxOpen)
	if d := decode(t, streamOf(body, false)); d.err != nil {
		t.Error(d.err)
	}
}
