package eventstream

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
)

// DefaultMaxFrame is the longest frame of a Reader that was given no limit.
const DefaultMaxFrame = 64 << 20

const (
	preludeLength = 12 // two lengths and their checksum
	overhead      = preludeLength + 4
)

// Reader cuts a stream into frames. It belongs to one goroutine at a time.
type Reader struct {
	src   io.Reader
	limit int
	buf   []byte // buf[start:end] is read and not delivered yet
	start int
	end   int

	pooled *[]byte // where buf goes back to; nil after Release

	srcErr error // what ended the source; delivered when no frame is left
	failed error // what Next returns from now on

	frame Frame
}

// NewReader returns a Reader of src. maxFrameBytes limits the length of one
// frame and thereby the memory the Reader takes; 0 or less means
// DefaultMaxFrame. Its buffer comes from a pool: call Release when done.
func NewReader(src io.Reader, maxFrameBytes int) *Reader {
	if maxFrameBytes <= 0 {
		maxFrameBytes = DefaultMaxFrame
	}
	pooled := buffers.Get().(*[]byte)
	return &Reader{src: src, limit: maxFrameBytes, buf: *pooled, pooled: pooled}
}

// Next returns the next frame, its checksums proven. The Frame and its slices are
// valid until the next call of Next or Release.
//
// A frame is delivered as soon as its last byte is there; Next never reads while
// a complete frame is buffered, and reads once at a time.
//
// When the source ends between frames the error is io.EOF, inside of one
// io.ErrUnexpectedEOF; when it fails, its own. A frame over the limit gives a
// *TooLongError, bytes that are no frame a *CorruptError. Errors last: later
// calls repeat them.
func (r *Reader) Next() (*Frame, error) {
	if r.failed != nil {
		return nil, r.failed
	}
	for {
		size, err := r.size()
		if err != nil {
			return nil, r.fail(err)
		}
		if size > 0 && r.end-r.start >= size {
			if err := r.deliver(size); err != nil {
				return nil, r.fail(err)
			}
			return &r.frame, nil
		}
		if r.srcErr != nil {
			return nil, r.fail(r.ended())
		}
		r.fill(size)
	}
}

// ended is what the end of the source means.
func (r *Reader) ended() error {
	if errors.Is(r.srcErr, io.EOF) && r.start != r.end {
		return io.ErrUnexpectedEOF
	}
	return r.srcErr
}

// size is the length of the frame that begins at start, 0 while not enough of it
// is there to tell. Lengths are believed only once their checksum is right: a
// reader that lost its place must not wait for gigabytes.
func (r *Reader) size() (int, error) {
	b := r.buf[r.start:r.end]
	if len(b) < preludeLength {
		return 0, nil
	}
	total, headers := binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:])
	switch {
	case crc32.ChecksumIEEE(b[:8]) != binary.BigEndian.Uint32(b[8:]):
		return 0, &CorruptError{"the checksum of a frame's lengths is wrong"}
	case total < overhead || headers > total-overhead:
		return 0, &CorruptError{"a frame's headers are longer than the frame"}
	case uint64(total) > uint64(r.limit):
		return 0, &TooLongError{Limit: r.limit}
	}
	return int(total), nil
}

// deliver makes the frame of the next size bytes.
func (r *Reader) deliver(size int) error {
	raw := r.buf[r.start : r.start+size : r.start+size]
	r.start += size
	body := size - 4
	if crc32.ChecksumIEEE(raw[:body]) != binary.BigEndian.Uint32(raw[body:]) {
		return &CorruptError{"the checksum of a frame is wrong"}
	}
	headers := preludeLength + int(binary.BigEndian.Uint32(raw[4:]))
	f := &r.frame
	f.Raw, f.Headers, f.Payload = raw, raw[preludeLength:headers:headers], raw[headers:body:body]
	if err := f.readHeaders(); err != nil {
		return err
	}
	return nil
}

// More reports whether Next would return without reading: another complete frame
// is buffered, or the source has ended. It changes nothing; the current Frame
// stays valid.
func (r *Reader) More() bool {
	if r.failed != nil {
		return false
	}
	if r.srcErr != nil {
		return r.start != r.end
	}
	b := r.buf[r.start:r.end]
	return len(b) >= preludeLength && uint64(len(b)) >= uint64(binary.BigEndian.Uint32(b))
}

// fail makes err what Next returns from now on.
func (r *Reader) fail(err error) error {
	r.failed = err
	return err
}
