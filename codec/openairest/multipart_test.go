package openairest_test

import (
	"bytes"
	"errors"
	"io"
	"mime/multipart"
	"strings"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec/openairest"
)

const bound = "X-BOUND"

func formWire(body string) *weir.Wire {
	return &weir.Wire{Protocol: weir.OpenAIREST, Path: "/v1/audio/transcriptions", ContentType: `multipart/form-data; boundary="` + bound + `"`, Body: []byte(body)}
}

// part is one part of a form with CRLF.
func part(head, value string) string {
	return "--" + bound + "\r\n" + head + "\r\n\r\n" + value + "\r\n"
}

const ending = "--" + bound + "--\r\n"

func field(name, value string) string {
	return part(`Content-Disposition: form-data; name="`+name+`"`, value)
}

const file = "--" + bound + "\r\nContent-Disposition: form-data; name=\"file\"; filename=\"model.wav\"\r\nContent-Type: audio/wav\r\n\r\n\x00\x01\r\n--X-BOUN\r\n\r\nname=\"model\"\r\n"

// Another model stands in the form, and every other byte stays.
func TestFormsKeepTheirBytes(t *testing.T) {
	cases := []struct{ name, body, model string }{
		{"model first", field("model", "whisper-1") + file + ending, "whisper-1"},
		{"model last", file + field("response_format", "json") + field("model", "whisper-1") + ending, "whisper-1"},
		{"a preamble", "hello\r\n" + field("model", "whisper-1") + ending, "whisper-1"},
		{"an epilogue", field("model", "whisper-1") + ending + "bye\r\n" + field("model", "x"), "whisper-1"},
		{"no quotes and more headers", part("content-type: text/plain\r\nContent-Disposition: form-data; name=model", "whisper-1") + ending, "whisper-1"},
		{"a folded header", part("Content-Disposition: form-data;\r\n name=\"model\"", "whisper-1") + ending, "whisper-1"},
		{"spaces behind a boundary", strings.Replace(field("model", "whisper-1"), bound, bound+" \t", 1) + ending, "whisper-1"},
		{"LF alone", strings.ReplaceAll(field("model", "whisper-1")+ending, "\r\n", "\n"), "whisper-1"},
		{"no line end at the end", field("model", "whisper-1") + strings.TrimSpace(ending), "whisper-1"},
		{"a part without header", "--" + bound + "\r\n\r\nx\r\n" + field("model", "whisper-1") + ending, "whisper-1"},
		{"a part without value", "--" + bound + "\r\nContent-Disposition: form-data; name=\"prompt\"\r\n\r\n" + field("model", "whisper-1") + ending, "whisper-1"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			req := open(t, weir.Transcribe, formWire(c.body))
			if req.Model != c.model || req.Stream {
				t.Fatalf("model %q, stream %v", req.Model, req.Stream)
			}
			got, call := sent(t, req, neutral("up-model"))
			want := strings.Replace(c.body, c.model, "up-model", 1)
			if got != want || call.Header.Get("Content-Type") != req.Wire.ContentType {
				t.Errorf("%q\nwant %q", got, want)
			}
			if same, _ := sent(t, req, neutral("")); same != c.body {
				t.Errorf("without a model %q", same)
			}
			req.Wire.Index = nil
			if again, _ := sent(t, req, neutral("up-model")); again != want {
				t.Errorf("scanned again %q", again)
			}
		})
	}
}

func TestFormStream(t *testing.T) {
	for value, want := range map[string]bool{"true": true, "1": true, "false": false, "": false} {
		if req := open(t, weir.Transcribe, formWire(field("model", "m")+field("stream", value)+ending)); req.Stream != want {
			t.Errorf("%q is %v", value, req.Stream)
		}
	}
	if req := open(t, weir.Files, formWire(field("purpose", "batch")+file+ending)); req.Model != "" {
		t.Errorf("model %q", req.Model)
	}
}

