package ollama

import (
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// A form is one of the endpoints: what is asked in one is answered in its words.
type form uint8

const (
	formChat       form = iota // messages → message
	formGenerate               // prompt → response
	formEmbed                  // input → embeddings
	formEmbeddings             // prompt → embedding
)

var formNames = [...]string{formChat: "chat", formGenerate: "generate", formEmbed: "embed", formEmbeddings: "embeddings"}

// path is that of the endpoint.
func (f form) path() string { return "/api/" + formNames[f] }

// formOf is the form in which a client of this protocol wrote the request, as its
// bytes or the decoded body tell it; that of a request from elsewhere is the
// operation's usual one.
func formOf(req *weir.Request) form {
	if w := req.Wire; w != nil && w.Protocol == protocol {
		return formOfWire(req.Op, w)
	}
	if body, err := req.Body(); err == nil && body.From == protocol {
		name := jsonx.StringOr(body.Extra.Value(marker), "")
		for f, known := range formNames {
			if known == name {
				return form(f)
			}
		}
	}
	return usualForm(req.Op)
}

func usualForm(op weir.Operation) form {
	if op == weir.Embed {
		return formEmbed
	}
	return formChat
}

// formOfWire goes by the path, and by the members where there is none.
func formOfWire(op weir.Operation, w *weir.Wire) form {
	last := w.Path[strings.LastIndexByte(w.Path, '/')+1:]
	top, err := codec.TopOf(w)
	has := func(name string) bool { return w.Path == "" && err == nil && top.Has(name) }
	switch {
	case op == weir.Embed && (last == "embeddings" || has("prompt") && !has("input")):
		return formEmbeddings
	case op == weir.Embed:
		return formEmbed
	case last == "generate" || has("prompt") && !has("messages"):
		return formGenerate
	}
	return formChat
}
