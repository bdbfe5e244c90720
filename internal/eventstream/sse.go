package eventstream

import (
	"encoding/base64"
	"io"
)

// sseBatch is how much text is put together before it is handed on, in bytes.
const sseBatch = 32 << 10

type sseReader struct {
	frames *Reader
	out    []byte // what was converted
	at     int    // what Read has passed on of out
	head   []byte // of the current event: its event line and the beginning of its data line
	failed error
}

// NewSSE turns an answer of Bedrock's InvokeModelWithResponseStream into the
// stream that it wraps. Each frame of type chunk has the payload
//
//	{"bytes":"<base64 of JSON>","p":"<padding>"}
//
// (botocore bedrock-runtime, PayloadPart, 2026-08-07) and becomes
//
//	event: <its "type">
//	data: <the JSON>
//
// and a blank line; the event line is left out when the JSON has no type. Frames
// of other types are passed over. An exception becomes an *Exception, once all
// that came before it has been read; other errors are those of Reader.Next.
// maxFrameBytes bounds a frame as in NewReader.
//
// A Read returns as soon as one frame is there, with all that came with it.
// Closing r is the caller's. The result belongs to one goroutine at a time.
func NewSSE(r io.Reader, maxFrameBytes int) io.Reader {
	return &sseReader{frames: NewReader(r, maxFrameBytes)}
}

// Read implements io.Reader.
func (s *sseReader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for s.at == len(s.out) {
		if s.failed != nil {
			return 0, s.failed
		}
		s.out, s.at = s.out[:0], 0
		s.convert()
	}
	n := copy(p, s.out[s.at:])
	s.at += n
	return n, nil
}

// convert takes the next frame, and those that are there already.
func (s *sseReader) convert() {
	for s.failed == nil {
		f, err := s.frames.Next()
		if err == nil {
			err = s.frame(f)
		}
		if err != nil {
			s.failed = err
			s.frames.Release()
			return
		}
		if len(s.out) >= sseBatch || len(s.out) > 0 && !s.frames.More() {
			return
		}
	}
}

func (s *sseReader) frame(f *Frame) error {
	if e := f.Exception(); e != nil {
		return e
	}
	if f.Type != TypeEvent || string(f.Name) != "chunk" {
		return nil
	}
	encoded := stringMember(f.Payload, "bytes")
	if len(encoded) == 0 {
		return nil
	}
	return s.chunk(encoded)
}

// chunk writes one event. The JSON is decoded in place, and moved behind the event
// line once its type is known.
func (s *sseReader) chunk(encoded []byte) error {
	begin := len(s.out)
	out, err := base64.StdEncoding.AppendDecode(s.out, encoded)
	if err != nil {
		return &CorruptError{"a chunk is not base64"}
	}
	size := len(out) - begin
	data := out[begin:]
	for i, c := range data {
		if c == '\n' || c == '\r' {
			data[i] = ' ' // white space of JSON, which would end the data line
		}
	}
	s.head = s.head[:0]
	if name := stringMember(data, "type"); name != nil {
		s.head = append(append(append(s.head, "event: "...), name...), '\n')
	}
	s.head = append(s.head, "data: "...)
	out = append(out, s.head...) // room, for now
	copy(out[begin+len(s.head):], out[begin:begin+size])
	copy(out[begin:], s.head)
	out = append(out, "\n\n"...)
	s.out = out
	return nil
}
