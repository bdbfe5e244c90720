package weir

import (
	"encoding/base64"
	"encoding/binary"
	"math"
	"strconv"
	"strings"
)

// Floats are the vector's numbers. The error is KindUpstream: the provider sent
// what is no vector.
func (v *Vector) Floats() ([]float64, error) {
	if v.Base64 != "" {
		return floatsOfBase64(v.Base64)
	}
	text, ok := strings.CutPrefix(strings.TrimSpace(string(v.JSON)), "[")
	text, closed := strings.CutSuffix(text, "]")
	if !ok || !closed {
		return nil, Errorf(KindUpstream, "a vector is not a list of numbers")
	}
	if strings.TrimSpace(text) == "" {
		return []float64{}, nil
	}
	out := make([]float64, 0, strings.Count(text, ",")+1)
	for number := range strings.SplitSeq(text, ",") {
		f, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
		if err != nil || math.IsInf(f, 0) || math.IsNaN(f) {
			return nil, Errorf(KindUpstream, "a vector holds what is no number")
		}
		out = append(out, f)
	}
	return out, nil
}

func floatsOfBase64(text string) ([]float64, error) {
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(raw)%4 != 0 {
		return nil, Errorf(KindUpstream, "a vector is not base64 of 32-bit numbers")
	}
	out := make([]float64, 0, len(raw)/4)
	for ; len(raw) > 0; raw = raw[4:] {
		f := float64(math.Float32frombits(binary.LittleEndian.Uint32(raw)))
		if math.IsInf(f, 0) || math.IsNaN(f) {
			return nil, Errorf(KindUpstream, "a vector holds what is no number")
		}
		out = append(out, f)
	}
	return out, nil
}

// AsJSON is the vector as an array of numbers; as received where it was one.
func (v *Vector) AsJSON() ([]byte, error) {
	if v.Base64 == "" {
		return v.JSON, nil
	}
	numbers, err := v.Floats()
	if err != nil {
		return nil, err
	}
	out := []byte{'['}
	for i, f := range numbers {
		if i > 0 {
			out = append(out, ',')
		}
		out = strconv.AppendFloat(out, f, 'g', -1, 32)
	}
	return append(out, ']'), nil
}

// AsBase64 is the vector as base64 of little-endian 32-bit floats; as received
// where it was that.
func (v *Vector) AsBase64() (string, error) {
	if v.Base64 != "" {
		return v.Base64, nil
	}
	numbers, err := v.Floats()
	if err != nil {
		return "", err
	}
	raw := make([]byte, 0, 4*len(numbers))
	for _, f := range numbers {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(float32(f)))
	}
	return base64.StdEncoding.EncodeToString(raw), nil
}
