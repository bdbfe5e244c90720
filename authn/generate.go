package authn

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash/crc32"
	"math/big"
	"strings"
)

// A Digest is the SHA-256 of a key.
type Digest [sha256.Size]byte

// String is the form that stands in a configuration: "sha256:" and hex digits.
func (d Digest) String() string { return hashPrefix + hex.EncodeToString(d[:]) }

const (
	keyPrefix  = "weir-"
	hashPrefix = "sha256:"
	// bodyLen is 32 bytes and sumLen is 4 bytes in base 62.
	bodyLen = 43
	sumLen  = 6
)

// Generate makes a new key and the hash to keep in its place. The key is
// "weir-", 32 random bytes in letters and digits, and six that check them.
func Generate() (key, hash string) {
	var secret [32]byte
	rand.Read(secret[:]) // never fails: crypto/rand ends the program instead
	body := base62(secret[:], bodyLen)
	key = keyPrefix + body + checksum(body)
	return key, Hash(key)
}

// Hash is the hash of a key in the form that Key.Hash has.
func Hash(key string) string { return Digest(sha256.Sum256([]byte(key))).String() }

// ParseHash reads the form that Hash makes.
func ParseHash(s string) (Digest, error) {
	var d Digest
	digits, ok := strings.CutPrefix(s, hashPrefix)
	if !ok || len(digits) != hex.EncodedLen(len(d)) {
		return d, errors.New(`want "sha256:" and 64 hex digits`)
	}
	if _, err := hex.Decode(d[:], []byte(digits)); err != nil {
		return Digest{}, errors.New(`want "sha256:" and 64 hex digits`)
	}
	if d == (Digest{}) {
		return d, errors.New("the hash is a placeholder")
	}
	return d, nil
}

// mistyped reports whether key has the form of a generated one and a checksum
// that does not fit: a slip of the hand, and not a key of somebody else.
func mistyped(key string) bool {
	body, ok := strings.CutPrefix(key, keyPrefix)
	if !ok {
		return false
	}
	return len(body) != bodyLen+sumLen || checksum(body[:bodyLen]) != body[bodyLen:]
}

func checksum(body string) string {
	sum := crc32.ChecksumIEEE([]byte(body))
	return base62([]byte{byte(sum >> 24), byte(sum >> 16), byte(sum >> 8), byte(sum)}, sumLen)
}

// base62 writes b as a number of n digits.
func base62(b []byte, n int) string {
	const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	out := make([]byte, n)
	x, base, rest := new(big.Int).SetBytes(b), big.NewInt(62), new(big.Int)
	for i := n - 1; i >= 0; i-- {
		x.DivMod(x, base, rest)
		out[i] = digits[rest.Int64()]
	}
	return string(out)
}
