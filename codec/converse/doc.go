// Package converse speaks the Converse API of Amazon Bedrock on both sides:
// Converse, ConverseStream and CountTokens (botocore bedrock-runtime service
// model of 2026-08-07; protocols.md §10 to §12, providers.md §6). One form serves
// models of many makers; what they differ in is decided by the model's id, which
// stands in the path.
//
// Where to begin reading: codec.go is the way in, model.go says what an id tells.
// The server half reads requests in open.go, read_body.go, read_content.go and
// read_settings.go and writes answers in encoder.go (which frames go out as they
// came), stream_writer.go and message_writer.go. The client half writes requests
// in request.go (bytes kept, edits.go) and write_body.go (translated,
// write_turns.go, plan.go) and reads answers in answer.go, whole.go and stream.go.
package converse
