package provider

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weir-gateway/weir"
)

// The credential of AWS's published examples.
const exampleKey = "AKIDEXAMPLE:wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"

// The session token of post-sts-header-before.
const exampleSession = "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA=="

// Signatures of AWS's Signature Version 4 test suite, and of the example in its documentation (IAM ListUsers), all of one moment.
func TestSignaturesAreThoseOfAWSsExamples(t *testing.T) {
	for _, c := range []struct {
		name, method, url, service, session, contentType, headers, signature string
	}{
		{"get-vanilla", "GET", "https://example.amazonaws.com/", "service", "", "",
			"host;x-amz-date", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
		{"post-vanilla", "POST", "https://example.amazonaws.com/", "service", "", "",
			"host;x-amz-date", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
		{"get-vanilla-query-order-key-case", "GET", "https://example.amazonaws.com/?Param2=value2&Param1=value1", "service", "", "",
			"host;x-amz-date", "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
		{"post-sts-header-before", "POST", "https://example.amazonaws.com/", "service", exampleSession, "",
			"host;x-amz-date;x-amz-security-token", "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead"},
		{"ListUsers", "GET", "https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08", "iam", "",
			"application/x-www-form-urlencoded; charset=utf-8", "content-type;host;x-amz-date",
			"5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(time.Until(time.Date(2015, 8, 30, 12, 36, 0, 0, time.UTC)))
				r, err := http.NewRequest(c.method, c.url, nil)
				if err != nil {
					t.Fatal(err)
				}
				if c.contentType != "" {
					r.Header.Set("Content-Type", c.contentType)
				}
				r.Header.Set("User-Agent", "weir") // a proxy may change it
				key := exampleKey
				if c.session != "" {
					key += ":" + c.session
				}
				if err := SigV4(c.service, "us-east-1").Apply(r, key); err != nil {
					t.Fatal(err)
				}
				want := "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/" + c.service + "/aws4_request, SignedHeaders=" + c.headers + ", Signature=" + c.signature
				if got := r.Header.Get("Authorization"); got != want || r.Header.Get("X-Amz-Date") != "20150830T123600Z" || r.Header.Get("X-Amz-Security-Token") != c.session {
					t.Errorf("signed with\n%s, want\n%s", got, want)
				}
			})
		})
	}
}

// verify is the server's side of Signature Version 4, by the documentation. It
// says what is wrong with a request as it arrived, empty for nothing.
func verify(r *http.Request, body []byte, secret, session string) string {
	head, ok := strings.CutPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 ")
	part := map[string]string{}
	for p := range strings.SplitSeq(head, ", ") {
		k, v, _ := strings.Cut(p, "=")
		part[k] = v
	}
	_, scope, _ := strings.Cut(part["Credential"], "/")
	if !ok || r.Header.Get("X-Amz-Security-Token") != session {
		return "the header is " + fmt.Sprint(r.Header)
	}
	path, query, _ := strings.Cut(r.RequestURI, "?")
	segments := strings.Split(path, "/")
	for i, s := range segments { // what arrived, escaped once more
		segments[i] = strings.NewReplacer("+", "%20", "%7E", "~").Replace(url.QueryEscape(s))
	}
	var b strings.Builder
	b.WriteString(r.Method + "\n" + strings.Join(segments, "/") + "\n" + query + "\n")
	for name := range strings.SplitSeq(part["SignedHeaders"], ";") {
		value := r.Header.Get(name)
		switch name {
		case "host":
			value = r.Host
		case "content-length":
			value = strconv.Itoa(len(body))
		}
		b.WriteString(name + ":" + value + "\n")
	}
	sum := func(p []byte) string { h := sha256.Sum256(p); return hex.EncodeToString(h[:]) }
	b.WriteString("\n" + part["SignedHeaders"] + "\n" + sum(body))
	canonical := b.String()
	mac := func(key []byte, text string) []byte {
		h := hmac.New(sha256.New, key)
		_, _ = io.WriteString(h, text)
		return h.Sum(nil)
	}
	key := []byte("AWS4" + secret)
	for p := range strings.SplitSeq(scope, "/") {
		key = mac(key, p)
	}
	text := "AWS4-HMAC-SHA256\n" + r.Header.Get("X-Amz-Date") + "\n" + scope + "\n" + sum([]byte(canonical))
	if hex.EncodeToString(mac(key, text)) != part["Signature"] {
		return "the signature does not verify for\n" + canonical
	}
	return ""
}

