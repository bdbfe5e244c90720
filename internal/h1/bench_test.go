package h1

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

// serveBench answers every request on a connection with the same bytes. It
// reads requests of a known size in whole, so that it costs next to nothing and
// the figures are the client's.
func serveBench(b *testing.B, answer []byte) string {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go benchConn(c, answer)
		}
	}()
	return "http://" + l.Addr().String() + "/v1/chat/completions"
}

func benchConn(c net.Conn, answer []byte) {
	defer c.Close()
	buf, n := make([]byte, 1<<20), 0
	for {
		m, err := c.Read(buf[n:])
		if err != nil {
			return
		}
		if n += m; bytes.HasSuffix(buf[:n], []byte("}END")) {
			n = 0
			if _, err := c.Write(answer); err != nil {
				return
			}
		}
	}
}

const benchHead = "HTTP/1.1 200 OK\r\ndate: Fri, 20 Nov 2026 10:00:00 GMT\r\ncontent-type: %s\r\n%s\r\nconnection: keep-alive\r\n" +
	"x-request-id: req_0123456789\r\nopenai-processing-ms: 321\r\nx-ratelimit-limit-requests: 10000\r\n" +
	"x-ratelimit-remaining-requests: 9999\r\nx-ratelimit-remaining-tokens: 199999\r\nserver: cloudflare\r\n\r\n"

func stdClient() http.RoundTripper {
	return &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 512, ReadBufferSize: 16 << 10, WriteBufferSize: 16 << 10}
}

func benchClients(b *testing.B, answer []byte, body string) {
	for name, rt := range map[string]http.RoundTripper{"h1": New(Options{}), "net-http": stdClient()} {
		b.Run(name, func(b *testing.B) {
			url := serveBench(b, answer)
			piece := []byte(body + "}END")
			header := http.Header{"Content-Type": {"application/json"}, "Authorization": {"Bearer sk-x"}, "User-Agent": {"weir"}, "Accept": {"*/*"}}
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				buf := make([]byte, 16<<10)
				for pb.Next() {
					bd := NewBody([][]byte{piece})
					r, _ := http.NewRequestWithContext(b.Context(), http.MethodPost, url, bd.Reader())
					r.Header, r.ContentLength = header, bd.Len()
					res, err := rt.RoundTrip(r)
					if err != nil {
						b.Error(err)
						return
					}
					if _, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, res.Body, buf); err != nil {
						b.Error(err)
					}
					_ = res.Body.Close()
				}
			})
			if c, ok := rt.(interface{ CloseIdleConnections() }); ok {
				c.CloseIdleConnections()
			}
		})
	}
}

func BenchmarkRequest(b *testing.B) {
	body := strings.Repeat("x", 685)
	answer := fmt.Sprintf(benchHead, "application/json", "content-length: 685") + body
	for _, size := range []int{600, 20 << 10, 200 << 10} {
		b.Run(fmt.Sprintf("%dB", size), func(b *testing.B) {
			benchClients(b, []byte(answer), strings.Repeat("y", size))
		})
	}
}

// BenchmarkStream reads 200 chunks of 310 bytes.
func BenchmarkStream(b *testing.B) {
	var answer bytes.Buffer
	fmt.Fprintf(&answer, benchHead, "text/event-stream", "transfer-encoding: chunked")
	for range 200 {
		fmt.Fprintf(&answer, "%x\r\n%s\r\n", 310, strings.Repeat("x", 310))
	}
	answer.WriteString("0\r\n\r\n")
	benchClients(b, answer.Bytes(), "{")
}
