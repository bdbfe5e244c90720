package jsonx

import (
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestEachMemberGivesEveryMemberInOrder(t *testing.T) {
	raw := []byte(` {"a" : 1 , "\u0062":[1, 2] ,"a":"x,}","" : null } `)
	var got []string
	err := EachMember(raw, func(key, value []byte) error {
		got = append(got, string(key)+"="+string(value))
		return nil
	})
	if err != nil || strings.Join(got, ";") != `a=1;b=[1, 2];a="x,}";=null` {
		t.Fatalf("%v %q", err, got)
	}
}

func TestWalksStopAndRefuse(t *testing.T) {
	stop := errors.New("stop")
	member := func(raw string) error {
		return EachMember([]byte(raw), func(_, _ []byte) error { return stop })
	}
	element := func(raw string) error {
		return EachElement([]byte(raw), func(int, []byte) error { return stop })
	}
	var syntax *SyntaxError
	for _, walk := range []func(string) error{member, element} {
		if walk("null") != nil || walk(" null ") != nil {
			t.Error("null has to be empty")
		}
		for _, raw := range []string{"", " ", "1", `"x"`, "nul", "{]", "[}", "{", "[", "[,1]", "{,}"} {
			if err := walk(raw); !errors.As(err, &syntax) {
				t.Errorf("%q: %v", raw, err)
			}
		}
	}
	if member(`{"a":1}`) != stop || element(`[1]`) != stop {
		t.Error("the caller's error has to come back")
	}
	if member(`{}`) != nil || element(`[]`) != nil || member(`[]`) == nil || element(`{}`) == nil {
		t.Error("empty and wrong containers are mixed up")
	}
	if member(`{} x`) == nil || element(`[],`) == nil {
		t.Error("text after the container has to be refused")
	}
}

func TestGetFindsTheFirst(t *testing.T) {
	raw := []byte(`{"a":{"b":{"c":[1]}},"\u0064":2,"d":3, bad`)
	for _, c := range []struct {
		path []string
		want string
	}{
		{[]string{"a", "b", "c"}, "[1]"}, {[]string{"d"}, "2"}, {[]string{"x"}, ""},
		{[]string{"d", "x"}, ""}, {nil, string(raw)},
	} {
		if got := GetPath(raw, c.path...); string(got) != c.want || (c.want == "") != (got == nil) {
			t.Errorf("%q: %q", c.path, got)
		}
	}
	if Get(nil, "a") != nil || Get([]byte("[1]"), "a") != nil || Get([]byte("null"), "a") != nil {
		t.Error("what is no object has no members")
	}
}

func TestScalarsAreRead(t *testing.T) {
	ints := []struct {
		raw  string
		want int64
		ok   bool
	}{
		{"0", 0, true}, {"-0", 0, true}, {" 12 ", 12, true}, {"1.0", 1, true}, {"1e3", 1000, true}, {"1.5e1", 15, true},
		{"10e-1", 1, true}, {"1.5", 0, false}, {"1e-1", 0, false}, {"0e999999999999999999999", 0, true}, {"0.000", 0, true},
		{"9223372036854775807", math.MaxInt64, true}, {"9223372036854775808", 0, false},
		{"-9223372036854775808", math.MinInt64, true}, {"-9223372036854775809", 0, false},
		{"9.223372036854775807e18", math.MaxInt64, true}, {"1e18", 1e18, true}, {"1e19", 0, false}, {"9999999999999999999", 0, false}, {"18446744073709551616", 0, false},
		{"1e99999999999999999999", 0, false}, {"0.0001e4", 1, true}, {"100e-99999999999999999999", 0, false},
		{"", 0, false}, {"01", 0, false}, {"1x", 0, false}, {`"1"`, 0, false}, {"null", 0, false}, {"-", 0, false},
	}
	for _, c := range ints {
		if n, ok := Int64([]byte(c.raw)); n != c.want || ok != c.ok {
			t.Errorf("Int64(%s) = %d, %v", c.raw, n, ok)
		}
	}
	for _, c := range []struct {
		raw  string
		want float64
		ok   bool
	}{{"1.5", 1.5, true}, {" -2e3", -2000, true}, {"1e999", 0, false}, {"0x1", 0, false}, {"inf", 0, false}, {"1_0", 0, false}} {
		if f, ok := Float64([]byte(c.raw)); ok != c.ok || ok && f != c.want {
			t.Errorf("Float64(%s) = %v, %v", c.raw, f, ok)
		}
	}
	if v, ok := Bool([]byte(" true")); !v || !ok {
		t.Error("true")
	}
	if v, ok := Bool([]byte("false")); v || !ok {
		t.Error("false")
	}
	if _, ok := Bool([]byte("tru")); ok {
		t.Error("tru")
	}
	if !IsNull([]byte(" null\n")) || IsNull(nil) || IsNull([]byte("nullx")) {
		t.Error("IsNull")
	}
	if StringOr([]byte(`"x"`), "d") != "x" || StringOr(nil, "d") != "d" || StringOr([]byte("null"), "d") != "d" || StringOr([]byte("1"), "d") != "d" {
		t.Error("StringOr")
	}
}

func TestKindIsToldByTheFirstByte(t *testing.T) {
	for raw, want := range map[string]Kind{
		"": KindInvalid, "  ": KindInvalid, "x": KindInvalid, "+1": KindInvalid, " null": KindNull, "true": KindBool,
		"\tfalse": KindBool, "-1": KindNumber, "7": KindNumber, `"`: KindString, "[": KindArray, "\n{": KindObject,
	} {
		if got := KindOf([]byte(raw)); got != want {
			t.Errorf("%q: %v", raw, got)
		}
	}
}

func TestInt64AgreesWithBigNumbers(t *testing.T) {
	for _, m := range []string{"0", "1", "9", "10", "120", "9223372036854775807", "9223372036854775808", "1.25", "0.5", "922337203685477580.7", "100.00"} {
		for _, e := range []string{"", "e0", "e1", "e2", "E+3", "e-1", "e-2", "e18", "e19", "e-19"} {
			for _, sign := range []string{"", "-"} {
				raw := sign + m + e
				rat, _ := new(big.Rat).SetString(raw)
				want, wantOK := int64(0), rat.IsInt() && rat.Num().IsInt64()
				if wantOK {
					want = rat.Num().Int64()
				}
				if got, ok := Int64([]byte(raw)); ok != wantOK || got != want {
					t.Errorf("%s: %d %v, want %d %v", raw, got, ok, want, wantOK)
				}
			}
		}
	}
}

func TestEqualComparesValues(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{`{"a":1,"b":[1,2]}`, ` {"b":[1.0, 20e-1],"\u0061":1}`, true}, {`[1,2]`, `[2,1]`, false}, {`{"a":1}`, `{"a":1,"b":2}`, false},
		{`{"a":1,"a":2}`, `{"a":2}`, true}, {`123456789012345678901`, `123456789012345678902`, false},
		{`123456789012345678900`, `1234567890123456789e2`, true}, {`0.1`, `1e-1`, true}, {`0`, `-0.0e5`, true}, {`1`, `-1`, false},
		{`"\u00e9"`, `"é"`, true}, {`"a"`, `"b"`, false}, {`null`, `false`, false}, {`true`, `false`, false}, {`null`, ` null`, true},
		{`1`, `"1"`, false}, {`bad`, `bad`, false}, {``, ``, false}, {`1.5`, `15`, false}, {`10.5`, `1.05e1`, true},
	} {
		if got := Equal([]byte(c.a), []byte(c.b)); got != c.want || Equal([]byte(c.b), []byte(c.a)) != c.want {
			t.Errorf("%s and %s: %v", c.a, c.b, got)
		}
	}
}

