package jsonx

const (
	lowBits  = 0x0101010101010101
	highBits = 0x8080808080808080
)

// special looks at eight bytes at once: the high bit of a byte of the result is
// set when that byte of w is a quote, a backslash or a control character. Bytes
// above the first such one, and bytes outside ASCII, may be marked wrongly; a
// zero under highBits is always right for ASCII, and no special byte is missed.
func special(w uint64) uint64 {
	quotes := w ^ lowBits*'"'
	slashes := w ^ lowBits*'\\'
	return (w - lowBits*0x20) | (quotes - lowBits) | (slashes - lowBits)
}
