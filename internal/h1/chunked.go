package h1

import (
	"bytes"
	"errors"
	"io"
)

// chunkState is where in a chunked body (RFC 9112 §7.1) reading stands.
type chunkState uint8

const (
	chunkSize    chunkState = iota // before the line with a size
	chunkData                      // inside of data
	chunkDataEnd                   // before the line end behind data
	chunkTrailer                   // behind the last chunk
)

// Bounds of what is not data: a size with its extensions, and the trailer.
const (
	maxSizeLine = 1 << 10
	maxTrailer  = 64 << 10
)

// readChunked reads data until p is full or more would have to be waited for.
// If the end is already there, it is taken in the same go: then the result has
// io.EOF, and a reader that knows the end by itself leaves a clean connection.
func (a *answer) readChunked(p []byte) (int, error) {
	n := 0
	for {
		switch {
		case a.chunks != chunkData:
			if n > 0 && !a.conn.in.hasLine() {
				return n, nil
			}
			if err := a.step(); err != nil {
				return n, err
			}
		case n == len(p), n > 0 && len(a.conn.in.buffered()) == 0:
			return n, nil
		default:
			m, err := a.readData(p[n:])
			n += m
			if err != nil {
				return n, err
			}
		}
	}
}

// readData reads of the chunk's data.
func (a *answer) readData(p []byte) (int, error) {
	n, err := a.fetch(p[:min(int64(len(p)), a.left)])
	if a.left -= int64(n); a.left == 0 {
		a.chunks = chunkDataEnd
	}
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// step reads one line that is not data.
func (a *answer) step() error {
	in := &a.conn.in
	switch a.chunks {
	case chunkSize:
		line, err := in.line(maxSizeLine)
		if err != nil {
			return tooLong(err, "a chunk size")
		}
		if a.left, err = chunkLength(line); err != nil {
			return err
		}
		a.chunks = chunkData
		if a.left == 0 {
			a.chunks, a.left = chunkTrailer, maxTrailer
		}
	case chunkDataEnd:
		line, err := in.line(2)
		if err != nil {
			return tooLong(err, "a chunk that is longer than its size")
		}
		if !bytes.Equal(line, crlf) {
			return malformed("a chunk that is longer than its size")
		}
		a.chunks = chunkSize
	case chunkTrailer:
		line, err := in.line(int(a.left))
		if err != nil {
			return tooLong(err, "a trailer")
		}
		if bytes.Equal(line, crlf) {
			return io.EOF
		}
		// Trailers are fields, and nobody here has a use for them.
		if a.left -= int64(len(line)); a.left <= 0 || !bytes.HasSuffix(line, crlf) {
			return malformed("a trailer that is too long or not ended well")
		}
	}
	return nil
}

var crlf = []byte("\r\n")

// chunkLength reads the line of a chunk's size: hexadecimal digits, then maybe
// extensions, which mean nothing here.
func chunkLength(line []byte) (int64, error) {
	text, ok := bytes.CutSuffix(line, crlf)
	if !ok {
		return 0, malformed("a chunk size that is not ended well")
	}
	digits, extensions, _ := bytes.Cut(text, []byte(";"))
	digits = bytes.TrimRight(digits, " \t")
	if len(digits) == 0 || len(digits) > 15 || bytes.IndexByte(extensions, '\r') >= 0 {
		return 0, malformed("a chunk size that is no number")
	}
	n := int64(0)
	for _, d := range digits {
		v := hexValue(d)
		if v < 0 {
			return 0, malformed("a chunk size that is no number")
		}
		n = n<<4 | v
	}
	return n, nil
}

func hexValue(c byte) int64 {
	switch {
	case '0' <= c && c <= '9':
		return int64(c - '0')
	case 'a' <= c && c <= 'f':
		return int64(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int64(c-'A') + 10
	}
	return -1
}

// hasLine reports whether the next line is there.
func (in *input) hasLine() bool { return bytes.IndexByte(in.buffered(), '\n') >= 0 }

// tooLong names the line that was too long. An end inside of one is none.
func tooLong(err error, what string) error {
	if errors.Is(err, errTooLong) {
		return malformed("%s", what)
	}
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
