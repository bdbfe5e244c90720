package jsonx

// names is a set of member names that may hold more than was put into it (a
// Bloom filter with one hash): it answers whether a walk over the members below
// is worth its while. The zero value is empty.
type names [4]uint64

// maxNoted is the longest name that is noted, in bytes.
const maxNoted = 24

func (n *names) add(name []byte) {
	h := hashName(name)
	n[h>>6&3] |= 1 << (h & 63)
}

func (n *names) mayHave(name string) bool {
	if len(name) > maxNoted {
		return true
	}
	h := hashName(name)
	return n[h>>6&3]>>(h&63)&1 == 1
}

func hashName[T string | []byte](name T) uint32 {
	h := uint32(2166136261)
	for i := range len(name) {
		h = (h ^ uint32(name[i])) * 16777619
	}
	return h ^ h>>15
}
