package gemini

import (
	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// appendPart writes a block that is complete as a part, nothing when there is no
// part for it. signature is one that belongs on it. The error is that of a call
// whose arguments are no object.
func (w *chunkWriter) appendPart(b *jsonx.Buffer, c *outChoice, blk *weir.Block, signature string) *weir.Error {
	switch blk.Type {
	case weir.BlockText, weir.BlockRefusal:
		w.textPart(b, c, blk, blk.Text, signature)
	case weir.BlockReasoning:
		w.thoughtPart(b, blk)
	case weir.BlockToolCall:
		return w.callPart(b, c, blk.Call)
	case weir.BlockImage, weir.BlockAudio, weir.BlockFile:
		w.mediaPart(b, c, blk, signature)
	case weir.BlockOpaque:
		if o := blk.Opaque; o != nil && o.Protocol == protocol {
			b.Raw(o.Raw)
			return nil
		}
		w.lose("opaque", "only its own protocol understands it")
	default:
		w.lose(string(blk.Type), "the client's protocol has no such part in answers")
	}
	return nil
}

func (w *chunkWriter) textPart(b *jsonx.Buffer, c *outChoice, blk *weir.Block, text, signature string) {
	c.citations = append(c.citations, blk.Citations...)
	if text == "" && signature == "" {
		return
	}
	c.text = append(c.text, text...)
	b.BeginObject()
	b.StringField("text", text)
	if signature != "" {
		b.StringField("thoughtSignature", signature)
	}
	b.EndObject()
}

// thoughtPart writes a thought, or a signature that has a part of its own.
// Signatures of other providers' thinking go back to those only.
func (w *chunkWriter) thoughtPart(b *jsonx.Buffer, blk *weir.Block) {
	r := blk.Reasoning
	if r == nil {
		r = &weir.Reasoning{}
	}
	signature := w.ownSignature(r)
	if blk.Text == "" && signature == "" {
		return
	}
	b.BeginObject()
	if marked(blk.Extra, "signature") != "bare" {
		b.StringField("text", blk.Text)
	}
	if blk.Text != "" {
		b.BoolField("thought", true)
	}
	if signature != "" {
		b.StringField("thoughtSignature", signature)
	}
	b.EndObject()
}

// ownSignature is the signature of thinking that came in this protocol, empty for
// any other, which is a loss.
func (w *chunkWriter) ownSignature(r *weir.Reasoning) string {
	own := ofProtocol(r.Format)
	if r.Signature != "" && !own || r.Encrypted != "" {
		w.lose("thoughtSignature", "the state of another provider's thinking cannot be carried")
	}
	if !own {
		return ""
	}
	return r.Signature
}

// callPart writes a functionCall, which is whole here.
func (w *chunkWriter) callPart(b *jsonx.Buffer, c *outChoice, call *weir.ToolCall) *weir.Error {
	if call == nil {
		return nil
	}
	args, ok := codec.RepairArguments(call.Arguments)
	if call.Type == weir.ToolCustom {
		args, ok = codec.WrapCustom(call.Arguments), true
	}
	if !ok && c.finish == nil {
		c.bad = append(c.bad, call) // whether it was cut is not known yet
		return nil
	}
	if !ok {
		return w.badCall(c, call)
	}
	b.BeginObject()
	b.Key("functionCall")
	b.BeginObject()
	if call.ID != "" {
		b.StringField("id", call.ID)
	}
	b.StringField("name", call.Name)
	b.RawField("args", []byte(args))
	if w.start.From == protocol {
		appendFields(b, call.Extra)
	}
	b.EndObject()
	if call.Signature != "" {
		b.StringField("thoughtSignature", call.Signature)
	}
	b.EndObject()
	return nil
}

// badCall judges a call whose arguments are no object. One that was cut by the
// token cap is left out, since it must not look finished (S-06); any other fails
// the answer (protocols.md §13.2).
func (w *chunkWriter) badCall(c *outChoice, call *weir.ToolCall) *weir.Error {
	if f := c.finish; f != nil && (f.Reason == weir.FinishLength || f.Reason == weir.FinishContextWindow) {
		w.lose("functionCall", "the call was cut by the token cap")
		return nil
	}
	return weir.Errorf(weir.KindUpstream, "the model called the tool %q with arguments that are not a JSON object", clean(call.Name))
}

// mediaPart writes an image or a sound that the model made.
func (w *chunkWriter) mediaPart(b *jsonx.Buffer, c *outChoice, blk *weir.Block, signature string) {
	m := blk.Media
	if m == nil {
		return
	}
	media := *m
	if mime, data, ok := codec.ParseDataURL(media.URL); ok {
		media.URL, media.Data, media.MIME = "", data, mime
	}
	if media.Transcript != "" {
		w.lose("transcript", "a sound has no transcript here")
	}
	switch {
	case media.Data != "":
		if media.MIME == "" {
			media.MIME = defaultMIME(blk.Type, media.Data)
		}
		b.BeginObject()
		b.Key("inlineData")
		b.BeginObject()
		b.StringField("mimeType", media.MIME)
		b.StringField("data", writtenBase64(&media))
	case media.URL != "":
		b.BeginObject()
		b.Key("fileData")
		b.BeginObject()
		if media.MIME == "" {
			media.MIME = mimeOfName(media.URL)
		}
		if media.MIME == "" && blk.Type != weir.BlockFile {
			media.MIME = defaultMIME(blk.Type, "")
		}
		text(b, "mimeType", media.MIME)
		b.StringField("fileUri", media.URL)
	default:
		w.textPart(b, c, blk, media.Transcript, signature)
		return
	}
	b.EndObject()
	if signature != "" {
		b.StringField("thoughtSignature", signature)
	}
	b.EndObject()
}

// defaultMIME is the media type of data that came without one.
func defaultMIME(typ weir.BlockType, data string) string {
	if mime := mimeOfData(data, ""); mime != "" {
		return mime
	}
	switch typ {
	case weir.BlockImage:
		return "image/jpeg"
	case weir.BlockAudio:
		return "audio/wav"
	}
	return "application/octet-stream"
}
