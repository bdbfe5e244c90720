package server

import (
	"bufio"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/weir-gateway/weir/catalog"
	"github.com/weir-gateway/weir/codec/all"
	"github.com/weir-gateway/weir/config"
	"github.com/weir-gateway/weir/gateway"
)

// A body that trickles is given up, and the client is told.
func TestABodyThatNeverArrivesIsGivenUp(t *testing.T) {
	defer func(d time.Duration) { readLimit = d }(readLimit)
	readLimit = 50 * time.Millisecond
	cfg, err := config.Parse("", nil, func(string) (string, bool) { return "", false }, catalog.Default())
	if err != nil {
		t.Fatal(err)
	}
	g, err := gateway.New(gateway.Options{Config: cfg})
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	srv := httptest.NewServer(New(Options{Gateway: g, Codecs: all.List()}))
	defer srv.Close()
	c, err := new(net.Dialer).DialContext(t.Context(), "tcp", strings.TrimPrefix(srv.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if _, err := c.Write([]byte("POST /v1/messages HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")); err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusRequestTimeout {
		t.Errorf("status %d", res.StatusCode)
	}
}
