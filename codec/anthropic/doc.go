// Package anthropic speaks Anthropic Messages and count_tokens on both sides
// (protocols.md §6; Anthropic API reference, read 2026-08-07, and versioning
// pages of 2026-10-21). The endpoints of DeepSeek, Kimi, GLM, Qwen and MiniMax
// in the same format differ by quirks only.
//
// Where to begin reading: codec.go is the way in. The server half reads requests
// in open.go, body_decode.go and block_decode.go and writes answers in
// encoder.go (which frames go out as they came), stream_writer.go (the state
// machine of a stream) and message_writer.go (a whole answer). The client half
// writes requests in request.go (bytes kept, quirks.go) and body_encode.go
// (translated, turns.go) and reads answers in answer.go and stream.go.
package anthropic
