// Package gemini speaks Google's generateContent protocol on both sides, as the
// Gemini API and Vertex AI have it: generateContent, streamGenerateContent in
// both framings, countTokens, embedContent and batchEmbedContents (protocols.md
// §7; googleapis protos of 2026-08-22). The model, the method and the framing
// stand in the path and the query, not in the body.
//
// Where to begin reading: codec.go is the way in, address.go reads the path. The
// server half reads requests in open.go and read_*.go and writes answers in
// encoder.go (which frames go out as they came), chunk_writer.go (one chunk by
// value) and whole_encoder.go. The client half writes requests in request.go
// (bytes kept, edits.go) and write_*.go (translated) and reads answers in
// answer.go, stream.go (frames) and chunk.go (what one of them says). schema.go
// brings a JSON Schema into the subset that older models take.
//
// JSON here is that of protobuf: members have a camelCase and a snake_case name.
// Requests are read in both, and written back as they came; see spelling.go.
package gemini
