package gemini

import (
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// OpenRequest implements codec.Server. Model and method stand in w.Path; a body
// that names a model is believed where there is no path. Beyond those it looks at
// what the operation cannot do without; everything else is checked when the
// canonical body is decoded, and left to the upstream when it never is.
func (geminiCodec) OpenRequest(op weir.Operation, w *weir.Wire) (*weir.Request, error) {
	w.Protocol = protocol
	top, err := codec.ScanTop(w)
	if err != nil {
		return nil, err
	}
	req := weir.NewWireRequest(w, func() (*weir.Body, error) { return readBody(op, w) })
	req.Op = op
	a := addressOf(w)
	if err := checkMethod(op, a.method); err != nil {
		return nil, err
	}
	if err := checkNames(top); err != nil {
		return nil, err
	}
	if req.Model, err = modelOf(a, top, w.Body); err != nil {
		return nil, err
	}
	req.Stream = op == weir.Generate && a.method == methodStream
	return req, checkContent(op, top, w.Body)
}

// checkMethod refuses a path that says something else than the operation.
func checkMethod(op weir.Operation, method string) error {
	is, known := operations[method]
	if method == "" || known && is == op {
		return nil
	}
	e := weir.Errorf(weir.KindNotFound, "the method %q is not served here", clean(method))
	e.Hint = "the methods are generateContent, streamGenerateContent, countTokens, embedContent and batchEmbedContents"
	return e
}

// clean keeps a word of the client's fit for an error message.
func clean(s string) string { return strings.ToValidUTF8(s[:min(len(s), 64)], "") }

// checkNames refuses a member that is there under both of its names: two readers
// might disagree about which counts.
func checkNames(top *jsonx.Top) error {
	for i := range top.Members {
		key := top.Members[i].Key
		if name := camel(key); name != key && top.Has(name) {
			return weir.Invalid(name, "the member %q is there twice, once as %q: send it once", name, key)
		}
	}
	return nil
}

func modelOf(a address, top *jsonx.Top, body []byte) (string, error) {
	if a.model != "" {
		return a.model, nil
	}
	root := root()
	at := root.Key("model")
	name, err := at.Str(top.Get(body, "model"))
	if err == nil && bareModel(name) == "" {
		e := weir.Invalid("model", "model: the path has to name one, as in /v1beta/models/{model}:generateContent")
		return "", e
	}
	return bareModel(name), err
}

// checkContent looks for what is to be worked on.
func checkContent(op weir.Operation, top *jsonx.Top, body []byte) error {
	names := []string{"contents"}
	switch op {
	case weir.CountTokens:
		names = []string{"contents", "generateContentRequest"}
	case weir.Embed:
		names = []string{"content", "requests"}
	}
	for _, name := range names {
		raw, key := topGet(top, body, name)
		if k := jsonx.KindOf(raw); k == jsonx.KindArray || k == jsonx.KindObject {
			return nil
		} else if raw != nil && k != jsonx.KindNull {
			root := root()
			at := root.Key(key)
			return at.Wrong("an array or an object", raw)
		}
	}
	root := root()
	at := root.Key(names[0])
	return at.Wrong("what the model is to read", nil)
}
