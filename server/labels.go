package server

import (
	"net/http"
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/gateway"
)

// Headers by which a client labels a request, for the ledger and for routing.
const (
	labelsHeader  = "X-Weir-Labels"
	sessionHeader = "X-Weir-Session"
)

// maxLabels and maxLabel bound how many labels a request may have, and the bytes
// of one.
const (
	maxLabels = 16
	maxLabel  = 256
)

// labels reads x-weir-labels: team=search, env=prod; and x-weir-session, which is
// the label that says which requests belong together.
func labels(r *http.Request) (map[string]string, error) {
	text, session := r.Header.Get(labelsHeader), r.Header.Get(sessionHeader)
	if text == "" && session == "" {
		return nil, nil
	}
	out := map[string]string{}
	for pair := range strings.SplitSeq(text, ",") {
		if pair = strings.TrimSpace(pair); pair == "" {
			continue
		}
		name, value, ok := strings.Cut(pair, "=")
		if name = strings.TrimSpace(name); !ok || name == "" {
			return nil, weir.Invalid(labelsHeader, "%s: write name=value, separated by commas", labelsHeader)
		}
		out[name] = strings.TrimSpace(value)
	}
	if session != "" {
		out[gateway.SessionLabel] = session
	}
	for name, value := range out {
		if len(out) > maxLabels || len(name)+len(value) > maxLabel {
			return nil, weir.Invalid(labelsHeader, "%s: at most %d labels of %d bytes each", labelsHeader, maxLabels, maxLabel)
		}
	}
	return out, nil
}
