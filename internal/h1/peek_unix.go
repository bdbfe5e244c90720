//go:build unix

package h1

import (
	"errors"
	"net"
	"syscall"
)

// A peeker looks whether a connection that should be silent is.
type peeker struct {
	conn syscall.RawConn
	read func(fd uintptr) bool // made once: it would be allocated at each use
	err  error
}

func newPeeker(c net.Conn) *peeker {
	s, ok := c.(syscall.Conn)
	if !ok {
		return nil
	}
	raw, err := s.SyscallConn()
	if err != nil {
		return nil
	}
	p := &peeker{conn: raw}
	p.read = func(fd uintptr) bool {
		var b [1]byte
		_, p.err = syscall.Read(int(fd), b[:])
		return true // never wait
	}
	return p
}

// quiet reports whether there is neither an end nor anything to read. A byte
// that comes unasked is taken, and makes the connection useless too.
func (p *peeker) quiet() bool {
	p.err = nil
	if err := p.conn.Read(p.read); err != nil {
		return false
	}
	return errors.Is(p.err, syscall.EAGAIN) || errors.Is(p.err, syscall.EWOULDBLOCK)
}
