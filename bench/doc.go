// Package bench holds the benchmarks of the whole and of its hot paths; it has
// no code of its own.
//
// run.sh is the way in. It measures the built binary with cmd/weirbench beside
// the reverse proxy in baseline, and the functions of the hot path with the
// benchmarks in this folder: samples_test.go is what goes in, codec_test.go the
// protocols by themselves, gateway_test.go the chain and the server around them.
// cmd/profweir is the gateway with a profiler around it.
package bench
