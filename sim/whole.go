package sim

import (
	"iter"
	"net/http"
	"strconv"

	"github.com/weir-gateway/weir"
)

// whole writes an answer that is not streamed.
func (p *player) whole(events iter.Seq2[weir.Event, error]) {
	var body []byte
	for ev, err := range events {
		if err != nil {
			writeError(p.w, p.codec, weir.AsError(err))
			return
		}
		body = p.enc.Encode(body, ev)
	}
	if p.fault.ErrorAfter.Set {
		p.errorBody(http.StatusInternalServerError, p.injected(weir.KindInternal))
		return
	}
	body = p.enc.Close(body, nil)
	if sleep(p.ctx, p.fault.Slow) != nil {
		return
	}
	p.w.Header().Set("Content-Type", p.enc.ContentType())
	p.bytes(body)
}

// bytes sends the body as far as the fault lets it.
func (p *player) bytes(body []byte) {
	f := p.fault
	part := func(at Point) []byte { return body[:min(at.After, len(body))] }
	length := func() { p.w.Header().Set("Content-Length", strconv.Itoa(len(body))) }
	switch {
	case f.Stall.Set:
		length()
		_ = p.write(part(f.Stall))
		_ = p.flush()
		<-p.ctx.Done()
	case f.Reset.Set:
		length()
		_ = p.write(part(f.Reset))
		p.kill(true)
	case f.Drop.Set:
		length()
		_ = p.write(part(f.Drop))
		p.kill(false)
	case f.Cut.Middle:
		_ = p.write(body[:len(body)/2])
	case f.Cut.Set:
		_ = p.write(part(f.Cut))
	default:
		_ = p.write(body)
	}
}
