package replay

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"strings"

	"github.com/weir-gateway/weir"
)

// hashed is the key of parts, 25 characters. kind tells apart what lies under it.
func hashed(kind string, parts ...string) string {
	h := sha256.New()
	var size [8]byte
	for _, p := range parts {
		binary.BigEndian.PutUint64(size[:], uint64(len(p)))
		h.Write(size[:])
		h.Write([]byte(p))
	}
	return kind + base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:18])
}

func tenantOf(req *weir.Request) string {
	if req.Principal == nil {
		return ""
	}
	return req.Principal.Name
}

// stateKey is the key of the maker of a signature or encrypted payload.
func stateKey(tenant, state string) string { return hashed("s", tenant, state) }

// callKey is the key of the turn that a call belongs to. Some upstreams count
// their calls anew in every conversation ("functions.search:0", Kimi), or give
// no ids at all: there the call itself and the words before it tell one
// conversation from another, so that none gets the thoughts of another one.
func callKey(tenant string, c *weir.ToolCall, before func() string) string {
	if isUnique(c.ID, c.Name) {
		return hashed("c", tenant, c.ID)
	}
	return hashed("c", tenant, c.ID, c.Name, canonical(c.Arguments), before())
}

// ordinary are words of ids that make none unique.
var ordinary = strings.NewReplacer("chatcmpl", "", "functions", "", "function", "", "toolu", "", "tool", "", "call", "")

// isUnique reports whether an id is random enough not to come twice: at least
// eight letters and digits beside the name of the tool and ordinary words.
func isUnique(id, name string) bool {
	if name != "" {
		id = strings.ReplaceAll(id, name, "")
	}
	n := 0
	for _, c := range []byte(ordinary.Replace(id)) {
		if c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' {
			n++
		}
	}
	return n >= 8
}

// canonical is JSON in one of its many forms: a client that parsed the
// arguments writes them with other white space and another order of keys.
func canonical(arguments string) string {
	var v any
	if json.Unmarshal([]byte(arguments), &v) != nil {
		return strings.TrimSpace(arguments)
	}
	out, err := json.Marshal(v)
	if err != nil {
		return strings.TrimSpace(arguments)
	}
	return string(out)
}

// wordsBefore are the texts of the last message before message i that is not
// the assistant's.
func wordsBefore(body *weir.Body, i int) string {
	for i--; i >= 0; i-- {
		if body.Messages[i].Role != weir.RoleAssistant {
			var s strings.Builder
			addWords(&s, body.Messages[i].Blocks)
			return s.String()
		}
	}
	return ""
}

func addWords(s *strings.Builder, blocks []weir.Block) {
	for i := range blocks {
		s.WriteString(blocks[i].Text)
		if r := blocks[i].Result; r != nil {
			addWords(s, r.Content)
		}
	}
}
