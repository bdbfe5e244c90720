package openairest

import (
	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
)

// NewEncoder implements codec.Server.
func (rest) NewEncoder(req *weir.Request) codec.Encoder {
	if req.Op == weir.Embed {
		return newVectorEncoder(req)
	}
	return &relayEncoder{}
}

// relayEncoder writes an answer that is relayed: the pieces as they came and nothing
// else, whether the client asked for a stream or not. Status and headers stand in the
// Start's Head. An answer that breaks off has no form for its error: the connection
// has to be cut.
type relayEncoder struct{ typ string }

// ContentType implements codec.Encoder. It is known once Start was encoded.
func (e *relayEncoder) ContentType() string {
	if e.typ == "" {
		return "application/json"
	}
	return e.typ
}

// Encode implements codec.Encoder.
func (e *relayEncoder) Encode(dst []byte, ev weir.Event) []byte {
	switch {
	case ev.Type == weir.EventStart && ev.Start.Head != nil:
		e.typ = ev.Start.Head.Header.Get("Content-Type")
	case ev.Type == weir.EventRelay && ev.Frame != nil && ev.Frame.Protocol == protocol:
		return append(dst, ev.Frame.Raw...)
	}
	return dst
}

// Close implements codec.Encoder.
func (e *relayEncoder) Close(dst []byte, _ *weir.Error) []byte { return dst }

// KeepAlive implements codec.Encoder: nothing can be put between the pieces.
func (e *relayEncoder) KeepAlive(dst []byte) []byte { return dst }

// Losses implements codec.Encoder.
func (e *relayEncoder) Losses() []weir.Loss { return nil }
