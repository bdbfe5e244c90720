package catalog_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/catalog"
)

// file is a minimal provider with more members spliced in.
func file(more string) fstest.MapFS {
	return fstest.MapFS{"x.json": {Data: []byte(`{"id": "x", "endpoints": [{"protocol": "openai.chat", "base_url": "https://x.example/v1"}]` + more + `}`)}}
}

func TestAMinimalFileIsEnough(t *testing.T) {
	c, err := catalog.Load(file(""))
	if err != nil {
		t.Fatal(err)
	}
	if p := c.Provider("x"); p == nil || p.AuthOf(&p.Endpoints[0]).Scheme != catalog.AuthBearer {
		t.Errorf("%+v", p)
	}
}

// B-11: what a user mistypes is found, with file and path.
func TestLoadingNamesFileAndPath(t *testing.T) {
	price := func(more string) string {
		return `, "models": [{"id": "m", "prices": [{"currency": "USD", ` + more + `}]}]`
	}
	for _, c := range []struct {
		name, more, want string
	}{
		{"an unknown member", `, "modls": []`, "x.json: modls: unknown member"},
		{"an unknown member deep inside", `, "models": [{"id": "a"}, {"id": "b", "contxt": 5}]`, "x.json: models[1].contxt: unknown member"},
		{"an unknown quirk", `, "quirks": {"thinkin": "type"}`, "quirks.thinkin: unknown member"},
		{"an unknown member of a price", price(`"input": "1", "outptu": "2"`), "models[0].prices[0].outptu: unknown member"},
		{"a number for a price", price(`"input": 1`), "models[0].prices[0].input: "},
		{"a wrong type", `, "keyless": "yes"`, "x.json: keyless: "},
		{"a member written twice", `, "id": "y"`, `x.json: line 1: "id" is written twice`},
		{"something after the object", `} {`, "after the provider's object"},
		{"no id of a model", `, "models": [{"name": "M"}]`, "models[0].id: "},
		{"a model twice", `, "models": [{"id": "a"}, {"id": "b", "aliases": ["a"]}]`, `models[1] (b): "a" is already a name of a`},
		{"a wrong quirk", `, "quirks": {"thinking": "hard"}`, `quirks.thinking: "hard" is not known`},
		{"a wrong kind", `, "quirks": {"error_codes": {"1": "oops"}}`, `quirks.error_codes.1: "oops"`},
		{"a wrong date", `, "date": "20.11.2026"`, "date: "},
		{"a lower-case variable", `, "key_env": ["key"]`, `key_env[0]: "key"`},
		{"an unknown scheme", `, "auth": {"scheme": "magic"}`, `auth.scheme: "magic"`},
		{"a header scheme without header", `, "auth": {"scheme": "header"}`, "auth.header: "},
		{"an unknown modality", `, "models": [{"id": "m", "input": ["smell"]}]`, `"smell" is not a modality`},
		{"an unknown effort", `, "models": [{"id": "m", "efforts": ["very"]}]`, `models[0] (m).efforts: "very"`},
		{"a limit that is absurd", `, "models": [{"id": "m", "context": -1}]`, "not plausible"},
		{"an unknown currency", `, "models": [{"id": "m", "prices": [{"currency": "RMB", "input": "1"}]}]`, `currency: "RMB"`},
		{"no price of input", price(`"output": "1"`), "prices[0].input: "},
		{"dates in the wrong order", price(`"input": "1", "from": "2026-12-01", "until": "2026-11-01"`), "until: is not after from"},
		{"tiers that descend", price(`"input": "1", "tiers": [{"above_input": 9}, {"above_input": 8}]`), "tiers[1].above_input"},
		{"a peak at no hour", price(`"input": "1", "peak": {"zone": "UTC", "hours": ["25:00-26:00"]}`), `"25:00-26:00"`},
		{"a peak in an unknown zone", price(`"input": "1", "peak": {"zone": "Mars", "hours": ["09:00-10:00"]}`), `"Mars"`},
		{"a peak and tiers", price(`"input": "1", "tiers": [{"above_input": 8}], "peak": {"zone": "UTC", "hours": ["09:00-10:00"]}`), "cannot be combined"},
		{"a dear cache", price(`"input": "1", "cache_read": "2"`), "more than uncached input"},
	} {
		_, err := catalog.Load(file(c.more))
		if !errors.Is(err, weir.KindInvalid) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v\nwant %q", c.name, err, c.want)
		}
	}
}

