// Package eventstream cuts streams of AWS (application/vnd.amazon.eventstream)
// into frames and writes frames. It gives payloads no meaning and loses no byte:
// the Raw of all frames together is the stream.
//
// A frame is, all numbers big-endian (Smithy, Amazon Event Stream
// specification, read 2026-08-07):
//
//	4 bytes  length of the whole frame
//	4 bytes  length of the headers
//	4 bytes  CRC-32 (IEEE) of the 8 bytes before
//	headers  name length (1), name, type (1), value
//	payload
//	4 bytes  CRC-32 of everything before
//
// Where to begin reading: Reader.Next in reader.go says what a frame is; frame.go
// reads its headers, fill.go keeps the buffer; write.go is the other direction.
// sse.go turns the chunks of Bedrock's InvokeModelWithResponseStream into the
// text/event-stream that is wrapped in them.
package eventstream
