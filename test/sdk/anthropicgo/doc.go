// Package anthropicgo runs the official Anthropic client for Go, unchanged,
// through Weir to a simulated upstream of every protocol. These tests are for
// the current major version; those of anthropicgo1 are made from them, for the
// one before.
package anthropicgo

//go:generate bash ../copy-v1.sh