// B-11: an amount per token where one per million tokens belongs, and the reverse.
func TestPricesOfTheWrongUnitAreCaught(t *testing.T) {
	for _, c := range []struct {
		name, currency, input, output string
		ok                            bool
	}{
		{"an ordinary price", "USD", "3", "15", true},
		{"the cheapest that exist", "USD", "0.02", "0.05", true},
		{"the dearest that existed", "USD", "150", "600", true},
		{"yuan", "CNY", "4.5", "13.5", true},
		{"free", "USD", "0", "0", true},
		{"per token", "USD", "0.000003", "0.000015", false},
		{"per token, many decimals", "USD", "0.00000014", "0.00000028", false},
		{"yuan per thousand tokens", "CNY", "0.0045", "0.0135", false},
		{"multiplied once more", "USD", "3000000", "15000000", false},
		{"input per token and output per million", "USD", "0.002", "15", false},
		{"micro-dollars", "USD", "3000", "15000", false},
	} {
		_, err := catalog.Load(file(`, "models": [{"id": "m", "prices": [{"currency": "` + c.currency +
			`", "input": "` + c.input + `", "output": "` + c.output + `"}]}]`))
		if (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestAllProblemsAreReportedAtOnce(t *testing.T) {
	dir := file(`, "date": "never", "key_env": ["a", "b"]`)
	dir["y.json"] = &fstest.MapFile{Data: []byte(`{"id": "x"}`)}
	_, err := catalog.Load(dir)
	for _, want := range []string{"x.json: date", "key_env[0]", "key_env[1]", "y.json: endpoints", "already a name of provider x"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not say %q", err, want)
		}
	}
}

func TestAProviderIsTheSameAfterWritingAndReading(t *testing.T) {
	for _, p := range catalog.Default().Providers() {
		raw, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		c, err := catalog.Load(fstest.MapFS{"p.json": {Data: raw}})
		if err != nil {
			t.Fatal(err)
		}
		again, _ := json.Marshal(c.Provider(p.ID))
		if string(again) != string(raw) {
			t.Errorf("%s changed:\n%s\n%s", p.ID, raw, again)
		}
	}
}

func TestRatesAreReadExactly(t *testing.T) {
	for in, want := range map[string]int64{"0": 0, "0.14": 140_000, "3": 3_000_000, "0.003625": 3625, "12.50": 12_500_000, "007": 7_000_000} {
		r, err := catalog.ParseRate(in)
		if err != nil || !r.Known || r.Pico != want {
			t.Errorf("%q: %+v %v", in, r, err)
		}
	}
	for _, in := range []string{"", ".5", "1.", "-1", "+1", "1e3", "0.0000001", "1,5", "99999999999", " 1", "١"} {
		if r, err := catalog.ParseRate(in); err == nil {
			t.Errorf("%q is read as %+v", in, r)
		}
	}
}

func FuzzLoad(f *testing.F) {
	for _, p := range catalog.Default().Providers()[:6] {
		raw, _ := json.Marshal(p)
		f.Add(raw)
	}
	for _, s := range []string{"", "{", `{"id":"x"}`, `{"models":[null]}`, `{"endpoints":[{"protocol":"a.b","base_url":"http://[::1"}]}`, `{"quirks":{"x":1}}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		c, err := catalog.Load(fstest.MapFS{"x.json": {Data: raw}})
		if err != nil {
			if !errors.Is(err, weir.KindInvalid) || c != nil {
				t.Fatalf("%v", err)
			}
			return
		}
		p := c.Providers()[0]
		if err := p.Validate(); err != nil {
			t.Fatal(err)
		}
		for _, m := range p.Models {
			if got := c.Resolve(p.ID + "/" + m.ID); len(got) == 0 || got[0].Model != m {
				t.Fatalf("%s/%s is not found", p.ID, m.ID)
			}
		}
	})
}
