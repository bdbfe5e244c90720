package jsonx

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestScanRefusesWhatIsNotOneObject(t *testing.T) {
	deep := func(n int) string {
		return `{"a":` + strings.Repeat("[", n-1) + strings.Repeat("]", n-1) + `}`
	}
	cases := []struct {
		name, body string
		offset     int // -1 means accepted
	}{
		{"an empty object is fine", ` { } `, -1},
		{"white space everywhere is fine", "\n{ \"a\" : 1 ,\t\"b\" : [ ] }\r\n", -1},
		{"an empty body ends too early", ``, 0},
		{"an array is not an object", `[]`, 0},
		{"null is not an object", `null`, 0},
		{"a byte order mark is refused", "\xef\xbb\xbf{}", 0},
		{"text after the object is refused", `{} x`, 3},
		{"a second object is refused", `{}{}`, 2},
		{"a missing colon is found", `{"a" 1}`, 5},
		{"a missing comma is found", `{"a":1 "b":2}`, 7},
		{"a trailing comma is refused", `{"a":1,}`, 7},
		{"a leading comma is refused", `{,"a":1}`, 1},
		{"a missing value is found", `{"a":}`, 5},
		{"a name without quotes is refused", `{a:1}`, 1},
		{"an open string is found where it begins", `{"a":"b}`, 5},
		{"an open name is found where it begins", `{"a`, 1},
		{"a bad literal is refused", `{"a":tru}`, 5},
		{"a bad number is refused", `{"a":01}`, 6},
		{"wrong brackets are refused", `{"a":[}]}`, 6},
		{"a missing closing brace is found", `{"a":{}`, 7},
		{"a bad escape in a name is refused", `{"a\x":1}`, 3},
		{"a name that is not UTF-8 is refused", "{\"a\xff\":1}", 1},
		{"512 levels are fine", deep(512), -1},
		{"513 levels are too many", deep(513), 5 + 511},
		{"a quote behind an even number of backslashes closes", `{"a":"\\\\"}`, -1},
		{"a quote behind an odd number of backslashes does not", `{"a":"\\\"}`, 5},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var top Top
			err := top.Scan([]byte(c.body))
			var syntax *SyntaxError
			switch {
			case c.offset < 0 && err != nil:
				t.Fatal(err)
			case c.offset >= 0 && (!errors.As(err, &syntax) || syntax.Offset != c.offset):
				t.Fatalf("got %v, want an error at %d", err, c.offset)
			case c.offset >= 0 && len(top.Members) != 0:
				t.Fatal("members are left after an error")
			}
		})
	}
}

func TestScanRefusesDuplicateNames(t *testing.T) {
	many := &Buffer{}
	many.BeginObject()
	for i := range 100 {
		many.IntField(fmt.Sprint("k", i), 1)
	}
	many.IntField("k7", 2)
	many.EndObject()
	cases := []struct{ name, body, key string }{
		{"spelled the same", `{"model":1,"model":2}`, "model"},
		{"spelled with an escape", `{"model":1,"mod\u0065l":2}`, "model"},
		{"empty ones", `{"":1,"":2}`, ""},
		{"among many", string(many.B), "k7"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var dup *DuplicateKeyError
			if err := new(Top).Scan([]byte(c.body)); !errors.As(err, &dup) || dup.Key != c.key {
				t.Fatalf("got %v", err)
			}
			if dup.Offset != strings.LastIndex(c.body, `,"`)+1 {
				t.Fatalf("offset %d", dup.Offset)
			}
		})
	}
	if err := new(Top).Scan([]byte(`{"a":{"b":1,"b":2}}`)); err != nil {
		t.Fatalf("nested duplicates are not Scan's business: %v", err)
	}
}

func TestScanFindsTheMembersWhereTheyStand(t *testing.T) {
	body := []byte(` {"mod\u0065l" : "x" , "n":-1.5e3,"o":{"a":[1,"}"]} }`)
	var top Top
	if err := top.Scan(body); err != nil {
		t.Fatal(err)
	}
	want := []string{`model|"mod\u0065l"|"x"`, `n|"n"|-1.5e3`, `o|"o"|{"a":[1,"}"]}`}
	var got []string
	for _, m := range top.Members {
		got = append(got, m.Key+"|"+string(body[m.KeyStart:m.KeyEnd])+"|"+string(body[m.Start:m.End]))
	}
	if !slices.Equal(got, want) {
		t.Fatalf("got %q", got)
	}
	if string(top.Get(body, "n")) != "-1.5e3" || top.Get(body, "x") != nil || !top.Has("o") || top.Has("") {
		t.Fatal("Get or Has is wrong")
	}
}

