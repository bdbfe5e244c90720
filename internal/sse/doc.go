// Package sse cuts event streams (text/event-stream) into frames and writes
// frames. It gives the data no meaning and loses no byte: the Raw of all frames
// together is the stream.
//
// Where to begin reading: Reader.Next in reader.go says what a frame is; line.go
// finds line ends, fields.go collects the fields of a frame, fill.go keeps the
// buffer; write.go is the other direction.
package sse
