package provider

import (
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
)

// azureDeployments is the dated surface of Azure OpenAI: calls that need a model
// go to a deployment, which the path names, all others stand beside them
// (openai-node docs/azure.md, read 2026-11-20). The address ends in "/openai".
type azureDeployments struct{ asItIs }

// deployed begin the paths of calls that need a deployment.
var deployed = []string{"/chat/", "/completions", "/embeddings", "/audio/", "/images/"}

// wrap implements envelope. The model stays in the body, where it is ignored.
func (azureDeployments) wrap(call *codec.Call, _ weir.Operation, t *codec.Target) error {
	for _, head := range deployed {
		if strings.HasPrefix(call.Path, head) {
			call.Path = "/deployments/" + escapeModel(t.Model) + call.Path
			break
		}
	}
	return nil
}
