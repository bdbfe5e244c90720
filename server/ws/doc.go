// Package ws is the WebSocket face of the Responses API: a client keeps one
// connection and sends a response.create event for each turn (protocols.md §5;
// OpenAPI 2.3.0, ResponsesClientEvent, 2026-08-21).
//
// Every turn is served by the http.Handler that serves POST /v1/responses too,
// as a request of its own with the headers of the connection: keys, limits, the
// ledger and the words of errors are those of HTTP because they are the same
// (P-17). What this package adds is the connection: lanes, in which turns run one
// after the other; events without their framing; errors as events; a life that
// ends; and going away without cutting an answer.
//
// Begin with Responses in responses.go, then conn.go and lane.go; turn.go is one
// turn from its event to its last.
package ws
