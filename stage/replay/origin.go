package replay

import (
	"context"

	"github.com/weir-gateway/weir"
)

// maxOrigin bounds the keys that Origin asks for.
const maxOrigin = 64

// Origin is the deployment that made the newest state in a request which only
// its maker can read: an encrypted or signed piece that the client sent back,
// or one that was kept for it under the id of a tool call, whatever the
// protocols (requirement T-06). A router puts that deployment first. False when
// there is none, or none that is known.
//
// It decodes the request, so that a gateway asks only for requests that may hold
// such a thing, and for models with more than one deployment.
func Origin(ctx context.Context, s Store, req *weir.Request) (deployment string, ok bool) {
	body, err := req.Body()
	if err != nil || s == nil {
		return "", false
	}
	values, err := get(ctx, s, originKeys(tenantOf(req), body))
	if err != nil {
		return "", false
	}
	var first []string
	for _, raw := range values {
		v := decode(raw)
		switch {
		case v == nil:
		case v.First != "":
			first = append(first, v.First)
		case v.Segments == nil || v.bound():
			return v.Deployment, v.Deployment != ""
		}
	}
	values, err = get(ctx, s, first)
	for _, raw := range values {
		if v := decode(raw); err == nil && v != nil && v.bound() {
			return v.Deployment, v.Deployment != ""
		}
	}
	return "", false
}

// originKeys are the keys of everything that may have a maker, newest first.
func originKeys(tenant string, body *weir.Body) []string {
	var keys []string
	for i := len(body.Messages) - 1; i >= 0; i-- {
		m := &body.Messages[i]
		if m.Role != weir.RoleAssistant {
			continue
		}
		for j := len(m.Blocks) - 1; j >= 0; j-- {
			b := &m.Blocks[j]
			if state := stateOf(b); state != "" {
				keys = append(keys, stateKey(tenant, state))
			}
			if b.Call != nil {
				keys = append(keys, callKey(tenant, b.Call, func() string { return wordsBefore(body, i) }))
			}
			if len(keys) >= maxOrigin {
				return keys[:maxOrigin]
			}
		}
	}
	return keys
}
