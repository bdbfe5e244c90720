package sim

import (
	"strings"
	"testing"
	"time"

	"github.com/weir-gateway/weir/internal/jsonx"
)

func TestParseFault(t *testing.T) {
	f, err := ParseFault(" status=503; retry-after=Wed, 21 Oct 2026 07:28:00 GMT ;times=2;delay=1s;stall=after:3;cut=mid-frame;big-line=2k;trickle;comments ")
	if err != nil {
		t.Fatal(err)
	}
	if f.Status != 503 || f.RetryAfter != "Wed, 21 Oct 2026 07:28:00 GMT" || f.Times != 2 || f.Delay != time.Second ||
		f.Stall != (Point{Set: true, After: 3}) || f.Cut != (Point{Set: true, Middle: true}) || f.BigLine != 2048 || !f.Trickle || f.Comments != 1 {
		t.Errorf("%+v", f)
	}
	if f, err := ParseFault("529"); err != nil || f.Status != 529 {
		t.Errorf("a bare number is %+v, %v", f, err)
	}
}

func TestParseFaultRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"explode":         "the known ones are status, retry-after",
		"status=99":       "200 to 599",
		"stall=soon":      "headers or after:N",
		"error=before":    "after:N",
		"trickle=1":       "takes no value",
		"slow=fast":       "duration",
		"usage=sometimes": "finish, never, every",
		"big-line=9999m":  "up to 256m",
		"times=0":         "from 1",
	} {
		if _, err := ParseFault(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", text, err, want)
		}
	}
}

// The words that are listed to the user are those that are understood.
func TestEveryListedWordIsKnown(t *testing.T) {
	for _, word := range faultWords {
		if _, err := ParseFault(word); err != nil && strings.Contains(err.Error(), "unknown") {
			t.Errorf("%s is listed and not known", word)
		}
	}
}

func TestRulesChoose(t *testing.T) {
	r := newRules(1)
	if err := r.add([]Rule{{Fault: "500;times=2", Model: "a*"}, {Fault: "429", Path: "/v1/messages"}, {Fault: "503", Share: 0.5}}); err != nil {
		t.Fatal(err)
	}
	for i, c := range []struct{ header, model, path, want string }{
		{"", "abc", "/v1/x", "500;times=2"},
		{"401", "abc", "/v1/x", "401"},
		{"", "abc", "/v1/x", "500;times=2"},
		{"", "x/sim-b@404;times=1", "/v1/x", "404;times=1"},
		{"", "b", "/v1/messages", "429"},
		{"", "abc", "/v1/messages", "429"},
	} {
		f, err := r.choose(c.header, c.model, c.path)
		if err != nil || f == nil || f.String() != c.want {
			t.Errorf("%d: got %v, %v, want %s", i, f, err, c.want)
		}
	}
	if f, _ := r.choose("", "x/sim-b@404;times=1", "/v1/messages"); f != nil {
		t.Errorf("a fault for one time was played twice: %v", f)
	}
	if f, err := r.choose("", "claude@20250219", "/v1/messages"); err != nil || f.String() != "429" {
		t.Errorf("an @ of somebody else's is taken for a fault: %v, %v", f, err)
	}
	hits := 0
	for range 1000 {
		if f, _ := r.choose("", "z", "/v1/x"); f != nil {
			hits++
		}
	}
	if hits < 400 || hits > 600 {
		t.Errorf("a share of one half hit %d of 1000", hits)
	}
}

func TestRulesRefuseWhatCannotBePlayed(t *testing.T) {
	for _, bad := range []Rule{{Fault: "nonsense"}, {Fault: "500", Share: 2}, {Fault: "500", Model: "["}} {
		if newRules(1).add([]Rule{bad}) == nil {
			t.Errorf("accepted %+v", bad)
		}
	}
}

func TestRedactHidesCredentials(t *testing.T) {
	h := redact(map[string][]string{"Authorization": {"Bearer secret"}, "X-Api-Key": {"secret"}, "Accept": {"x"}})
	if strings.Contains(h.Get("Authorization")+h.Get("X-Api-Key"), "secret") || h.Get("Accept") != "x" {
		t.Errorf("%v", h)
	}
	if h.Get("X-Api-Key") != fingerprint("secret") {
		t.Error("equal keys cannot be told by their fingerprint")
	}
	if q := redactQuery("a=1&key=secret"); q != "a=1&key="+fingerprint("secret") {
		t.Errorf("query %s", q)
	}
}

func FuzzParseFault(f *testing.F) {
	f.Add("status=503;retry-after=2;times=2")
	f.Add("cut=mid-frame;slow=1ms")
	f.Fuzz(func(t *testing.T, text string) {
		fault, err := ParseFault(text)
		if (fault == nil) == (err == nil) {
			t.Errorf("%q: %v, %v", text, fault, err)
		}
	})
}

func FuzzInstance(f *testing.F) {
	f.Add([]byte(`{"type":"object","properties":{"a":{"$ref":"#"}},"required":["a"]}`), "text 12")
	f.Add([]byte(`{"anyOf":[{"type":"null"},{"items":{"enum":[1]},"minItems":3}]}`), "")
	f.Fuzz(func(t *testing.T, schema []byte, text string) {
		out := instance(schema, &hints{text: text})
		if err := jsonx.Valid(out); err != nil {
			t.Errorf("%v in %s", err, out)
		}
	})
}
