package provider

import (
	"compress/gzip"
	"compress/zlib"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/weir-gateway/weir"
)

// decoded undoes a Content-Encoding that was not asked for, and takes it and
// the length out of h, where they would no longer be true. At most limit bytes
// come out: a small answer can unpack to a very large one.
func decoded(src io.Reader, h http.Header, limit int64) (io.Reader, error) {
	var unpack func(io.Reader) (io.Reader, error)
	switch encoding := strings.ToLower(strings.TrimSpace(h.Get("Content-Encoding"))); encoding {
	case "", "identity":
		return src, nil
	case "gzip", "x-gzip":
		unpack = func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) }
	case "deflate":
		unpack = func(r io.Reader) (io.Reader, error) { return zlib.NewReader(r) }
	default:
		return nil, weir.Errorf(weir.KindUpstream,
			"the answer is encoded as %.40q, which was not asked for", encoding)
	}
	h.Del("Content-Encoding")
	h.Del("Content-Length")
	return &unpacker{src: src, open: unpack, left: limit}, nil
}

// unpacker opens on first use, since that reads.
type unpacker struct {
	src  io.Reader
	open func(io.Reader) (io.Reader, error)
	out  io.Reader
	left int64
}

// Read implements io.Reader.
func (u *unpacker) Read(p []byte) (int, error) {
	if u.out == nil {
		out, err := u.open(u.src)
		if err != nil {
			return 0, unpackError(err)
		}
		u.out = out
	}
	if u.left <= 0 {
		return 0, weir.Errorf(weir.KindUpstream, "the compressed answer unpacks to more than is allowed")
	}
	if int64(len(p)) > u.left {
		p = p[:u.left]
	}
	n, err := u.out.Read(p)
	u.left -= int64(n)
	if err != nil && !errors.Is(err, io.EOF) {
		err = unpackError(err)
	}
	return n, err
}

// unpackError keeps what the connection said and names what is wrong with the
// data.
func unpackError(err error) error {
	e := connectionError(err)
	if errors.Is(e.Err, err) { // nothing that was known already
		e.Message = "the compressed answer is damaged or cut"
	}
	return e
}
