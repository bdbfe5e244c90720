package jsonx

// Compact appends raw to dst without the white space between tokens and with
// everything else byte for byte. It does not check raw: from a string that is
// not closed on, the text is copied as it is. dst may be raw[:0].
func Compact(dst, raw []byte) []byte {
	start := 0 // of the run that has not been copied yet
	for i := 0; i < len(raw); {
		switch classOf[raw[i]] {
		case quote:
			end := stringEnd(raw, i)
			if end < 0 {
				return append(dst, raw[start:]...)
			}
			i = end
		case space:
			dst = append(dst, raw[start:i]...)
			i = skipSpaceRun(raw, i)
			start = i
		default:
			i++
		}
	}
	return append(dst, raw[start:]...)
}
