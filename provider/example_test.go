package provider_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/provider"
)

// A model is opened by its name and then ranged over. Here a local server
// stands in for the provider; without WithKey and WithBaseURL the environment
// and the catalogue say where to go.
func ExampleOpen() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"id":"1","object":"chat.completion","created":1,"model":"deepseek-flash","choices":[`+
			`{"index":0,"message":{"role":"assistant","content":"A weir is a low dam."},"finish_reason":"stop"}]}`)
	}))
	defer server.Close()
	transport := provider.NewTransport(provider.TransportOptions{})
	defer transport.CloseIdleConnections()

	model, err := provider.Open("deepseek/deepseek-flash",
		provider.WithKey("sk-example"), provider.WithBaseURL(server.URL), provider.WithTransport(transport))
	if err != nil {
		fmt.Println(err)
		return
	}
	request := weir.NewRequest("deepseek-flash", &weir.Body{
		Messages: []weir.Message{weir.UserText("What is a weir?")},
	})
	answer, err := weir.Collect(model.Handle(context.Background(), request))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(answer.Text())
	// Output: A weir is a low dam.
}