func TestTheScanAllocatesNothingForKnownNames(t *testing.T) {
	body := []byte(`{"model":"m","messages":[{"role":"user","content":"hi"}],"stream":true,"temperature":0.1}`)
	var top Top
	if n := testing.AllocsPerRun(100, func() { top.Scan(body) }); n != 0 {
		t.Fatalf("%v allocations", n)
	}
	chunk := []byte(sseChunk)
	if n := testing.AllocsPerRun(100, func() {
		EachMember(chunk, func(key, value []byte) error { return nil })
	}); n != 0 {
		t.Fatalf("EachMember: %v allocations", n)
	}
}

func TestSpliceChangesOnlyWhatIsEdited(t *testing.T) {
	raw := func(s string) []byte { return []byte(s) }
	const abc = `{ "a" : 1 , "b" : 2 , "c" : 3 }`
	cases := []struct {
		name, body string
		edits      []Edit
		want       string
	}{
		{"no edits keep every byte", abc, nil, abc},
		{"a value is replaced in place", abc, []Edit{{Key: "b", Value: raw(`"x"`)}}, `{ "a" : 1 , "b" : "x" , "c" : 3 }`},
		{"the first is deleted with the comma after it", abc, []Edit{{Key: "a"}}, `{ "b" : 2 , "c" : 3 }`},
		{"the middle one is deleted", abc, []Edit{{Key: "b"}}, `{ "a" : 1 , "c" : 3 }`},
		{"the last is deleted with the comma before it", abc, []Edit{{Key: "c"}}, `{ "a" : 1 , "b" : 2 }`},
		{"all are deleted", abc, []Edit{{Key: "c"}, {Key: "a"}, {Key: "b"}}, `{  }`},
		{"deleting what is absent does nothing", abc, []Edit{{Key: "z"}}, abc},
		{"an absent one is inserted at the end", abc, []Edit{{Key: "z", Value: raw("9")}}, `{ "a" : 1 , "b" : 2 , "c" : 3,"z":9 }`},
		{"inserting into an empty object needs no comma", ` {} `, []Edit{{Key: "z", Value: raw("9")}}, ` {"z":9} `},
		{"two are inserted in order", `{ }`, []Edit{{Key: "y", Value: raw("8")}, {Key: "z", Value: raw("9")}}, `{"y":8,"z":9 }`},
		{"inserting after deleting all needs no comma", abc, []Edit{{Key: "a"}, {Key: "b"}, {Key: "c"}, {Key: "z", Value: raw("9")}}, `{ "z":9 }`},
		{"a rename keeps the value", abc, []Edit{{Key: "b", NewKey: "q\n"}}, `{ "a" : 1 , "q\n" : 2 , "c" : 3 }`},
		{"a rename may set the value", abc, []Edit{{Key: "b", NewKey: "q", Value: raw("[]")}}, `{ "a" : 1 , "q" : [] , "c" : 3 }`},
		{"renaming what is absent does nothing", abc, []Edit{{Key: "z", NewKey: "a"}}, abc},
		{"renaming what is absent with a value inserts", `{}`, []Edit{{Key: "z", NewKey: "y", Value: raw("1")}}, `{"y":1}`},
		{"a rename displaces the one that had the name", abc, []Edit{{Key: "c", NewKey: "a"}}, `{ "b" : 2 , "a" : 3 }`},
		{"two names can be swapped", abc, []Edit{{Key: "c", NewKey: "a"}, {Key: "a", NewKey: "c"}}, `{ "c" : 1 , "b" : 2 , "a" : 3 }`},
		{"of two edits with one outcome the later wins", abc, []Edit{{Key: "a", NewKey: "x"}, {Key: "b", NewKey: "x"}}, `{ "x" : 2 , "c" : 3 }`},
		{"of two edits of one key the later wins", abc, []Edit{{Key: "a"}, {Key: "a", Value: raw("7")}}, `{ "a" : 7 , "b" : 2 , "c" : 3 }`},
		{"a name with an escape is found", `{"\u0061":1}`, []Edit{{Key: "a", Value: raw("2")}}, `{"\u0061":2}`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var top Top
			if err := top.Scan([]byte(c.body)); err != nil {
				t.Fatal(err)
			}
			pieces := top.Splice(nil, []byte(c.body), c.edits)
			got := bytes.Join(pieces, nil)
			if string(got) != c.want {
				t.Fatalf("got  %s\nwant %s", got, c.want)
			}
			if Len(pieces) != len(got) {
				t.Fatal("Len is wrong")
			}
			if len(c.edits) == 0 && len(pieces) != 1 {
				t.Fatalf("%d pieces for no edit", len(pieces))
			}
		})
	}
}

