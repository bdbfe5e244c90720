package responsesgo

import (
	"encoding/json"
	"errors"
	"sync"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/responses"

	"github.com/weir-gateway/weir/test/sdk/stand"
)

func connect(t *testing.T) *responses.ResponseConnection {
	t.Helper()
	client := newClient(t)
	connection, err := client.Responses.Connect(t.Context(), responses.ResponseConnectionOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(connection.Abort)
	return connection
}

func turn(model, input string) responses.ResponsesClientEventResponseCreateParam {
	return responses.ResponsesClientEventResponseCreateParam{
		Model: model, Input: responses.ResponsesClientEventResponseCreateInputUnionParam{OfString: openai.String(input)},
	}
}

func final(t *testing.T, c *responses.ResponseConnection, event responses.ResponsesClientEventResponseCreateParam) (*responses.Response, error) {
	t.Helper()
	if err := c.Create(t.Context(), event); err != nil {
		t.Fatal(err)
	}
	return c.FinalResponse(t.Context())
}

func TestSocketConversation(t *testing.T) { // P-17
	stand.EachUpstream(t, func(t *testing.T, upstream string) {
		t.Parallel()
		c := connect(t)
		for _, store := range []bool{true, false} {
			model := stand.Model(t, upstream, "")
			event := turn(model, stand.AskWeather)
			event.Tools, event.Store = tools(), openai.Bool(store)
			first, err := final(t, c, event)
			if err != nil {
				t.Fatal(err)
			}
			checkUsage(t, first)
			event.PreviousResponseID = openai.String(first.ID)
			answers := responses.ResponseInputParam(results(t, first, [][2]string{{"get_weather", `{"city":"Paris"}`}}))
			event.Input = responses.ResponsesClientEventResponseCreateInputUnionParam{OfResponse: &answers}
			second, err := final(t, c, event)
			if err != nil {
				t.Fatal(err)
			}
			stand.Has(t, second.OutputText(), "get_weather", stand.Weather)
			stand.Has(t, string(stand.Upstream(t, model).Body), stand.AskWeather)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestSocketEventsAreThoseOfAStream(t *testing.T) { // P-17, W-12
	stand.EachUpstream(t, func(t *testing.T, upstream string) {
		t.Parallel()
		c := connect(t)
		model := stand.Model(t, upstream, "")
		if err := c.Create(t.Context(), turn(model, stand.Chinese)); err != nil {
			t.Fatal(err)
		}
		var all responses.ResponseAccumulator
		for done := false; !done; {
			event, err := c.Recv(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if err := all.AddEvent(event); err != nil {
				t.Fatalf("the accumulator does not take %s: %v", event.RawJSON(), err)
			}
			done = event.Type == "response.completed"
		}
		got, err := all.ReconstructedResponse()
		if err != nil {
			t.Fatal(err)
		}
		if byHTTP := must(t, whole, ask(model, stand.Chinese)); byHTTP.OutputText() != got.OutputText() {
			t.Errorf("by HTTP %q, by the socket %q", byHTTP.OutputText(), got.OutputText())
		}
	})
}

func TestSocketLanes(t *testing.T) { // P-17
	stand.EachUpstream(t, func(t *testing.T, upstream string) {
		t.Parallel()
		c := connect(t)
		var all sync.WaitGroup
		for _, name := range []string{"one", "two", "three"} {
			lane, err := c.Lane(name)
			if err != nil {
				t.Fatal(err)
			}
			event := turn(stand.Model(t, upstream, ""), stand.Question+" "+name)
			event.StreamID = openai.String(name)
			all.Go(func() {
				if err := c.Create(t.Context(), event); err != nil {
					t.Error(err)
					return
				}
				got, err := lane.FinalResponse(t.Context())
				if err != nil {
					t.Error(err)
					return
				}
				stand.Has(t, got.OutputText(), stand.Question+" "+name)
			})
		}
		all.Wait()
	})
}

func TestSocketErrorsLeaveItOpen(t *testing.T) { // E-01, E-03
	stand.EachUpstream(t, func(t *testing.T, upstream string) {
		t.Parallel()
		c := connect(t)
		continued := turn(stand.Model(t, upstream, ""), stand.Question)
		continued.PreviousResponseID = openai.String("resp_none")
		for _, tt := range []struct {
			event  responses.ResponsesClientEventResponseCreateParam
			status int
			code   string
		}{
			{turn("nobody/no-such-model", stand.Question), 404, "model_not_found"},
			{continued, 400, "previous_response_not_found"},
			{turn(stand.Model(t, upstream, "status=429;retry-after=60"), stand.Question), 429, ""},
			{turn(stand.Model(t, upstream, "status=500"), stand.Question), 500, ""},
		} {
			_, err := final(t, c, tt.event)
			var e *responses.ResponseProtocolError
			if !errors.As(err, &e) {
				t.Fatalf("the error is %T %v", err, err)
			}
			var said struct {
				Status int
				Error  struct{ Code, Message string }
			}
			if err := json.Unmarshal([]byte(e.Event.RawJSON()), &said); err != nil || said.Status != tt.status ||
				said.Error.Message == "" || tt.code != "" && said.Error.Code != tt.code {
				t.Errorf("%s, want %d %q", e.Event.RawJSON(), tt.status, tt.code)
			}
		}
		got, err := final(t, c, turn(stand.Model(t, upstream, ""), stand.Question))
		if err != nil {
			t.Fatal(err)
		}
		stand.Has(t, got.OutputText(), stand.Question)
	})
}

func TestSocketKeys(t *testing.T) {
	url, key := stand.Keyed(t)
	for _, wrong := range []bool{false, true} {
		client := clientOf(url, key)
		if wrong {
			client = clientOf(url, key+"x")
		}
		c, err := client.Responses.Connect(t.Context(), responses.ResponseConnectionOptions{})
		if wrong {
			if err == nil {
				c.Abort()
				t.Fatal("the socket was opened with a wrong key")
			}
			stand.Has(t, err.Error(), "401")
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		defer c.Abort()
		got, err := final(t, c, turn(stand.Anthropic+"/"+stand.Listed, stand.Question))
		if err != nil {
			t.Fatal(err)
		}
		stand.Has(t, got.OutputText(), stand.Question)
	}
}

func TestClosedSocketCancelsUpstream(t *testing.T) {
	stand.EachUpstream(t, func(t *testing.T, upstream string) {
		before := stand.ReadStats(t)
		c := connect(t)
		if err := c.Create(t.Context(), turn(stand.Model(t, upstream, "slow=100ms"), stand.Question)); err != nil {
			t.Fatal(err)
		}
		for {
			event, err := c.Recv(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if event.Type == "response.output_text.delta" {
				break
			}
		}
		c.Abort()
		stand.Canceled(t, before)
	})
}
