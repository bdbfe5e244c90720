package thread_test

import (
	"context"
	"fmt"
	"iter"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/stage/thread"
)

// A provider that has never heard of previous_response_id.
func Example() {
	keeper := thread.NewKeeper(thread.KeeperOptions{Store: thread.NewMemory(thread.MemoryOptions{})})
	provider := weir.HandlerFunc(func(_ context.Context, req *weir.Request) iter.Seq2[weir.Event, error] {
		return func(yield func(weir.Event, error) bool) {
			body, _ := req.Body()
			_ = yield(weir.Event{Type: weir.EventStart, Start: &weir.Start{}}, nil) &&
				yield(weir.Event{Type: weir.EventBlockStart, Block: &weir.Block{Type: weir.BlockText}}, nil) &&
				yield(weir.Event{Type: weir.EventDelta, Text: fmt.Sprintf("I was told %d messages", len(body.Messages))}, nil) &&
				yield(weir.Event{Type: weir.EventBlockEnd}, nil) &&
				yield(weir.Event{Type: weir.EventFinish, Finish: &weir.Finish{Reason: weir.FinishStop}}, nil)
		}
	})
	h := weir.Chain(provider, thread.New(thread.Options{Keeper: keeper, Deployment: "any/model", Keep: true}))
	turn := func(text, previous string) *weir.Completion {
		body := &weir.Body{From: weir.OpenAIResponses, Messages: []weir.Message{weir.UserText(text)}}
		body.Thread = &weir.Thread{Previous: previous}
		done, err := weir.Collect(h.Handle(context.Background(), weir.NewRequest("m", body)))
		if err != nil {
			fmt.Println(err)
		}
		return done
	}
	first := turn("I am Ada", "")
	second := turn("Who am I?", first.Start.ID)
	fmt.Println(first.Text())
	fmt.Println(second.Text())
	// Output:
	// I was told 1 messages
	// I was told 3 messages
}
