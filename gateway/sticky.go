package gateway

import (
	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// SessionLabel is the label by which a client says which of its requests belong
// together.
const SessionLabel = "session"

// stickyKey is what keeps requests together: nothing is decoded for it.
func stickyKey(by string) func(*weir.Request) string {
	switch by {
	case "principal":
		return principalKey
	case "prompt":
		return promptKey
	}
	return sessionKey
}

func principalKey(req *weir.Request) string {
	if req.Principal == nil {
		return ""
	}
	return req.Principal.Name
}

// sessionMembers are the members by which clients of the protocols tell which of
// their users, or conversations, a request belongs to.
var sessionMembers = []string{"prompt_cache_key", "conversation", "session_id", "user", "safety_identifier"}

// sessionKey is the client's label, else what its protocol has for it.
func sessionKey(req *weir.Request) string {
	if s := req.Labels[SessionLabel]; s != "" {
		return s
	}
	top := scan(req)
	if top == nil {
		return ""
	}
	for _, name := range sessionMembers {
		if s := jsonx.StringOr(top.Get(req.Wire.Body, name), ""); s != "" {
			return s
		}
	}
	return jsonx.StringOr(jsonx.Get(top.Get(req.Wire.Body, "metadata"), "user_id"), "")
}

// promptPrefix is how much of a conversation decides, in bytes: its beginning,
// which the turns of one conversation share, and which providers cache.
const promptPrefix = 1 << 10

// promptMembers are where the conversation stands, what comes first first.
var promptMembers = []string{"system", "instructions", "systemInstruction", "system_instruction", "messages", "input", "contents", "prompt"}

func promptKey(req *weir.Request) string {
	top := scan(req)
	if top == nil {
		return ""
	}
	var key []byte
	for _, name := range promptMembers {
		raw := top.Get(req.Wire.Body, name)
		key = append(key, raw[:min(len(raw), promptPrefix-len(key))]...)
		if len(key) == promptPrefix {
			break
		}
	}
	return string(key)
}
