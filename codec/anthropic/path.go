package anthropic

import "github.com/weir-gateway/weir/codec"

// path is where in a request a value stands.
type path = codec.Location
