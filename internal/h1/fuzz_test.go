package h1

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"testing"
)

// memConn is a connection that serves data in pieces and takes anything.
type memConn struct {
	net.Conn
	data []byte
	step int
}

func (m *memConn) Read(p []byte) (int, error) {
	if len(m.data) == 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(len(p), m.step)], m.data)
	m.data = m.data[n:]
	return n, nil
}

func (m *memConn) Write(p []byte) (int, error) { return len(p), nil }
func (m *memConn) Close() error                { return nil }

// exchangeOver reads data, coming in pieces of step bytes, as an answer.
func exchangeOver(data []byte, step int) (*http.Response, []byte, error) {
	tr := New(Options{MaxHeaderBytes: 4 << 10, Dial: func(context.Context, string, string) (net.Conn, error) {
		return &memConn{data: data, step: step}, nil
	}})
	req := &http.Request{Method: http.MethodPost, URL: &url.URL{Scheme: "http", Host: "h", Path: "/"}, Header: http.Header{}}
	res, err := tr.RoundTrip(req)
	if err != nil {
		return nil, nil, err
	}
	body, err := io.ReadAll(res.Body)
	return res, body, err
}

// FuzzAnswer checks that an answer means the same however its bytes come, and
// that net/http, which is more tolerant, reads the same where this package
// accepts it.
func FuzzAnswer(f *testing.F) {
	for _, s := range []string{
		fine,
		"HTTP/1.1 100 Continue\r\n\r\n" + fine,
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b\r\nok\r\n0\r\nX: y\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nok",
		"HTTP/1.0 200\n\nuntil the end",
		"HTTP/1.1 204 No\r\nconnection: a, close\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n\r\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		res, body, err := exchangeOver(data, 1<<20)
		again, body1, err1 := exchangeOver(data, 1)
		if (err == nil) != (err1 == nil) || (res == nil) != (again == nil) || !bytes.Equal(body, body1) {
			t.Fatalf("in one piece: %q %v; byte by byte: %q %v", body, err, body1, err1)
		}
		if err != nil {
			return
		}
		std, stdBody, ok := byNetHTTP(data)
		if !ok {
			return // net/http is stricter in places that do not matter here
		}
		if std.StatusCode != res.StatusCode || !bytes.Equal(stdBody, body) {
			t.Fatalf("net/http reads %d %q, this %d %q", std.StatusCode, stdBody, res.StatusCode, body)
		}
		for name, values := range res.Header {
			if name != "Content-Length" && name != "Transfer-Encoding" && name != "Connection" && !slices.Equal(values, std.Header[name]) {
				t.Fatalf("%s is %q, and %q by net/http", name, values, std.Header[name])
			}
		}
	})
}

func byNetHTTP(data []byte) (*http.Response, []byte, bool) {
	r := bufio.NewReader(bytes.NewReader(data))
	for {
		res, err := http.ReadResponse(r, &http.Request{Method: http.MethodPost})
		if err != nil {
			return nil, nil, false
		}
		if res.StatusCode < 200 {
			continue
		}
		body, err := io.ReadAll(res.Body)
		return res, body, err == nil
	}
}
