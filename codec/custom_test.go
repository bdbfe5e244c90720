package codec

import (
	"strings"
	"testing"

	"github.com/weir-gateway/weir"
)

// inPieces is what c makes of arguments in pieces of size bytes.
func inPieces(c *CustomInput, arguments string, size int) string {
	var out strings.Builder
	for rest := arguments; rest != ""; {
		n := min(size, len(rest))
		out.WriteString(c.Piece(rest[:n]))
		rest = rest[n:]
	}
	return out.String() + c.End()
}

// S-13: the input of a custom tool comes back as it was, however it was cut.
func TestCustomInputIsUnwrappedInPieces(t *testing.T) {
	for _, input := range []string{"", "plain", "*** Begin Patch\n+\"a\\b\"\t\u00fc 堰 😀\x01</script>", `{"input":"nested"}`, "\\", "\"", "é"} {
		for _, wrapped := range []string{WrapCustom(input), " {\n \"input\" : " + WrapCustom(input)[len(`{"input":`):]} {
			if got := UnwrapCustom(wrapped); got != input {
				t.Errorf("%q unwrapped is %q", input, got)
			}
			for size := 1; size <= len(wrapped); size++ {
				var c CustomInput
				if got := inPieces(&c, wrapped, size); got != input {
					t.Errorf("%q in pieces of %d is %q", input, size, got)
				}
			}
		}
	}
}

// S-13: a model that writes free text in place of arguments is understood.
func TestFreeTextIsItsOwnInput(t *testing.T) {
	for _, text := range []string{"*** Begin Patch", `{"patch":"x"}`, `["a"]`, `{`, `{"inp`, `{"input":7}`, ""} {
		var c CustomInput
		if got := inPieces(&c, text, 1); got != text {
			t.Errorf("%q is read as %q", text, got)
		}
		if got := UnwrapCustom(text); got != text {
			t.Errorf("%q is unwrapped to %q", text, got)
		}
	}
}

// S-04, S-13: an empty object is no input, and nothing ahead of the true one.
func TestAnEmptyObjectIsNoInput(t *testing.T) {
	for arguments, want := range map[string]string{
		`{}`: "", " { } ": "", `{}{"input":"x"}`: "x", `{} {"input":"x"}`: "x", `{}{}{"input":"x"}`: "x", `{}x`: "{}x", `{}{"a":1}`: `{"a":1}`,
	} {
		if got := UnwrapCustom(arguments); got != want {
			t.Errorf("%q is unwrapped to %q and not to %q", arguments, got, want)
		}
	}
}

// S-13: a grammar becomes part of the description; what else the definition holds
// is not lost silently.
func TestFunctionOfACustomTool(t *testing.T) {
	chat := &weir.Tool{Type: weir.ToolCustom, Name: "patch", Description: "applies a patch", Extra: weir.Fields{{Name: "custom",
		Value: []byte(`{"name":"patch","format":{"type":"grammar","grammar":{"syntax":"lark","definition":"start: X"}},"beta":1}`)}}}
	flat := &weir.Tool{Type: weir.ToolCustom, Name: "patch", Extra: weir.Fields{{Name: "format", Value: []byte(`{"type":"text"}`)}}}
	var losses Losses
	description, rest := losses.FunctionOf(chat, "tools[0]")
	if description != "applies a patch\n\nThe input must follow this grammar:\nstart: X" {
		t.Errorf("described as %q", description)
	}
	if len(rest) != 1 || rest[0].Name != "custom.beta" {
		t.Errorf("left over: %v", rest)
	}
	if len(losses) != 1 || losses[0].Field != "tools[0].custom.format" || losses[0].Action != weir.LossApproximated {
		t.Errorf("losses: %v", losses)
	}
	losses = nil
	if _, rest := losses.FunctionOf(flat, "tools[0]"); len(rest) != 0 || len(losses) != 0 {
		t.Errorf("a plain tool loses %v %v", rest, losses)
	}
}

func FuzzCustomInput(f *testing.F) {
	f.Add(`{"input":"a😀\n"}`, 3)
	f.Add(`{"input":"\ud83d"}`, 1)
	f.Fuzz(func(t *testing.T, arguments string, size int) {
		if size < 1 {
			size = 1
		}
		var c CustomInput
		got := inPieces(&c, arguments, size)
		var whole CustomInput
		want := whole.Piece(arguments)
		if want += whole.End(); got != want {
			t.Fatalf("%q in pieces of %d is %q, whole %q", arguments, size, got, want)
		}
	})
}
