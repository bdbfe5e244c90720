// Package price turns usage into money: each token once, at the rate of its own
// kind, in integers and in the vendor's currency. What cannot be priced is
// unknown, which is neither zero nor free; the caller decides what follows.
//
// Begin with Cost in cost.go.
package price
