// Package route turns the model that a client asked for into the deployments
// that may serve it, and refuses models that a gateway key may not use.
//
// New is the stage. It asks a Resolver, of which Table is the usual one:
// aliases, "provider/model" for every configured provider whether or not the
// catalog knows the model, and bare names where they are unambiguous. What a
// key may not use is not named to it either: not in listings, not in hints.
//
// In which order deployments are tried is a Strategy: Balance puts those of a
// name in order for each request, by their health, their zone and a Method, and
// Split sends parts of the requests to different models.
//
// Begin with route.go, then table.go; for strategies with strategy.go, then
// balance.go.
package route
