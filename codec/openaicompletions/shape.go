package openaicompletions

import (
	"strings"

	"github.com/weir-gateway/weir"
)

// fim names the frames of answers in the shape of Chat, which Mistral gives to
// fill-in-the-middle: choices with a message or a delta instead of a text. They are
// not sent on to a client that reads texts, nor the other way round.
const fim weir.Protocol = "mistral.fim"

// shapeFor is the shape that the client of req reads: that of the path it has
// called.
func shapeFor(req *weir.Request) weir.Protocol {
	if req.Wire != nil && strings.HasSuffix(req.Wire.Path, "/fim/completions") {
		return fim
	}
	return protocol
}