func TestWhatIsSignedIsWhatArrives(t *testing.T) {
	verdicts := make(chan string, 1)
	s, tr := upstreamServer(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		wrong := verify(r, body, "a+secret/key=", "ses=sion/token")
		if wrong == "" && !strings.Contains(r.Header.Get("Authorization"), "/eu-west-1/bedrock/aws4_request") {
			wrong = r.Header.Get("Authorization")
		}
		verdicts <- wrong
		say("start")(w, r)
	})
	for _, path := range []string{
		"/model/us.anthropic.claude-haiku-4-5-20251001-v1%3A0/converse", // as AWS's own SDKs write it
		"/model/us.anthropic.claude-haiku-4-5-20251001-v1:0/converse",
		"/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Ainference-profile%2Fx/invoke",
		"/model/a%20b~c/invoke",
	} {
		l := &lines{path: path, pieces: [][]byte{[]byte(`{"a":`), bytes.Repeat([]byte("1"), 100_000), []byte("}")}}
		o := single(s, tr, l, "AKID:a+secret/key=:ses=sion/token")
		o.Header = http.Header{"X-Amz-Trace": {"x"}, "X-Team": {"blue"}}
		o.Endpoints[0].Auth = SigV4("bedrock", "eu-west-1")
		out := ask(t, must(t, o), question())
		if wrong := <-verdicts; out.err != nil || wrong != "" {
			t.Errorf("%s: %v %s", path, out.err, wrong)
		}
	}
}

func TestAKeyThatCannotSignIsRefusedBeforeAnythingIsSent(t *testing.T) {
	for _, key := range []string{"", "AKID", "AKID:", ":canary-secret"} {
		r, err := http.NewRequest(http.MethodPost, "https://h/", nil)
		if err != nil {
			t.Fatal(err)
		}
		e := weir.AsError(SigV4("bedrock", "us-east-1").Apply(r, key))
		if e == nil || e.Kind != weir.KindInvalid || !strings.Contains(e.Hint, "ACCESS_KEY_ID:SECRET_ACCESS_KEY") || strings.Contains(e.Error()+e.Hint, "canary") {
			t.Errorf("%q: %v", key, e)
		}
	}
}

// AWS's 403 repeats the canonical request, and with it the session token.
func TestTheCredentialsOfAWSAreAbsentFromErrors(t *testing.T) {
	const id, secretKey, session = "AKIDCANARY1234567890", "canary-secret-0123456789012345678901234567", "canary-session-token-0123456789"
	s, tr := upstreamServer(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusConflict)
		_, _ = fmt.Fprintf(w, `{"message":"conflict: %s %s %s"}`, id, secretKey, r.Header.Get("X-Amz-Security-Token"))
	})
	o := single(s, tr, &lines{}, id+":"+secretKey+":"+session)
	o.Endpoints[0].Auth = SigV4("bedrock", "eu-west-1")
	e := ask(t, must(t, o), question()).error(t)
	if e.Kind != weir.KindConflict || !strings.Contains(e.Message, "conflict") {
		t.Errorf("the error is %v", e)
	}
	for _, canary := range []string{id, secretKey, session} {
		if strings.Contains(fmt.Sprintf("%+v %s %v", e, e.Wire.Body, e.Err), canary) {
			t.Errorf("%s is in %+v %s", canary, e, e.Wire.Body)
		}
	}
}
