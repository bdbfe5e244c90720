// Package provider makes the calls: it is the innermost weir.Handler, one
// upstream model under one account.
//
// New builds it from Options, that is from endpoints (where, in which protocol,
// with which authentication), credentials (a pool of keys of one account) and a
// transport that all deployments may share. Open does the same from a name and
// the environment, for programs that use Weir as a library. Nothing here
// decides about retries, time limits or other deployments: stages do. The one
// exception is a key that the provider refuses, whose siblings in the pool are
// tried at once.
//
// Begin with options.go, then handle.go and attempt.go for the way of one call;
// credentials.go and auth.go for keys, failure.go for what errors become,
// transport.go for connections, open.go and env.go for the catalogue and the
// environment.
package provider
