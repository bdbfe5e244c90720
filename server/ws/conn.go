package ws

import (
	"context"
	"io"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"github.com/weir-gateway/weir"
)

// A conn is one client's connection.
type conn struct {
	server  *Responses
	ctx     context.Context // ends with the connection
	cancel  context.CancelFunc
	ws      *websocket.Conn
	open    *http.Request // that it came from
	header  http.Header   // for its turns
	wg      sync.WaitGroup
	drain   chan struct{} // closed by goAway
	writing atomic.Int32  // events that are being written
	wrote   atomic.Int64  // when the last one was, in nanoseconds of Unix time
	// settled gets a token whenever no turn runs or waits any more.
	settled chan struct{}

	mu      sync.Mutex // guards what follows
	lanes   map[string]*lane
	queued  int         // turns that wait, over all lanes
	ending  *weir.Error // what a new turn is told once the connection comes to its end
	drained bool        // drain is closed
}

// serve reads the client's events until one side is done.
func (c *conn) serve(r *http.Request, ws *websocket.Conn) {
	c.ws, c.open, c.header = ws, r, turnHeader(c.server.options.Header, r)
	ws.SetReadLimit(-1) // read bounds it, and says so
	stop := context.AfterFunc(c.ctx, func() { _ = ws.CloseNow() })
	defer stop()
	c.wg.Go(c.watch)
	for {
		message, err := c.read()
		if err != nil {
			break
		}
		c.event(message)
	}
	c.cancel()
	_ = ws.CloseNow()
	c.wg.Wait()
}

// piece is by how much a message is read at a time, and readLimit how long it may
// take to arrive: a client that trickles must not hold memory for ever.
const (
	piece     = 64 << 10
	readLimit = 5 * time.Minute
)

// read is the next event of the client, accounted for in the bytes that wait; nil
// when it was none. One that is too long ends the connection.
func (c *conn) read() ([]byte, error) {
	kind, r, err := c.ws.Reader(c.ctx)
	if err != nil {
		return nil, err
	}
	late := time.AfterFunc(readLimit, c.cancel)
	defer late.Stop()
	message, err := c.readAll(r)
	if err != nil {
		c.let(int64(len(message)))
		return nil, err
	}
	if kind != websocket.MessageText {
		c.refuse(message, "", weir.Errorf(weir.KindInvalid, "an event is a text message, not a binary one"))
		return nil, nil
	}
	return message, nil
}

func (c *conn) readAll(r io.Reader) ([]byte, error) {
	var message []byte
	for {
		message = slices.Grow(message, piece)
		n, err := r.Read(message[len(message) : len(message)+piece])
		message = message[:len(message)+n]
		if tooMuch := c.hold(int64(n), int64(len(message))); tooMuch != nil {
			c.close(tooMuch, websocket.StatusMessageTooBig)
			return message, tooMuch
		}
		if err == io.EOF {
			return message, nil
		}
		if err != nil {
			return message, err
		}
	}
}

// hold accounts for n more bytes of a message that has length so far.
func (c *conn) hold(n, length int64) *weir.Error {
	o := &c.server.options
	waiting := c.server.waiting.Add(n)
	switch {
	case length > o.MaxMessage:
		e := weir.Errorf(weir.KindTooLarge, "the event is over the limit of %d bytes", o.MaxMessage)
		e.Hint = "limits.body in weir.yaml raises it"
		return e
	case waiting > o.MaxWaiting:
		e := weir.Errorf(weir.KindOverloaded, "too many bytes of events wait for their turn")
		e.RetryAfter = time.Second
		return e
	}
	return nil
}

// let gives n bytes back.
func (c *conn) let(n int64) { c.server.waiting.Add(-n) }

// send writes one event; false when the client is gone.
func (c *conn) send(event []byte) bool {
	ctx, cancel := context.WithTimeout(c.ctx, c.server.options.WriteLimit)
	defer cancel()
	c.writing.Add(1)
	defer func() {
		c.wrote.Store(time.Now().UnixNano())
		c.writing.Add(-1)
	}()
	if err := c.ws.Write(ctx, websocket.MessageText, event); err != nil {
		c.cancel()
		return false
	}
	return true
}

// watch asks a silent connection whether the client is there, and ends the
// connection when its time has come.
func (c *conn) watch() {
	o := &c.server.options
	ping := time.NewTimer(o.Ping)
	defer ping.Stop()
	life := time.NewTimer(o.Life)
	defer life.Stop()
	for {
		select {
		case <-c.ctx.Done():
			return
		case <-ping.C:
			if quiet := c.quiet(); quiet < o.Ping {
				ping.Reset(o.Ping - quiet)
				continue
			}
			if !c.alive() {
				c.cancel()
				return
			}
			ping.Reset(o.Ping)
		case <-life.C:
			c.end(lifeOver(o.Life), websocket.StatusTryAgainLater, o.Grace)
			return
		case <-c.drain:
			c.end(shuttingDown(), websocket.StatusServiceRestart, 0)
			return
		}
	}
}

// quiet is how long nothing has been written. While an event is, its own limit
// decides how long the client may take: behind it a ping would only wait.
func (c *conn) quiet() time.Duration {
	if c.writing.Load() > 0 {
		return 0
	}
	return time.Duration(time.Now().UnixNano() - c.wrote.Load())
}

func (c *conn) alive() bool {
	ctx, cancel := context.WithTimeout(c.ctx, c.server.options.WriteLimit)
	defer cancel()
	return c.ws.Ping(ctx) == nil || c.writing.Load() > 0
}

// end lets no new turn begin, waits for those that there are, for at most grace,
// and closes the connection. With grace 0 it waits for as long as it takes.
func (c *conn) end(why *weir.Error, code websocket.StatusCode, grace time.Duration) {
	c.mu.Lock()
	c.ending = why
	idle := len(c.lanes) == 0
	c.mu.Unlock()
	var over <-chan time.Time
	if grace > 0 {
		timer := time.NewTimer(grace)
		defer timer.Stop()
		over = timer.C
	}
	for drain := c.drain; !idle; {
		select {
		case <-c.ctx.Done():
			return
		case <-c.settled:
			c.mu.Lock()
			idle = len(c.lanes) == 0
			c.mu.Unlock()
		case <-drain: // the time for that is over's
			drain = nil
		case <-over:
			idle = true
		}
	}
	c.close(why, code)
}

// close tells the client why the connection ends, and ends it.
func (c *conn) close(why *weir.Error, code websocket.StatusCode) {
	if c.fail("", why) {
		_ = c.ws.Close(code, why.Message[:min(len(why.Message), 120)])
	}
	c.cancel()
}

// goAway makes the connection end once its turns have.
func (c *conn) goAway() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.drained {
		c.drained = true
		close(c.drain)
	}
	if c.ending == nil {
		c.ending = shuttingDown()
	}
}

// lifeOver is what clients know to connect again for (protocols.md §5).
func lifeOver(life time.Duration) *weir.Error {
	e := weir.Errorf(weir.KindInvalid, "the connection has reached its limit of %s: create a new WebSocket connection to continue", life)
	e.Code = "websocket_connection_limit_reached"
	return e
}
