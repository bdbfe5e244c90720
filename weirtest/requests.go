package weirtest

import (
	"bytes"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// eachRequest calls fn for every recorded request that its upstream accepted.
func eachRequest(t *testing.T, c codec.Codec, fn func(rec *Recording, body []byte)) {
	t.Helper()
	n := 0
	for _, rec := range recorded(t, c) {
		if rec.Request == nil || rec.Response.Status >= 300 || jsonx.Valid(rec.Request.Body) != nil {
			continue
		}
		body := rec.Request.Body
		if jsonx.Get(body, "model") == nil && c.Protocol() != weir.GeminiGenerate { // which reads it from the path
			var top jsonx.Top
			if top.Scan(body) == nil {
				model := jsonx.AppendString(nil, pathModel(rec.Request.Path))
				body = bytes.Join(top.Splice(nil, body, []jsonx.Edit{{Key: "model", Value: model}}), nil)
			}
		}
		fn(rec, body)
		n++
	}
	t.Logf("%d recorded requests", n)
}

// pathModel is the model that a path names, as those of Vertex AI do
// ("…/models/claude-sonnet-4@20250514:rawPredict"). A client of a gateway says it in
// the body. "recorded" where it stands in nothing at all.
func pathModel(path string) string {
	_, model, ok := strings.Cut(path, "/models/")
	if !ok {
		return "recorded"
	}
	model, _, _ = strings.Cut(model, ":")
	return model
}

// openRecorded is a recorded request as a server half reads it.
func openRecorded(c codec.Codec, rec *Recording, body []byte) (*weir.Request, error) {
	h := http.Header{}
	for _, name := range c.RequestHeaders() {
		if v := rec.Request.Headers.Values(name); len(v) > 0 {
			h[http.CanonicalHeaderKey(name)] = v
		}
	}
	path, query, _ := strings.Cut(rec.Request.Path, "?")
	return c.OpenRequest(weir.Generate, &weir.Wire{Protocol: c.Protocol(), Method: rec.Request.Method, Path: path, Query: query, Body: body, Header: h})
}

// testRequests sends recorded requests on, untouched and edited.
func testRequests(t *testing.T, c codec.Codec) {
	found := newFindings()
	defer found.report(t)
	eachRequest(t, c, func(rec *Recording, body []byte) {
		req, err := openRecorded(c, rec, body)
		if err != nil {
			found.add("a request is refused at the door", rec.Path, "%v", err)
			return
		}
		to := target()
		to.Model = req.Model
		if _, err := req.Body(); err != nil {
			found.add("a request cannot be decoded", rec.Path, "%v", err)
			return
		}
		checkSent(found, c, rec.Path, body, "untouched", req, to)
		edited, err := req.Edit(func(*weir.Body) error { return nil })
		if err != nil {
			found.add("a request cannot be edited", rec.Path, "%v", err)
			return
		}
		checkSent(found, c, rec.Path, body, "edited", edited, to)
	})
}

// ownMembers are top-level members that an encoder may set by itself: the model
// is the deployment's, and usage is always asked for.
var ownMembers = []string{"model", "stream_options"}

func checkSent(found *findings, c codec.Codec, where string, want []byte, how string, req *weir.Request, to *codec.Target) {
	call, err := c.EncodeRequest(req, to)
	if err != nil {
		found.add("a request cannot be sent on, "+how, where, "%v", err)
		return
	}
	got := bytes.Join(call.Body, nil)
	if len(call.Losses) > 0 {
		found.add("a request loses something to its own protocol, "+how, where, "%+v", call.Losses)
	}
	if how == "untouched" && !req.Stream && !bytes.Equal(got, want) {
		found.add("an untouched request is not sent on byte for byte", where, "%s", bytesText(want, got))
	}
	a, b := without(plain(want), ownMembers), without(plain(got), ownMembers)
	if !jsonx.Equal(a, b) {
		found.add("a request means something else, "+how, where, "%s", jsonDiffer("", a, b))
	}
}

// plain is a request without members that say what is so anyway: a canonical
// body cannot tell them from absent ones, and nobody can tell the difference.
func plain(body []byte) []byte {
	if v, ok := jsonx.Bool(jsonx.Get(body, "stream")); ok && !v {
		body = without(body, []string{"stream"})
	}
	body = bytes.ReplaceAll(body, []byte(`"is_error":false,`), nil)
	return bytes.ReplaceAll(body, []byte(`,"is_error":false`), nil)
}

func bytesText(want, got []byte) string { return bytesDiffer(want, got, false) }

// without is a JSON object without some members.
func without(body []byte, names []string) []byte {
	var top jsonx.Top
	if top.Scan(body) != nil {
		return body
	}
	var edits []jsonx.Edit
	for _, n := range names {
		edits = append(edits, jsonx.Edit{Key: n})
	}
	return bytes.Join(top.Splice(nil, body, edits), nil)
}

var errFound = errors.New("found")

// jsonDiffer is the path and the values of the first difference.
func jsonDiffer(path string, a, b []byte) string {
	if jsonx.Equal(a, b) {
		return ""
	}
	var out string
	switch kind := jsonx.KindOf(a); {
	case kind == jsonx.KindObject && jsonx.KindOf(b) == kind:
		visit := func(key, _ []byte) error {
			out = jsonDiffer(path+"."+string(key), jsonx.Get(a, string(key)), jsonx.Get(b, string(key)))
			if out != "" {
				return errFound
			}
			return nil
		}
		_ = jsonx.EachMember(a, visit)
		if out == "" {
			_ = jsonx.EachMember(b, visit)
		}
	case kind == jsonx.KindArray && jsonx.KindOf(b) == kind:
		out = arraysDiffer(path, a, b)
	}
	if out == "" && (len(a) != 0 || len(b) != 0) {
		return path + ": " + shorten(string(a)) + " became " + shorten(string(b))
	}
	return out
}

func arraysDiffer(path string, a, b []byte) string {
	var other [][]byte
	_ = jsonx.EachElement(b, func(_ int, v []byte) error { other = append(other, v); return nil })
	var out string
	_ = jsonx.EachElement(a, func(i int, v []byte) error {
		if i >= len(other) {
			out = path + ": elements are missing"
		} else {
			out = jsonDiffer(path+"[]", v, other[i])
		}
		if out != "" {
			return errFound
		}
		return nil
	})
	return out
}
