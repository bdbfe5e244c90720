// Package faultproxy is a TCP proxy that breaks what it carries, for tests of
// what a real network does to a real server: connections that are refused,
// reset, cut, half closed, frozen, slow or garbled, at a chosen byte of the
// answer. The simulator (package sim) breaks answers in their protocol's own
// terms; this package breaks the bytes below them, and knows of HTTP only where
// an answer's head ends.
//
//	p := faultproxy.New(t, upstream.URL)
//	p.Set(faultproxy.Fault{Do: faultproxy.Reset, After: 500})
//	… call p.URL() …
//
// Begin with fault.go, then proxy.go; conn.go is one connection.
package faultproxy
