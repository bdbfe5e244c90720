package ollama

import (
	"slices"
	"strconv"
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// EncodeRequest implements codec.Client. A request of this protocol keeps its
// bytes but for the edits of edit, and goes to the endpoint that it came to.
// One whose messages the target would refuse, that has been edited, or that comes
// from another protocol is written anew from the canonical body, and then gets
// the same edits. Errors are KindUnsupported for what must not be left out, and
// KindInvalid for a conversation that cannot be written.
func (ollama) EncodeRequest(req *weir.Request, target *codec.Target) (*codec.Call, error) {
	if req.Op != weir.Generate && req.Op != weir.Embed {
		return nil, weir.Errorf(weir.KindUnsupported, "Ollama has no operation %s", req.Op)
	}
	f := formOf(req)
	call := &codec.Call{Stream: req.Stream && req.Op == weir.Generate}
	wire, losses := req.Wire, codec.Losses(nil)
	if wire == nil || wire.Protocol != protocol || needsRewrite(wire, target.Quirks) {
		var err error
		if wire, f, losses, err = rewrite(req, f, target, call); err != nil {
			return nil, err
		}
	}
	call.Path = f.path()
	e, err := codec.NewEditor(wire)
	if err != nil {
		return nil, err
	}
	edit(e, req, target)
	if wire != req.Wire {
		tellClient(e.Losses, req)
	}
	losses = append(losses, e.Losses...)
	if err := losses.Refuse(req.Strict); err != nil {
		return nil, err
	}
	if call.Body, err = e.Body(); err != nil {
		return nil, err
	}
	call.Losses = losses
	return call, nil
}

// needsRewrite reports whether a quirk concerns the messages or tools of a
// request that may have them.
func needsRewrite(w *weir.Wire, q *codec.Quirks) bool {
	top, err := codec.TopOf(w)
	if err != nil {
		return false
	}
	messages := q.SystemFirst || q.StrictAlternation || q.ReasoningReplay == replayNever || q.DeveloperRole != "" || q.Prefill == "refused"
	return messages && top.Has("messages") || q.ToolNameMax > 0 && top.Has("tools") || len(q.Efforts) > 0 && top.Has("think")
}

// rewrite makes the bytes to be edited of the canonical body, and tells for which
// endpoint they are.
func rewrite(req *weir.Request, f form, target *codec.Target, call *codec.Call) (*weir.Wire, form, codec.Losses, error) {
	body, err := req.Body()
	if err != nil {
		return nil, f, nil, err
	}
	if body.From != protocol {
		if err := codec.RefuseThread(body); err != nil {
			return nil, f, nil, err
		}
	}
	w := newBodyWriter(req, body, target)
	if f == formGenerate && !w.fitsGenerate() {
		f = formChat
	}
	switch f {
	case formChat:
		err = w.chat()
	case formGenerate:
		err = w.generate()
	default:
		err = w.embed(f)
	}
	if err != nil {
		return nil, f, nil, err
	}
	call.Names, call.Custom = w.back(), codec.CustomTools(body, w.sent)
	tellClient(w.losses, req)
	return &weir.Wire{Protocol: protocol, Path: f.path(), Body: w.B}, f, w.losses, nil
}

// tellClient puts losses in the words of the client of a request that was written
// anew.
func tellClient(losses codec.Losses, req *weir.Request) {
	body, err := req.Body()
	if err != nil {
		return
	}
	for i := range losses {
		if name, ok := strings.CutPrefix(losses[i].Field, optionsPrefix); ok && body.From != protocol {
			losses[i].Field = strings.Replace(name, "num_predict", "max_tokens", 1) // as Chat has it
		}
	}
	codec.InClientWords(losses, body.From)
}

// edit makes the changes that every request needs.
func edit(e *codec.Editor, req *weir.Request, target *codec.Target) {
	q := target.Quirks
	e.Set("model", jsonx.AppendString(nil, target.Model))
	if req.Op == weir.Generate {
		on, said := jsonx.Bool(e.Get("stream"))
		if !said {
			on = true // a stream is what there is without a word
		}
		if on != req.Stream {
			e.Set("stream", strconv.AppendBool(nil, req.Stream))
		}
		editOptions(e, target)
	}
	e.Params(q)
}

// editOptions brings settings into the ranges of the target.
func editOptions(e *codec.Editor, target *codec.Target) {
	q := target.Quirks
	raw := e.Get("options")
	if raw == nil || q.TemperatureMin == nil && q.TemperatureMax == nil && q.TopPMax == nil && q.MaxStop == 0 && target.MaxOutput == 0 {
		return
	}
	inner, err := codec.NewEditor(&weir.Wire{Body: raw})
	if err != nil {
		return // the upstream says so
	}
	inner.Clamp("temperature", q.TemperatureMin, q.TemperatureMax)
	inner.Clamp("top_p", nil, q.TopPMax)
	inner.Shorten("stop", q.MaxStop, "the target takes fewer stop sequences")
	inner.AtMost("num_predict", target.MaxOutput, "brought down to the model's limit of output tokens")
	pieces, err := inner.Body()
	if err != nil || len(inner.Losses) == 0 {
		return
	}
	e.Set("options", slices.Concat(pieces...))
	for _, l := range inner.Losses {
		l.Field = "options." + l.Field
		e.Losses = append(e.Losses, l)
	}
}