func TestCompactRemovesWhiteSpaceOnly(t *testing.T) {
	in := " { \"a b\" : [ 1 ,\n\t1.50e+01 , \"\\u0041 \\\" \" ] } "
	if got := Compact([]byte("x"), []byte(in)); string(got) != `x{"a b":[1,1.50e+01,"\u0041 \" "]}` {
		t.Fatalf("%s", got)
	}
	own := []byte(in)
	if got := Compact(own[:0], own); string(got) != `{"a b":[1,1.50e+01,"\u0041 \" "]}` {
		t.Fatalf("in place: %s", got)
	}
	if got := Compact(nil, []byte(` [ "a b `)); string(got) != `["a b ` {
		t.Fatalf("open string: %s", got)
	}
}

func TestBufferPutsCommas(t *testing.T) {
	b := Buffer{B: []byte("data: ")}
	b.BeginObject()
	b.StringField("s", "a\"<é")
	b.Key("list")
	b.BeginArray()
	b.Int(-1)
	b.Float(1e-9)
	b.Bool(true)
	b.Null()
	b.String("")
	b.Bytes([]byte("x"))
	b.Raw([]byte(" [1] "))
	b.Raw(nil)
	b.BeginObject()
	b.EndObject()
	b.BeginArray()
	b.EndArray()
	b.EndArray()
	b.RawField("r", []byte(`{}`))
	b.IntField("i", 7)
	b.BoolField("b", false)
	b.EndObject()
	want := `data: {"s":"a\"<é","list":[-1,1e-9,true,null,"","x",[1],null,{},[]],"r":{},"i":7,"b":false}`
	if string(b.B) != want {
		t.Fatalf("got %s", b.B)
	}
}

