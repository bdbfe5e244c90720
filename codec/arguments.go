package codec

import (
	"strings"

	"github.com/weir-gateway/weir/internal/jsonx"
)

// RepairArguments is a call's arguments as a JSON object, for protocols that
// carry them as one, and whether they are. Repaired is what upstreams are known
// to do: nothing at all for a tool without parameters, an empty object in front
// of the true one, a comma before the closing brace (protocols.md §13.2). What
// cannot be repaired, a cut text for one, is returned as it was.
func RepairArguments(args string) (object string, ok bool) {
	s := strings.TrimSpace(args)
	if s == "" || s == "null" {
		return "{}", true
	}
	if isObject(s) {
		return s, true
	}
	if rest, found := strings.CutPrefix(s, "{}"); found && isObject(rest) {
		return strings.TrimSpace(rest), true
	}
	if head, found := strings.CutSuffix(s, "}"); found {
		head = strings.TrimRight(head, " \t\r\n")
		if head, found = strings.CutSuffix(head, ","); found && isObject(head+"}") {
			return head + "}", true
		}
	}
	return args, false
}

func isObject(s string) bool {
	b := []byte(s)
	return jsonx.KindOf(b) == jsonx.KindObject && jsonx.Valid(b) == nil
}
