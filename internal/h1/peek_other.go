//go:build !unix

package h1

import "net"

// A peeker is not available here: a connection that the server closed is
// noticed when it is used.
type peeker struct{}

func newPeeker(net.Conn) *peeker { return nil }

func (*peeker) quiet() bool { return true }
