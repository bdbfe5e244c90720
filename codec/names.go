package codec

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"strconv"
)

// legalName marks the bytes that every protocol allows in names of tools and in
// call ids.
func legalName(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-'
}

func isLegal(s string, limit int) bool {
	for i := range len(s) {
		if !legalName(s[i]) {
			return false
		}
	}
	return len(s) > 0 && len(s) <= limit
}

// defaultLength is the limit of names and ids where a target names none.
const defaultLength = 64

// ShortenName is name as a target with names of at most limit characters of
// [a-zA-Z0-9_-] takes it: unchanged when it is legal, else what is legal of it
// with a hash of the whole at the end. Equal names give equal results, in every
// turn of a conversation. limit below 1 is 64.
func ShortenName(name string, limit int) string { return shortenName(name, limit, "") }

func shortenName(name string, limit int, salt string) string {
	if limit < 1 {
		limit = defaultLength
	}
	if salt == "" && isLegal(name, limit) {
		return name
	}
	sum := sha256.Sum256([]byte(salt + name))
	suffix := "_" + hex.EncodeToString(sum[:4])
	if limit <= len(suffix) {
		return hex.EncodeToString(sum[:])[:min(limit, 2*len(sum))]
	}
	out := make([]byte, 0, limit)
	for _, r := range name {
		if len(out) == limit-len(suffix) {
			break
		}
		if r < 0x80 && legalName(byte(r)) {
			out = append(out, byte(r))
		} else {
			out = append(out, '_')
		}
	}
	return string(append(out, suffix...))
}

// A NameMap gives every tool name of a request its name at the target, no two
// the same, and knows the way back. Names that are legal keep theirs. It is read
// only once made and then safe for concurrent use.
type NameMap struct {
	limit int
	sent  map[string]string
	back  map[string]string
}

// NewNameMap maps names for a target that takes at most limit characters.
func NewNameMap(limit int, names ...string) *NameMap {
	if limit < 1 {
		limit = defaultLength
	}
	m := &NameMap{limit: limit}
	taken := map[string]bool{}
	for _, name := range names {
		if isLegal(name, limit) {
			taken[name] = true
		}
	}
	for _, name := range names {
		if _, done := m.sent[name]; !done && name != "" && !isLegal(name, limit) {
			m.add(name, taken)
		}
	}
	return m
}

// add shortens name, salted again as long as the result is another's name.
func (m *NameMap) add(name string, taken map[string]bool) {
	short := shortenName(name, m.limit, "")
	for n := 1; taken[short]; n++ {
		short = shortenName(name, m.limit, strconv.Itoa(n)+"/")
	}
	taken[short] = true
	if m.sent == nil {
		m.sent, m.back = map[string]string{}, map[string]string{}
	}
	m.sent[name], m.back[short] = short, name
}

// Sent is the name under which the target knows the tool.
func (m *NameMap) Sent(name string) string {
	if short, ok := m.sent[name]; ok {
		return short
	}
	return name
}

// Back maps shortened names to the originals; nil when nothing was shortened.
// It is what a Call's Names hold.
func (m *NameMap) Back() map[string]string { return m.back }

// ShortenID is a call id as a target with ids of at most limit characters of
// [a-zA-Z0-9_-] takes it: unchanged when it is legal or empty, else "call_" and
// a hash. Calls and their results stand in one request, so the hash needs no
// way back. limit below 1 is 64.
func ShortenID(id string, limit int) string {
	if limit < 1 {
		limit = defaultLength
	}
	if id == "" || isLegal(id, limit) {
		return id
	}
	out := "call_" + base62(id, 20)
	return out[max(0, len(out)-limit):]
}

// AlnumID9 is id as nine letters and digits, the only form that Mistral takes:
// unchanged when it has it or is empty, else a hash.
func AlnumID9(id string) string {
	if id == "" || (len(id) == 9 && isAlnum(id)) {
		return id
	}
	return base62(id, 9)
}

func isAlnum(s string) bool {
	for i := range len(s) {
		if c := s[i]; !legalName(c) || c == '_' || c == '-' {
			return false
		}
	}
	return true
}

const digits62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// base62 is n letters and digits that are a hash of s; n is at most 40.
func base62(s string, n int) string {
	sum := sha256.Sum256([]byte(s))
	out := make([]byte, 0, n)
	for i := 0; len(out) < n; i++ {
		word := binary.BigEndian.Uint64(sum[8*(i%4):])
		for k := 0; k < 10 && len(out) < n; k++ {
			out = append(out, digits62[word%62])
			word /= 62
		}
	}
	return string(out)
}