func FuzzScan(f *testing.F) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var top Top
		err := top.Scan(body)
		var m map[string]json.RawMessage
		if err != nil {
			var dup *DuplicateKeyError
			if Valid(body) == nil && KindOf(body) == KindObject && !errors.As(err, &dup) {
				t.Fatalf("valid object refused: %v", err)
			}
			return
		}
		if json.Unmarshal(body, &m) != nil {
			return
		}
		if len(m) != len(top.Members) {
			t.Fatalf("%d members, want %d", len(top.Members), len(m))
		}
		for key, value := range m {
			if got := top.Get(body, key); string(got) != string(value) {
				t.Fatalf("%q: got %q, want %q", key, got, value)
			}
		}
	})
}

func FuzzSplice(f *testing.F) {
	for _, s := range seeds {
		f.Add([]byte(s), "a", "1", "", "b", "", "c")
		f.Add([]byte(s), "a", "", "b", "b", "", "a")
	}
	f.Fuzz(func(t *testing.T, body []byte, k1, v1, n1, k2, v2, n2 string) {
		var top Top
		if top.Scan(body) != nil || Valid(body) != nil {
			return
		}
		edits := []Edit{{k1, []byte(v1), n1}, {k2, []byte(v2), n2}}
		for i := range edits {
			e := &edits[i]
			e.Key, e.NewKey = strings.ToValidUTF8(e.Key, "?"), strings.ToValidUTF8(e.NewKey, "?")
			if Valid(e.Value) != nil {
				e.Value = nil
			}
		}
		got := bytes.Join(top.Splice(nil, body, edits), nil)
		if err := Valid(got); err != nil {
			t.Fatalf("%v: %s", err, got)
		}
		var after Top
		if err := after.Scan(got); err != nil {
			t.Fatalf("%v: %s", err, got)
		}
		want := editMap(&top, body, edits)
		if len(want) != len(after.Members) {
			t.Fatalf("got %s, want %v", got, want)
		}
		for key, value := range want {
			if !bytes.Equal(after.Get(got, key), trimSpace(value)) {
				t.Fatalf("got %s, want %q to be %s", got, key, value)
			}
		}
	})
}

// editMap says what Splice should come to, by way of a map.
func editMap(top *Top, body []byte, edits []Edit) map[string][]byte {
	out := map[string][]byte{}
	for _, m := range top.Members {
		out[m.Key] = body[m.Start:m.End]
	}
	for _, e := range edits {
		delete(out, e.Key)
	}
	last := map[string]int{}
	for i, e := range edits {
		last[e.Key] = i
	}
	for i, e := range edits {
		value := e.Value
		if len(value) == 0 && e.NewKey != "" {
			value = top.Get(body, e.Key)
		}
		if last[e.Key] == i && len(value) > 0 {
			out[e.name()] = value
		}
	}
	return out
}

func TestTopKnowsWhichNamesAreNotBelow(t *testing.T) {
	var top Top
	body := []byte(`{"model":"m","messages":[{"role":"user","content":"\"reasoning\": no","n" : {"deep":[{"tool_calls":[]}]}}]}`)
	if err := top.Scan(body); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"role", "content", "deep", "tool_calls", "n", "a name that is much longer than is noted"} {
		if !top.MayHaveBelow(name) {
			t.Errorf("%q is said not to be there", name)
		}
	}
	if top.MayHaveBelow("reasoning_content") {
		t.Error("a name that is nowhere may be there: the filter tells nothing apart")
	}
	if err := top.Scan([]byte(`{"a":1}`)); err != nil || top.MayHaveBelow("role") {
		t.Error("names of the scan before are still there")
	}
}
