package sim

import (
	"hash/fnv"
	"math"
	"strconv"

	"github.com/weir-gateway/weir"
)

// dimensions is how long a simulated vector is unless the request says otherwise,
// and maxDimensions how long it may be.
const (
	dimensions    = 8
	maxDimensions = 4096
)

// embed answers one vector for each message. Equal texts have equal vectors of
// length 1, and that is all that they have in common with a model's.
func (m *Model) embed(p *play, req *weir.Request, body *weir.Body) {
	if !p.send(m.start(req, body)) {
		return
	}
	n := dimensions
	if e := body.Embed; e != nil && e.Dimensions != nil && *e.Dimensions > 0 {
		n = int(min(*e.Dimensions, maxDimensions))
	}
	for i := range body.Messages {
		v := weir.Event{Type: weir.EventVector, Index: int32(i), More: true, Vector: vector(body.Messages[i].Text(), n)}
		if !p.send(v) {
			return
		}
	}
	p.send(usageEvent(countBody(body), nil))
}

func vector(text string, n int) *weir.Vector {
	h := fnv.New64a()
	numbers := make([]float64, n)
	var sum float64
	for i := range numbers {
		_, _ = h.Write([]byte(text + "\x00"))
		numbers[i] = float64(int32(h.Sum64())) / math.MaxInt32
		sum += numbers[i] * numbers[i]
	}
	length := math.Sqrt(sum)
	if length == 0 {
		length = 1
	}
	out := []byte{'['}
	for i, f := range numbers {
		if i > 0 {
			out = append(out, ',')
		}
		out = strconv.AppendFloat(out, f/length, 'f', 6, 32)
	}
	return &weir.Vector{JSON: append(out, ']')}
}