func TestFloatsAreWrittenAsEncodingJSONDoes(t *testing.T) {
	for _, f := range []float64{0, math.Copysign(0, -1), 1, -1.5, 0.1, 1e-6, 9.9e-7, 1e-9, 1e-10, 1e20, 1e21, 1.5e300, math.MaxFloat64, math.SmallestNonzeroFloat64, 123456789.125} {
		want, _ := json.Marshal(f)
		if got := AppendFloat(nil, f); string(got) != string(want) {
			t.Errorf("%v: got %s, want %s", f, got, want)
		}
	}
	if string(AppendFloat(nil, math.NaN()))+string(AppendFloat(nil, math.Inf(-1))) != "nullnull" {
		t.Error("NaN and infinity have to be null")
	}
}

func TestAppendStringEscapesOnlyWhatItMust(t *testing.T) {
	got := AppendString(nil, "<>&/\"\\\b\f\n\r\t\x00\x1f\x7f\u2028é漢😀\xffz")
	if want := `"<>&/\"\\\b\f\n\r\t\u0000\u001f` + "\x7f\u2028é漢😀" + `\ufffdz"`; string(got) != want {
		t.Fatalf("got %s", got)
	}
}

func checkText(t *testing.T, s string) {
	t.Helper()
	q := AppendString(nil, s)
	if q2 := AppendString(nil, []byte(s)); string(q2) != string(q) {
		t.Fatalf("strings and bytes differ: %s %s", q, q2)
	}
	if err := Valid(q); err != nil {
		t.Fatalf("%v: %q", err, q)
	}
	want := string([]rune(s)) // replaces what is not UTF-8 byte by byte
	if got, err := String(q); err != nil || got != want {
		t.Fatalf("%q came back as %q, %v", s, got, err)
	}
	var std string
	if err := json.Unmarshal(q, &std); err != nil || std != want {
		t.Fatalf("encoding/json reads %q, %v", std, err)
	}
}

func checkUnquote(t *testing.T, raw []byte) {
	t.Helper()
	got, err := String(raw)
	dst, err2 := AppendUnquoted([]byte("x"), raw)
	if (err == nil) != (err2 == nil) || err == nil && string(dst) != "x"+got || err != nil && string(dst) != "x" {
		t.Fatalf("String and AppendUnquoted differ: %q %v, %q %v", got, err, dst, err2)
	}
	if err == nil && !utf8.ValidString(got) {
		t.Fatalf("%q is not UTF-8", got)
	}
	var want any
	if json.Unmarshal(raw, &want) != nil {
		return
	}
	if s, ok := want.(string); ok != (err == nil) || s != got {
		t.Fatalf("%q: got %q %v, want %q", raw, got, err, want)
	}
}

func TestStringsGoThereAndBack(t *testing.T) {
	for _, s := range seeds {
		checkText(t, s)
		checkUnquote(t, []byte(s))
	}
	for c := range 256 {
		for n := range 20 {
			checkText(t, strings.Repeat("a", n)+string([]byte{byte(c)})+strings.Repeat("é", n))
		}
	}
}

func FuzzAppendString(f *testing.F) {
	for _, s := range seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) { checkText(t, s) })
}

func FuzzString(f *testing.F) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) { checkUnquote(t, raw) })
}

func FuzzEachMember(f *testing.F) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		last := map[string]string{}
		err := EachMember(raw, func(key, value []byte) error {
			if string(trimSpace(value)) != string(value) || len(value) == 0 {
				t.Fatalf("untrimmed value %q", value)
			}
			last[string(key)] = string(value)
			return nil
		})
		EachElement(raw, func(_ int, value []byte) error { return nil })
		for key := range last {
			Get(raw, key)
		}
		var want map[string]json.RawMessage
		if json.Unmarshal(raw, &want) != nil || !utf8.Valid(raw) {
			return
		}
		if err != nil && !strings.Contains(err.Error(), msgDepth) {
			t.Fatal(err)
		}
		for key, value := range want {
			if err == nil && last[key] != string(value) {
				t.Fatalf("%q: %q, want %q", key, last[key], value)
			}
		}
	})
}

func FuzzNumbersAndEqual(f *testing.F) {
	for _, s := range seeds {
		f.Add([]byte(s), []byte(s))
	}
	f.Fuzz(func(t *testing.T, a, b []byte) {
		if Valid(a) == nil && !Equal(a, Compact(nil, a)) {
			t.Fatalf("%q is not itself", a)
		}
		if Equal(a, b) != Equal(b, a) {
			t.Fatal("Equal has a direction")
		}
		if n, ok := Int64(a); ok {
			if again, ok := Int64(new(big.Int).SetInt64(n).Append(nil, 10)); !ok || again != n {
				t.Fatalf("%q: %d", a, n)
			}
		}
		if x, ok := Float64(a); ok {
			if y, ok := Float64(AppendFloat(nil, x)); !ok || x != y {
				t.Fatalf("%q: %v %v", a, x, y)
			}
		}
	})
}
