package codec

import (
	"testing"
)

// S-13: the input of a custom tool comes back as it was, however it was cut.
func TestCustomInputIsUnwrappedInPieces(t *testing.T) {
	for _, input := range []string{"", "plain", "*** Begin Patch\n+\"a\\b\"\t\u00fc 堰 😀\x01</script>", `{"input":"nested"}`, "\\", "\"", "é"} {
		for _, wrapped := range []string{WrapCustom(input), " {\n \"input\" : " + WrapCustom(input)[len(`{"input":`):]} {
			if got := UnwrapCustom(wrapped); got != input {
				t.Errorf("%q unwrapped is %q", input, got)
			}
			for size := 1; size <= len(wrapped); size++ {
				var c CustomInput
				got := ""
				for rest := wrapped; rest != ""; {
					n := min(size, len(rest))
					got += c.Piece(rest[:n])
					rest = rest[n:]
				}
				if got += c.End(); got != input {
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
		got := ""
		for i := range len(text) {
			got += c.Piece(text[i : i+1])
		}
		if got += c.End(); got != text {
			t.Errorf("%q is read as %q", text, got)
		}
		if got := UnwrapCustom(text); got != text {
			t.Errorf("%q is unwrapped to %q", text, got)
		}
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
		got := ""
		for rest := arguments; rest != ""; {
			n := min(size, len(rest))
			got += c.Piece(rest[:n])
			rest = rest[n:]
		}
		got += c.End()
		var whole CustomInput
		want := whole.Piece(arguments)
		if want += whole.End(); got != want {
			t.Fatalf("%q in pieces of %d is %q, whole %q", arguments, size, got, want)
		}
	})
}
