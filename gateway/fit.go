package gateway

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/catalog"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/tokens"
)

// unfit judges whether a model can serve a request, by what the catalogue
// knows for certain. Nil when it knows nothing that could rule one out.
func unfit(m *catalog.Model) func(*weir.Request) string {
	if m == nil {
		return nil
	}
	blind := len(m.Input) > 0 && !slices.Contains(m.Input, "image")
	toolless := m.Tools != nil && !*m.Tools
	if m.Context <= 0 && !blind && !toolless {
		return nil
	}
	return func(req *weir.Request) string {
		switch {
		case toolless && hasTools(req):
			return "it takes no tools"
		case blind && hasImages(req):
			return "it takes no images"
		case m.Context > 0 && surelyLonger(req, m.Context):
			return fmt.Sprintf("the prompt is longer than its context of %d tokens", m.Context)
		}
		return ""
	}
}

func hasTools(req *weir.Request) bool {
	if req.Wire != nil {
		top, err := codec.TopOf(req.Wire)
		return err == nil && top.Has("tools")
	}
	body, err := req.Body()
	return err == nil && len(body.Tools) > 0
}

// hasImages decodes only what might have one.
func hasImages(req *weir.Request) bool {
	if req.Wire != nil && !bytes.Contains(req.Wire.Body, []byte(`image`)) {
		return false
	}
	body, err := req.Body()
	if err != nil {
		return false
	}
	for i := range body.Messages {
		if containsImage(body.Messages[i].Blocks) {
			return true
		}
	}
	return false
}

func containsImage(blocks []weir.Block) bool {
	return slices.ContainsFunc(blocks, func(b weir.Block) bool {
		return b.Type == weir.BlockImage || b.Result != nil && containsImage(b.Result.Content)
	})
}

// certainty is by how much an estimate must exceed a limit to be believed:
// estimates are biased upward, up to twice for small prompts with tools.
const certainty = 2

// surelyLonger estimates only what is long enough to be in doubt: a token is
// hardly ever shorter than two bytes.
func surelyLonger(req *weir.Request, context int64) bool {
	if req.Wire != nil {
		return int64(len(req.Wire.Body)) > 2*context && tokens.EstimateBytes(req.Wire.Body) > certainty*context
	}
	body, err := req.Body()
	return err == nil && tokens.EstimateBody(body) > certainty*context
}
