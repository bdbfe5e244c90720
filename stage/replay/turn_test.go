package replay

import (
	"reflect"
	"testing"
)

// What is read from a Store was written by any version, or by nobody.
func FuzzDecode(f *testing.F) {
	turn := value{Family: "p", Deployment: "p/m", Segments: []segment{{ID: "1", Signature: "s", Thoughts: []thought{
		{Text: "hm", ID: "rs", Format: "f", Signature: "sig", Encrypted: "enc", Summary: true, Late: true}}}}}
	f.Add(turn.encode())
	f.Add((&value{First: "c"}).encode())
	f.Add([]byte("2{}"))
	f.Add([]byte("1{"))
	f.Add([]byte(nil))
	f.Fuzz(func(t *testing.T, raw []byte) {
		v := decode(raw)
		if v == nil {
			return
		}
		if raw[0] != version {
			t.Errorf("a value of version %q was read", raw[0])
		}
		v.bound()
		v.worth()
		if again := decode(v.encode()); !reflect.DeepEqual(again.encode(), v.encode()) {
			t.Errorf("%+v became %+v", v, again)
		}
	})
}

func TestIDsThatAreTheirOwn(t *testing.T) {
	for _, test := range []struct {
		id, name string
		want     bool
	}{
		{"call_abc123DEF456", "search", true},
		{"toolu_01A09q90qw90lq917835lq9", "search", true},
		{"chatcmpl-tool-8f4cf23b", "search", true},
		{"functions.search:0", "search", false},
		{"functions.search_everything:12", "search_everything", false},
		{"call_0", "search", false},
		{"0", "search", false},
		{"", "", false},
		{"search", "search", false},
	} {
		if got := isUnique(test.id, test.name); got != test.want {
			t.Errorf("%s of %s: %t", test.id, test.name, got)
		}
	}
}
