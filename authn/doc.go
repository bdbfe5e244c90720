// Package authn turns the credential that comes with a request into a
// Principal.
//
// Keys are the gateway's own: random, kept as SHA-256 hashes only, and looked
// up by hash, so that no comparison depends on how much of a guess is right.
// A fast hash is enough for 32 random bytes. Begin with keys.go; generate.go
// makes new keys.
package authn
