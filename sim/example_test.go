package sim_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/sim"
)

func ExampleNew() {
	req := weir.NewRequest("sim", &weir.Body{Messages: []weir.Message{weir.UserText("Where does the river go?")}})
	var h weir.Handler = sim.New(sim.Options{Reply: "To the sea."})
	for ev, err := range h.Handle(context.Background(), req) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Print(ev.Text)
	}
	// Output: To the sea.
}

func ExampleNewServer() {
	upstream := httptest.NewServer(sim.NewServer(sim.ServerOptions{Faults: []sim.Rule{{Fault: "status=503;retry-after=2;times=1"}}}))
	defer upstream.Close()
	for range 2 {
		resp, err := http.Post(upstream.URL+"/v1/messages", "application/json",
			strings.NewReader(`{"model":"sim","max_tokens":9,"messages":[{"role":"user","content":"hi"}]}`))
		if err != nil {
			fmt.Println(err)
			return
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		fmt.Println(resp.StatusCode, resp.Header.Get("Retry-After"))
	}
	// Output:
	// 503 2
	// 200
}
