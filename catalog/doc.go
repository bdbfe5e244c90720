// Package catalog is what Weir knows about providers, as data: endpoints,
// authentication, deviations from the protocol, models with their limits,
// capabilities and prices, each with its source and date.
//
// One JSON file a provider lies in data/ and is embedded; a new provider is a
// new file. Prices keep the vendor's own currency. The catalogue is knowledge
// and never permission: a model that it does not list can be called all the
// same, and what it does not say is unknown, not false and not zero.
//
// Begin with provider.go, model.go and sheet.go (the types), then catalog.go
// (loading and looking up), merge.go (a user's overrides) and baseurl.go
// (addresses that users write). validate.go says what a file must satisfy.
package catalog