// A form that two readers might read otherwise, or that is broken, is refused by
// name.
func TestMalformedForms(t *testing.T) {
	model := field("model", "m")
	cases := []struct{ name, typ, body, param string }{
		{"no boundary", "multipart/form-data", model + ending, "Content-Type"},
		{"an empty boundary", `multipart/form-data; boundary=""`, model + ending, "Content-Type"},
		{"a long boundary", "multipart/form-data; boundary=" + strings.Repeat("x", 71), model + ending, "Content-Type"},
		{"two boundaries", "multipart/form-data; boundary=a; boundary=b", model + ending, "Content-Type"},
		{"another boundary", "", strings.ReplaceAll(model+ending, bound, "other"), "body"},
		{"a boundary in a line", "", "xx" + model + ending, "body"},
		{"text behind a boundary", "", "--" + bound + "x\r\n" + model + ending, "body"},
		{"no end", "", model, "body"},
		{"a cut header", "", "--" + bound + "\r\nContent-Disposition: form-data", "body"},
		{"a long header", "", part("X: "+strings.Repeat("x", openairest.MaxPartHeader), "") + ending, "body"},
		{"the model twice", "", model + field("model", "n") + ending, "model"},
		{"the stream twice", "", model + field("stream", "true") + field("stream", "true") + ending, "stream"},
		{"an encoded model", "", part("Content-Disposition: form-data; name=model\r\nContent-Transfer-Encoding: base64", "bQ==") + ending, "model"},
		{"a name twice", "", model + part(`Content-Disposition: form-data; name="a"; name="model"`, "n") + ending, "body"},
		{"a disposition twice", "", part("Content-Disposition: form-data; name=a\r\nContent-Disposition: form-data; name=model", "n") + model + ending, "body"},
		{"another disposition", "", part("Content-Disposition: attachment; name=model", "n") + model + ending, "body"},
		{"an escaped name", "", part(`Content-Disposition: form-data; name="mo\del"`, "n") + model + ending, "body"},
		{"two line ends in a header", "", "--" + bound + "\r\nX: y\n\nContent-Disposition: form-data; name=model\r\n\r\nn\r\n" + ending, "body"},
		{"a boundary behind LF", "", part("X: y", "x\n--"+bound) + model + ending, "body"},
		{"a boundary behind CR in a form of LF", "", strings.ReplaceAll(model, "\r\n", "\n") + "x: y\n\na\r\n" + ending, "body"},
		{"text behind the end", "", model + strings.TrimSpace(ending) + "x", "body"},
		{"an empty model", "", field("model", "") + ending, "model"},
		{"no model", "", file + ending, "model"},
		{"a stream of neither", "", model + field("stream", "maybe") + ending, "stream"},
		{"too many parts", "", strings.Repeat(field("x", ""), openairest.MaxParts+1) + ending, "body"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := formWire(c.body)
			if c.typ != "" {
				w.ContentType = c.typ
			}
			_, err := openairest.New().OpenRequest(weir.Transcribe, w)
			if e := weir.AsError(err); !errors.Is(err, weir.KindInvalid) || e.Param != c.param || strings.Contains(e.Message, bound) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// FuzzForms: what is accepted is read by the standard library with the same model,
// and has the new one once it was replaced.
func FuzzForms(f *testing.F) {
	for _, s := range []string{
		field("model", "m") + file + ending, file + field("stream", "true") + field("model", "a b") + ending,
		"pre\r\n" + field("model", "") + ending, strings.ReplaceAll(field("model", "m")+ending, "\r\n", "\n"),
		part("Content-Disposition: form-data; name*=utf-8''model", "m") + ending,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		w := formWire(string(body))
		req, err := openairest.New().OpenRequest(weir.Files, w)
		if err != nil {
			if !errors.Is(err, weir.KindInvalid) {
				t.Fatalf("refused with %v", err)
			}
			return
		}
		out, _ := sent(t, req, neutral("NEW"))
		if model, whole := standardModel(body); whole && model != req.Model {
			t.Fatalf("model %q, and to others %q", req.Model, model)
		}
		if model, whole := standardModel([]byte(out)); whole && req.Model != "" && model != "NEW" {
			t.Fatalf("the model sent is %q", model)
		}
		if req.Model == "" && out != string(body) {
			t.Fatalf("%q became %q", body, out)
		}
	})
}

// standardModel is the model as mime/multipart reads the form, and whether it reads
// all of it.
func standardModel(body []byte) (model string, whole bool) {
	r := multipart.NewReader(bytes.NewReader(body), bound)
	for {
		p, err := r.NextRawPart()
		if err == io.EOF {
			return model, true
		}
		if err != nil {
			return "", false
		}
		value, err := io.ReadAll(p)
		if err != nil {
			return "", false
		}
		if p.FormName() == "model" {
			model = string(value)
		}
	}
}
