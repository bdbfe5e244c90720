package share

import (
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"maps"
	"slices"

	"github.com/weir-gateway/weir"
)

type digest [sha256.Size]byte

// Digest names what is asked and by whom: the principal, the operation and the
// request as it was received, byte for byte. It is empty for a request that was
// made in Go or has been edited, of which there are no bytes.
//
// Two requests that differ in anything, such as the pseudonym of the end user,
// have different digests. It costs about a microsecond for each KB.
func Digest(req *weir.Request) string {
	w := req.Wire
	if w == nil {
		return ""
	}
	h := hasher{sha256.New()}
	if req.Principal != nil {
		h.add("principal", req.Principal.Name)
	}
	h.add(req.Op.String(), req.Model, string(w.Protocol), w.Method, w.Path, w.Query, w.ContentType)
	for _, name := range slices.Sorted(maps.Keys(req.Labels)) {
		h.add(name, req.Labels[name])
	}
	for _, name := range slices.Sorted(maps.Keys(w.Header)) {
		h.add(name)
		h.add(w.Header[name]...)
	}
	h.length(len(w.Body))
	h.Write(w.Body)
	return string(h.Sum(nil))
}

// hasher hashes texts so that none runs into the next.
type hasher struct{ hash.Hash }

func (h hasher) add(texts ...string) {
	h.length(len(texts))
	for _, s := range texts {
		h.length(len(s))
		h.Write([]byte(s))
	}
}

func (h hasher) length(n int) {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(n))
	h.Write(b[:])
}
