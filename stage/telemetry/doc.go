// Package telemetry counts calls for Prometheus. Its stage is the outermost of
// a chain: what it measures is what the client waits for.
//
// Labels are bounded whatever clients send: a deployment becomes a label only
// when it is known, and only so many; the rest is "other". A call costs one
// look-up of its series, and an event a comparison or two.
//
// Begin with metrics.go (what is exported), then stage.go.
package telemetry
