// Package h1 is a lean HTTP/1.1 client: an http.RoundTripper for plain TCP and
// for TLS that spends much less on a request than http.Transport does.
//
// The goroutine that calls RoundTrip writes the request and reads the answer
// itself. A connection has no goroutine of its own, neither at work nor idle;
// only a long request body is written by one, so that an answer that comes
// early is not missed. Nothing is handed from one goroutine to another, and
// what a request needs of memory is pooled or made in one piece.
//
// What is not here: HTTP/2, proxies, redirects, cookies, decompression,
// upgrades. Who needs those uses http.Transport.
//
// It is strict where two readers of the same bytes could disagree about where
// an answer ends (RFC 9112, June 2022, sections 6.3 and 7.1): lengths that
// conflict, a length beside chunks, a chunk size that is no plain hexadecimal
// number and folded headers end the connection with an error.
//
// Begin with Transport.RoundTrip in transport.go, then exchange.go for one
// exchange on one connection, head.go for reading the head of an answer,
// answer.go and chunked.go for its body, pool.go for connections that wait.
package h1
