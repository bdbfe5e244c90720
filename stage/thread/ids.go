package thread

import (
	"crypto/rand"
	"strconv"
	"strings"

	"github.com/weir-gateway/weir"
)

// Prefixes of ids (protocols.md §1.3).
const (
	responsePrefix     = "resp_"
	conversationPrefix = "conv_"
)

// maxID is the longest id that is looked up.
const maxID = 512

// NewResponseID is an id for a response that its upstream gave none: "resp_" and
// 26 random characters, which nobody can guess.
func NewResponseID() string { return responsePrefix + randomID() }

func randomID() string { return strings.ToLower(rand.Text()) }

// normal is what a response's id is compared by: a codec may put "resp_" in
// front of an id that has none.
func normal(id string) string { return strings.TrimPrefix(id, responsePrefix) }

// itemPrefix is how the id of an item begins that holds b.
func itemPrefix(role weir.Role, b *weir.Block) string {
	switch {
	case b == nil:
		return "msg_"
	case b.Type == weir.BlockReasoning && role == weir.RoleAssistant:
		return "rs_"
	case b.Type == weir.BlockToolCall && b.Call != nil && b.Call.Type == weir.ToolCustom:
		return "ctc_"
	case b.Type == weir.BlockToolCall:
		return "fc_"
	case b.Type == weir.BlockToolResult:
		return "fco_"
	case b.Type == weir.BlockOpaque && role == weir.RoleAssistant:
		return "item_"
	}
	return "msg_"
}

// numbered is the id of item i of a response's input: always the same, so that
// pages fit together, and none of its output's.
func numbered(prefix, response string, i int) string {
	return prefix + normal(response) + "_in" + strconv.Itoa(i)
}
