package server

import (
	_ "embed"
	"net/http"
)

// capabilities is what becomes of every feature between every pair of
// protocols. TestMatrix finds it out and writes it (O-15).
//
//go:embed capabilities.json
var capabilities []byte

// matrix serves the capabilities. They say nothing about this gateway's
// configuration, so that nobody needs a key.
func (*Server) matrix(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, capabilities)
}
